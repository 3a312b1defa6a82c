//! Logs when a switch goes down and when it is up again: once for all connections to it, whether or not a user calls.

use std::fmt::Display;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::state::{CONNECTING, STOPPED, State};
use crate::model::id::SwitchName;

/// A duration for the log, in seconds to a tenth.
pub(crate) fn seconds(lasted: Duration) -> f64 {
    (lasted.as_secs_f64() * 10.0).round() / 10.0
}

/// The state of a switch, by all connections to it.
#[derive(Clone, Eq, PartialEq)]
enum Whole {
    /// Not known yet, or not any more.
    Unknown,
    /// A connection is down, for this reason.
    Down(String),
    /// The switch refuses a login, for this reason.
    Refused(String),
    /// All connections are up; what is known of the switch.
    Up(String),
}

impl Whole {
    fn of<U: Display>(states: &mut [watch::Receiver<State<U>>]) -> Self {
        let mut whole = None;
        for state in states {
            let is = match &*state.borrow_and_update() {
                State::Refused(why) => return Self::Refused(why.clone()),
                State::Down(why) if why == CONNECTING || why == STOPPED => Self::Unknown,
                State::Down(why) => Self::Down(why.clone()),
                State::Up(up) => Self::Up(up.to_string()),
            };
            whole = Some(match (whole, is) {
                (Some(down @ Self::Down(_)), _) | (_, down @ Self::Down(_)) => down,
                (Some(Self::Unknown), _) => Self::Unknown,
                (_, is) => is,
            });
        }
        whole.unwrap_or(Self::Unknown)
    }
}

/// Watches the connections to a switch for ever.
pub(crate) async fn watch<U: Display + Send + Sync + 'static>(
    switch: SwitchName,
    address: String,
    mut states: Vec<watch::Receiver<State<U>>>,
) {
    let mut before = Whole::Unknown;
    let mut down: Option<Instant> = None;
    loop {
        let now = Whole::of(&mut states);
        match &now {
            Whole::Unknown => {}
            Whole::Up(is) if !matches!(before, Whole::Up(_)) => {
                let down_s = down.take().map(|since| seconds(since.elapsed()));
                info!(event = "switch.up", %switch, %address, %is, down_s, "connected");
            }
            Whole::Down(why) if down.is_none() => {
                warn!(event = "switch.down", %switch, %address, %why, "the switch cannot be reached");
            }
            Whole::Refused(why) if now != before => {
                error!(event = "switch.refused", %switch, %address, %why, "the switch refused the login");
            }
            _ => {}
        }
        if matches!(now, Whole::Down(_) | Whole::Refused(_)) {
            down.get_or_insert_with(Instant::now);
        }
        if now != Whole::Unknown {
            before = now;
        }
        let changes = states.iter_mut().map(|state| Box::pin(state.changed()));
        if select_all(changes).await.0.is_err() {
            // Its connection has ended, with the program.
            return std::future::pending().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_up_with_all_its_connections_and_refuses_with_one() {
        let up = || State::Up("FreeSWITCH 1.10.12".to_owned());
        let down = || State::Down("cannot be reached".into());
        let connecting = || State::Down(CONNECTING.into());
        let whole = |states: Vec<State<String>>| {
            let senders: Vec<_> = states.into_iter().map(watch::Sender::new).collect();
            Whole::of(&mut senders.iter().map(watch::Sender::subscribe).collect::<Vec<_>>())
        };
        assert!(whole(vec![up(), up()]) == Whole::Up("FreeSWITCH 1.10.12".into()));
        assert!(whole(vec![up(), connecting()]) == Whole::Unknown);
        assert!(whole(vec![connecting(), up()]) == Whole::Unknown);
        assert!(whole(vec![connecting(), down()]) == Whole::Down("cannot be reached".into()));
        assert!(whole(vec![down(), up()]) == Whole::Down("cannot be reached".into()));
        assert!(whole(vec![down(), State::Refused("no".into())]) == Whole::Refused("no".into()));
    }
}
