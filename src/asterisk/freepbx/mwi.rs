//! The message waiting lamps of hotdesk phones on a FreePBX: they show the mailbox of who sits there, or nothing.
//!
//! FreePBX maps a device's mailbox to a user's by an alias in `voicemail.conf`, for which its script writes that file and
//! reloads it. That would take rights by which anything can be written, so we tell the phone itself: `PJSIPNotify`.

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::super::database;
use super::super::mail::{Sign, count, counted, notify};
use super::super::manager::Manager;
use super::rows::NOBODY;
use crate::desk::id::Extension;
use crate::switch::SwitchError;
use crate::switch::mwi::Messages;

/// Tells a phone what waits for `user`, or that nothing does. A phone that is not there hears it when it comes back.
pub(super) async fn tell(
    manager: &Manager,
    device: &str,
    user: Option<&Extension>,
) -> Result<(), SwitchError> {
    let waiting = match user {
        Some(user) => waiting(manager, user.as_str()).await?,
        None => Messages::default(),
    };
    match manager.act(notify(device, &waiting)).await {
        Ok(_) | Err(SwitchError::Refused(..)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Follows mailboxes and registrations until `stop`.
pub async fn follow(manager: Manager, stop: CancellationToken) {
    let mut signs = manager.mail();
    while let Some(sign) = stop.run_until_cancelled(signs.recv()).await {
        let told = match sign {
            Ok(Sign::Phone(device)) => tell_again(&manager, &device).await,
            Ok(Sign::Box(mailbox)) => tell_of(&manager, &mailbox).await,
            // Those that were missed are told at their next registration.
            Err(RecvError::Lagged(_)) => Ok(()),
            Err(RecvError::Closed) => return,
        };
        if let Err(error) = told {
            debug!(event = "mwi.untold", %error, "a lamp is right again at the phone's next registration");
        }
    }
}

/// Tells the phones where the owner of `mailbox` is. FreePBX calls a device's own `<device>@device`.
async fn tell_of(manager: &Manager, mailbox: &str) -> Result<(), SwitchError> {
    let Some((name, context)) = mailbox.split_once('@') else { return Ok(()) };
    if context == "device" {
        return tell_again(manager, name).await;
    }
    let devices = database::get(manager, "AMPUSER", &format!("{name}/device")).await?.unwrap_or_default();
    for device in devices.split('&').filter(|device| !device.is_empty()) {
        tell_again(manager, device).await?;
    }
    Ok(())
}

/// Tells a phone what waits for whoever FreePBX says is there. Nothing, when it is a phone where nobody can log in: that one
/// is FreePBX's alone.
async fn tell_again(manager: &Manager, device: &str) -> Result<(), SwitchError> {
    let get = async |field: &str| database::get(manager, "DEVICE", &format!("{device}/{field}")).await;
    if get("type").await?.as_deref() != Some("adhoc") {
        return Ok(());
    }
    let user = get("user").await?.filter(|user| user != NOBODY);
    let user = user.and_then(|user| Extension::new(user).ok());
    tell(manager, device, user.as_ref()).await
}

/// What waits for a user, if he has a mailbox.
async fn waiting(manager: &Manager, user: &str) -> Result<Messages, SwitchError> {
    let context = database::get(manager, "AMPUSER", &format!("{user}/voicemail")).await?;
    let Some(context) = context.filter(|context| !["", "novm", "disabled"].contains(&context.as_str()))
    else {
        return Ok(Messages::default());
    };
    let mailbox = format!("{user}@{context}");
    match manager.act(count(&mailbox)).await {
        Ok(answer) => Ok(counted(&mailbox, Some(&answer))),
        Err(SwitchError::Refused(..)) => Ok(Messages::default()),
        Err(error) => Err(error),
    }
}
