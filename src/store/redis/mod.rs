//! The truth in a Redis, for several controllers; Valkey does as well. Redis 6 or later.
//!
//! An act is one Lua script, so it is done whole or not at all, and one round trip. A script that was not answered may
//! have run all the same: a move carries a request id for that. The journal is a stream whose ids are the revisions,
//! and reading on in it, blocked, is the change feed.

mod feed;
mod link;
mod seen;
mod trim;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use redis::{Cmd, FromRedisValue, Script, ScriptInvocation, cmd};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::{Change, Guess, Import, Note, REMEMBERED, Store, StoreError, Tried, Trim, Trimmed, What};
use crate::desk::id::{CallId, DeviceName, Extension, Revision, TenantId};
use crate::desk::journal::{Actor, Entry, Event};
use crate::desk::leave::Seen;
use crate::desk::location::Location;
use crate::desk::lock::{Attempt, Kind, RULE};
use crate::desk::model::{Binding, Device, Office, User};
use crate::desk::pin::PinRecord;
use crate::desk::policy::Refusal;
use crate::desk::rules::Multi;
use crate::desk::seat::{Act, Move, Transition};
use crate::desk::setting::Setting;
use crate::desk::table::Scope;
use feed::Feed;
use link::Link;

/// The version of the keys of a tenant, as `house.lua` lists them. Data without a mark is of 2, the first that had none.
macro_rules! version {
    () => {
        2
    };
}
const VERSION: u64 = version!();

macro_rules! script {
    // A script that does another many times, as a function of its arguments.
    ($file:literal, $function:literal) => {
        Script::new(concat!(
            concat!("local KNOWN = ", version!(), "\n"),
            include_str!("../lua/house.lua"),
            concat!("local function ", $function, "(ARGV)\n"),
            include_str!(concat!("../lua/", $function, ".lua")),
            "\nend\n",
            include_str!(concat!("../lua/", $file))
        ))
    };
    ($file:literal) => {
        Script::new(concat!(
            concat!("local KNOWN = ", version!(), "\n"),
            include_str!("../lua/house.lua"),
            include_str!(concat!("../lua/", $file))
        ))
    };
}

/// How often a setting is tried while others change the same user.
const TRIES: u32 = 20;

/// How long many changes at once may take.
const IMPORT: Duration = Duration::from_secs(120);

/// A store in a Redis.
pub struct Redis {
    link: Arc<Link>,
    feed: Feed,
    attempt: Script,
    change: Script,
    forgive: Script,
    import: Script,
    move_people: Script,
    note: Script,
    office: Script,
    record: Script,
    rehash: Script,
    revision_at: Script,
    seen: Script,
    trim: Script,
    trimmed: Script,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redis({})", self.link.place)
    }
}

/// Who and when: an [`Entry`] without what happened, which the scripts know.
#[derive(Serialize)]
struct Head<'a> {
    at: Timestamp,
    tenant: &'a TenantId,
    by: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a CallId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

/// What every key of a tenant begins with. The braces keep them in one slot of a cluster.
fn base(tenant: &TenantId) -> String {
    format!("hotdesk:{{{tenant}}}")
}

