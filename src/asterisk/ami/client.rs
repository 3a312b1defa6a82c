//! The handle to one Asterisk's manager interface.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::codec::{Action, Message};
use super::protocol::{Ami, Answer};
use crate::switch::SwitchError;
use crate::switch::connection::events::Subscription;
use crate::switch::connection::handle::{Connection, tcp};
use crate::switch::connection::state;

pub use super::login::{Settings, Up};

/// The state of the connection to an Asterisk, which is up when it has fully booted.
pub type State = state::State<Up>;

/// An Asterisk's manager interface. Clones share one connection, which is made again whenever it is lost.
#[derive(Clone, Debug)]
pub struct Manager(Connection<Ami>);

impl Manager {
    /// The handle, and the task that connects over TCP and stays connected until `stop`. Nothing happens unless it runs.
    pub fn new(
        settings: Settings,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let address = settings.address.clone();
        Self::over(settings, stop, move || tcp(address.clone()))
    }

    /// The same over the streams that `connect` makes.
    pub fn over<S, F>(
        settings: Settings,
        stop: CancellationToken,
        connect: impl Fn() -> F + Send + 'static,
    ) -> (Self, impl Future<Output = ()> + Send + 'static)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
        F: Future<Output = io::Result<S>> + Send,
    {
        let (connection, task) = Connection::new(settings, stop, connect);
        (Self(connection), task)
    }

    /// Carries out one action.
    ///
    /// # Errors
    /// [`SwitchError::Refused`] with Asterisk's message when the response is an error; [`SwitchError::Away`] at once without
    /// a connection; [`SwitchError::Late`] after the deadline: whether it was carried out is then unknown.
    pub async fn act(&self, action: Action) -> Result<Message, SwitchError> {
        Ok(self.answer(action).await?.response)
    }

    /// Carries out an action that is answered by a list, and returns the list's events without the one that ends it.
    ///
    /// # Errors
    /// As [`Manager::act`]. Some actions refuse when there is nothing to list: `PJSIPShowContacts` says
    /// `No Contacts found`, `DBGet` says `Database entry not found`.
    pub async fn list(&self, action: Action) -> Result<Vec<Message>, SwitchError> {
        Ok(self.answer(action).await?.events)
    }

    /// Carries out any number of actions, many on the wire at a time, in their order. Returns their responses in the
    /// same order, errors among them. The deadline is that of 256 actions.
    ///
    /// # Errors
    /// [`SwitchError::Away`] and [`SwitchError::Late`] as in [`Manager::act`]; how many were carried out is then unknown.
    /// [`SwitchError::Refused`] when one of them cannot be sent; then none is.
    pub async fn act_all(&self, actions: Vec<Action>) -> Result<Vec<Message>, SwitchError> {
        actions.iter().try_for_each(sendable)?;
        let actions = actions.into_iter().map(|action| (action.name(), action)).collect();
        let answers = self.0.ask_all(actions).await?;
        Ok(answers.into_iter().map(|answer| answer.response).collect())
    }

    /// The state of the connection, now and later. A borrow of it that is kept stops the connection.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.0.state()
    }

    /// The raw events that the settings ask for, from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription<Message> {
        self.0.subscribe()
    }

    /// For how long Asterisk has been up; nothing, while there is no connection.
    pub(in crate::asterisk) fn up(&self) -> Duration {
        match &*self.0.state().borrow() {
            State::Up(up) => up.started.map_or(Duration::MAX, |started| started.elapsed()),
            State::Down(_) | State::Refused(_) => Duration::ZERO,
        }
    }

    async fn answer(&self, action: Action) -> Result<Answer, SwitchError> {
        sendable(&action)?;
        let name = action.name();
        let answer = self.0.ask(name, action, self.0.deadline()).await?;
        if answer.response.is_success() {
            return Ok(answer);
        }
        let message = answer.response.header("Message").unwrap_or("without a reason").trim_end();
        Err(SwitchError::Refused(name.into(), message.into()))
    }
}

fn sendable(action: &Action) -> Result<(), SwitchError> {
    action.check().map_err(|e| SwitchError::Refused(action.name().into(), e.to_string()))
}
