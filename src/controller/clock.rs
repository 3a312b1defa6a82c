//! Which time it is: the machine's, or one that a test tells.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// How long to sleep at most before looking at the clock again: it may have been set, or the machine suspended.
const LOOK: Duration = Duration::from_secs(30);

/// A clock.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's.
    Wall,
    /// It shows what it is told.
    Told(watch::Receiver<Timestamp>),
}

impl Clock {
    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Wall => Timestamp::now(),
            Self::Told(told) => *told.borrow(),
        }
    }

    /// Returns when it shows `at`, or later.
    pub(super) async fn until(&self, at: Timestamp) {
        match self {
            Self::Wall => loop {
                let left = at.duration_since(Timestamp::now());
                match Duration::try_from(left) {
                    Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(LOOK)).await,
                    _ => return,
                }
            },
            Self::Told(told) => {
                if told.clone().wait_for(|now| *now >= at).await.is_err() {
                    std::future::pending().await
                }
            }
        }
    }
}
