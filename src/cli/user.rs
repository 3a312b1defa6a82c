//! `hotdesk user`: people, and their PINs.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use anyhow::{Context as _, bail};
use serde::Serialize;
use zeroize::Zeroizing;

use super::leave::{self, Leave};
use super::personal;
use super::print::{self, Given, Hotdesk};
use super::profile::{self, Follows, Switched};
use super::site::{Site, now};
use crate::controller::pepper;
use crate::desk::guessable::guessable;
use crate::desk::id::{Context, DeviceName, DisplayName, Extension, Language, Mailbox, Number};
use crate::desk::leave::Rules;
use crate::desk::model::{self, Away, CallerId, Office};
use crate::desk::pin::{Pin, PinRecord};
use crate::desk::profile::When;
use crate::desk::setting::Setting;
use crate::store::{StoreError, What};

/// How often a user is read anew whom somebody else changes at the same time.
const TRIES: u32 = 10;

#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Add a user, or change what is given of him; an empty value ("") takes away
    Set(Box<Set>),
    /// Set a user's PIN, read from standard input: 4 to 10 digits that are not easy to guess
    Pin {
        /// His extension
        extension: Extension,
        /// Make one of six digits, and print it this once
        #[arg(long)]
        generate: bool,
    },
    /// Let a device of his ring when he is called, or not
    Ring(personal::Ring),
    /// Sign a user in to a group, out of it, or pause him there
    Group(personal::Group),
    /// List all users
    List {
        /// As JSON, by extension
        #[arg(long)]
        json: bool,
    },
    /// Show one user
    Show {
        /// His extension
        extension: Extension,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a user, and log him out
    Remove {
        /// His extension
        extension: Extension,
    },
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Set {
    /// His number inside; leading zeros count
    pub(super) extension: Extension,
    /// Shown beside his number
    #[arg(long)]
    name: Option<Given<DisplayName>>,
    /// The number his calls show; his extension, if there is none
    #[arg(long, value_name = "NUM")]
    caller_id: Option<Given<Number>>,
    /// His calls show no number
    #[arg(long, conflicts_with = "caller_id")]
    anonymous: bool,
    #[command(flatten)]
    hotdesk: Hotdesk,
    /// Spoken to him: en, nl, de
    #[arg(long, value_name = "L")]
    language: Option<Given<Language>>,
    /// Class of service: the context of the site that his calls go into
    #[arg(long, value_name = "CONTEXT")]
    class: Option<Given<Context>>,
    /// His voicemail box: 101@default
    #[arg(long, value_name = "M")]
    mailbox: Option<Given<Mailbox>>,
    /// Where his calls go while he is logged out: voicemail (the default), busy, or a number that his class may call
    #[arg(long, value_name = "WHERE")]
    when_logged_out: Option<Away>,
    #[command(flatten)]
    follows: Follows,
    #[command(flatten)]
    switched: Switched,
    #[command(flatten)]
    leave: Leave,
}

impl User {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::Set(set) => set.run(site, out).await,
            Self::Pin { extension, generate } => new_pin(site, out, extension, generate).await,
            Self::Ring(ring) => ring.run(site, out).await,
            Self::Group(group) => group.run(site, out).await,
            Self::List { json } => list(site, out, json).await,
            Self::Show { extension, json } => show(site, out, &extension, json).await,
            Self::Remove { extension } => remove(site, out, extension).await,
        }
    }
}

