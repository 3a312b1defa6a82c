//! Old entries of the journal, and what is left of them.

use std::collections::BTreeMap;

use super::{Redis, on};
use crate::desk::count::Counted;
use crate::desk::id::{Revision, TenantId};
use crate::store::{StoreError, Trim, Trimmed};

impl Redis {
    /// See [`Store::trim`](crate::store::Store::trim).
    pub(super) async fn trim_journal(&self, trim: &Trim) -> Result<bool, StoreError> {
        let mut script = on(&self.trim, &trim.tenant);
        script.arg(trim.from.0).arg(trim.upto.0);
        for (day, counts) in trim.counts.days() {
            for (what, times) in counts {
                script.arg(format!("{day} {}", what.name())).arg(times);
            }
        }
        self.link.run(&script).await
    }

    /// See [`Store::trimmed`](crate::store::Store::trimmed).
    pub(super) async fn trimmed_journal(&self, tenant: &TenantId) -> Result<Trimmed, StoreError> {
        let (upto, fields): (u64, BTreeMap<String, u64>) = self.link.run(&on(&self.trimmed, tenant)).await?;
        let mut trimmed = Trimmed { upto: Revision(upto), ..Trimmed::default() };
        for (field, times) in fields {
            let read = field
                .split_once(' ')
                .and_then(|(day, what)| Some((day.parse().ok()?, Counted::named(what)?)));
            let (day, what) = read.ok_or_else(|| self.unreadable(&format!("counts of {field}")))?;
            trimmed.counts.add(day, what, times);
        }
        Ok(trimmed)
    }
}
