//! Messages to the service manager, as sd_notify(3) of systemd has them: Hotdesk is ready, reads its configuration again, stops,
//! and is alive. Without a service manager they do nothing.

use sd_notify::NotifyState;
use tracing::warn;

/// Calls are taken.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is being read again; [`ready`] follows.
pub(super) fn reloading() {
    // Since version 253 systemd wants the time, too.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// No more calls are taken.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells regularly that tasks of this process run, if the service manager asks for that (`WatchdogSec=`). Does not end.
pub(super) async fn alive() {
    let Some(limit) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut due = tokio::time::interval(limit / 3);
    loop {
        due.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(event = "serve.not_notified", %error, "the service manager cannot be told");
    }
}
