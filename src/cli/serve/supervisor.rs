//! The long-lived tasks of `hotdesk serve`: it owns all of them, so none can end unseen.

use std::any::Any;
use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio_util::task::AbortOnDropHandle;
use tracing::error;

/// The variable in which a test names a task that is to panic while `serve` runs. Release builds ignore it.
const PANICS: &str = "HOTDESK_TEST_PANIC";

/// When a task is to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Until {
    /// When no more calls are taken, and those under way have ended.
    Calls,
    /// After that: calls need it.
    Last,
}

/// A task that ended although `serve` had not asked for it.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the task {name:?} {why}; hotdesk stops, so that it can be started again")]
pub(super) struct Unasked {
    name: String,
    why: String,
}

/// Tasks by name. They are aborted when this is dropped.
#[derive(Default)]
pub(super) struct Supervisor {
    tasks: JoinSet<()>,
    names: HashMap<Id, (String, Until)>,
}

impl Supervisor {
    pub(super) fn spawn(
        &mut self,
        name: impl Into<String>,
        until: Until,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let name = name.into();
        let id = match std::env::var(PANICS) {
            Ok(named) if cfg!(debug_assertions) && named == name => self.tasks.spawn(panics(task)),
            _ => self.tasks.spawn(task),
        };
        self.names.insert(id.id(), (name, until));
    }

    /// Takes over a task that runs already.
    pub(super) fn adopt(&mut self, name: impl Into<String>, until: Until, task: JoinHandle<()>) {
        let task = AbortOnDropHandle::new(task);
        self.spawn(name, until, async move {
            if let Err(failed) = task.await
                && failed.is_panic()
            {
                std::panic::resume_unwind(failed.into_panic());
            }
        });
    }

    /// Waits until a task ends that was not asked to, and logs it. Nothing is lost when this is cancelled.
    pub(super) async fn failed(&mut self) -> Unasked {
        let Some((name, _, panicked)) = self.next().await else { return std::future::pending().await };
        let why = panicked.map_or_else(|| "ended".into(), |message| format!("panicked: {message}"));
        error!(event = "serve.task_ended", task = name, why, "hotdesk stops");
        Unasked { name, why }
    }

    /// Waits until the tasks of this kind have ended, which they were asked to. A panic among them is logged.
    pub(super) async fn ended(&mut self, kind: Until) {
        while self.names.values().any(|(_, until)| *until == kind) {
            let Some((task, _, panicked)) = self.next().await else { return };
            if let Some(why) = panicked {
                error!(event = "serve.task_ended", task, why, "it panicked while it was stopping");
            }
        }
    }

    /// The next task that ends: its name, its kind, and its panic.
    async fn next(&mut self) -> Option<(String, Until, Option<String>)> {
        let (id, panicked) = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => (id, None),
            Err(failed) => (failed.id(), message(failed)),
        };
        let (name, until) = self.names.remove(&id)?;
        Some((name, until, panicked))
    }
}

/// The task as a test wants it.
async fn panics(task: impl Future<Output = ()>) {
    let _ = tokio::time::timeout(std::time::Duration::from_millis(500), task).await;
    panic!("a test named it in {PANICS}");
}

fn message(failed: JoinError) -> Option<String> {
    let panic: Box<dyn Any + Send> = failed.try_into_panic().ok()?;
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Some(text.unwrap_or_else(|| "without a message".into()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn unasked(name: &str, why: &str) -> Unasked {
        Unasked { name: name.into(), why: why.into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_or_an_early_end_is_an_error_with_the_name_of_the_task() {
        let mut supervisor = Supervisor::default();
        supervisor.spawn("lasting", Until::Last, std::future::pending());
        assert!(timeout(Duration::from_secs(600), supervisor.failed()).await.is_err());
        supervisor.spawn("listener pbx", Until::Calls, async { panic!("port {} is gone", 4573) });
        assert_eq!(supervisor.failed().await, unasked("listener pbx", "panicked: port 4573 is gone"));
        supervisor.spawn("journal", Until::Calls, async {});
        assert_eq!(supervisor.failed().await, unasked("journal", "ended"));
        let table = tokio::spawn(async { panic!("a row too many") });
        supervisor.adopt("table", Until::Last, table);
        assert_eq!(supervisor.failed().await, unasked("table", "panicked: a row too many"));
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_end_in_their_order_and_are_aborted_with_their_supervisor() {
        let (calls, mut supervisor) = (CancellationToken::new(), Supervisor::default());
        supervisor.spawn("calls", Until::Calls, calls.clone().cancelled_owned());
        let dropped = CancellationToken::new();
        let guard = dropped.clone().drop_guard();
        supervisor.spawn("table", Until::Last, async move {
            let _guard = guard;
            std::future::pending().await
        });
        calls.cancel();
        timeout(Duration::from_secs(1), supervisor.ended(Until::Calls)).await.unwrap();
        assert!(timeout(Duration::from_secs(1), supervisor.ended(Until::Last)).await.is_err());
        drop(supervisor);
        timeout(Duration::from_secs(1), dropped.cancelled()).await.unwrap();
    }
}