impl Redis {
    /// The store at `url`; it need not be up now.
    ///
    /// # Errors
    /// [`StoreError::Broken`] when `url` cannot be read.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self {
            link: Arc::new(Link::new(url)?),
            feed: Feed::new(),
            attempt: script!("attempt.lua"),
            change: script!("change.lua"),
            forgive: script!("forgive.lua"),
            import: script!("import.lua", "change"),
            move_people: script!("move.lua"),
            note: script!("note.lua"),
            office: script!("office.lua"),
            record: script!("record.lua"),
            rehash: script!("rehash.lua"),
            revision_at: script!("revision_at.lua"),
            seen: script!("seen.lua"),
            trim: script!("trim.lua"),
            trimmed: script!("trimmed.lua"),
        })
    }

    fn text(&self, value: &impl Serialize) -> Result<String, StoreError> {
        serde_json::to_string(value).map_err(|error| self.unreadable(&error))
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|error| self.unreadable(&error))
    }

    /// A change as the scripts take it: its kind, its name, its body.
    async fn change_of<'a>(
        &self,
        tenant: &TenantId,
        what: &'a What,
    ) -> Result<(&'static str, &'a str, String), StoreError> {
        Ok(match what {
            What::Device(device) => ("device", device.name.as_str(), self.text(device)?),
            What::Location(location) => ("location", location.name.as_str(), self.text(location)?),
            What::Pin(user, record) => ("pin", user.as_str(), self.text(record)?),
            What::RemoveDevice(device) => ("remove_device", device.as_str(), String::new()),
            What::RemoveLocation(location) => ("remove_location", location.as_str(), String::new()),
            What::RemoveUser(user) => ("remove_user", user.as_str(), String::new()),
            What::Unlock(whose) => {
                let (what, name) = match whose.counted() {
                    None => ("unlock", ""),
                    Some((Kind::Device, name)) => ("unlock_device", name),
                    Some((Kind::User, name)) => ("unlock_user", name),
                };
                (what, name, self.text(&whose.event())?)
            }
            What::Setting(user, setting) => {
                ("setting", user.as_str(), self.setting(tenant, user, setting).await?)
            }
            What::Edited { was, is } => {
                ("edited", was.extension.as_str(), self.edited(tenant, was, is).await?)
            }
            What::User(user) => ("user", user.extension.as_str(), self.text(user)?),
        })
    }

    /// What is kept of a user, as text.
    async fn kept(&self, tenant: &TenantId, user: &Extension) -> Result<String, StoreError> {
        let mut ask = cmd("HGET");
        ask.arg(format!("{}:users", base(tenant))).arg(user.as_str());
        let kept: Option<String> = self.ask(tenant, &ask).await?;
        kept.ok_or_else(|| StoreError::Missing(format!("user {user}")))
    }

    /// A user who is as he was read, as a change from what is kept of him to what will be.
    async fn edited(&self, tenant: &TenantId, was: &User, is: &User) -> Result<String, StoreError> {
        let kept = self.kept(tenant, &was.extension).await?;
        if self.parse::<User>(&kept)? != *was {
            return Err(StoreError::Contended(format!("user {}", was.extension)));
        }
        self.text(&serde_json::json!({ "was": kept, "is": self.text(is)? }))
    }

    /// Asks for what is at the key of a tenant, and sees first that it is of a version that we know.
    async fn ask<T: FromRedisValue>(&self, tenant: &TenantId, command: &Cmd) -> Result<T, StoreError> {
        let mut both = redis::pipe();
        both.get(format!("{}:version", base(tenant))).add_command(command.clone());
        let (version, value): (Option<u64>, T) = self.link.ask(&both).await?;
        match version {
            Some(version) if version != VERSION => Err(self.link.newer(&version.to_string())),
            _ => Ok(value),
        }
    }

    /// One setting of a user, as a change from what is kept of him now to what will be.
    async fn setting(
        &self,
        tenant: &TenantId,
        user: &Extension,
        setting: &Setting,
    ) -> Result<String, StoreError> {
        let was = self.kept(tenant, user).await?;
        let mut is: User = self.parse(&was)?;
        setting.apply(&mut is);
        let event = Event::SettingChanged { user: user.clone(), setting: setting.to_string() };
        self.text(&serde_json::json!({ "was": was, "is": self.text(&is)?, "event": event }))
    }

    fn unreadable(&self, error: &impl std::fmt::Display) -> StoreError {
        let why = format!(
            "what it holds is not what hotdesk writes ({error}); if somebody edited it, restore a backup"
        );
        StoreError::Broken(self.link.place.clone(), why)
    }
}

fn on<'a>(script: &'a Script, tenant: &TenantId) -> ScriptInvocation<'a> {
    script.key(base(tenant))
}

#[async_trait]
impl Store for Redis {
    async fn office(&self, tenant: &TenantId, scope: &Scope) -> Result<Office, StoreError> {
        let scope = match scope {
            Scope::All => "null".into(),
            Scope::Some { users, devices } => {
                self.text(&serde_json::json!({ "users": users, "devices": devices }))?
            }
        };
        type Bodies = Vec<String>;
        let (revision, users, devices, locations, bindings): (u64, Bodies, Bodies, Bodies, Bodies) =
            self.link.run(on(&self.office, tenant).arg(scope)).await?;
        let mut office = Office { revision: Revision(revision), ..Office::default() };
        for user in users {
            let user: User = self.parse(&user)?;
            office.users.insert(user.extension.clone(), user);
        }
        for device in devices {
            let device: Device = self.parse(&device)?;
            office.devices.insert(device.name.clone(), device);
        }
        for location in locations {
            let location: Location = self.parse(&location)?;
            office.locations.insert(location.name.clone(), location);
        }
        for binding in bindings {
            let binding: Binding = self.parse(&binding)?;
            office.bindings.insert(binding.device.clone(), binding);
        }
        Ok(office)
    }

