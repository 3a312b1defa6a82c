//! A switch that a command asks something.

use std::time::Duration;

use anyhow::bail;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::serve;
use crate::asterisk::manager::{self, Manager};
use crate::config::{Kind, Switch};
use crate::freeswitch::client::{self, Client};

/// How long a switch may take to let us in.
const LOGIN: Duration = Duration::from_secs(5);
/// How long it may take to list all there is.
const ANSWER: Duration = Duration::from_secs(60);

/// A switch that has let us in, until this is dropped.
pub(super) struct Connected<T> {
    /// What is asked.
    pub(super) to: T,
    _until_dropped: DropGuard,
}

impl Connected<Manager> {
    pub(super) async fn asterisk(switch: &Switch) -> anyhow::Result<Self> {
        let settings = manager::Settings { deadline: ANSWER, ..serve::asterisk::manager(switch)? };
        let stop = CancellationToken::new();
        let to = Manager::start(settings, stop.clone());
        let mut states = to.state();
        // The first thing that it becomes after "connecting".
        let _ = timeout(LOGIN, states.changed()).await;
        match &*states.borrow() {
            manager::State::Up(_) => {}
            manager::State::Down(why) | manager::State::Refused(why) => bail!(unreachable(switch, why)),
        }
        Ok(Self { to, _until_dropped: stop.drop_guard() })
    }
}

impl Connected<Client> {
    pub(super) async fn freeswitch(switch: &Switch) -> anyhow::Result<Self> {
        let settings = client::Settings { deadline: ANSWER, ..serve::freeswitch::settings(switch)? };
        let stop = CancellationToken::new();
        let (to, _events) = Client::start(settings, stop.clone());
        let mut states = to.state();
        let _ = timeout(LOGIN, states.changed()).await;
        match &*states.borrow() {
            client::State::Up(_) => {}
            client::State::Down(why) | client::State::Refused(why) => bail!(unreachable(switch, why)),
        }
        Ok(Self { to, _until_dropped: stop.drop_guard() })
    }
}

fn unreachable(switch: &Switch, why: &str) -> String {
    format!("the switch {} cannot be asked: {why}; hotdesk check says what to do", switch.name)
}

/// What is said with the reason, when a switch that let us in does not answer.
pub(super) fn refused(switch: &Switch) -> String {
    match switch.kind {
        Kind::Asterisk => format!(
            "the switch {} does not tell; manager.conf must give our user read = system,call,user and write = \
             system,call,user",
            switch.name
        ),
        Kind::FreeSwitch => format!("the switch {} does not tell", switch.name),
    }
}
