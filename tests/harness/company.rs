//! A small company: an Asterisk with three devices, a colleague with lamps, a trunk, and a hotdesk for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::asterisk::{Asterisk, Endpoint, Site};
use super::debian::Version;
use super::hotdesk::{Hotdesk, SECRET};
use super::phone::Phone;
use super::wait;

/// The users, with their names and PINs.
pub const USERS: [(&str, &str, &str); 3] =
    [("101", "Alice", "729154"), ("102", "Bob", "583617"), ("103", "Carol", "246813")];
/// The devices, with their emergency caller IDs.
pub const DESKS: [(&str, &str); 3] =
    [("desk1", "0205550101"), ("desk2", "0205550102"), ("desk3", "0205550103")];

/// A company's dialplan: that of the site, with the three lines that it adds for hotdesk.
const DIALPLAN: &str = "\
[from-internal]
include => hotdesk-users
exten => 600,1,Answer()
 same => n,Echo()
 same => n,Hangup()
exten => 700,1,Answer()
 same => n,Queue(sales,,,,20)
 same => n,Hangup()
exten => _00X.,1,Dial(PJSIP/trunk)
 same => n,Hangup()

[from-trunk]
exten => _X!,1,Gosub(hotdesk-callback,${EXTEN},1)
 same => n,Goto(hotdesk-users,${EXTEN},1)

[emergency]
exten => 112,1,Dial(PJSIP/trunk)
 same => n,Hangup()

#include hotdesk.conf
";

/// A company that is open.
pub struct Company {
    /// Its switch.
    pub pbx: Asterisk,
    /// Its hotdesk.
    pub hotdesk: Hotdesk,
}

impl Company {
    /// Starts a company on an Asterisk of this version, with the store at `store`: all users exist, none is logged in.
    pub fn open(program: &[PathBuf], version: Version, store: &str) -> Result<Self> {
        Self::open_with(program, version, store, "")
    }

    /// The same, with `more` in its configuration.
    pub fn open_with(program: &[PathBuf], version: Version, store: &str, more: &str) -> Result<Self> {
        Self::open_at(program, version, store, more, "")
    }

