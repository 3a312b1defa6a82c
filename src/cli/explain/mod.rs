//! `hotdesk explain`: why a device, or a user's calls, behave as they do now.

mod rows;

use std::io::Write;

use anyhow::{Result, bail};
use futures_util::future::join_all;
use serde::Serialize;

use self::rows::OnSwitch;
use super::connected;
use super::context::CommandContext;
use super::inspected::Inspected;
use super::output;
use crate::config::{Layout, Switch};
use crate::controller::check::{self, Comparison};
use crate::model::check::Finding;
use crate::model::desired::{Desired, Scope, Subjects};
use crate::model::directory::profile::When;
use crate::model::directory::{Device, Session, Snapshot, User};
use crate::model::id::{DeviceName, Extension, Revision};
use crate::model::journal::Entry;

/// How many of the last events are shown.
const LAST_CHANGES: usize = 5;
/// How far back they are looked for, in entries of the journal.
const BACK: u64 = 2_000;
const FREEPBX: &str = "a FreePBX: it keeps users and devices, and makes its calls by settings of its own";

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// A device or a user's extension
    #[arg(value_name = "DEVICE|USER")]
    who: String,
    /// It is a device, also if there is a user with such an extension
    #[arg(long)]
    device: bool,
    /// Print JSON: {"subject", "facts", "switches": [{"switch", "not_read", "things": [{"about", "should", "records": [{"state",
    /// "what"}]}], "others"}], "last"}
    #[arg(long)]
    json: bool,
}

/// What is known of a device or a user.
#[derive(Serialize)]
struct Explanation {
    /// The device or the user.
    subject: String,
    /// What the store holds, in sentences.
    facts: Vec<String>,
    switches: Vec<OnSwitch>,
    /// The last events of the journal, the latest first.
    last: Vec<Entry>,
}

impl Explanation {
    fn print(&self, out: &mut dyn Write) -> Result<()> {
        writeln!(out, "{}", self.subject)?;
        for fact in &self.facts {
            writeln!(out, "  {fact}")?;
        }
        for switch in &self.switches {
            switch.print(out)?;
        }
        writeln!(out, "\nWhat happened last")?;
        if self.last.is_empty() {
            writeln!(out, "  nothing that the journal still has")?;
        }
        for entry in &self.last {
            writeln!(out, "  {}  {}", output::time(entry.at), entry.line(output::time))?;
        }
        Ok(())
    }
}

enum Subject {
    Device(Device),
    User(User),
}

impl Explain {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let explanation = self.explanation(context).await?;
        if self.json { output::json(out, &explanation) } else { explanation.print(out) }
    }

    async fn explanation(&self, context: &CommandContext) -> Result<Explanation> {
        let (subject, snapshot) = self.subject(context).await?;
        let explained = Explained { context, snapshot: &snapshot };
        let ((title, mut facts), scope) = match &subject {
            Subject::Device(device) => (explained.device(device).await?, Scope::device(&device.name)),
            Subject::User(user) => (explained.user(user).await?, Scope::user(&user.extension)),
        };
        let switches: Vec<&Switch> =
            context.config.switches.iter().filter(|switch| switch.has(&context.tenant)).collect();
        let found = switches.iter().map(|switch| explained.compared(switch, &scope));
        let found = join_all(found).await.into_iter();
        let on = switches.iter().zip(found).map(|(switch, (desired, found))| {
            let note = (switch.layout == Layout::FreePbx).then_some(FREEPBX);
            OnSwitch::of(&switch.name, note, &desired, found)
        });
        if let Subject::User(user) = &subject {
            let past = switches.iter().map(|switch| past_hotdesk(context, switch, &user.extension));
            facts.extend(join_all(past).await.concat());
        }
        let last = last_changes(context, &Desired::subjects(&snapshot, &scope)).await?;
        Ok(Explanation { subject: title, facts, switches: on.collect(), last })
    }

    async fn subject(&self, context: &CommandContext) -> Result<(Subject, Snapshot)> {
        if let Some(extension) = Extension::new(&self.who).ok().filter(|_| !self.device) {
            let snapshot = context.snapshot_of_user(&extension).await?;
            if let Some(user) = snapshot.users.get(&extension).cloned() {
                return Ok((Subject::User(user), snapshot));
            }
        }
        if let Ok(name) = DeviceName::new(&self.who) {
            let snapshot = context.store.snapshot(&context.tenant, &Scope::device(&name)).await?;
            if let Some(device) = snapshot.devices.get(&name).cloned() {
                return Ok((Subject::Device(device), snapshot));
            }
        }
        bail!("there is neither a device nor a user {}: hotdesk device list, hotdesk user list", self.who)
    }
}

/// A tenant's records that concern what is explained.
struct Explained<'a> {
    context: &'a CommandContext,
    snapshot: &'a Snapshot,
}

