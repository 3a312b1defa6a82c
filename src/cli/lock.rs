//! `hotdesk lock`: who is locked after too many failures.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::print;
use super::site::{Site, now};
use crate::controller::pepper;
use crate::desk::id::{DeviceName, Extension};
use crate::desk::lock::{self, Kind};
use crate::store::{Unlock, What};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Lock {
    /// List who is locked now
    List {
        /// As JSON: [{"user", "device", "failures", "until"}]; no "until": only an administrator unlocks; neither user nor
        /// device: an extension that is nobody's
        #[arg(long)]
        json: bool,
    },
    /// End locks, and forget the failures before them
    Clear(Clear),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Clear {
    /// The extension of a user
    user: Option<Extension>,
    /// A device
    #[arg(long, value_name = "ID")]
    device: Option<DeviceName>,
    /// All of them
    #[arg(long)]
    all: bool,
}

/// Somebody or something that is locked.
#[derive(Serialize)]
struct Locked {
    user: Option<Extension>,
    device: Option<String>,
    /// In a row.
    failures: u32,
    until: Option<Timestamp>,
}

impl Lock {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::List { json } => list(site, out, json).await,
            Self::Clear(clear) => clear.run(site, out).await,
        }
    }
}

impl Clear {
    async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let (whose, done) = match (self.user, self.device) {
            (Some(user), _) => {
                site.user(&user).await?;
                let pepper = pepper::load_or_create(&site.config.store.pepper_file)?;
                let alias = pepper.alias(&site.tenant, &user);
                let done = format!("user {user} is not locked");
                (Unlock::User(user, alias), done)
            }
            (None, Some(device)) => {
                site.device(&device).await?;
                let done = format!("device {device} is not locked");
                (Unlock::Device(device), done)
            }
            (None, None) => (Unlock::All, "nobody is locked".into()),
        };
        site.change(What::Unlock(whose)).await?;
        writeln!(out, "{done} any more")?;
        Ok(())
    }
}

async fn list(site: &Site, out: &mut dyn Write, json: bool) -> anyhow::Result<()> {
    let locked = locked(site).await?;
    if json {
        return print::json(out, &locked);
    }
    if locked.is_empty() {
        writeln!(out, "nobody is locked")?;
        return Ok(());
    }
    let row = |locked: &Locked| {
        let whom = match (&locked.user, &locked.device) {
            (Some(user), _) => format!("user {user}"),
            (None, Some(device)) => format!("device {device}"),
            (None, None) => "an extension that is nobody's".into(),
        };
        let until = locked.until.map_or_else(|| "an administrator unlocks".into(), print::time);
        vec![whom, locked.failures.to_string(), until]
    };
    let rows: Vec<_> = locked.iter().map(row).collect();
    print::table(out, &["LOCKED", "FAILURES", "UNTIL"], &rows)
}

/// Users are counted under their aliases: each known user's is computed, and what is left is nobody's.
async fn locked(site: &Site) -> anyhow::Result<Vec<Locked>> {
    let now = now().as_second();
    let mut tried = site.store.tries(&site.tenant).await?;
    tried.retain(|tried| tried.tries.lock(tried.kind, now).is_some());
    tried.sort_unstable();
    if tried.is_empty() {
        return Ok(vec![]);
    }
    let pepper = pepper::load_or_create(&site.config.store.pepper_file)?;
    let users = site.office().await?.users;
    let users: BTreeMap<String, Extension> =
        users.into_keys().map(|user| (pepper.alias(&site.tenant, &user).as_str().to_owned(), user)).collect();
    let known = tried.into_iter().map(|tried| {
        let until = match tried.tries.lock(tried.kind, now) {
            Some(lock::Lock::Until(second)) => Timestamp::from_second(second).ok(),
            _ => None,
        };
        let (user, device) = match tried.kind {
            Kind::User => (users.get(&tried.name).cloned(), None),
            Kind::Device => (None, Some(tried.name)),
        };
        Locked { user, device, failures: tried.tries.row, until }
    });
    Ok(known.collect())
}
