//! The scripts, with their arguments and results.

use std::collections::BTreeMap;

use jiff::Timestamp;
use redis::{FromRedisValue, Script};
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::command::{Command, Decision, Index, Key, Kind, Loaded, Reads, Record, Set, Step, Write};
use crate::model::id::{Revision, StoreId, TenantId};
use crate::model::mark::Mark;
use crate::store::{REMEMBERED, encoding, migration};

/// Stands for the revision before a commit, and the number after it for the first entry of the commit, until the
/// commit knows them. No journal gets that long, and both are exact as JSON numbers.
const NOW: u64 = 8_000_000_000_000_000;

/// The four scripts, each after a common head.
pub(super) struct Scripts {
    pub(super) commit: Script,
    pub(super) revision_at: Script,
    pub(super) snapshot: Script,
    pub(super) trim: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let script = |text: &str| {
            let version = format!("local VERSION = '{}'\n", migration::VERSION);
            Script::new(&[&version, include_str!("keys.lua"), text].concat())
        };
        Self {
            commit: script(include_str!("commit.lua")),
            revision_at: script(include_str!("revision_at.lua")),
            snapshot: script(include_str!("snapshot.lua")),
            trim: script(include_str!("trim.lua")),
        }
    }
}

/// The prefix of every key of a tenant. The braces keep the keys in one slot of a cluster.
pub(super) fn base(tenant: &TenantId) -> String {
    format!("hotdesk:{{{tenant}}}")
}

/// `reads` as an argument of `snapshot.lua`.
pub(super) fn asked(reads: &Reads) -> String {
    let names: BTreeMap<&str, _> = reads.names.iter().map(|(set, names)| (set.name(), names)).collect();
    let named = |links: &[(Index, Set)]| -> Vec<_> {
        links.iter().map(|(index, to)| [index.name(), to.name()]).collect()
    };
    let step = |step: &Step| match *step {
        Step::All(kind, links) => json!({ "all": kind.name(), "links": named(links) }),
        Step::Load(kind, of, links) => {
            json!({ "load": kind.name(), "of": of.name(), "links": named(links) })
        }
        Step::Find(index, of) => json!({ "find": index.name(), "of": of.name() }),
    };
    json!({ "names": names, "steps": reads.steps.iter().map(step).collect::<Vec<_>>() }).to_string()
}

/// The result of `snapshot.lua`.
#[derive(Debug, Default)]
pub(super) struct Read {
    revision: u64,
    /// Kind, name and body; no body: there is no such record.
    pub(super) records: Vec<(String, String, Option<String>)>,
    /// Index, the name that was looked up, and the names that were found, sorted.
    pub(super) found: Vec<(String, String, Vec<String>)>,
    pub(super) identity: Option<String>,
    /// When the newest entry was made, in microseconds since 1970.
    at: i64,
}

impl FromRedisValue for Read {
    fn from_redis_value(value: redis::Value) -> Result<Self, redis::ParsingError> {
        let (revision, records, found, identity, at) = FromRedisValue::from_redis_value(value)?;
        Ok(Self { revision, records, found, identity, at })
    }
}

impl Read {
    /// The mark of the data; none: there is none.
    pub(super) fn mark(&self) -> Result<Option<Mark>, String> {
        let Some(id) = &self.identity else { return Ok(None) };
        let store = StoreId::new(id.as_str()).map_err(|error| error.to_string())?;
        let at = Timestamp::from_microsecond(self.at).map_err(|error| error.to_string())?;
        Ok(Some(Mark { store, revision: Revision(self.revision), at }))
    }

    pub(super) fn loaded(&self) -> Result<Loaded, String> {
        let mut loaded = Loaded::default();
        loaded.snapshot.revision = Revision(self.revision);
        loaded.mark = self.mark()?;
        for (kind, name, body) in &self.records {
            let kind = Kind::named(kind).ok_or_else(|| format!("a record of the kind {kind}"))?;
            if let Some(body) = body {
                loaded.put(encoding::record(&Key::new(kind, name.as_str()), body)?);
            }
        }
        Ok(loaded)
    }

