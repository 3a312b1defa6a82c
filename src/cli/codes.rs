//! `hotdesk codes`: lists the feature codes, and explains how a dialled string is read.

use std::io::Write;

use anyhow::{Result, ensure};
use serde::Serialize;
use zeroize::Zeroizing;

use super::context::{Absent, CommandContext};
use super::output;
use crate::config::Config;
use crate::model::codes::{
    Action, Code, Codes as Known, Listed, Operand, Part, PinRule, Request, normalised,
};
use crate::model::id::{Context, DisplayName, EmergencyContext, EmergencyNumber, Extension, TenantId};

/// Shown in place of a PIN.
const HIDDEN: &str = "****";

#[derive(Debug, clap::Args)]
pub(super) struct Codes {
    #[command(subcommand)]
    ask: Option<Ask>,
    /// Print JSON: [{"code", "action", "pin", "source"}]; of one string {"kind", "dialled", "code", "action", "extension", "pin",
    /// "source"}. "kind" is code, emergency, user, no-user, number, mistyped or refused; what does not apply is null
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Ask {
    /// Explain how a dialled string is read
    Explain {
        /// Dialled string, in quotes. Use an invented PIN: other users of this machine can see the arguments of commands
        dialled: Zeroizing<String>,
    },
}

impl Codes {
    /// Codes depend on the configuration alone; the store is asked only whether a number is a user's.
    pub(super) async fn run(self, config: &Config, tenant: &TenantId, out: &mut dyn Write) -> Result<()> {
        ensure!(
            config.serves(tenant),
            "the tenant {tenant} is on no [[switch]] of the configuration: add it to the tenants of one"
        );
        let codes = config.of(tenant).codes();
        match self.ask {
            None => list(&codes, self.json, out),
            Some(Ask::Explain { dialled }) => match Number::of(&codes, config, tenant, &dialled).await {
                Some(number) => number.print(self.json, out),
                None => explain(&codes, &dialled, self.json, out),
            },
        }
    }
}

fn list(codes: &Known, json: bool, out: &mut dyn Write) -> Result<()> {
    if json {
        return output::json(out, &codes.iter().map(Listed::of).collect::<Vec<_>>());
    }
    let rows = codes.iter().map(|code| {
        let pin = if code.action.takes_pin() || code.pin != PinRule::None { code.pin.name() } else { "-" };
        vec![code.pattern.to_string(), meaning(code), pin.into(), code.source.to_string()]
    });
    output::table(out, &["CODE", "ACTION", "PIN", "SOURCE"], &rows.collect::<Vec<_>>())
}

fn meaning(code: &Code) -> String {
    let of_extension = code.pattern.has_extension();
    let asked = if of_extension { "user {ext}" } else { "a user who is asked for" };
    match code.action {
        Action::ChangePin if of_extension => "Change the PIN of user {ext}".into(),
        Action::ChangePin => "Change the PIN of the user of this phone".into(),
        Action::DoNotDisturb => "Toggle DND".into(),
        Action::DoNotDisturbOff => "Switch DND off".into(),
        Action::DoNotDisturbOn => "Switch DND on".into(),
        Action::ForwardAlways => forwards("always", code),
        Action::ForwardBusy => forwards("when busy", code),
        Action::ForwardUnanswered => forwards("when not answered", code),
        Action::Group => "Sign in to the group that {group} spells on the keys, or out of it".into(),
        Action::Login => format!("Log in {asked}"),
        Action::Logout => "Log out the user of this phone".into(),
        Action::LogoutEverywhere => format!("Log out {asked} at all devices"),
        Action::Pause => "Pause calls of groups, or resume them".into(),
        Action::Pickup => "Pick up a call that rings in the pick-up group (served by the switch)".into(),
        Action::RingDesk => "Toggle whether the user's own desk phones ring".into(),
        Action::RingHotdesk => "Toggle whether phones ring where the user logged in".into(),
        Action::RingInTurn => "Toggle between sequential and simultaneous ringing".into(),
        Action::RingMobile => "Toggle whether the user's mobiles ring".into(),
        Action::RingSoftphone => "Toggle whether the user's softphones ring".into(),
        Action::ShowNumber if code.pattern.operand().is_some() => {
            "Show the user's number {choice} as caller ID; 0: none".into()
        }
        Action::ShowNumber => "Show the user's extension as caller ID".into(),
        Action::Toggle if of_extension => "Log out user {ext} if logged in here, else log in".into(),
        Action::Toggle => "Log out the user of this phone, or ask for a user and log in".into(),
        Action::Voicemail => "Open the voicemail box of the user of this phone (served by the switch)".into(),
        Action::WhoIsHere => "Say which user is logged in here".into(),
    }
}

fn forwards(when: &str, code: &Code) -> String {
    match code.pattern.operand() {
        Some(_) => format!("Forward calls {when} to {{number}}"),
        None => format!("Cancel call forwarding {when}"),
    }
}

/// A number that is no code.
enum Number {
    /// An emergency number of the tenant, and the context of the call.
    Emergency(EmergencyNumber, EmergencyContext),
    /// The extension of a user, with the name.
    User(Extension, Option<DisplayName>),
    /// It may be an extension, but no user has it. Calls go on in this context.
    NoUser(Option<Context>),
    /// It may be an extension. Why it is unknown whether a user has it.
    Unknown(String),
}

impl Number {
    /// What a dialled string is, if the dialplan takes it for a number.
    async fn of(codes: &Known, config: &Config, tenant: &TenantId, dialled: &str) -> Option<Self> {
        let (dialled, of_tenant) = (normalised(dialled)?, config.of(tenant));
        let mut emergency = of_tenant.emergency_numbers().into_iter();
        // A plus changes nothing about an emergency number.
        let digits = dialled.strip_prefix('+').unwrap_or(&dialled);
        if let Some(number) = emergency.find(|number| number.as_str() == digits) {
            return Some(Self::Emergency(number, of_tenant.emergency_context().clone()));
        }
        let extension = Extension::new(dialled.as_str()).ok()?;
        let may_be = of_tenant.users().iter().any(|pattern| pattern.matches(&extension));
        if !may_be || codes.reading(&dialled).is_some() {
            return None;
        }
        let user = async {
            let context = CommandContext::open(config.clone(), tenant.clone(), Absent::Empty).await?;
            context.snapshot_of_user(&extension).await
        };
        Some(match user.await {
            Err(error) => Self::Unknown(format!("{error:#}")),
            Ok(mut snapshot) => match snapshot.users.remove(&extension) {
                Some(user) => Self::User(extension, user.name),
                None => Self::NoUser(config.dialplan.fallback_context.clone()),
            },
        })
    }

