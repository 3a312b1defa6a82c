//! The handle to one Asterisk's manager interface, and the task that keeps it connected.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::ami::{Action, Message};
use super::mail::{SIGNS, Sign};
use super::queues::Paused;
use super::session::{Answer, Post, Request, WINDOW, attend};
use crate::switch::SwitchError;
use crate::switch::activity::{STIRS, Stir};
use crate::switch::reconnect::{Backoff, reach, tcp};

pub use super::login::Settings;
pub use super::session::{State, Up};

/// An Asterisk's manager interface. Clones share one connection, which is made again whenever it is lost.
#[derive(Clone, Debug)]
pub struct Manager {
    deadline: Duration,
    state: watch::Receiver<State>,
    unsettled: watch::Receiver<u64>,
    stirs: broadcast::Sender<Stir>,
    mail: broadcast::Sender<Sign>,
    pauses: broadcast::Sender<Paused>,
}

impl Manager {
    /// Connects over TCP and stays connected until `stop`. Returns at once.
    #[must_use]
    pub fn start(settings: Settings, stop: CancellationToken) -> Self {
        let address = settings.address.clone();
        Self::over(settings, stop, move || tcp(address.clone()))
    }

    /// The same over whatever `connect` makes.
    #[must_use]
    pub fn over<S, F>(
        settings: Settings,
        stop: CancellationToken,
        connect: impl Fn() -> F + Send + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
        F: Future<Output = io::Result<S>> + Send,
    {
        let post = Post {
            state: watch::Sender::new(State::Down("connecting".into())),
            unsettled: watch::Sender::new(0),
            stirs: broadcast::Sender::new(STIRS),
            mail: broadcast::Sender::new(SIGNS),
            pauses: broadcast::Sender::new(SIGNS),
        };
        let manager = Self {
            deadline: settings.deadline,
            state: post.state.subscribe(),
            unsettled: post.unsettled.subscribe(),
            stirs: post.stirs.clone(),
            mail: post.mail.clone(),
            pauses: post.pauses.clone(),
        };
        tokio::spawn(async move {
            stop.run_until_cancelled(keep_connected(&settings, &post, connect)).await;
            post.state.send_replace(State::Down("stopped".into()));
        });
        manager
    }

    /// Carries out one action.
    ///
    /// # Errors
    /// [`SwitchError::Refused`] with Asterisk's message when the response is an error; [`SwitchError::Away`] at once without
    /// a connection; [`SwitchError::Late`] after the deadline: whether it was done is then unknown.
    pub async fn act(&self, action: Action) -> Result<Message, SwitchError> {
        Ok(self.answer(action).await?.response)
    }

    /// Carries out an action that is answered by a list, and returns the list's events without the one that ends it.
    ///
    /// # Errors
    /// As [`Manager::act`]. Mind that some actions refuse when there is nothing to list: `PJSIPShowContacts` says
    /// `No Contacts found`, `DBGet` says `Database entry not found`.
    pub async fn list(&self, action: Action) -> Result<Vec<Message>, SwitchError> {
        Ok(self.answer(action).await?.events)
    }

    /// Carries out any number of actions, many on the wire at a time, in their order. Returns their responses in the
    /// same order, those that are errors, too. The deadline is that of 256 actions.
    ///
    /// # Errors
    /// [`SwitchError::Away`] and [`SwitchError::Late`] as in [`Manager::act`]; how many were done is then unknown.
    /// [`SwitchError::Refused`] when one of them cannot be sent; then none is.
    pub async fn act_all(&self, actions: Vec<Action>) -> Result<Vec<Message>, SwitchError> {
        actions.iter().try_for_each(sendable)?;
        let mut responses = Vec::with_capacity(actions.len());
        let mut actions = actions.into_iter().peekable();
        while let Some(first) = actions.peek() {
            let name = first.name();
            let window = async {
                let mut answers = Vec::with_capacity(WINDOW);
                for action in actions.by_ref().take(WINDOW) {
                    answers.push(self.send(action).await?);
                }
                for answer in answers {
                    responses.push(self.received(answer.await)?.response);
                }
                Ok(())
            };
            self.in_time(name, window).await?;
        }
        Ok(responses)
    }

    /// How it stands with the switch, now and later. Whoever holds on to a borrow of it stops the connection.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Grows when what Asterisk holds may have changed without us: it was connected to, reloaded, restarted.
    #[must_use]
    pub fn unsettled(&self) -> watch::Receiver<u64> {
        self.unsettled.clone()
    }

    /// Tells of devices that seem to do something else than before.
    #[must_use]
    pub fn stirs(&self) -> broadcast::Receiver<Stir> {
        self.stirs.subscribe()
    }

    /// Tells of phones whose message waiting lamp may be wrong.
    pub(super) fn mail(&self) -> broadcast::Receiver<Sign> {
        self.mail.subscribe()
    }

    /// Tells of members of queues who took a pause, or ended it.
    pub(super) fn pauses(&self) -> broadcast::Receiver<Paused> {
        self.pauses.subscribe()
    }

    /// For how long Asterisk has been up; nothing, while there is no connection.
    pub(super) fn up(&self) -> Duration {
        match &*self.state.borrow() {
            State::Up(up) => up.started.map_or(Duration::MAX, |started| started.elapsed()),
            State::Down(_) | State::Refused(_) => Duration::ZERO,
        }
    }

    async fn answer(&self, action: Action) -> Result<Answer, SwitchError> {
        sendable(&action)?;
        let name = action.name();
        let answer = self.in_time(name, async { self.received(self.send(action).await?.await) }).await?;
        if answer.response.is_success() {
            return Ok(answer);
        }
        let message = answer.response.header("Message").unwrap_or("without a reason").trim_end();
        Err(SwitchError::Refused(name.into(), message.into()))
    }

    /// Hands an action to the session; there is one only while the switch is up.
    async fn send(
        &self,
        action: Action,
    ) -> Result<oneshot::Receiver<Result<Answer, SwitchError>>, SwitchError> {
        let actions = self.state.borrow().up()?.actions.clone();
        let (answer, answered) = oneshot::channel();
        actions.send(Request { action, answer }).await.map_err(|_| self.away())?;
        Ok(answered)
    }

    fn received(
        &self,
        answer: Result<Result<Answer, SwitchError>, oneshot::error::RecvError>,
    ) -> Result<Answer, SwitchError> {
        answer.map_err(|_| self.away())?
    }

    fn away(&self) -> SwitchError {
        let lost = || SwitchError::Away("the connection was lost".into());
        self.state.borrow().up().err().unwrap_or_else(lost)
    }

    async fn in_time<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, SwitchError>>,
    ) -> Result<T, SwitchError> {
        timeout_at(Instant::now() + self.deadline, work)
            .await
            .unwrap_or_else(|_| Err(SwitchError::Late(name.into(), self.deadline)))
    }
}

fn sendable(action: &Action) -> Result<(), SwitchError> {
    action.check().map_err(|e| SwitchError::Refused(action.name().into(), e.to_string()))
}

async fn keep_connected<S, F>(settings: &Settings, post: &Post, connect: impl Fn() -> F)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
    F: Future<Output = io::Result<S>> + Send,
{
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        let ended = match reach(&settings.address, settings.deadline, connect()).await {
            Ok(stream) => attend(stream, settings, post).await,
            Err(ended) => ended,
        };
        let whose = (&settings.name, settings.address.as_str());
        backoff.rest(whose, &post.state, ended, began.elapsed()).await;
    }
}
