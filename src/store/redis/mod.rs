//! A store in a Redis, version 6 or later, or a Valkey, for several controllers.
//!
//! One script loads what a command reads, this process decides, and another script compares what was read and
//! commits. What was read or written just before need not be read again. A script without an answer may have run, so a commit remembers its request id. The journal is a stream
//! whose ids are the revisions, and a blocking read of it is the change feed.

mod feed;
mod known;
mod link;
mod migrate;
mod script;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use redis::{Cmd, FromRedisValue, Script, ScriptInvocation, cmd};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

use super::identity::{self, Seen};
use super::migration::{OLDEST, VERSION};
use super::{Keeps, Result, Store, StoreError, Trim, Trimmed};
use crate::model::command::{Command, Loaded, Outcome, Reads, Step, decide};
use crate::model::id::{Revision, StoreId, TenantId};
use crate::model::journal::Entry;
use crate::model::journal::daily_counts::Counted;
use crate::model::mark::Mark;
use feed::Feed;
use known::Known;
use link::{Fault, Link};
use script::{Read, Scripts, base};

/// How often a command is decided while others change what it reads.
const TRIES: u32 = 40;
/// The longest pause before it is decided again; random, so that simultaneous commands spread out.
const PAUSE_US: u64 = 4_000;
/// How long a command with many changes may take.
const LARGE: Duration = Duration::from_secs(120);

/// A store in a Redis.
pub struct Redis {
    link: Arc<Link>,
    feed: Feed,
    scripts: Scripts,
    known: Known,
    /// The identity of data that this process begins.
    fresh: StoreId,
    seen: Seen,
    /// Retries of this process wait here for each other, so many commands for one record do not slow down other commands.
    retries: Mutex<()>,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redis({})", self.link.place)
    }
}

impl Redis {
    /// The store at `url`; it need not be up.
    ///
    /// # Errors
    /// [`StoreError::Broken`] when `url` cannot be read.
    pub fn open(url: &str) -> Result<Self> {
        let link = Link::new(url)?;
        let fresh = identity::make();
        Ok(Self {
            fresh: fresh.map_err(|error| StoreError::Broken(link.place.clone(), error.to_string()))?,
            seen: Seen::default(),
            link: Arc::new(link),
            feed: Feed::default(),
            scripts: Scripts::new(),
            known: Known::default(),
            retries: Mutex::new(()),
        })
    }

    fn unreadable(&self, why: &impl ToString) -> StoreError {
        let why = format!("it has a value that Hotdesk did not write: {}", why.to_string());
        StoreError::Broken(self.link.place.clone(), why)
    }

    /// Runs a script on a tenant's data, after a migration if the data is of an older version.
    async fn run<T: FromRedisValue>(
        &self,
        tenant: &TenantId,
        script: &Script,
        arguments: &[String],
        large: bool,
    ) -> Result<T> {
        let mut ask: ScriptInvocation<'_> = script.key(base(tenant));
        for argument in arguments {
            ask.arg(argument);
        }
        let run = async || match large {
            true => self.link.run_within(LARGE, &ask).await,
            false => self.link.run(&ask).await,
        };
        let answer = match run().await {
            Err(Fault::Version(version)) => {
                migrate::migrate(&self.link, tenant, &version, &self.fresh).await?;
                run().await
            }
            answer => answer,
        };
        answer.map_err(|fault| fault.into_error(&self.link.place))
    }

    /// Reads something of a tenant without a script, after a migration if the data is of an older version.
    async fn ask<T: FromRedisValue>(&self, tenant: &TenantId, command: &Cmd) -> Result<T> {
        let (version, revision) = (format!("{}:version", base(tenant)), format!("{}:revision", base(tenant)));
        let mut all = redis::pipe();
        all.get(version).exists(revision).add_command(command.clone());
        let ask = async || {
            let (version, some, answer): (Option<String>, bool, redis::Value) = self.link.ask(&all).await?;
            let version = version.or(some.then(|| OLDEST.to_string()));
            match version.filter(|version| *version != VERSION.to_string()) {
                Some(other) => Err(Fault::Version(other)),
                None => Ok(answer),
            }
        };
        let answer = match ask().await {
            Err(Fault::Version(version)) => {
                migrate::migrate(&self.link, tenant, &version, &self.fresh).await?;
                ask().await
            }
            answer => answer,
        };
        let answer = answer.map_err(|fault| fault.into_error(&self.link.place))?;
        T::from_redis_value(answer).map_err(|error| self.unreadable(&error))
    }

    async fn read(&self, tenant: &TenantId, reads: &Reads, large: bool) -> Result<Read> {
        let before = self.seen.before(tenant);
        let read: Read = self.run(tenant, &self.scripts.snapshot, &[script::asked(reads)], large).await?;
        let now = read.mark().map_err(|why| self.unreadable(&why))?;
        let followed = self.seen.check(tenant, before.as_ref(), now.as_ref());
        followed.map_err(|why| StoreError::Lost(self.link.place.clone(), why))?;
        Ok(read)
    }
}

#[async_trait]
impl Store for Redis {
    async fn load(&self, tenant: &TenantId, reads: &Reads) -> Result<Loaded> {
        let read = self.read(tenant, reads, reads.is_large()).await?;
        if !reads.steps.iter().any(|step| matches!(step, Step::All(..))) {
            self.known.learn(tenant, &read);
        }
        read.loaded().map_err(|why| self.unreadable(&why))
    }

