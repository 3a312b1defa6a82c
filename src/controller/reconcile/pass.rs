//! One reconciliation: load the store, read the switch, and write the difference if the store may be written there.

use tracing::{info, warn};

use super::{NotReconciled, Passed, Work};
use crate::controller::hold::{self, Fit};
use crate::controller::queue_pauses::Taken;
use crate::model::command::{Change, Reads};
use crate::model::desired::{About, Desired, Edit, Key, Reading, Scope, Subjects, difference};
use crate::model::hold::{emptying, is_few};
use crate::model::id::GroupName;
use crate::model::mark::Mark;
use crate::model::settings::{Setting, SettingsCommand};
use crate::store::StoreError;
use crate::switch::Pause;

impl Work {
    /// Reconciles `scope`, and returns what was written.
    pub(super) async fn pass(&mut self, mut scope: Scope) -> Result<Passed, NotReconciled> {
        let mut rounds = 0;
        loop {
            rounds += 1;
            let mut loaded = self.store.load(&self.kept.tenant, &Reads::snapshot(&scope)).await?;
            let (here, snapshot) = (loaded.mark.take(), loaded.into_snapshot(&scope));
            let subjects = Desired::subjects(&snapshot, &scope);
            let desired = Desired::of(&snapshot, &scope, &self.kept.name, &self.kept.routes);
            let revision = snapshot.revision;
            // That of a whole tenant is large.
            drop(snapshot);
            let mut reading = self.switch.read(&subjects).await?;
            self.is_readable(&reading, &subjects)?;
            let there = hold::take_mark(&*self.switch, &mut reading);
            let marks = (there.as_ref(), self.mark.as_ref());
            match hold::fits(&*self.store, &self.kept.tenant, here.as_ref(), marks, &reading).await? {
                Fit::Held(why) => return Err(NotReconciled::Held(why)),
                Fit::Stale if rounds < hold::STALE => continue,
                Fit::Stale | Fit::Fits => {}
            }
            let wanted = self.switch.project(&desired, &reading.records);
            let mut edits = difference(&wanted, &reading);
            if !is_few(emptying(&edits).len()) {
                if scope != Scope::All {
                    // The rule for many rows needs the whole table.
                    scope = Scope::All;
                    continue;
                }
                let (store, tenant) = (&*self.store, &self.kept.tenant);
                let snapshot = store.snapshot(tenant, &scope).await?;
                if let Some(why) = hold::empties(store, tenant, &edits, &reading, &snapshot).await? {
                    return Err(NotReconciled::Held(why));
                }
            }
            let mut refused = vec![];
            edits.retain(|edit| match self.switch.refusal(edit) {
                Some(why) => {
                    refused.push((edit.key.about.clone(), why));
                    false
                }
                None => true,
            });
            let taken = self.pauses.taken(&mut edits, self.switch.as_ref());
            self.pauses.doubt(&edits);
            edits = self.write(edits, &scope, (here, there)).await?;
            self.pauses.agree(&subjects, &wanted, &reading);
            self.switch.reconciled(&subjects, &desired).await?;
            // A login that waits for a refused record gets the refusal.
            if refused.is_empty() {
                self.done.add(revision, scope);
            }
            for pause in taken {
                self.keep(pause, &reading).await?;
            }
            return Ok(Passed { edits, refused });
        }
    }

    fn is_readable(&self, reading: &Reading, subjects: &Subjects) -> Result<(), NotReconciled> {
        for unread in &reading.not_readable {
            if unread.part.needed {
                return Err(NotReconciled::NotReadable(unread.clone()));
            }
            if subjects.others {
                warn!(event = "table.not_readable", switch = %self.kept.name, part = unread.part.name, why = unread.why,
                    "this part is not reconciled: run hotdesk check");
            }
        }
        Ok(())
    }

    /// Writes the edits, and with them the mark of the store; of a whole table also the mark alone. Returns the edits.
    async fn write(
        &mut self,
        mut edits: Vec<Edit>,
        scope: &Scope,
        (here, there): (Option<Mark>, Option<Mark>),
    ) -> Result<Vec<Edit>, NotReconciled> {
        let mark = here.filter(|_| !edits.is_empty() || *scope == Scope::All);
        // A later one was written by another controller meanwhile.
        let mark =
            mark.filter(|here| there.as_ref().is_none_or(|there| here != there && here.may_follow(there)));
        let about_rows = edits.len();
        if let (Some(mark), Some(key)) = (&mark, self.switch.mark_key()) {
            edits.push(Edit { key, was: there.as_ref().map(Mark::text), is: Some(mark.text()) });
        }
        if !edits.is_empty() {
            self.switch.apply(&edits).await?;
        }
        edits.truncate(about_rows);
        self.mark = mark.or(there);
        Ok(edits)
    }

    /// Writes a pause that is newer in the switch to the store.
    async fn keep(&mut self, taken: Taken, reading: &Reading) -> Result<(), StoreError> {
        let Pause { user, group, paused } = &taken.pause;
        let groups: Vec<GroupName> = match group {
            Some(group) => vec![group.clone()],
            None => {
                let queues = reading.records.keys().filter(|key| key.part == taken.key.part);
                let queue = |key: &Key| match &key.about {
                    About::Member(queue, member) if member == user => Some(queue.clone()),
                    _ => None,
                };
                queues.filter_map(queue).collect()
            }
        };
        for group in groups {
            let settings = vec![Setting::Pause(group.clone(), *paused)];
            let change = SettingsCommand { user: user.clone(), settings, emergency_numbers: vec![] };
            self.change(Change::Settings(change)).await?;
            info!(event = "queue.pause_kept", switch = %self.kept.name, %group, %user, paused, "taken from the switch's queue");
        }
        self.pauses.agree_on(taken);
        Ok(())
    }
}
