//! Pauses that members take in a switch's queues by other means than ours (a key of the queue's own, a wallboard): they are
//! kept, so that they last over a move and a logout.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::controller::clock::Clock;
use crate::desk::id::{Extension, GroupName, TenantId};
use crate::desk::journal::Actor;
use crate::desk::profile::Membership;
use crate::desk::setting::Setting;
use crate::desk::table::{Key, Row, Scope, Table};
use crate::store::{Change, Store, StoreError, What};
use crate::switch::{Switch, SwitchError};

/// How long a pause of our own may take to reach the switch: what differs after it, somebody else did.
const SETTLE: Duration = Duration::from_millis(500);

/// What keeps the pauses of a tenant's members.
pub struct Pauses {
    /// Whose.
    pub tenant: TenantId,
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Where they are taken.
    pub switch: Arc<dyn Switch>,
    /// When they are journalled.
    pub clock: Clock,
}

/// Why a pause was not kept.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Switch(#[from] SwitchError),
}

impl Pauses {
    /// Keeps them until `stop`, where the switch tells of any.
    pub fn start(self, stop: CancellationToken) {
        let Some(mut pauses) = self.switch.pauses() else { return };
        let work = async move {
            while let Some((group, user)) = pauses.recv().await {
                tokio::time::sleep(SETTLE).await;
                if let Err(error) = self.keep(&group, &user).await {
                    warn!(event = "pause.not_kept", %group, %user, %error, "it ends at the next comparison");
                }
            }
        };
        tokio::spawn(async move { stop.run_until_cancelled(work).await });
    }

    /// Takes over how the switch has it.
    async fn keep(&self, group: &GroupName, user: &Extension) -> Result<(), Fault> {
        let scope = Scope::user(user);
        let held = self.switch.read(&scope, &Table::new()).await?;
        let Some(Row::Member(member)) = held.get(&Key::Member(group.clone(), user.clone())) else {
            return Ok(());
        };
        let office = self.store.office(&self.tenant, &scope).await?;
        let known = office.users.get(user).and_then(|user| user.profile.groups.get(group));
        let Some(Membership { signed_in: true, paused }) = known else { return Ok(()) };
        if *paused == member.paused {
            return Ok(());
        }
        let is = Membership { signed_in: true, paused: member.paused };
        let what = What::Setting(user.clone(), Setting::Group(group.clone(), is));
        let (tenant, at) = (self.tenant.clone(), self.clock.now());
        self.store.change(&Change { tenant, what, by: Actor::Controller, at }).await?;
        info!(event = "pause.kept", %group, %user, paused = member.paused, "as the switch's queue has it");
        Ok(())
    }
}