impl Explained<'_> {
    /// The user and the owner of a device.
    async fn device(&self, device: &Device) -> Result<(String, Vec<String>)> {
        let Device { name, kind, switch, dial, owner, location, .. } = device;
        let subject = format!("{kind} {name}: {dial} on {switch}, at {}", output::or_dash(location.as_ref()));
        let mut facts = vec![];
        if !device.hotdesk {
            facts.push("no user may log in here: it is not for hotdesking".into());
        }
        let (here, user) = (self.snapshot.sessions.get(name), self.snapshot.user_at(name));
        facts.push(match (here, user) {
            (Some(session), _) => self.session(session).await?,
            (None, Some(owner)) => {
                format!("{} owns it, and no other user is logged in here", self.named(owner))
            }
            (None, None) => {
                "no user is logged in here: it can make emergency calls, and dial feature codes and its \
                             short list"
                    .into()
            }
        });
        if let Some(owner) = owner.as_ref().filter(|owner| user != Some(*owner)) {
            let why = match here {
                Some(_) => "gets it back when the guest is logged out",
                None => "is logged in elsewhere, and gets it back at logout",
            };
            facts.push(format!("its owner {} {why}", self.named(owner)));
        }
        Ok((subject, facts))
    }

    /// Where a user is logged in, and what they set themselves.
    async fn user(&self, user: &User) -> Result<(String, Vec<String>)> {
        let mut facts = vec![];
        if !user.hotdesk {
            facts.push("may not log in at devices".into());
        }
        for session in self.snapshot.sessions_of(&user.extension) {
            facts.push(self.session(session).await?);
        }
        let is_theirs = |device: &&Device| self.snapshot.user_at(&device.name) == Some(&user.extension);
        let devices: Vec<&Device> = self.snapshot.devices.values().filter(is_theirs).collect();
        let own = devices.iter().filter(|device| !self.snapshot.sessions.contains_key(&device.name));
        facts.extend(own.map(|device| format!("their own {} {}", device.kind, device.name)));
        facts.extend(self.lent(user));
        let silent = devices.iter().filter(|device| !self.snapshot.rings(&device.name, user));
        facts.extend(silent.map(|device| format!("{} does not ring: the user switched it off", device.name)));
        if user.profile.do_not_disturb {
            facts.push("DND is on: nothing rings".into());
        }
        for (what, when) in [
            ("all calls", When::Always),
            ("calls while busy", When::Busy),
            ("unanswered calls", When::Unanswered),
        ] {
            facts.extend(user.profile.forward.to(when).map(|to| format!("{what} go to {to}")));
        }
        Ok((format!("user {}", self.named(&user.extension)), facts))
    }

    /// The devices of an owner that are not with the owner now. FreePBX rings those where no other user can log in.
    fn lent(&self, user: &User) -> impl Iterator<Item = String> {
        let theirs = |device: &&Device| device.owner.as_ref() == Some(&user.extension);
        let gone = |device: &&Device| self.snapshot.user_at(&device.name) != Some(&user.extension);
        let lent = self.snapshot.devices.values().filter(move |device| theirs(device) && gone(device));
        lent.map(|device| {
            let switch = self.context.config.switch(&device.switch);
            let stays = switch.is_some_and(|switch| switch.layout == Layout::FreePbx) && !device.hotdesk;
            let now = if stays { "rings too" } else { "is theirs again after a logout" };
            format!("their own {} {} {now}", device.kind, device.name)
        })
    }

    /// A session: the user, the device, since when, and by which login.
    async fn session(&self, session: &Session) -> Result<String> {
        let Session { user, device, since, revision } = session;
        let before = Revision(revision.0.saturating_sub(1));
        let login = self.context.store.journal(&self.context.tenant, before, 1).await?;
        let how = match login.iter().find(|entry| entry.revision == *revision) {
            Some(Entry { by, code: Some(code), .. }) => format!(", by {by}, with {code}"),
            Some(Entry { by, .. }) => format!(", by {by}"),
            None => String::new(),
        };
        let (user, since) = (self.named(user), output::time(*since));
        Ok(format!("{user} is logged in at {device} since {since}{how} (revision {revision})"))
    }

    fn named(&self, user: &Extension) -> String {
        match self.snapshot.users.get(user).and_then(|user| user.name.as_ref()) {
            Some(name) => format!("{user} ({name})"),
            None => user.to_string(),
        }
    }

    /// What a switch should hold of these subjects, and what it holds.
    async fn compared(&self, switch: &Switch, scope: &Scope) -> (Desired, Result<Comparison>) {
        let subjects = &Desired::subjects(self.snapshot, scope);
        let tenant = &self.context.tenant;
        let routes = self.context.config.routes(switch, tenant);
        let desired = Desired::of(self.snapshot, scope, &switch.name, &routes);
        let read = async {
            let table = connected::table(self.context, switch).await?;
            let reading = table.to.read(subjects).await?;
            Ok(Comparison::of(table.to.as_ref(), &desired, reading))
        };
        let read: Result<Comparison> = read.await;
        (desired, read)
    }
}

/// From where calls to a user do not reach Hotdesk on this switch. A switch that cannot be asked is named with its records.
async fn past_hotdesk(context: &CommandContext, switch: &Switch, user: &Extension) -> Vec<String> {
    let found = async {
        // The classes of all users are contexts from which this one is called.
        let snapshot = context.snapshot().await?;
        let inspected = Inspected::new(&context.config, switch, None).await?;
        anyhow::Ok(inspected.past_hotdesk(&context.tenant, &snapshot, Some(user)).await?)
    };
    let said = |Finding { check, found, remedy, .. }: Finding| Some(format!("{check}: {found}; {}", remedy?));
    found.await.unwrap_or_default().into_iter().filter_map(said).collect()
}

/// The last events about these subjects, the latest first.
async fn last_changes(
    context: &CommandContext,
    Subjects { users, devices, .. }: &Subjects,
) -> Result<Vec<Entry>> {
    let next = context.store.revision_at(&context.tenant, jiff::Timestamp::MAX).await?;
    let from = Revision(next.0.saturating_sub(BACK));
    let entries = context.store.journal(&context.tenant, from, usize::try_from(BACK)?).await?;
    let about = |entry: &Entry| check::is_about(entry, users, devices);
    Ok(entries.into_iter().rev().filter(about).take(LAST_CHANGES).collect())
}