    async fn commit(&self, command: &Command) -> Result<Outcome> {
        let (reads, tenant) = (command.reads(), &command.tenant);
        let mut turn = None;
        let mut known = self.known.read(tenant, &reads);
        for _ in 0..TRIES {
            let (read, is_known) = match known.take() {
                Some(read) => (read, true),
                None => (self.read(tenant, &reads, command.is_large()).await?, false),
            };
            let loaded = read.to_decide().map_err(|why| self.unreadable(&why))?;
            let decision = match decide(&loaded, command) {
                Ok(decision) => decision,
                // What is known may be old.
                Err(_) if is_known => continue,
                // The first attempt may have been accepted, which makes the second one impossible.
                Err(refusal) => {
                    let asked = format!("{}:request:{}", base(tenant), command.request);
                    let first: Option<String> = self.ask(tenant, cmd("GET").arg(asked)).await?;
                    let Some(first) = first else { return Err(refusal.into()) };
                    return serde_json::from_str(&first).map_err(|error| self.unreadable(&error));
                }
            };
            let (commit, committed) =
                read.commit(command, &decision, &self.fresh).map_err(|error| self.unreadable(&error))?;
            let (done, outcome, revision): (String, String, u64) =
                self.run(tenant, &self.scripts.commit, &[commit], command.is_large()).await?;
            if done != "changed" {
                let outcome = serde_json::from_str(&outcome).map_err(|error| self.unreadable(&error))?;
                if done == "done" && !command.is_large() {
                    self.known.commit(tenant, committed.numbered(decision.events.len(), revision));
                }
                return Ok(match outcome {
                    Outcome::Done { .. } if done == "done" => Outcome::Done { revision: Revision(revision) },
                    other => other,
                });
            }
            if is_known {
                continue;
            }
            if turn.is_none() {
                turn = Some(self.retries.lock().await);
                continue;
            }
            let pause = getrandom::u64().unwrap_or(0) % PAUSE_US;
            sleep(Duration::from_micros(pause)).await;
        }
        Err(StoreError::Contended(self.link.place.clone()))
    }

    async fn journal(&self, tenant: &TenantId, after: Revision, limit: usize) -> Result<Vec<Entry>> {
        let mut ask = cmd("XRANGE");
        ask.arg(format!("{}:journal", base(tenant))).arg(format!("{}-0", after.0 + 1)).arg("+");
        ask.arg("COUNT").arg(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows: Vec<(String, Vec<String>)> = self.ask(tenant, &ask).await?;
        let entry = |(id, fields): (String, Vec<String>)| {
            let revision = id.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
            let entry: Entry = serde_json::from_str(fields.last().map_or("", String::as_str))
                .map_err(|error| self.unreadable(&error))?;
            Ok(Entry { revision: Revision(revision), ..entry })
        };
        rows.into_iter().map(entry).collect()
    }

    async fn revision_at(&self, tenant: &TenantId, since: Timestamp) -> Result<Revision> {
        let since = since.as_microsecond().to_string();
        Ok(Revision(self.run(tenant, &self.scripts.revision_at, &[since], false).await?))
    }

    async fn trim(&self, trim: &Trim) -> Result<bool> {
        let mut arguments = vec![trim.from.0.to_string(), trim.upto.0.to_string()];
        for (day, counts) in trim.counts.days() {
            for (what, times) in counts {
                arguments.extend([format!("{day} {}", what.name()), times.to_string()]);
            }
        }
        self.run(&trim.tenant, &self.scripts.trim, &arguments, false).await
    }

    async fn trimmed(&self, tenant: &TenantId) -> Result<Trimmed> {
        let (upto, fields): (u64, BTreeMap<String, u64>) =
            self.run(tenant, &self.scripts.trim, &[], false).await?;
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

    async fn probe(&self, tenant: &TenantId) -> Result<()> {
        let set = Script::new("return redis.call('SET', KEYS[1] .. ':probe', '', 'PX', 1)"); // gone after a millisecond
        self.run(tenant, &set, &[], false).await
    }

    async fn changed(&self, tenant: &TenantId, after: Revision, patience: Duration) -> Result<Revision> {
        let mut heard = self.feed.of(tenant, &self.link);
        // A lower one is asked for again: the data is older than before, or of another version.
        let other = heard.wait_for(|now| now.is_some_and(|now| now != after));
        if let Ok(Ok(now)) = timeout_at(Instant::now() + patience, other).await
            && let Some(now) = now.filter(|now| *now > after)
        {
            return Ok(now);
        }
        let now: Option<u64> = self.ask(tenant, cmd("GET").arg(format!("{}:revision", base(tenant)))).await?;
        Ok(Revision(now.unwrap_or(0)))
    }

    async fn mark(&self, tenant: &TenantId) -> Result<Option<Mark>> {
        let asked = script::asked(&Reads::default());
        let read: Read = self.run(tenant, &self.scripts.snapshot, &[asked], false).await?;
        read.mark().map_err(|why| self.unreadable(&why))
    }

    async fn accept(&self, tenant: &TenantId) -> Result<()> {
        self.seen.forget(tenant);
        Ok(())
    }

    async fn keeps(&self) -> Result<Keeps> {
        match self.link.policy().await?.as_deref() {
            None => Ok(Keeps::Unknown),
            Some("noeviction") => Ok(Keeps::All),
            Some(other) => Ok(Keeps::Evicts(format!("maxmemory-policy {other}"))),
        }
    }

    async fn ended(&self) -> String {
        self.feed.ended().await
    }
}