impl Set {
    async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let extension = self.extension.clone();
        if let Some(Away::Number(number)) = &self.when_logged_out {
            forwardable(site, &extension, number)?;
        }
        let mut tries = 1;
        let (office, leaves) = loop {
            let office = site.office_of_user(&extension).await?;
            let known = office.users.get(&extension);
            let user = self.clone().over(known.cloned().unwrap_or_else(|| new(site, &extension)));
            if known == Some(&user) {
                writeln!(out, "user {extension} is so already")?;
                return Ok(());
            }
            agrees(site, &user)?;
            let leaves = devices_of(&office, &extension).filter(|_| !user.hotdesk);
            match self.clone().change(site, known, user).await {
                Err(error) if contended(&error) && tries < TRIES => tries += 1,
                done => break (done.map(|()| office)?, leaves),
            }
        };
        match (office.users.contains_key(&extension), leaves) {
            (false, _) => writeln!(out, "user {extension} added; for a PIN: hotdesk user pin {extension}")?,
            (true, None) => writeln!(out, "user {extension} changed")?,
            (true, Some(devices)) => {
                writeln!(out, "user {extension} changed, and logged out at {devices}")?;
            }
        }
        if !site.config.of(&site.tenant).users().iter().any(|pattern| pattern.matches(&extension)) {
            writeln!(
                out,
                "but calls to {extension} will not reach him: no pattern of [dialplan] users matches it. Add one, \
                 and write the dialplan anew: hotdesk dialplan asterisk"
            )?;
        }
        Ok(())
    }

    /// What he may switch himself is changed by itself, so that nothing is lost that he switches meanwhile.
    async fn change(self, site: &Site, known: Option<&model::User>, user: model::User) -> anyhow::Result<()> {
        let Some(known) = known else { return site.change(What::User(user)).await };
        let edited = self.clone().edit(known.clone());
        if edited != *known {
            let (was, is) = (Box::new(known.clone()), Box::new(edited.clone()));
            site.change(What::Edited { was, is }).await?;
        }
        for setting in self.settings().into_iter().filter(|setting| setting.changes(&edited)) {
            site.change(What::Setting(user.extension.clone(), setting)).await?;
        }
        Ok(())
    }

    /// The user as he is then.
    pub(super) fn over(self, user: model::User) -> model::User {
        let mut user = self.clone().edit(user);
        self.settings().iter().for_each(|setting| setting.apply(&mut user));
        user
    }

    /// The same but for what he may switch himself.
    fn edit(self, mut user: model::User) -> model::User {
        Given::put(self.name, &mut user.name);
        Given::put(self.language, &mut user.language);
        Given::put(self.class, &mut user.class);
        Given::put(self.mailbox, &mut user.mailbox);
        user.away = self.when_logged_out.unwrap_or(user.away);
        self.hotdesk.put(&mut user.hotdesk);
        self.follows.put(&mut user.profile);
        self.leave.put(&mut user.leave);
        user
    }

    /// What he may switch himself, each by itself.
    fn settings(self) -> Vec<Setting> {
        let mut settings = self.switched.settings();
        if self.anonymous {
            settings.push(Setting::CallerId(CallerId::Anonymous));
        } else if self.caller_id.is_some() {
            let mut number = None;
            Given::put(self.caller_id, &mut number);
            settings.push(Setting::CallerId(number.map_or(CallerId::Extension, CallerId::Number)));
        }
        settings
    }
}

fn new(site: &Site, extension: &Extension) -> model::User {
    model::User::new(site.tenant.clone(), extension.clone())
}

/// Whether somebody else changed the same meanwhile.
fn contended(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<StoreError>(), Some(StoreError::Contended(_)))
}

/// Whether calls may be sent on to `number`, which is neither his own nor one for help.
fn forwardable(site: &Site, extension: &Extension, number: &Number) -> anyhow::Result<()> {
    if number.as_str() == extension.as_str() {
        bail!("{number} is his own number: his calls would come back to him");
    }
    if is_for_help(site, number.as_str()) {
        bail!("{number} is an emergency number: nobody's calls are sent on to it");
    }
    Ok(())
}

/// Whether there can be such a user.
pub(super) fn agrees(site: &Site, user: &model::User) -> anyhow::Result<()> {
    let extension = &user.extension;
    if is_for_help(site, extension.as_str()) {
        bail!("{extension} is an emergency number: a user with it could never be called");
    }
    let forwards = [When::Always, When::Busy, When::Unanswered].map(|when| user.profile.forward.to(when));
    forwards.into_iter().flatten().try_for_each(|number| forwardable(site, extension, number))
}

fn is_for_help(site: &Site, dialled: &str) -> bool {
    site.config.of(&site.tenant).emergency_numbers().iter().any(|number| number.as_str() == dialled)
}

async fn new_pin(
    site: &Site,
    out: &mut dyn Write,
    extension: Extension,
    generate: bool,
) -> anyhow::Result<()> {
    site.user(&extension).await?;
    let pin = if generate { generated_pin(&extension)? } else { asked_pin(&extension)? };
    if let Some(why) = guessable(&pin, &extension) {
        bail!("this PIN is too easy to guess: {why}; choose another, or let one be made: --generate");
    }
    let pepper = pepper::load_or_create(&site.config.store.pepper_file)?;
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    // The hash takes its time on this thread; nothing else runs in this process.
    let record = PinRecord::make(&pin, &pepper, &site.tenant, &extension, salt).chosen(now());
    site.change(What::Pin(extension.clone(), record)).await?;
    if generate {
        writeln!(out, "{}", pin.reveal())?;
    } else {
        writeln!(out, "user {extension} has a new PIN")?;
    }
    Ok(())
}

/// The first that comes and is hard to guess.
pub(super) fn generated_pin(extension: &Extension) -> anyhow::Result<Pin> {
    loop {
        let pin = Pin::from_random(getrandom::u64()?);
        if guessable(&pin, extension).is_none() {
            return Ok(pin);
        }
    }
}

