//! A connection to a switch for one command.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::context::CommandContext;
use super::serve;
use crate::asterisk::ami::client::{self as ami, Manager};
use crate::config::{Kind, Switch};
use crate::freeswitch::esl::client::{self as esl, Client};
use crate::freeswitch::table::mod_db::FreeSwitchSwitch;
use crate::model::id::SwitchName;
use crate::switch::connection::state::State;

/// How long connecting and logging in to the switch may take.
const LOGIN: Duration = Duration::from_secs(5);
/// How long one answer may take; a switch may list thousands of phones.
const ANSWER: Duration = Duration::from_secs(60);

/// A switch that accepted our login; dropping this closes the connection.
pub(super) struct Connected<T> {
    pub(super) to: T,
    _connection: AbortOnDropHandle<()>,
}

impl Connected<Manager> {
    pub(super) async fn asterisk(switch: &Switch) -> Result<Self> {
        let settings = ami::Settings { deadline: ANSWER, ..serve::asterisk::manager(switch)? };
        let (to, connection) = Manager::new(settings, CancellationToken::new());
        let connection = connected(&switch.name, to.state(), connection).await?;
        Ok(Self { to, _connection: connection })
    }
}

impl Connected<Client> {
    pub(super) async fn freeswitch(switch: &Switch) -> Result<Self> {
        Self::event_socket(serve::freeswitch::settings(switch)?).await
    }

    /// Over the event socket, with these settings.
    pub(super) async fn event_socket(settings: esl::Settings) -> Result<Self> {
        let (settings, name) = (esl::Settings { deadline: ANSWER, ..settings.clone() }, settings.name);
        let (to, connection) = Client::new(settings, CancellationToken::new());
        let connection = connected(&name, to.state(), connection).await?;
        Ok(Self { to, _connection: connection })
    }
}

/// Runs a connection, and waits until the switch accepts the login.
async fn connected<U>(
    switch: &SwitchName,
    mut states: watch::Receiver<State<U>>,
    connection: impl Future<Output = ()> + Send + 'static,
) -> Result<AbortOnDropHandle<()>> {
    let connection = AbortOnDropHandle::new(tokio::spawn(connection));
    // The first state after "connecting".
    let _ = timeout(LOGIN, states.changed()).await;
    match &*states.borrow() {
        State::Up(_) => Ok(connection),
        State::Down(why) | State::Refused(why) => bail!(
            "cannot query the switch {switch}: {why}. Run hotdesk check: it says how to repair the connection"
        ),
    }
}

/// The message for a query that a connected switch refused or did not answer.
pub(super) fn refused(switch: &Switch) -> String {
    let rights = match switch.kind {
        Kind::Asterisk => {
            "; give Hotdesk's user in manager.conf read = system,call,user and write = system,call,user"
        }
        Kind::FreeSwitch => "",
    };
    format!("{} refused the query{rights}", switch.name)
}

/// The tenant's table on a switch.
pub(super) async fn table(
    context: &CommandContext,
    switch: &Switch,
) -> Result<Connected<Arc<dyn crate::switch::Switch>>> {
    let (tenant, groups) = (&context.tenant, context.config.routes(switch, &context.tenant).groups);
    Ok(match switch.kind {
        Kind::Asterisk => {
            let Connected { to, _connection } = Connected::asterisk(switch).await?;
            Connected { to: serve::asterisk::table(switch, &to, tenant, groups), _connection }
        }
        Kind::FreeSwitch => {
            let Connected { to, _connection } = Connected::freeswitch(switch).await?;
            Connected { to: Arc::new(FreeSwitchSwitch::new(to, tenant.clone()).with(&groups)), _connection }
        }
    })
}