    /// The same for a decision. Its revision is known only at the commit.
    pub(super) fn to_decide(&self) -> Result<Loaded, String> {
        let mut loaded = self.loaded()?;
        loaded.snapshot.revision = Revision(NOW);
        Ok(loaded)
    }

    /// `decision` as an argument of `commit.lua`, and what the store holds after it. `fresh` is the identity of data that
    /// begins with it.
    pub(super) fn commit(
        &self,
        command: &Command,
        decision: &Decision,
        fresh: &StoreId,
    ) -> Result<(String, Committed), serde_json::Error> {
        let links = |record: Option<&Record>| -> Vec<(Index, String)> {
            let indexes = record.into_iter().flat_map(Record::indexes);
            indexes.map(|(index, by)| (index, by.to_owned())).collect()
        };
        let named = |links: &[(Index, String)]| -> Vec<_> {
            links.iter().map(|(index, by)| json!([index.name(), by])).collect()
        };
        // Each record before this write, with the earlier writes of this commit.
        let mut records: BTreeMap<Key, Option<Record>> = BTreeMap::new();
        for (kind, name, body) in &self.records {
            if let (Some(kind), Some(body)) = (Kind::named(kind), body) {
                let key = Key::new(kind, name.as_str());
                records.insert(key.clone(), encoding::record(&key, body).ok());
            }
        }
        let (mut writes, mut committed) = (vec![], Committed::default());
        for write in &decision.writes {
            let (key, record) = match write {
                Write::Put(record) => (record.key(), Some(Record::clone(record))),
                Write::Remove(key) => (key.clone(), None),
            };
            let body = record.as_ref().map(encoding::body).transpose()?;
            let (old, new) = (links(records.get(&key).and_then(Option::as_ref)), links(record.as_ref()));
            let text = body.clone().map_or(Value::Bool(false), Value::String);
            writes.push(json!([key.kind.name(), key.name, text, named(&old), named(&new)]));
            committed.sets.extend([old, new].concat());
            committed.bodies.insert(key.clone(), body);
            records.insert(key, record);
        }
        let mut entries = vec![];
        for event in &decision.events {
            let entry = command.entry(event.clone());
            entries.push((entry.at.as_microsecond(), serde_json::to_string(&entry)?));
        }
        let absent = |body: &Option<String>| body.clone().map_or(Value::Bool(false), Value::String);
        #[derive(Serialize)]
        struct Commit<'a, R, F> {
            request: &'a str,
            remember: Option<u32>,
            identity: Value,
            fresh: &'a str,
            now: String,
            next: String,
            records: R,
            found: F,
            outcome: String,
            writes: Vec<Value>,
            entries: Vec<(i64, String)>,
        }
        let records = self.records.iter().map(|(kind, name, body)| (kind, name, absent(body)));
        let found = self.found.iter().map(|(index, by, names)| (index, by, names.join(" ")));
        let commit = serde_json::to_string(&Commit {
            request: command.request.as_str(),
            remember: (!decision.is_nothing()).then_some(REMEMBERED),
            identity: absent(&self.identity),
            fresh: fresh.as_str(),
            now: NOW.to_string(),
            next: (NOW + 1).to_string(),
            records: records.collect::<Vec<_>>(),
            found: found.collect::<Vec<_>>(),
            outcome: serde_json::to_string(&decision.outcome)?,
            writes,
            entries,
        })?;
        Ok((commit, committed))
    }
}

/// What a commit writes.
#[derive(Default)]
pub(super) struct Committed {
    /// The bodies of the records; none: there is no such record any more.
    pub(super) bodies: BTreeMap<Key, Option<String>>,
    /// The sets that change.
    pub(super) sets: Vec<(Index, String)>,
}

impl Committed {
    /// With the numbers of the commit, which made `entries` journal entries up to `revision`.
    pub(super) fn numbered(mut self, entries: usize, revision: u64) -> Self {
        let now = revision.saturating_sub(entries as u64);
        for body in self.bodies.values_mut().flatten() {
            for (stands, number) in [(NOW + 1, now + 1), (NOW, now)] {
                *body = body.replace(&stands.to_string(), &number.to_string());
            }
        }
        self
    }
}
