//! `hotdesk user`: the users, their settings and PINs.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use anyhow::{Context as _, Result, anyhow, ensure};
use zeroize::Zeroizing;

use super::auto_logout::{self, AutoLogoutFlags};
use super::context::{Advised, CommandContext, Verb, actor, refused};
use super::doubts::Strict;
use super::output::{self, Given, Hotdesk};
use super::personal;
use super::profile::{self, AdminSettings, UserSettings};
use crate::controller::commands::now;
use crate::controller::new_pin::{self, NotSet};
use crate::controller::pins::Pins;
use crate::model::directory::change::{DirectoryChange, Edit};
use crate::model::directory::form::UserForm;
use crate::model::directory::{Away, ByUser, CallerId, Snapshot, User};
use crate::model::id::{Context, DisplayName, Extension, Language, Mailbox, Number};
use crate::model::login::pin::Pin;
use crate::model::login::refusal::{Refusal, Subject};
use crate::model::settings::Setting;

/// How often an edit is tried again when another writer changes the same user.
const TRIES: u32 = 10;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a user
    Add {
        #[command(flatten)]
        options: Box<Options>,
        #[command(flatten)]
        strict: Strict,
    },
    /// Change the options of a user; an empty value ("") removes a setting
    Set {
        #[command(flatten)]
        options: Box<Options>,
        #[command(flatten)]
        strict: Strict,
    },
    /// Set a user's PIN, read from standard input: 4 to 10 digits that are hard to guess
    Pin {
        /// Extension of the user
        extension: Extension,
        /// Make a PIN of six digits, and print it once
        #[arg(long)]
        generate: bool,
    },
    /// Switch on or off whether a device rings for the user's calls
    Ring(personal::Ring),
    /// Sign a user in to a group, out of it, or pause the membership
    Group(personal::Group),
    /// List all users
    List {
        /// Print JSON: an array, ordered by extension
        #[arg(long)]
        json: bool,
    },
    /// Show one user and their settings
    Show {
        /// Extension of the user
        extension: Extension,
        /// Print JSON: one object
        #[arg(long)]
        json: bool,
    },
    /// Remove a user, and log them out
    Remove {
        /// Extension of the user
        extension: Extension,
    },
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Options {
    /// Extension of the user; leading zeros count
    pub(super) extension: Extension,
    /// Name that called phones show
    #[arg(long, value_name = "NAME")]
    name: Option<Given<DisplayName>>,
    /// Caller ID number; without it, the extension
    #[arg(long, value_name = "NUM")]
    caller_id: Option<Given<Number>>,
    /// Hide the caller ID
    #[arg(long, conflicts_with = "caller_id")]
    anonymous: bool,
    #[command(flatten)]
    hotdesk: Hotdesk,
    /// Language of prompts: en, nl, de
    #[arg(long, value_name = "L")]
    language: Option<Given<Language>>,
    /// Class of service: the dialplan context of the user's calls
    #[arg(long, value_name = "CONTEXT")]
    class: Option<Given<Context>>,
    /// Voicemail box: 101@default
    #[arg(long, value_name = "M")]
    mailbox: Option<Given<Mailbox>>,
    /// Destination of calls while the user is logged out: voicemail (the default), busy, or a number that their class may
    /// call
    #[arg(long, value_name = "WHERE")]
    when_logged_out: Option<Away>,
    #[command(flatten)]
    admin_settings: AdminSettings,
    #[command(flatten)]
    user_settings: UserSettings,
    #[command(flatten)]
    auto_logout: AutoLogoutFlags,
}

impl Command {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Add { options, strict } => options.run(Verb::Add, context, strict, out).await,
            Self::Set { options, strict } => options.run(Verb::Set, context, strict, out).await,
            Self::Pin { extension, generate } => change_pin(context, out, extension, generate).await,
            Self::Ring(ring) => ring.run(context, out).await,
            Self::Group(group) => group.run(context, out).await,
            Self::List { json } => list(context, out, json).await,
            Self::Show { extension, json } => show(context, out, extension, json).await,
            Self::Remove { extension } => remove(context, out, extension).await,
        }
    }
}

