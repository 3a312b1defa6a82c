//! What was seen of devices at which somebody sits. It goes with the binding: `unseat` in `house.lua` sees to that.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Redis, on};
use crate::desk::id::{DeviceName, TenantId};
use crate::desk::leave::Seen;
use crate::desk::table::Scope;
use crate::store::{Note, StoreError};

impl Redis {
    /// See [`Store::seen`](crate::store::Store::seen).
    pub(super) async fn all_seen(
        &self,
        tenant: &TenantId,
        scope: &Scope,
    ) -> Result<BTreeMap<DeviceName, Seen>, StoreError> {
        let devices = match scope {
            Scope::All => "null".into(),
            Scope::Some { devices, .. } => self.text(devices)?,
        };
        type Fields = BTreeMap<String, i64>;
        let rows: Vec<(String, Fields)> = self.link.run(on(&self.seen, tenant).arg(devices)).await?;
        let row = |(device, fields): (String, Fields)| {
            let at = |field: &str| fields.get(field).and_then(|at| Timestamp::from_microsecond(*at).ok());
            let seen = Seen { asked: at("asked"), gone: at("gone"), quiet: at("quiet"), stays: at("stays") };
            DeviceName::new(device).ok().map(|device| (device, seen))
        };
        Ok(rows.into_iter().filter_map(row).collect())
    }

    /// See [`Store::note`](crate::store::Store::note).
    pub(super) async fn note_all(&self, tenant: &TenantId, notes: &[Note]) -> Result<Vec<bool>, StoreError> {
        let mut script = on(&self.note, tenant);
        for Note { device, revision, what } in notes {
            let (field, value) = what.field();
            let value = value.map_or_else(String::new, |value| value.to_string());
            script.arg(device.as_str()).arg(revision.0).arg(field).arg(value).arg(u8::from(what.grows()));
        }
        self.link.run(&script).await
    }
}
