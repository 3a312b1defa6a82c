//! Work that takes long, on all cores, with a line on standard error now and then.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What takes no longer is done in silence.
const EVERY: Duration = Duration::from_secs(2);

/// Tells how far one is.
pub(super) struct Progress {
    what: &'static str,
    total: usize,
    told: Instant,
}

impl Progress {
    /// `what` is done to `total` things.
    pub(super) fn new(what: &'static str, total: usize) -> Self {
        Self { what, total, told: Instant::now() }
    }

    /// `done` of them are.
    pub(super) fn at(&mut self, done: usize) {
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            eprintln!("{}: {done} of {}", self.what, self.total);
        }
    }
}

/// What `work` makes of each, in their order. Blocks: nothing else runs in the process of a command.
pub(super) fn on_all_cores<T: Sync, R: Send>(
    what: &'static str,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, results, progress) =
        (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Progress::new(what, items.len())));
    std::thread::scope(|scope| {
        for _ in 0..cores.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.push((at, result));
                    progress.lock().unwrap_or_else(PoisonError::into_inner).at(results.len());
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_what_they_were_made_of() {
        let items: Vec<u32> = (0..1000).collect();
        assert_eq!(on_all_cores("doubling", &items, |n| n * 2), (0..1000).map(|n| n * 2).collect::<Vec<_>>());
        assert!(on_all_cores("nothing", &[], |n: &u32| *n).is_empty());
    }
}