    async fn change(&self, change: &Change) -> Result<Revision, StoreError> {
        let head = self.text(&Head {
            at: change.at,
            tenant: &change.tenant,
            by: &change.by,
            call: None,
            code: None,
        })?;
        let mut tries = 1;
        loop {
            let (what, name, body) = self.change_of(&change.tenant, &change.what).await?;
            let mut script = on(&self.change, &change.tenant);
            script.arg(what).arg(name).arg(body).arg(change.at.as_microsecond()).arg(&head);
            match self.link.run(&script).await {
                Err(StoreError::Contended(_)) if tries < TRIES => tries += 1,
                done => return Ok(Revision(done?)),
            }
        }
    }

    async fn import(&self, import: &Import) -> Result<Revision, StoreError> {
        let head = Head { at: import.at, tenant: &import.tenant, by: &import.by, call: None, code: None };
        let mut script = on(&self.import, &import.tenant);
        script.arg(import.at.as_microsecond()).arg(self.text(&head)?);
        for Change { what, .. } in import.changes() {
            let (what, name, body) = self.change_of(&import.tenant, &what).await?;
            script.arg(what).arg(name).arg(body);
        }
        Ok(Revision(self.link.run_within(IMPORT, &script).await?))
    }

    async fn move_people(&self, act: &Move) -> Result<Transition, StoreError> {
        let mut rules = serde_json::json!({});
        let (what, user, device) = match &act.act {
            Act::Clear(device) => ("clear", "", device.as_str()),
            Act::Leave(user, device) => ("leave", user.as_str(), device.as_str()),
            Act::Expire(binding) => {
                rules = serde_json::json!({ "seated": [binding], "removed": [], "most": 0 });
                ("expire", "", "")
            }
            Act::LeaveAll(user) => ("leave_all", user.as_str(), ""),
            Act::Seat(user, device, seating) => {
                let (most, refuse) = (seating.multi.most(), seating.multi == Multi::Refuse);
                rules = serde_json::json!({ "take_over": seating.take_over, "refuse": refuse, "most": most });
                ("seat", user.as_str(), device.as_str())
            }
            Act::Undo { seated, removed, most } => {
                rules = serde_json::json!({ "seated": seated, "removed": removed, "most": most });
                ("undo", "", "")
            }
        };
        let head = Head {
            at: act.at,
            tenant: &act.tenant,
            by: &act.by,
            call: act.call.as_ref(),
            code: act.code.as_deref(),
        };
        let mut script = on(&self.move_people, &act.tenant);
        script.arg(what).arg(user).arg(device);
        script.arg(act.at.to_string()).arg(act.at.as_microsecond()).arg(self.text(&head)?);
        script.arg(act.request.as_str()).arg(REMEMBERED).arg(rules.to_string());
        let transition: String = self.link.run(&script).await?;
        self.parse(&transition)
    }

    async fn pin(&self, tenant: &TenantId, user: &Extension) -> Result<Option<PinRecord>, StoreError> {
        let mut ask = cmd("HGET");
        ask.arg(format!("{}:pins", base(tenant))).arg(user.as_str());
        let record: Option<String> = self.ask(tenant, &ask).await?;
        record.map(|record| self.parse(&record)).transpose()
    }

    async fn rehash(
        &self,
        tenant: &TenantId,
        user: &Extension,
        was: &PinRecord,
        is: &PinRecord,
    ) -> Result<(), StoreError> {
        let mut script = on(&self.rehash, tenant);
        self.link.run(script.arg(user.as_str()).arg(was.salt()).arg(self.text(is)?)).await
    }

