//! A switch that is held, because the store does not fit what it holds: it is looked at until the store fits again.

use std::mem::discriminant;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info};

use super::{NotReconciled, Work};
use crate::controller::hold;
use crate::model::desired::{Scope, Subjects};
use crate::model::hold::Hold;
use crate::model::id::Revision;

/// How often the log says again that a switch is held.
const SAY: Duration = Duration::from_secs(600);

impl Work {
    pub(super) fn is_held(&self) -> bool {
        self.holds.borrow().is_some()
    }

    /// Holds the switch. The log says so once, and then at intervals.
    pub(super) fn hold(&mut self, why: Hold) {
        let kind = discriminant(&why);
        let is_new = self.holds.borrow().as_ref().map(discriminant) != Some(kind);
        if is_new || self.said.elapsed() >= SAY {
            self.said = Instant::now();
            error!(event = "table.held", switch = %self.kept.name, tenant = %self.kept.tenant, %why,
                "nothing is written to the switch, and callers hear that the service is not available: run hotdesk check");
        }
        self.holds.send_replace(Some(why));
    }

    pub(super) fn release(&mut self) {
        self.looked = None;
        if self.holds.send_replace(None).is_some() {
            info!(event = "table.released", switch = %self.kept.name, tenant = %self.kept.tenant,
                "the store fits the switch again");
        }
    }

    /// Compares the whole table, also of a switch that is held.
    pub(super) async fn again(&mut self, in_doubt: bool) -> Result<bool, NotReconciled> {
        match self.is_held() {
            true => {
                self.looked = None;
                self.look().await
            }
            false => self.compare_all(in_doubt).await,
        }
    }

    /// Looks at a switch that is held, and reconciles it if the store fits it again. Reads the whole table only if one of the
    /// marks has changed since the last look.
    pub(super) async fn look(&mut self) -> Result<bool, NotReconciled> {
        hold::keeps(&*self.store).await.map_err(NotReconciled::Held)?;
        let here = self.store.mark(&self.kept.tenant).await?;
        let there = hold::take_mark(&*self.switch, &mut self.switch.read(&Subjects::default()).await?);
        let fits = matches!((&here, &there), (Some(here), Some(there)) if here.may_follow(there));
        let now = Some((here, there));
        let held = self.holds.borrow().clone();
        match held {
            Some(held) if self.looked == now && !matches!(held, Hold::Lost(_)) => {
                return Err(NotReconciled::Held(held));
            }
            _ => self.looked = now,
        }
        if fits {
            self.store.accept(&self.kept.tenant).await?;
        }
        // First all of it: what was reconciled, and what is news, may be of another history.
        self.done.forget();
        self.pass(Scope::All).await?;
        self.feed.after = self.feed.after.min(self.mark.as_ref().map_or(Revision(0), |mark| mark.revision));
        self.compare_all(true).await
    }
}
