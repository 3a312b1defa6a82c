//! How it stands with a connection, and when a lost one is made again.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{debug, error, warn};

use super::SwitchError;
use crate::desk::id::SwitchName;

/// The first pause before connecting again; each next one is twice as long, up to [`MOST`].
const FIRST: Duration = Duration::from_millis(100);
/// So short because the table has to be true again within 2 s of the switch being up.
const MOST: Duration = Duration::from_secs(1);
/// The pause after a refused login. Switches log each one, and sites ban addresses that fail often.
const REFUSED: Duration = Duration::from_secs(30);
/// A connection that was up for so long proves that the trouble is over.
const STABLE: Duration = Duration::from_secs(5);

/// How it stands with a switch. `U` is what is known of one that is up.
#[derive(Clone, Debug)]
pub enum State<U> {
    /// Not connected, for this reason. Tried again within a second.
    Down(String),
    /// It is there and does not let us in; says what to do. Tried again every half minute.
    Refused(String),
    /// Logged in, and ready.
    Up(U),
}

impl<U> State<U> {
    /// What is known of it while it is up.
    ///
    /// # Errors
    /// [`SwitchError::Away`] says why it is not.
    pub fn up(&self) -> Result<&U, SwitchError> {
        match self {
            Self::Up(up) => Ok(up),
            Self::Down(why) | Self::Refused(why) => Err(SwitchError::Away(why.clone())),
        }
    }
}

/// Connects over TCP. Commands are small: none waits to be sent along with the next.
///
/// # Errors
/// Those of connecting.
pub async fn tcp(address: String) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Waits until `connecting` to `address` is done.
///
/// # Errors
/// Why it was not within the deadline.
pub async fn reach<S>(
    address: &str,
    deadline: Duration,
    connecting: impl Future<Output = io::Result<S>>,
) -> Result<S, Ended> {
    match timeout(deadline, connecting).await {
        Ok(connected) => {
            connected.map_err(|error| Ended::Lost(format!("{address} cannot be reached: {error}")))
        }
        Err(_) => Err(Ended::Lost(format!("{address} did not answer within {deadline:?}"))),
    }
}

/// How a connection ended; says why.
#[derive(Debug)]
pub enum Ended {
    /// It is no more.
    Lost(String),
    /// The switch did not let us in; says what to do.
    Refused(String),
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Lost(error.to_string())
    }
}

/// How long to wait each time, jittered so that several controllers do not come back in step.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Tells how a connection ended that lasted so long, and waits until it is to be made again.
    pub async fn rest<U>(
        &mut self,
        (switch, address): (&SwitchName, &str),
        state: &watch::Sender<State<U>>,
        ended: Ended,
        lasted: Duration,
    ) {
        let pause = self.pause(&ended, lasted);
        match ended {
            Ended::Lost(why) => {
                if !matches!(&*state.borrow(), State::Down(before) if *before == why) {
                    warn!(event = "switch.down", %switch, %address, %why, "the switch is away");
                }
                state.send_replace(State::Down(why));
            }
            Ended::Refused(why) => {
                error!(event = "switch.refused", %switch, %address, %why, "the switch does not let us in");
                state.send_replace(State::Refused(why));
            }
        }
        debug!(event = "switch.retry", %switch, pause_ms = %pause.as_millis(), "connecting again");
        sleep(pause).await;
    }

    /// The pause after a connection that lasted so long, connecting included.
    fn pause(&mut self, ended: &Ended, lasted: Duration) -> Duration {
        let random = getrandom::u32().unwrap_or_default();
        self.failures = if lasted >= STABLE { 0 } else { self.failures.saturating_add(1) };
        match ended {
            Ended::Lost(_) => pause(self.failures, random),
            Ended::Refused(_) => jittered(REFUSED, random),
        }
    }
}

/// How long to wait after so many failures in a row.
fn pause(failures: u32, random: u32) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10));
    jittered(doubled.min(MOST), random)
}

/// Between half of `pause` and the whole.
fn jittered(pause: Duration, random: u32) -> Duration {
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_second_and_spread_by_half() {
        let longest = [1, 2, 3, 4, 5, 6, u32::MAX].map(|failures| pause(failures, u32::MAX).as_millis());
        assert_eq!(longest, [100, 200, 400, 800, 1000, 1000, 1000]);
        let shortest = [0, 1, 2, u32::MAX].map(|failures| pause(failures, 0).as_millis());
        assert_eq!(shortest, [50, 50, 100, 500]);
    }

    #[test]
    fn a_connection_that_lasted_starts_over_and_a_refusal_waits_long() {
        let (mut backoff, lost) = (Backoff::default(), Ended::Lost(String::new()));
        for _ in 0..9 {
            backoff.pause(&lost, Duration::ZERO);
        }
        assert!(backoff.pause(&lost, Duration::ZERO) >= MOST / 2);
        assert!(backoff.pause(&lost, STABLE) <= FIRST);
        assert!(backoff.pause(&Ended::Refused(String::new()), STABLE) >= REFUSED / 2);
    }
}
