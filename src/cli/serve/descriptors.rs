//! File descriptors: as many as the system permits, and how many of them calls may use.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use crate::switch::listener::CALLS;

/// Kept for all else: the store, the connections to switches, metrics, files that are read at a reload.
const OTHERS: usize = 128;
/// As many as are asked for: some systems permit a thousand million, and programs that go through all of them then hang.
const MOST: u64 = 65_536;

/// Raises the limit of this process as far as it may, and returns how many calls each of so many listeners may serve at once, so
/// that descriptors are left for all else.
pub(super) fn calls(listeners: usize) -> usize {
    let limit = raised();
    let calls = share(limit, listeners);
    if calls < CALLS {
        warn!(
            event = "serve.few_descriptors",
            limit,
            calls,
            "fewer calls than usual at once: raise the limit of open files (LimitNOFILE= of the service)"
        );
    }
    calls
}

fn share(limit: usize, listeners: usize) -> usize {
    // With a limit that is smaller still, half of the descriptors are for calls.
    let free = limit.saturating_sub(OTHERS).max(limit / 2);
    (free / listeners.max(1)).clamp(1, CALLS)
}

/// The limit after it was raised; without a limit the most that are needed.
fn raised() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST).min(MOST).max(current.unwrap_or(MOST));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    let limit = if raised.is_ok() { wanted } else { current.unwrap_or(MOST) };
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_leave_descriptors_for_all_else() {
        for (limit, listeners, calls) in [
            (65_536, 1, CALLS),
            (65_536, 3, CALLS),
            (1024, 1, 896),
            (1024, 2, 448),
            (1024, 0, 896),
            (200, 1, 100),
            (64, 4, 8),
            (8, 16, 1),
        ] {
            assert_eq!(share(limit, listeners), calls, "{limit} for {listeners}");
        }
    }
}