/// A PIN from standard input: asked for twice and not shown at a terminal, else its first line.
fn asked_pin(extension: &Extension) -> anyhow::Result<Pin> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let ask = |what: String| rpassword::prompt_password(what).map(Zeroizing::new);
        let once = ask(format!("New PIN for {extension}: "))?;
        if once != ask("Once more: ".into())? {
            bail!("these were two different PINs; nothing has changed");
        }
        return Ok(Pin::new(&once)?);
    }
    let mut line = Zeroizing::new(Vec::with_capacity(64));
    stdin.lock().take(64).read_until(b'\n', &mut line)?;
    let text = std::str::from_utf8(&line).unwrap_or_default();
    Ok(Pin::new(text.trim_end_matches(['\r', '\n']))?)
}

/// Where he has logged in, if he has.
fn devices_of(office: &Office, user: &Extension) -> Option<String> {
    let devices: Vec<&str> = office.bindings_of(user).map(|binding| binding.device.as_str()).collect();
    (!devices.is_empty()).then(|| devices.join(" and "))
}

/// A user as he is listed.
#[derive(Serialize)]
struct Listed<'a> {
    extension: &'a Extension,
    name: Option<&'a DisplayName>,
    /// None: his extension.
    caller_id: Option<&'a Number>,
    anonymous: bool,
    hotdesk: bool,
    language: Option<&'a Language>,
    class: Option<&'a Context>,
    mailbox: Option<&'a Mailbox>,
    /// Where his calls go while he is nowhere.
    when_logged_out: String,
    #[serde(flatten)]
    profile: profile::Listed<'a>,
    leave: &'a Rules,
    /// Where he has logged in.
    devices: Vec<&'a DeviceName>,
}

impl<'a> Listed<'a> {
    fn of(user: &'a model::User, office: &'a Office) -> Self {
        Self {
            extension: &user.extension,
            name: user.name.as_ref(),
            caller_id: match &user.caller_id {
                CallerId::Number(number) => Some(number),
                CallerId::Anonymous | CallerId::Extension => None,
            },
            anonymous: user.caller_id == CallerId::Anonymous,
            hotdesk: user.hotdesk,
            language: user.language.as_ref(),
            class: user.class.as_ref(),
            mailbox: user.mailbox.as_ref(),
            when_logged_out: user.away.to_string(),
            profile: profile::Listed::of(user, office),
            leave: &user.leave,
            devices: office.bindings_of(&user.extension).map(|binding| &binding.device).collect(),
        }
    }

    fn shows(&self) -> String {
        if self.anonymous {
            return "anonymous".into();
        }
        self.caller_id.map_or_else(|| self.extension.to_string(), ToString::to_string)
    }
}

async fn list(site: &Site, out: &mut dyn Write, json: bool) -> anyhow::Result<()> {
    let office = site.office().await?;
    let users: Vec<Listed> = office.users.values().map(|user| Listed::of(user, &office)).collect();
    if json {
        return print::json(out, &users);
    }
    let row = |user: &Listed| {
        vec![
            user.extension.to_string(),
            print::or_dash(user.name),
            user.shows(),
            print::yes(user.hotdesk).into(),
            print::or_dash(user.class),
            print::or_dash(devices_of(&office, user.extension).as_ref()),
        ]
    };
    let rows: Vec<_> = users.iter().map(row).collect();
    print::table(out, &["USER", "NAME", "SHOWS", "HOTDESK", "CLASS", "AT"], &rows)
}

async fn show(site: &Site, out: &mut dyn Write, extension: &Extension, json: bool) -> anyhow::Result<()> {
    let (user, office) = site.user(extension).await?;
    let user = Listed::of(&user, &office);
    if json {
        return print::json(out, &user);
    }
    let pin = site.store.pin(&site.tenant, extension).await?;
    let pin = match pin.map(|record| record.set()) {
        None => "none".into(),
        Some(None) => "set".into(),
        Some(Some(set)) => format!("set {}", print::time(set)),
    };
    let mut facts = vec![
        ("extension", user.extension.to_string()),
        ("name", print::or_dash(user.name)),
        ("shows", user.shows()),
        ("hotdesk", print::yes(user.hotdesk).into()),
        ("PIN", pin),
        ("language", print::or_dash(user.language)),
        ("class", print::or_dash(user.class)),
        ("mailbox", print::or_dash(user.mailbox)),
        ("when away", user.when_logged_out.clone()),
    ];
    facts.extend(user.profile.facts());
    facts.extend([
        ("leaves", leave::shown(user.leave)),
        ("logged in at", print::or_dash(devices_of(&office, extension).as_ref())),
    ]);
    print::facts(out, &facts)
}

async fn remove(site: &Site, out: &mut dyn Write, extension: Extension) -> anyhow::Result<()> {
    let (_, office) = site.user(&extension).await?;
    site.change(What::RemoveUser(extension.clone())).await.context("nothing was removed")?;
    match devices_of(&office, &extension) {
        Some(devices) => writeln!(out, "user {extension} removed, and logged out at {devices}")?,
        None => writeln!(out, "user {extension} removed")?,
    }
    Ok(())
}
