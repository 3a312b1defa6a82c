//! Ctrl-C and the other signals that stop a program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// Whether a stop was requested. A signal must not end this program directly, because its child processes would go on.
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Starts to listen for signals.
    pub(crate) fn listen() -> Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let stop = Self(Arc::clone(&asked));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let inside = runtime.enter();
        let on = |kind| signal(kind).context("cannot listen for signals");
        let (mut int, mut term, mut hup) =
            (on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?);
        drop(inside);
        thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                    _ = hup.recv() => {}
                }
            });
            asked.store(true, Ordering::Relaxed);
        })?;
        Ok(stop)
    }

    /// Whether a stop was requested.
    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