    /// The same, with these contexts in its dialplan.
    pub fn open_at(
        program: &[PathBuf],
        version: Version,
        store: &str,
        more: &str,
        contexts: &str,
    ) -> Result<Self> {
        let site = Site::new()?;
        let mut hotdesk = Hotdesk::new(program, store, site.ports.ami, site.ports.agi)?;
        hotdesk.configure(more)?;
        let mut manager = include_str!("../../dialplan/asterisk/manager.conf").replace("CHANGE-ME", SECRET);
        if more.contains("extend_call = true") {
            manager = manager.replace("user,reporting", "user,reporting,originate");
        }
        if more.contains("kind = \"queue\"") {
            manager = manager.replace("system,call,user", "system,call,user,agent");
        }
        let outside = |name: &str, context: &str| {
            Endpoint::new(name).context(context).subscribe_context("hotdesk-hints")
        };
        let site = USERS
            .iter()
            .fold(site.desks(DESKS.len()), |site, (extension, name, _)| site.mailbox(extension, name));
        let pbx = site
            .endpoint(outside("colleague", "from-internal").with("callerid=Colleague <199>"))
            .endpoint(outside("trunk", "from-trunk"))
            .endpoint(Endpoint::new("softphone"))
            .endpoint(outside("mobile", "from-trunk"))
            .dialplan(DIALPLAN)
            .dialplan(contexts)
            .sounds("en", "hotdesk", &Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplan/sounds/en"))
            .file("hotdesk.conf", &hotdesk.run(&["dialplan", "asterisk"])?)
            // `*8` is Asterisk's own, unless the site gives it another key.
            .file("features.conf", "[general]\npickupexten = *88\n[featuremap]\nautomixmon = *2\n")
            .file("queues.conf", "[sales]\nstrategy = ringall\ntimeout = 10\n")
            .manager(&manager)
            .start(version)?;
        for (extension, name, pin) in USERS {
            hotdesk.add_user(extension, name, pin)?;
        }
        for (desk, emergency) in DESKS {
            hotdesk.add_desk(desk, emergency)?;
        }
        hotdesk.start()?;
        Ok(Self { pbx, hotdesk })
    }

    /// Where a FastAGI call goes.
    pub fn agi(&self) -> SocketAddr {
        self.pbx.agi()
    }

    /// As [`dial_code`].
    pub fn dial_code(&self, phone: &Phone, code: &str, entries: &[&str]) -> Result<Duration> {
        dial_code(phone, code, entries)
    }

    /// As [`log_in`].
    pub fn log_in(&self, phone: &Phone, user: &str) -> Result<()> {
        log_in(&self.hotdesk, phone, user)
    }

    /// As [`sessions`].
    pub fn sessions(&self) -> Result<Vec<String>> {
        sessions(&self.hotdesk)
    }

    /// The sessions in the switch table, likewise. An owner is not logged in: the owner's rows have revision 0.
    pub fn rows(&self) -> Result<Vec<String>> {
        let mut ami = self.pbx.ami()?;
        let rows = ami.list("DBGetTree", &[("Family", "hotdesk/device")])?;
        let session = |device: &str, value: &str| {
            let (user, rest) = value.split_once('|').unwrap_or_default();
            (!user.is_empty() && !rest.starts_with("0|"))
                .then(|| format!("{user}@{}", device.trim_start_matches("/hotdesk/device/")))
        };
        let mut sessions: Vec<String> =
            rows.iter().filter_map(|row| session(row.get("Key"), row.get("Val"))).collect();
        sessions.sort();
        sessions.sort_by_key(|session| session.split('@').nth(1).map(str::to_owned));
        Ok(sessions)
    }

    /// As [`agreed`].
    pub fn agreed(&self, within: Duration) -> Result<Vec<String>> {
        agreed(&self.hotdesk, || self.rows(), within)
    }
}

/// `from` calls `number`, and `rings` rings and sees this number of the caller; none: whatever the trunk sends.
pub fn call(from: &Phone, number: &str, rings: &Phone, shown: &str) -> Result<()> {
    from.dial(number)?;
    let caller = rings.wait_ringing()?;
    ensure!(shown.is_empty() || caller.from.number == shown, "{number} from {}: {caller:?}", from.name());
    rings.answer()?;
    from.wait_answered()?;
    from.hang_up()?;
    rings.wait_ended()?;
    Ok(())
}

/// Dials `code` at `phone`, enters each of `entries` once its prompt is heard, and waits for the end; how much was heard in
/// all.
pub fn dial_code(phone: &Phone, code: &str, entries: &[&str]) -> Result<Duration> {
    phone.dial(code)?;
    for entry in entries {
        phone.wait_audio()?;
        phone.press(entry);
        phone.wait_silence()?;
    }
    Ok(phone.wait_ended_within(Duration::from_secs(60))?.heard)
}

/// Logs a user in at `phone` with the one-touch code.
pub fn log_in(hotdesk: &Hotdesk, phone: &Phone, user: &str) -> Result<()> {
    dial_code(phone, &one_touch(user), &[])?;
    let session = format!("{user}@{}", phone.name());
    let sessions = sessions(hotdesk)?;
    ensure!(sessions.contains(&session), "{session} is not among {sessions:?}");
    Ok(())
}

/// The sessions, as `101@desk1`, in the order of the devices; from `hotdesk status --json`.
pub fn sessions(hotdesk: &Hotdesk) -> Result<Vec<String>> {
    let status: serde_json::Value = serde_json::from_str(&hotdesk.run(&["status", "--json"])?)?;
    let session = |row: &serde_json::Value| {
        format!("{}@{}", row["user"].as_str().unwrap_or("?"), row["device"].as_str().unwrap_or("?"))
    };
    Ok(status.as_array().map(|rows| rows.iter().map(session).collect()).unwrap_or_default())
}

/// Waits until the store and the `rows` of the switch agree, for at most `within`. Returns the sessions.
pub fn agreed(
    hotdesk: &Hotdesk,
    rows: impl Fn() -> Result<Vec<String>>,
    within: Duration,
) -> Result<Vec<String>> {
    let same = || {
        let (sessions, rows) = (sessions(hotdesk)?, rows()?);
        Ok((sessions == rows).then_some(sessions))
    };
    wait::find(within, same, || format!("the store has {:?}, the switch {:?}", sessions(hotdesk), rows()))
}

/// The one-touch code of one of [`USERS`].
pub fn one_touch(user: &str) -> String {
    format!("*35*{user}*{}", pin(user))
}

/// The PIN of one of [`USERS`].
pub fn pin(user: &str) -> &'static str {
    USERS.iter().find(|(extension, ..)| *extension == user).map_or("", |(_, _, pin)| pin)
}
