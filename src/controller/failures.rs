//! What follows from a PIN that was compared: alarms when somebody tries many, and records made with an older pepper.

use tracing::warn;

use super::{Controller, Origin};
use crate::desk::id::{DeviceName, Extension, TenantId};
use crate::desk::journal::Event;
use crate::desk::lock::Kind;
use crate::desk::pin::PinRecord;

impl Controller {
    /// Raises the alarm for a failure that made a spray. `user` is known to exist: other digits may be somebody's PIN.
    pub(super) async fn alarm(
        &self,
        origin: &Origin,
        spray: &[Kind],
        device: &DeviceName,
        user: Option<&Extension>,
    ) {
        for kind in spray {
            // A device that tries many is not about the one it tried last.
            let user = user.filter(|_| *kind == Kind::User);
            let of = kind.name();
            warn!(event = "login.spray", of, %device, user = user.map(tracing::field::display),
                "one device tries many extensions, or one extension is tried from many devices");
            let event = Event::Spray { device: device.clone(), user: user.cloned(), of: of.into() };
            self.journal(origin, event).await;
        }
    }

    /// Keeps a PIN's record that was made anew with the current pepper. If it cannot be kept now, the next login does.
    pub(super) async fn rehash(&self, tenant: &TenantId, user: &Extension, was: &PinRecord, is: &PinRecord) {
        if let Err(error) = self.store.rehash(tenant, user, was, is).await {
            warn!(event = "pin.not_rehashed", %user, %error, "the PIN's record stays with its older pepper for now");
        }
    }
}
