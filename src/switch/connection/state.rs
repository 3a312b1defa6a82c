//! The state of a connection, and how one ends.

use crate::switch::SwitchError;

/// Why a connection is not up at first.
pub(crate) const CONNECTING: &str = "connecting";
/// Why it is not up in the end.
pub(crate) const STOPPED: &str = "stopped";

/// The state of a connection. `U` is what is known about a switch that is up.
#[derive(Clone, Debug)]
pub enum State<U> {
    /// Not connected, for this reason. Hotdesk tries again within a second.
    Down(String),
    /// The switch refused the login; the text says what to do. Hotdesk tries again every half minute.
    Refused(String),
    /// Logged in, and ready for commands.
    Up(U),
}

impl<U> State<U> {
    /// What is known about the switch, if it is up.
    ///
    /// # Errors
    /// [`SwitchError::Away`] with the reason if it is not.
    pub fn up(&self) -> Result<&U, SwitchError> {
        match self {
            Self::Up(up) => Ok(up),
            Self::Down(why) | Self::Refused(why) => Err(SwitchError::Away(why.clone())),
        }
    }
}

/// How a connection ended; the text gives the reason.
#[derive(Debug)]
pub enum Ended {
    /// It was lost, or could not be made.
    Lost(String),
    /// The switch refused the login; the text says what to do.
    Refused(String),
}

impl Ended {
    /// `peer` took longer than the deadline for `what`: "answer a ping".
    #[must_use]
    pub fn late(peer: &str, what: &str, deadline: std::time::Duration) -> Self {
        Self::Lost(format!("{peer} did not {what} within {deadline:?}"))
    }
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Lost(error.to_string())
    }
}
