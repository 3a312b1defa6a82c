//! A store in memory, for tests and benches, and in place of a file that is not there yet and is only read. It ends with the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::{Result, Store, Trim, Trimmed, identity};
use crate::model::command::{
    Command, Index, Key, Kind, Loaded, Outcome, Reads, Record, Source, Write, decide,
};
use crate::model::id::{RequestId, Revision, StoreId, TenantId};
use crate::model::journal::Entry;
use crate::model::journal::daily_counts::Counts;
use crate::model::mark::Mark;

/// A store in memory; its clones share it.
#[derive(Clone, Debug)]
pub struct Memory {
    identity: StoreId,
    tenants: Arc<Mutex<BTreeMap<TenantId, Tenant>>>,
    /// Counts commits.
    commits: Arc<watch::Sender<u64>>,
}

impl Default for Memory {
    /// An empty store with an identity of its own; where the system has no random bits, all have the same.
    fn default() -> Self {
        let identity = identity::make().unwrap_or_else(|_| StoreId::from_bits(0));
        Self { identity, tenants: Arc::default(), commits: Arc::default() }
    }
}

#[derive(Debug, Default)]
struct Tenant {
    revision: Revision,
    records: HashMap<Kind, HashMap<String, Record>>,
    index: HashMap<Index, HashMap<String, BTreeSet<String>>>,
    journal: Vec<Entry>,
    counted: Counts,
    requests: HashMap<RequestId, Outcome>,
}

impl Memory {
    fn with<T>(&self, tenant: &TenantId, work: impl FnOnce(&mut Tenant) -> T) -> T {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        work(tenants.entry(tenant.clone()).or_default())
    }
}

impl Source for &Tenant {
    type Error = Infallible;

    fn get(&mut self, key: &Key) -> Result<Option<Record>, Infallible> {
        Ok(self.records.get(&key.kind).and_then(|records| records.get(&key.name)).cloned())
    }

    fn all(&mut self, kind: Kind, each: &mut dyn FnMut(Record)) -> Result<(), Infallible> {
        self.records.get(&kind).into_iter().flatten().for_each(|(_, record)| each(record.clone()));
        Ok(())
    }

    fn find(&mut self, index: Index, by: &str) -> Result<Vec<String>, Infallible> {
        Ok(self.index.get(&index).and_then(|names| names.get(by)).into_iter().flatten().cloned().collect())
    }
}

impl Tenant {
    fn load(&self, reads: &Reads) -> Loaded {
        let Ok(mut loaded) = reads.follow(&mut { self });
        loaded.snapshot.revision = self.revision;
        loaded
    }

    fn mark(&self, identity: &StoreId) -> Mark {
        // As exact as in the other stores.
        let newest =
            self.journal.last().and_then(|it| Timestamp::from_microsecond(it.at.as_microsecond()).ok());
        Mark { store: identity.clone(), revision: self.revision, at: newest.unwrap_or_default() }
    }

    fn write(&mut self, write: Write) {
        let (key, record) = match write {
            Write::Put(record) => (record.key(), Some(*record)),
            Write::Remove(key) => (key, None),
        };
        let records = self.records.entry(key.kind).or_default();
        if let Some(was) = records.remove(&key.name) {
            for (index, by) in was.indexes() {
                self.index.entry(index).or_default().entry(by.to_owned()).or_default().remove(&key.name);
            }
        }
        let Some(record) = record else { return };
        for (index, by) in record.indexes() {
            let names = self.index.entry(index).or_default();
            names.entry(by.to_owned()).or_default().insert(key.name.clone());
        }
        records.insert(key.name, record);
    }

    fn commit(&mut self, command: &Command) -> Result<Outcome> {
        if let Some(first) = self.requests.get(&command.request) {
            return Ok(first.clone());
        }
        let decision = decide(&self.load(&command.reads()), command)?;
        if !decision.is_nothing() {
            self.requests.insert(command.request.clone(), decision.outcome.clone());
        }
        decision.writes.into_iter().for_each(|write| self.write(write));
        for event in decision.events {
            self.revision.0 += 1;
            self.journal.push(Entry { revision: self.revision, ..command.entry(event) });
        }
        Ok(decision.outcome)
    }
}

#[async_trait]
impl Store for Memory {
    async fn load(&self, tenant: &TenantId, reads: &Reads) -> Result<Loaded> {
        Ok(self
            .with(tenant, |tenant| Loaded { mark: Some(tenant.mark(&self.identity)), ..tenant.load(reads) }))
    }

    async fn commit(&self, command: &Command) -> Result<Outcome> {
        let outcome = self.with(&command.tenant, |tenant| tenant.commit(command))?;
        self.commits.send_modify(|commits| *commits += 1);
        Ok(outcome)
    }

    async fn journal(&self, tenant: &TenantId, after: Revision, limit: usize) -> Result<Vec<Entry>> {
        Ok(self.with(tenant, |tenant| {
            let later = tenant.journal.partition_point(|entry| entry.revision <= after);
            tenant.journal.iter().skip(later).take(limit).cloned().collect()
        }))
    }

    async fn revision_at(&self, tenant: &TenantId, since: Timestamp) -> Result<Revision> {
        Ok(self.with(tenant, |tenant| {
            let first = tenant.journal.iter().find(|entry| entry.at >= since);
            first.map_or(Revision(tenant.revision.0 + 1), |entry| entry.revision)
        }))
    }

    async fn trim(&self, trim: &Trim) -> Result<bool> {
        Ok(self.with(&trim.tenant, |tenant| {
            let oldest = tenant.journal.first().map(|entry| entry.revision);
            let done = oldest == Some(trim.from) && trim.upto < tenant.revision;
            if done {
                for (day, counts) in trim.counts.days() {
                    counts.iter().for_each(|(what, times)| tenant.counted.add(day, *what, *times));
                }
                tenant.journal.retain(|entry| entry.revision > trim.upto);
            }
            done
        }))
    }

    async fn trimmed(&self, tenant: &TenantId) -> Result<Trimmed> {
        Ok(self.with(tenant, |tenant| {
            let oldest = tenant.journal.first().map_or(0, |entry| entry.revision.0.saturating_sub(1));
            Trimmed { upto: Revision(oldest), counts: tenant.counted.clone() }
        }))
    }

    async fn probe(&self, _: &TenantId) -> Result<()> {
        Ok(())
    }

    async fn changed(&self, tenant: &TenantId, after: Revision, patience: Duration) -> Result<Revision> {
        let until = Instant::now() + patience;
        let mut commits = self.commits.subscribe();
        loop {
            let revision = self.with(tenant, |tenant| tenant.revision);
            if revision != after || timeout_at(until, commits.changed()).await.is_err() {
                return Ok(revision);
            }
        }
    }

    async fn mark(&self, tenant: &TenantId) -> Result<Option<Mark>> {
        Ok(Some(self.with(tenant, |tenant| tenant.mark(&self.identity))))
    }

    async fn accept(&self, _: &TenantId) -> Result<()> {
        Ok(())
    }
}
