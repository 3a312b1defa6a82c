//! The second and third seam: a switch with its copy of the table and its phones, and a caller on the line.

pub mod activity;
pub mod door;
pub mod endpoint;
pub mod mwi;
pub mod prompts;
pub mod reconnect;

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};
use zeroize::Zeroizing;

use crate::desk::id::{CallId, DeviceName, Extension, GroupName, Language, Number, SwitchName, TenantId};
use crate::desk::model::Device;
use crate::desk::policy::Prompt;
use crate::desk::table::{Edit, Scope, Table};
use activity::{Look, Stir};

/// A switch's copy of the table: read it, apply a difference, hear "look again"; and what its phones are doing.
#[async_trait]
pub trait Switch: Send + Sync {
    /// The rows of `scope` that it holds; `expected` are those that it should. A switch that cannot list its rows looks for
    /// them by their names, and tells of others as [`Key::Unlisted`](crate::desk::table::Key); one that keeps less of them
    /// than is expected gives back as expected what agrees with what it keeps.
    async fn read(&self, scope: &Scope, expected: &Table) -> Result<Table, SwitchError>;

    /// Writes the differences. All of them are acknowledged by the switch when this returns.
    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError>;

    /// What these devices, which are its own, are doing, in their order.
    async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError>;

    /// Rings a device, [`RING`] long at most, to ask whether who sits there stays until then. Returns at once: who answers is
    /// a [`Call`] that comes in.
    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError>;

    /// Tells of devices that seem to do something else than before.
    fn stirs(&self) -> broadcast::Receiver<Stir>;

    /// Tells of users who took a pause in a queue, or ended it, by other means than ours. None where that cannot be.
    fn pauses(&self) -> Option<mpsc::Receiver<(GroupName, Extension)>> {
        None
    }

    /// Grows when the copy may differ from what was last seen: connected, restarted, reloaded, in doubt.
    fn unsettled(&self) -> watch::Receiver<u64>;
}

/// How long a device rings for whoever may stay.
pub const RING: Duration = Duration::from_secs(20);

/// Why a switch could not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SwitchError {
    /// There is no connection now; one is being made.
    #[error("not connected to the switch: {0}")]
    Away(String),
    /// It did not answer in time.
    #[error("the switch did not answer {0} within {1:?}")]
    Late(String, Duration),
    /// It said no.
    #[error("the switch refused {0}: {1}")]
    Refused(String, String),
}

/// A call in which somebody dialled a code, or was rung to be asked something.
#[derive(Debug)]
pub struct Call {
    /// The switch's id of it; names it in the journal and the logs.
    pub id: CallId,
    /// The switch it is on.
    pub switch: SwitchName,
    /// Whose people and phones.
    pub tenant: TenantId,
    /// Who authenticated as the caller: the device, never the number it shows.
    pub device: DeviceName,
    /// What was dialled. May hold a PIN.
    pub dialled: Dialled,
    /// Nothing was dialled: the device was [rung](Switch::ring), to ask whether who sits there stays until then.
    pub stays: Option<Timestamp>,
    /// The address that the device's signalling came from, when the switch knows it.
    pub from: Option<IpAddr>,
}

/// Digits as they were dialled; wiped when dropped, and shown as `***`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Dialled(pub Zeroizing<String>);

impl std::fmt::Debug for Dialled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A caller on the line, whichever switch he is on.
pub trait Phone: Send {
    /// Plays `prompt` and takes digits, early ones too. `#` ends them, `*` starts over.
    fn ask(&mut self, prompt: Prompt, digits: &Digits) -> impl Future<Output = Result<Entry, Gone>> + Send;

    /// Plays one after the other, to the end.
    fn say(&mut self, what: &[Utterance]) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Speaks this language from now on.
    fn speak(&mut self, language: &Language) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Hands the call back to the switch with its outcome.
    fn end(self, outcome: Outcome) -> impl Future<Output = ()> + Send;
}

/// How digits are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digits {
    /// How long until the first.
    pub first: Duration,
    /// How long until each next one.
    pub next: Duration,
    /// How many at the most.
    pub most: u8,
}

/// What a caller entered; empty when he entered nothing in time.
pub type Entry = Dialled;

/// Something said to a caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Utterance {
    /// An extension, digit by digit.
    Extension(Extension),
    /// A number, digit by digit, without a `+`.
    Number(Number),
    /// A prompt.
    Prompt(Prompt),
}

/// The caller hung up, or the call was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the caller is gone")]
pub struct Gone;

/// How a conversation ended; the dialplan is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Somebody logged in.
    LoggedIn,
    /// Somebody logged out.
    LoggedOut,
    /// Somebody has another PIN.
    PinChanged,
    /// The caller was refused, and heard so.
    Refused,
    /// A user set something himself.
    Set,
    /// The caller heard who sits here.
    Told,
    /// Store or switch were away, and the caller heard so.
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