impl Options {
    async fn run(
        self,
        verb: Verb,
        context: &CommandContext,
        strict: Strict,
        out: &mut dyn Write,
    ) -> Result<()> {
        let extension = self.extension.clone();
        let subject = Subject::User(extension.clone());
        let mut tries = 1;
        let (snapshot, ended) = loop {
            let snapshot = context.snapshot_of_user(&extension).await?;
            let known = snapshot.users.get(&extension);
            context.expect(verb, &subject, known.is_some()).await?;
            let user = self.clone().over(known.cloned().unwrap_or_else(|| new(context, &extension)));
            if known == Some(&user) {
                writeln!(out, "user {extension} is unchanged")?;
                return Ok(());
            }
            if tries == 1 {
                let users = [(extension.clone(), user.clone())].into();
                strict.look(context, &Snapshot { users, ..Snapshot::default() }).await?;
            }
            let ended = devices_of(&snapshot, &extension).filter(|_| !user.hotdesk);
            match self.clone().change(context, known, user).await {
                Err(error) if contended(&error) && tries < TRIES => tries += 1,
                done => break (done.map(|()| snapshot)?, ended),
            }
        };
        if snapshot.users.contains_key(&extension) {
            writeln!(out, "user {extension} changed{}", logged_out(ended))?;
        } else {
            writeln!(out, "user {extension} added; to set a PIN: hotdesk user pin {extension}")?;
        }
        if !context.config.of(&context.tenant).reaches(&extension) {
            output::note(format_args!(
                "no pattern of [dialplan] users matches {extension}, so calls to it do not reach this user. Add a \
                 pattern, then hotdesk dialplan install"
            ));
        }
        Ok(())
    }

    /// Writes each setting that the user changes by feature code on its own, so that a change by phone at the same time is
    /// not lost.
    async fn change(self, context: &CommandContext, known: Option<&User>, user: User) -> Result<()> {
        let Some(known) = known else {
            return context.change(DirectoryChange::User(Edit::of(None, user))).await;
        };
        // Also what the settings come to is checked before the first of the two commands.
        context.rules(false).user(&user).map_err(|refusal| refused(refusal.into(), false))?;
        let edited = self.clone().edit(known.clone());
        if edited != *known {
            context.change(DirectoryChange::User(Edit::of(Some(known.clone()), edited.clone()))).await?;
        }
        let settings = self.settings().into_iter().filter(|setting| setting.changes(&edited)).collect();
        context.set(&user.extension, settings).await
    }

    /// The user with the given options.
    pub(super) fn over(self, user: User) -> User {
        let mut user = self.clone().edit(user);
        self.settings().iter().for_each(|setting| setting.apply(&mut user));
        user
    }

    /// The user with the options that only an administrator changes.
    fn edit(self, mut user: User) -> User {
        Given::set(self.name, &mut user.name);
        Given::set(self.language, &mut user.language);
        Given::set(self.class, &mut user.class);
        Given::set(self.mailbox, &mut user.mailbox);
        user.away = self.when_logged_out.unwrap_or(user.away);
        self.hotdesk.set(&mut user.hotdesk);
        self.admin_settings.set(&mut user.profile);
        self.auto_logout.set(&mut user.auto_logout);
        user
    }

    /// The given settings that the user changes by feature code, too.
    fn settings(self) -> Vec<Setting> {
        let mut settings = self.user_settings.settings();
        if self.anonymous {
            settings.push(Setting::CallerId(CallerId::Anonymous));
        } else if let Some(Given(number)) = self.caller_id {
            settings.push(Setting::CallerId(number.map_or(CallerId::Extension, CallerId::Number)));
        }
        settings
    }
}

pub(super) fn new(context: &CommandContext, extension: &Extension) -> User {
    User::new(context.tenant.clone(), extension.clone())
}

/// Whether another writer changed the same record first.
fn contended(error: &anyhow::Error) -> bool {
    let refusal = error.downcast_ref().map(|Advised { refusal, .. }| refusal);
    matches!(refusal, Some(Refusal::ChangedMeanwhile(_)))
}

async fn change_pin(
    context: &CommandContext,
    out: &mut dyn Write,
    user: Extension,
    generate: bool,
) -> Result<()> {
    context.user(&user).await?;
    let pin = if generate { new_pin::made(&user)? } else { asked_pin(&user)? };
    let pins = Pins::new(context.pepper().await?);
    let by = (actor(), now());
    new_pin::set(&*context.store, &pins, &context.tenant, by, (&user, pin.clone())).await.map_err(not_set)?;
    match generate {
        true => writeln!(out, "{}", pin.reveal())?,
        false => writeln!(out, "user {user} has a new PIN")?,
    }
    Ok(())
}