    async fn attempt(&self, guess: &Guess) -> Result<Attempt, StoreError> {
        let mut script = on(&self.attempt, &guess.tenant);
        script.arg(guess.user.as_str()).arg(guess.device.as_str());
        script.arg(guess.at.as_second()).arg(self.text(&RULE)?);
        let (locked, by_device, by_user): (String, bool, bool) = self.link.run(&script).await?;
        let allowed = match locked.as_str() {
            "" => Ok(()),
            "device" => Err(Refusal::DeviceLocked),
            _ => Err(Refusal::UserLocked),
        };
        let spray = [(Kind::Device, by_device), (Kind::User, by_user)];
        let spray = spray.into_iter().filter_map(|(kind, is)| is.then_some(kind)).collect();
        Ok(Attempt { allowed, spray })
    }

    async fn forgive(&self, guess: &Guess) -> Result<(), StoreError> {
        let mut script = on(&self.forgive, &guess.tenant);
        script.arg(guess.user.as_str()).arg(guess.device.as_str());
        script.arg(guess.at.as_second()).arg(RULE.device.failures);
        self.link.run(&script).await
    }

    async fn tries(&self, tenant: &TenantId) -> Result<Vec<Tried>, StoreError> {
        let mut ask = cmd("HGETALL");
        let all: Vec<(String, String)> = self.ask(tenant, ask.arg(format!("{}:tries", base(tenant)))).await?;
        let tried = |(who, body): (String, String)| {
            let (kind, name) = who.split_once(':')?;
            Some((Kind::named(kind)?, name.to_owned(), body))
        };
        all.into_iter()
            .filter_map(tried)
            .map(|(kind, name, body)| Ok(Tried { kind, name, tries: self.parse(&body)? }))
            .collect()
    }

    async fn record(&self, entries: &[Entry]) -> Result<(), StoreError> {
        // A script keeps to one tenant; each one's entries stay in their order.
        for of_one in entries.chunk_by(|one, next| one.tenant == next.tenant) {
            let Some(first) = of_one.first() else { continue };
            let mut script = on(&self.record, &first.tenant);
            for Entry { at, tenant, by, call, code, event, .. } in of_one {
                let head = Head { at: *at, tenant, by, call: call.as_ref(), code: code.as_deref() };
                script.arg(at.as_microsecond()).arg(self.text(&head)?).arg(self.text(event)?);
            }
            self.link.run::<()>(&script).await?;
        }
        Ok(())
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut ask = cmd("XRANGE");
        ask.arg(format!("{}:journal", base(tenant))).arg(format!("{}-0", after.0 + 1)).arg("+");
        ask.arg("COUNT").arg(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows: Vec<(String, Vec<String>)> = self.ask(tenant, &ask).await?;
        let entry = |(id, fields): (String, Vec<String>)| {
            let revision = id.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
            let entry: Entry = self.parse(fields.last().map_or("", String::as_str))?;
            Ok(Entry { revision: Revision(revision), ..entry })
        };
        rows.into_iter().map(entry).collect()
    }

    async fn revision_at(&self, tenant: &TenantId, since: Timestamp) -> Result<Revision, StoreError> {
        let revision = self.link.run(on(&self.revision_at, tenant).arg(since.as_microsecond())).await?;
        Ok(Revision(revision))
    }

    async fn trim(&self, trim: &Trim) -> Result<bool, StoreError> {
        self.trim_journal(trim).await
    }

    async fn trimmed(&self, tenant: &TenantId) -> Result<Trimmed, StoreError> {
        self.trimmed_journal(tenant).await
    }

    async fn seen(&self, tenant: &TenantId, scope: &Scope) -> Result<BTreeMap<DeviceName, Seen>, StoreError> {
        self.all_seen(tenant, scope).await
    }

    async fn note(&self, tenant: &TenantId, notes: &[Note]) -> Result<Vec<bool>, StoreError> {
        self.note_all(tenant, notes).await
    }

    async fn changed(
        &self,
        tenant: &TenantId,
        after: Revision,
        patience: Duration,
    ) -> Result<Revision, StoreError> {
        let mut heard = self.feed.of(tenant, &self.link);
        if let Ok(Ok(now)) = timeout_at(Instant::now() + patience, heard.wait_for(|now| *now > after)).await {
            return Ok(*now);
        }
        let mut ask = cmd("GET");
        let now: Option<u64> = self.ask(tenant, ask.arg(format!("{}:revision", base(tenant)))).await?;
        Ok(Revision(now.unwrap_or(0)))
    }
}
