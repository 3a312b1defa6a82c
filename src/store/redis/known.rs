//! What this process read and wrote last, so that a command can be decided without reading it again.
//!
//! A commit compares all that it was decided on. So old knowledge costs one more attempt, and is never committed.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use super::script::{Committed, Read};
use crate::model::command::{Index, Key, Kind, Reads, Record, Source};
use crate::model::id::TenantId;
use crate::store::encoding;

/// How many records and sets are remembered before the older half is forgotten: those of the logins of some seconds.
const MOST: usize = 2_000;

/// The body of a record or an identity, or that there is none; and the sorted names that an index finds.
#[derive(Clone)]
enum Fact {
    Body(Option<String>),
    Names(Vec<String>),
}

#[derive(Clone, Eq, Hash, PartialEq)]
enum About {
    Record(TenantId, Key),
    Set(TenantId, Index, String),
    Identity(TenantId),
}

/// What is known; the older half is forgotten when the newer one is full.
#[derive(Default)]
pub(super) struct Known(Mutex<[HashMap<About, Fact>; 2]>);

impl Known {
    /// The answer to `reads`, if all of it is known.
    pub(super) fn read(&self, tenant: &TenantId, reads: &Reads) -> Option<Read> {
        let facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recall = Recall { facts: &facts, tenant, read: Read::default() };
        reads.follow(&mut recall).ok()?;
        let Ok(Fact::Body(identity)) = recall.fact(&About::Identity(tenant.clone())) else { return None };
        recall.read.identity = identity;
        Some(recall.read)
    }

    /// Remembers what was read. PIN records are needed only once.
    pub(super) fn learn(&self, tenant: &TenantId, read: &Read) {
        let records = read.records.iter().filter_map(|(kind, name, body)| {
            let kind = Kind::named(kind).filter(|kind| *kind != Kind::Pin)?;
            Some((
                About::Record(tenant.clone(), Key::new(kind, name.as_str())),
                Some(Fact::Body(body.clone())),
            ))
        });
        let sets = read.found.iter().filter_map(|(index, by, names)| {
            let index = Index::ALL.into_iter().find(|known| known.name() == index)?;
            Some((About::Set(tenant.clone(), index, by.clone()), Some(Fact::Names(names.clone()))))
        });
        let identity = (About::Identity(tenant.clone()), Some(Fact::Body(read.identity.clone())));
        self.note(records.chain(sets).chain([identity]));
    }

    /// Remembers what was committed, after what was read for it.
    pub(super) fn commit(&self, tenant: &TenantId, Committed { bodies, sets }: Committed) {
        let bodies = bodies.into_iter().map(|(key, body)| {
            let known = (key.kind != Kind::Pin).then_some(Fact::Body(body));
            (About::Record(tenant.clone(), key), known)
        });
        self.note(
            bodies.chain(sets.into_iter().map(|(index, by)| (About::Set(tenant.clone(), index, by), None))),
        );
    }

    fn note(&self, facts: impl Iterator<Item = (About, Option<Fact>)>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [new, old] = &mut *known;
        for (about, fact) in facts {
            old.remove(&about);
            match fact {
                Some(fact) => drop(new.insert(about, fact)),
                None => drop(new.remove(&about)),
            }
            if new.len() >= MOST / 2 {
                *old = mem::take(new);
            }
        }
    }
}

/// Something is not known.
struct Unknown;

/// Follows the steps of a read in what is known, and makes the answer that the store would give.
struct Recall<'a> {
    facts: &'a [HashMap<About, Fact>; 2],
    tenant: &'a TenantId,
    read: Read,
}

impl Recall<'_> {
    fn fact(&self, about: &About) -> Result<Fact, Unknown> {
        self.facts.iter().find_map(|facts| facts.get(about)).cloned().ok_or(Unknown)
    }
}

impl Source for Recall<'_> {
    type Error = Unknown;

    fn get(&mut self, key: &Key) -> Result<Option<Record>, Unknown> {
        let Fact::Body(body) = self.fact(&About::Record(self.tenant.clone(), key.clone()))? else {
            return Err(Unknown);
        };
        let record =
            body.as_deref().map(|body| encoding::record(key, body)).transpose().map_err(|_| Unknown)?;
        self.read.records.push((key.kind.name().into(), key.name.clone(), body));
        Ok(record)
    }

    fn all(&mut self, _: Kind, _: &mut dyn FnMut(Record)) -> Result<(), Unknown> {
        Err(Unknown)
    }

    fn find(&mut self, index: Index, by: &str) -> Result<Vec<String>, Unknown> {
        let Fact::Names(names) = self.fact(&About::Set(self.tenant.clone(), index, by.into()))? else {
            return Err(Unknown);
        };
        self.read.found.push((index.name().into(), by.into(), names.clone()));
        Ok(names)
    }
}