fn not_set(error: NotSet) -> anyhow::Error {
    match error {
        NotSet::Store(error) => refused(error, false),
        NotSet::Weak(_) => anyhow!("{error}; choose another, or add --generate"),
        NotSet::Busy(_) | NotSet::Random(_) => error.into(),
    }
}

/// Reads a PIN from standard input: at a terminal twice and hidden, else the first line.
fn asked_pin(extension: &Extension) -> Result<Pin> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let ask = |what: String| rpassword::prompt_password(what).map(Zeroizing::new);
        let once = ask(format!("New PIN for {extension}: "))?;
        ensure!(once == ask("Repeat the PIN: ".into())?, "the two PINs differ; nothing was changed");
        return Ok(Pin::new(&once)?);
    }
    let mut line = Zeroizing::new(Vec::with_capacity(64));
    stdin.lock().take(64).read_until(b'\n', &mut line)?;
    let text = std::str::from_utf8(&line).unwrap_or_default();
    Ok(Pin::new(text.trim_end_matches(['\r', '\n']))?)
}

fn devices_of(snapshot: &Snapshot, user: &Extension) -> Option<String> {
    let devices = output::joined(snapshot.sessions_of(user).map(|session| &session.device), " and ");
    (!devices.is_empty()).then_some(devices)
}

fn caller_id(user: &UserForm) -> String {
    if user.anonymous {
        return "anonymous".into();
    }
    user.caller_id.map_or_else(|| user.extension.to_string(), ToString::to_string)
}

async fn list(context: &CommandContext, out: &mut dyn Write, json: bool) -> Result<()> {
    let snapshot = context.snapshot().await?;
    let by_user = ByUser::of(&snapshot);
    let users: Vec<UserForm> =
        snapshot.users.values().map(|user| UserForm::of(user, &snapshot, &by_user)).collect();
    output::list(out, json, &users, &["USER", "NAME", "CALLER ID", "HOTDESK", "CLASS", "DEVICE"], |user| {
        vec![
            user.extension.to_string(),
            output::or_dash(user.name),
            caller_id(user),
            output::yes(user.hotdesk).into(),
            output::or_dash(user.class),
            if user.devices.is_empty() { "-".into() } else { output::joined(&user.devices, " and ") },
        ]
    })
}

async fn show(context: &CommandContext, out: &mut dyn Write, extension: Extension, json: bool) -> Result<()> {
    let (user, snapshot) = context.user(&extension).await?;
    let user = UserForm::of(&user, &snapshot, &ByUser::of(&snapshot));
    if json {
        return output::json(out, &user);
    }
    let pin = context.store.pin(&context.tenant, &extension).await?;
    let pin = match pin.map(|record| record.set()) {
        None => "none".into(),
        Some(None) => "set".into(),
        Some(Some(set)) => format!("set {}", output::time(set)),
    };
    let mut facts = vec![
        ("extension", user.extension.to_string()),
        ("name", output::or_dash(user.name)),
        ("caller ID", caller_id(&user)),
        ("hotdesk", output::yes(user.hotdesk).into()),
        ("PIN", pin),
        ("language", output::or_dash(user.language)),
        ("class", output::or_dash(user.class)),
        ("mailbox", output::or_dash(user.mailbox)),
        ("when logged out", user.when_logged_out.clone()),
    ];
    facts.extend(profile::facts(&user));
    facts.extend([
        ("automatic logout", auto_logout::shown(user.auto_logout)),
        ("logged in at", output::or_dash(devices_of(&snapshot, &extension).as_ref())),
    ]);
    output::facts(out, &facts)
}

async fn remove(context: &CommandContext, out: &mut dyn Write, extension: Extension) -> Result<()> {
    let (_, snapshot) = context.user(&extension).await?;
    let removed = context.change(DirectoryChange::RemoveUser(extension.clone())).await;
    removed.with_context(|| format!("cannot remove user {extension}"))?;
    writeln!(out, "user {extension} removed{}", logged_out(devices_of(&snapshot, &extension)))?;
    Ok(())
}

fn logged_out(devices: Option<String>) -> String {
    devices.map(|devices| format!(", and logged out at {devices}")).unwrap_or_default()
}
