//! Long work on all cores, with its progress on standard error.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::output;

/// Time between two lines; shorter work prints nothing.
const EVERY: Duration = Duration::from_secs(2);

pub(super) struct Progress {
    what: &'static str,
    total: usize,
    printed: Instant,
}

impl Progress {
    /// Starts `what`, of which there are `total`, as in "hashing PINs".
    pub(super) fn new(what: &'static str, total: usize) -> Self {
        Self { what, total, printed: Instant::now() }
    }

    /// Prints that `done` of them are done, if it is time to.
    pub(super) fn at(&mut self, done: usize) {
        if self.printed.elapsed() >= EVERY {
            self.printed = Instant::now();
            output::note(format_args!("{}: {done} of {}", self.what, self.total));
        }
    }
}

/// Runs `work` on each item and returns the results in the order of the items. Blocks: nothing else runs in the process of
/// a command.
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
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        assert_eq!(on_all_cores("doubling", &items, |n| n * 2), (0..1000).map(|n| n * 2).collect::<Vec<_>>());
        assert!(on_all_cores("nothing", &[], |n: &u32| *n).is_empty());
    }
}
