//! Switches with their records and devices, and callers on the line.

pub mod config_file;
pub mod connection;
pub mod device_state;
pub mod endpoint;
pub mod listener;
pub mod mwi;
pub mod prompts;

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use jiff::Timestamp;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::model::desired::{About, Desired, Edit, Key, Reading, Records, Subjects};
use crate::model::directory::Device;
use crate::model::id::{DeviceName, Extension, GroupName, Language, Number, SwitchName, TenantId};
use crate::model::label::Label;
use crate::model::login::prompt::Prompt;
use device_state::{DeviceEvent, DeviceStates};

/// A switch: the records of the desired state that it keeps, and its device states.
#[async_trait]
pub trait Switch: Send + Sync {
    /// The actual records of `subjects`. A part that the switch refuses to show is not readable in the reading.
    ///
    /// # Errors
    /// [`SwitchError::Away`] and [`SwitchError::Late`]: nothing was read.
    async fn read(&self, subjects: &Subjects) -> Result<Reading, SwitchError>;

    /// The desired records for `desired`: only what the switch keeps, in its own keys and values. `found` has the
    /// actual records, for those that other programs share.
    fn project(&self, desired: &Desired, found: &Records) -> Records;

    /// Where the switch keeps the [mark](crate::model::mark::Mark) of the store whose state it holds; none: it keeps none. Each
    /// reading has that record, if there is one.
    fn mark_key(&self) -> Option<Key> {
        None
    }

    /// Whether the switch keeps records about this. Other records are neither right nor wrong in it.
    fn keeps(&self, _: &About) -> bool {
        true
    }

    /// Why the switch cannot have this record, and what to do about it; none for one that [`Switch::apply`] writes.
    fn refusal(&self, _: &Edit) -> Option<SwitchError> {
        None
    }

    /// The pause in this difference, if a user may have started or ended it in the switch.
    fn pause_in(&self, _: &Edit) -> Option<Pause> {
        None
    }

    /// Writes the differences. When this returns, the switch has acknowledged all of them.
    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError>;

    /// The switch holds what is `desired` for `subjects`: now MWI and BLF are updated.
    ///
    /// # Errors
    /// The error of the switch.
    async fn reconciled(&self, _subjects: &Subjects, _desired: &Desired) -> Result<(), SwitchError> {
        Ok(())
    }

    /// The states of these devices, which belong to this switch, in their order.
    async fn device_states(&self, devices: &[Device]) -> Result<DeviceStates, SwitchError>;

    /// Rings a device for at most [`RING`] to ask whether its user extends the session until then. Returns at once: an
    /// answered call comes in as a [`Call`].
    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError>;

    /// Devices whose state may have changed.
    fn device_events(&self) -> broadcast::Receiver<DeviceEvent>;

    /// Users who paused in a queue, or ended a pause, without Hotdesk. Stays empty where that is impossible.
    fn pauses(&self) -> BoxStream<'static, (GroupName, Extension)> {
        stream::pending().boxed()
    }

    /// Grows when the records may differ from the last reading: after a connect, restart or reload, or lost events.
    fn in_doubt(&self) -> watch::Receiver<u64>;
}

/// A pause that a user started or ended in the switch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pause {
    /// The user.
    pub user: Extension,
    /// The queue; none: every queue that the user is in there.
    pub group: Option<GroupName>,
    /// Whether it started.
    pub paused: bool,
}

/// The broadcast values that `wanted` accepts, until the end. The next comparison of the whole table finds what is missed.
pub(crate) fn heard<T: Clone + Send + 'static, U>(
    events: broadcast::Receiver<T>,
    wanted: impl Fn(T) -> Option<U>,
) -> impl Stream<Item = U> {
    let events = stream::unfold(events, async |mut events| match events.recv().await {
        Ok(event) => Some((Some(event), events)),
        Err(RecvError::Lagged(_)) => Some((None, events)),
        Err(RecvError::Closed) => None,
    });
    events.filter_map(move |event| std::future::ready(event.and_then(&wanted)))
}

/// How long a device rings to ask whether its user extends the session.
pub const RING: Duration = Duration::from_secs(20);

/// The error of a switch.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SwitchError {
    /// There is no connection now; Hotdesk is connecting.
    #[error("not connected to the switch: {0}")]
    Away(String),
    /// It did not answer in time.
    #[error("the switch did not answer {0} within {1:?}")]
    Late(String, Duration),
    /// It refused.
    #[error("the switch refused {0}: {1}")]
    Refused(String, String),
}

/// What the switch answered; `None` if it refused.
pub(crate) fn unless_refused<T>(answer: Result<T, SwitchError>) -> Result<Option<T>, SwitchError> {
    match answer {
        Err(SwitchError::Refused(..)) => Ok(None),
        answer => answer.map(Some),
    }
}

/// A call with a dialled feature code, or a call to a device to ask its user something.
#[derive(Debug)]
pub struct Call {
    /// The switch's id of the call, for the journal and the logs.
    pub id: Label,
    /// The switch of the call.
    pub switch: SwitchName,
    /// The tenant.
    pub tenant: TenantId,
    /// The authenticated device, never the number that it shows.
    pub device: DeviceName,
    /// The dialled digits. They may contain a PIN.
    pub dialled: Dialled,
    /// The device was [rung](Switch::ring), to ask whether its user extends the session until then; nothing was dialled.
    pub extend_until: Option<Timestamp>,
    /// The source address of the device's signalling, if the switch knows it.
    pub from: Option<IpAddr>,
}

/// Dialled digits; wiped when dropped, and `***` in `Debug`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Dialled(pub Zeroizing<String>);

impl std::fmt::Debug for Dialled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A caller on the line, on any switch.
pub trait Caller: Send {
    /// Plays `prompt` and reads digits, also early ones. `#` ends them, `*` starts again.
    fn ask(&mut self, prompt: Prompt, digits: &Digits) -> impl Future<Output = Result<Entry, Gone>> + Send;

    /// Plays these in order, to the end.
    fn say(&mut self, what: &[Utterance]) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Plays prompts in this language from now on.
    fn speak(&mut self, language: &Language) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Returns the call to the switch with its outcome.
    fn end(self, outcome: Outcome) -> impl Future<Output = ()> + Send;
}

/// How digits are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digits {
    /// How long to wait for the first.
    pub first: Duration,
    /// How long to wait for each next one.
    pub next: Duration,
    /// The largest number of digits.
    pub most: u8,
}

/// What a caller entered; empty after a timeout.
pub type Entry = Dialled;

/// Something that a caller hears.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Utterance {
    /// An extension, digit by digit.
    Extension(Extension),
    /// A number, digit by digit, without a `+`.
    Number(Number),
    /// A prompt.
    Prompt(Prompt),
    /// A short tone for a caller who has to wait: the call goes on.
    Wait,
}

/// The caller hung up, or the call was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the caller is gone")]
pub struct Gone;

/// The outcome of a conversation, which the dialplan gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// A user logged in.
    LoggedIn,
    /// A user logged out.
    LoggedOut,
    /// A user has a new PIN.
    PinChanged,
    /// The caller was refused, and heard it.
    Refused,
    /// A user changed a user setting.
    Set,
    /// The caller heard the user of the device.
    Told,
    /// The store or the switch was down, and the caller heard it.
    Unavailable,
}

impl Outcome {
    /// Its name for the dialplan and the logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoggedIn => "logged-in",
            Self::LoggedOut => "logged-out",
            Self::PinChanged => "pin-changed",
            Self::Refused => "refused",
            Self::Set => "set",
            Self::Told => "told",
            Self::Unavailable => "not-available",
        }
    }
}