    fn print(self, json: bool, out: &mut dyn Write) -> Result<()> {
        if json {
            let (kind, dialled, extension) = match &self {
                Self::Emergency(number, _) => ("emergency", number.to_string(), None),
                Self::User(extension, _) => ("user", extension.to_string(), Some(extension.clone())),
                Self::NoUser(_) => ("no-user", HIDDEN.into(), None),
                Self::Unknown(_) => ("number", HIDDEN.into(), None),
            };
            return output::json(out, &Explained { kind, dialled, extension, ..Explained::default() });
        }
        match self {
            Self::Emergency(number, context) => writeln!(
                out,
                "{number} is an emergency number, and never a code. The call goes to the context {context} with the emergency \
                 caller ID of the device's location. No user needs to be logged in"
            )?,
            Self::User(user, name) => {
                let name = name.map_or_else(String::new, |name| format!(", {name}"));
                writeln!(out, "not a code. {user} is the extension of a user{name}")?;
            }
            Self::NoUser(fallback) => {
                let then = fallback.map_or_else(
                    || "the caller hears that it is invalid".to_owned(),
                    |context| format!("the call goes on in the context {context}"),
                );
                writeln!(
                    out,
                    "not a code. It may be an extension ([dialplan] users), but no user has it: {then}"
                )?;
            }
            Self::Unknown(why) => {
                writeln!(out, "not a code. It may be the extension of a user ([dialplan] users)")?;
                output::note(format_args!("it is unknown whether a user has it: {why}"));
            }
        }
        Ok(())
    }
}

#[derive(Default, Serialize)]
struct Explained {
    kind: &'static str,
    dialled: String,
    code: Option<String>,
    action: Option<Action>,
    extension: Option<Extension>,
    pin: Option<PinRule>,
    source: Option<String>,
}

fn explain(codes: &Known, dialled: &str, json: bool, out: &mut dyn Write) -> Result<()> {
    let Some(dialled) = normalised(dialled) else { return refused(json, out) };
    let Some((code, request)) = codes.reading(&dialled) else { return unread(codes, &dialled, json, out) };
    let explained = Explained {
        kind: "code",
        dialled: shown(code, &request),
        code: Some(code.pattern.to_string()),
        action: Some(code.action),
        pin: Some(code.pin),
        source: Some(code.source.to_string()),
        extension: request.user,
    };
    if json {
        return output::json(out, &explained);
    }
    let pin = match code.pin {
        PinRule::Asked => "asked",
        PinRule::Dialled => "dialled along",
        PinRule::None if code.action.takes_pin() => "none, because pinless = true",
        PinRule::None => "none needed",
    };
    output::facts(
        out,
        &[
            ("dialled", explained.dialled),
            ("is read as", format!("{} ({})", code.pattern, code.source)),
            ("action", meaning(code)),
            ("extension", output::or_dash(explained.extension.as_ref())),
            ("PIN", pin.into()),
        ],
    )
}

/// What was dialled, with the PIN hidden.
fn shown(code: &Code, Request { user, operand, .. }: &Request) -> String {
    let operand = match operand {
        Some(Operand::Choice(nth)) => nth.to_string(),
        Some(Operand::Group(keys)) => keys.as_str().into(),
        Some(Operand::Number(number)) => number.to_string(),
        None => String::new(),
    };
    code.pattern.parts().iter().fold(String::new(), |text, part| match part {
        Part::Extension => text + user.as_ref().map_or("", Extension::as_str),
        Part::Literal(keys) => text + keys,
        Part::Choice | Part::Group | Part::Number => text + &operand,
        Part::Pin => text + HIDDEN,
    })
}

/// Says that the dialplan refuses a string, without showing it: a PIN may be in it.
fn refused(json: bool, out: &mut dyn Write) -> Result<()> {
    if json {
        let dialled = HIDDEN.to_owned();
        return output::json(out, &Explained { kind: "refused", dialled, ..Explained::default() });
    }
    writeln!(out, "not a code. The dialplan refuses it, because it has a character that no number has")?;
    Ok(())
}

/// Says that a string is not a code. A PIN may be anywhere in it, so only the code that it begins with is shown.
fn unread(codes: &Known, dialled: &str, json: bool, out: &mut dyn Write) -> Result<()> {
    let mistyped = codes.dialplan_matches().into_iter().find(|it| it.shape().matches(dialled));
    if json {
        let kind = if mistyped.is_some() { "mistyped" } else { "number" };
        let dialled = mistyped.map_or_else(|| HIDDEN.to_owned(), |it| it.bare + HIDDEN);
        return output::json(out, &Explained { kind, dialled, ..Explained::default() });
    }
    match mistyped {
        Some(it) => writeln!(
            out,
            "not a code. It begins like the code {}, so Hotdesk takes the call and tells the caller that it is not accepted",
            it.bare
        )?,
        None => writeln!(
            out,
            "not a code, and no extension of [dialplan] users. The dialplan treats it as any other number: the class of \
             service of the user who is logged in says whether it may be called"
        )?,
    }
    Ok(())
}
