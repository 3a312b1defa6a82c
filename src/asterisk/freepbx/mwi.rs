//! MWI of hotdesk phones on a FreePBX: a phone shows the mailbox of its user, or no messages.
//!
//! FreePBX maps a device's mailbox to a user's by an alias in `voicemail.conf`: its script writes that file and reloads it.
//! That needs the right to write any file, so Hotdesk notifies the phone itself with `PJSIPNotify`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tracing::debug;

use super::rows::{DEVICES, NO_USER, USERS};
use crate::asterisk::ami::client::Manager;
use crate::asterisk::events::Events;
use crate::asterisk::mwi::codec::{Sign, count, counted, notify};
use crate::asterisk::table::database;
use crate::model::id::{DeviceName, Extension};
use crate::switch::mwi::Messages;
use crate::switch::{SwitchError, unless_refused};

/// The devices where users may log in. FreePBX alone serves every other phone.
pub(super) type Hotdesks = Arc<Mutex<BTreeSet<DeviceName>>>;

/// Sends a phone the MWI of `user`, or that no messages wait. An unregistered phone gets it when it registers.
pub(super) async fn send(
    manager: &Manager,
    device: &str,
    user: Option<&Extension>,
) -> Result<(), SwitchError> {
    let waiting = match user {
        Some(user) => waiting(manager, user.as_str()).await?,
        None => Messages::default(),
    };
    unless_refused(manager.act(notify(device, &waiting)).await).map(drop)
}

/// Follows mailboxes and registrations while it runs.
pub(super) async fn follow(manager: Manager, events: Events, hotdesks: Hotdesks) {
    let mut events = events.mail.subscribe();
    loop {
        let sent = match events.recv().await {
            Ok(Sign::Device(device)) => send_again(&manager, &hotdesks, &device).await,
            Ok(Sign::Box(mailbox)) => send_of(&manager, &hotdesks, &mailbox).await,
            // After missed events a phone gets its MWI at its next registration.
            Err(RecvError::Lagged(_)) => Ok(()),
            Err(RecvError::Closed) => return,
        };
        if let Err(error) = sent {
            debug!(event = "mwi.not_sent", %error, "could not send MWI; the phone gets it at its next registration");
        }
    }
}

/// Sends MWI to the phones where the owner of `mailbox` is logged in. FreePBX calls a device's own mailbox `<device>@device`.
async fn send_of(manager: &Manager, hotdesks: &Hotdesks, mailbox: &str) -> Result<(), SwitchError> {
    let Some((name, context)) = mailbox.split_once('@') else { return Ok(()) };
    if context == "device" {
        return send_again(manager, hotdesks, name).await;
    }
    let devices = database::get(manager, USERS, &format!("{name}/device")).await?.unwrap_or_default();
    for device in devices.split('&').filter(|device| !device.is_empty()) {
        send_again(manager, hotdesks, device).await?;
    }
    Ok(())
}

/// Sends a hotdesk phone the MWI of the user that FreePBX has for it.
async fn send_again(manager: &Manager, hotdesks: &Hotdesks, device: &str) -> Result<(), SwitchError> {
    let known = |name| hotdesks.lock().unwrap_or_else(PoisonError::into_inner).contains(&name);
    if !DeviceName::new(device).is_ok_and(known) {
        return Ok(());
    }
    let user = database::get(manager, DEVICES, &format!("{device}/user")).await?;
    let user = user.filter(|user| user != NO_USER);
    let user = user.and_then(|user| Extension::new(user).ok());
    send(manager, device, user.as_ref()).await
}

/// The messages of a user who has a mailbox.
async fn waiting(manager: &Manager, user: &str) -> Result<Messages, SwitchError> {
    let context = database::get(manager, USERS, &format!("{user}/voicemail")).await?;
    let Some(context) = context.filter(|context| !["", "novm", "disabled"].contains(&context.as_str()))
    else {
        return Ok(Messages::default());
    };
    let mailbox = format!("{user}@{context}");
    let counts = unless_refused(manager.act(count(&mailbox)).await)?;
    Ok(counts.map(|counts| counted(&mailbox, Some(&counts))).unwrap_or_default())
}
