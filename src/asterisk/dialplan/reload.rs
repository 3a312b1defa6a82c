//! Has an Asterisk read its dialplan again.

use std::time::Duration;

use tokio::time::sleep;

use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::Action;
use crate::switch::SwitchError;

/// The action, which needs the right `system`.
pub const RELOAD: &str = "Reload";
/// How often to ask while another reload is in progress, and how long to wait in between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Reloads extensions.conf and what it includes; returns when Asterisk has read it.
///
/// # Errors
/// [`SwitchError::Refused`] when Asterisk cannot read the files; what was loaded before stays (16.28 and 22.10).
pub async fn reload(manager: &Manager) -> Result<(), SwitchError> {
    let mut tries = 1;
    loop {
        match manager.act(Action::new(RELOAD).with("Module", "pbx_config")).await {
            Err(SwitchError::Refused(_, why)) if why.contains("in progress") && tries < TRIES => {
                tries += 1;
                sleep(PAUSE).await;
            }
            done => return done.map(drop),
        }
    }
}
