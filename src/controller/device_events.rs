//! The device events of several switches in one queue.

use tokio::sync::{broadcast, mpsc};

use crate::model::id::SwitchName;
use crate::switch::device_state::DeviceEvent;

/// A device event of a switch; `None` when some were missed.
pub(super) type Heard = (SwitchName, Option<DeviceEvent>);

/// Passes the events of a switch on, until either end is gone.
pub(super) async fn forward(
    switch: SwitchName,
    mut events: broadcast::Receiver<DeviceEvent>,
    to: mpsc::Sender<Heard>,
) {
    loop {
        let event = match events.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if to.send((switch.clone(), event)).await.is_err() {
            return;
        }
    }
}
