//! What a phone saw and heard, kept in order, and waiting for the next of it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::message::Identity;

/// Something a phone saw or heard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The registrar took the registration, for so many seconds; 0 when it was given up.
    Registered(u32),
    /// A REGISTER or SUBSCRIBE failed with this code.
    Failed(String, u16),
    /// A provisional response: 180 rings there, 183 carries early media.
    Progress(u16),
    /// The call that we made was answered.
    Answered,
    /// A call comes in.
    Ringing(Caller),
    /// A call came in beside the present one, and got 486 (busy).
    TurnedAway,
    /// The identity of the far end changed, or is now known.
    Connected(Identity),
    /// The call is over, at whichever end.
    Ended(Ended),
    /// Something louder than noise is heard.
    AudioStart,
    /// Half a second of silence after it; how long it lasted, without the silence.
    AudioStop(Duration),
    /// The switch accepted a subscription.
    Subscribed(String),
    /// The switch's answer to a REFER.
    Referred(u16),
    /// A watched extension's lamp.
    Lamp(Lamp),
    /// The message waiting lamp.
    Mailbox(Mailbox),
}

/// The caller of an incoming INVITE.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// From, which the phone shows.
    pub from: Identity,
    /// P-Asserted-Identity, which the switch vouches for.
    pub asserted: Option<Identity>,
}

/// How a call ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// 200 after a call that was up; else the SIP code that ended it: 486 busy, 487 cancelled, 403 refused.
    pub code: u16,
    /// What the switch called it: `Busy Here`.
    pub text: String,
    /// The Q.850 cause, when the switch gave one.
    pub cause: Option<u16>,
    /// How much was heard in the whole call, silence not counted.
    pub heard: Duration,
}

/// A lamp: what a NOTIFY of the dialog event says of an extension.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lamp {
    /// The watched extension.
    pub extension: String,
    /// `terminated` (idle), `early` (rings), `confirmed` (in a call).
    pub state: String,
    /// `active`, or `terminated` when the switch gave the subscription up.
    pub subscription: String,
}

/// What a NOTIFY of the message-summary event says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mailbox {
    /// Whether the lamp is on.
    pub waiting: bool,
    /// New and old messages.
    pub messages: (u32, u32),
}

/// What an event is about. Waiting goes forward within a subject: taking an event leaves those before it behind,
/// but none of another subject.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Subject {
    Account,
    Call,
    OtherCall,
    Audio,
    Lamp(String),
    Mailbox,
}

impl Event {
    fn subject(&self) -> Subject {
        match self {
            Self::Registered(_) | Self::Failed(..) | Self::Referred(_) | Self::Subscribed(_) => {
                Subject::Account
            }
            Self::Progress(_) | Self::Answered | Self::Ringing(_) | Self::Connected(_) | Self::Ended(_) => {
                Subject::Call
            }
            Self::TurnedAway => Subject::OtherCall,
            Self::AudioStart | Self::AudioStop(_) => Subject::Audio,
            Self::Lamp(lamp) => Subject::Lamp(lamp.extension.clone()),
            Self::Mailbox(_) => Subject::Mailbox,
        }
    }
}

/// All that a phone saw since it was made.
pub struct Events {
    phone: String,
    began: Instant,
    history: Mutex<History>,
    grew: Condvar,
}

#[derive(Default)]
struct History {
    seen: Vec<(Duration, Event)>,
    /// From where on each subject's events have not been taken yet.
    next: HashMap<Subject, usize>,
}

impl Events {
    pub(super) fn new(phone: &str) -> Self {
        let (history, grew) = (Mutex::default(), Condvar::new());
        Self { phone: phone.to_owned(), began: Instant::now(), history, grew }
    }

    pub(super) fn push(&self, event: Event) {
        let at = self.began.elapsed();
        self.lock().seen.push((at, event));
        self.grew.notify_all();
    }

    /// A new call begins: what was seen of earlier ones is not waited for any more.
    pub(super) fn new_call(&self) {
        let mut history = self.lock();
        let end = history.seen.len();
        history.next.insert(Subject::Call, end);
        history.next.insert(Subject::OtherCall, end);
        history.next.insert(Subject::Audio, end);
    }

    /// Leaves the account's events until now behind: the answer to a new request comes later.
    pub(super) fn new_request(&self) {
        let mut history = self.lock();
        let end = history.seen.len();
        history.next.insert(Subject::Account, end);
    }

    /// Takes the next event for which `pick` gives something; `what` names it when it doesn't come in time.
    pub fn wait<T>(&self, what: &str, within: Duration, pick: impl Fn(&Event) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + within;
        let mut history = self.lock();
        loop {
            let from = |event: &Event| history.next.get(&event.subject()).copied().unwrap_or(0);
            let found = history.seen.iter().enumerate().find_map(|(i, (_, event))| {
                if i < from(event) { None } else { pick(event).map(|picked| (i, event.subject(), picked)) }
            });
            if let Some((i, subject, picked)) = found {
                history.next.insert(subject, i + 1);
                return Ok(picked);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "{}: {what} did not come within {within:?}; seen until now:\n{}",
                    self.phone,
                    history.print()
                );
            }
            history = self.grew.wait_timeout(history, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All that was seen so far.
    pub fn all(&self) -> Vec<Event> {
        self.lock().seen.iter().map(|(_, event)| event.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    fn print(&self) -> String {
        self.seen.iter().fold(String::new(), |mut text, (at, event)| {
            let _ = writeln!(text, "  {:8.3} s  {event:?}", at.as_secs_f64());
            text
        })
    }
}
