//! `hotdesk codes`: what is dialled for what, and how a string is read.

use std::io::Write;

use anyhow::bail;
use serde::Serialize;
use zeroize::Zeroizing;

use super::print;
use crate::config::Config;
use crate::desk::code::{Action, Code, Codes as Known, Operand, Part, PinRule, Request};
use crate::desk::id::{Extension, TenantId};

/// What a PIN is shown as.
const HIDDEN: &str = "****";

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Codes {
    #[command(subcommand)]
    ask: Option<Ask>,
    /// As JSON: [{"dialled", "does", "pin", "from"}]
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Ask {
    /// Say how a dialled string is read
    Explain {
        /// What is dialled, in quotes. Make up the PIN: this machine shows to everybody what commands are given
        dialled: Zeroizing<String>,
        /// As JSON: {"dialled", "code", "does", "extension", "pin", "from"}; all but the first are null if it is none
        #[arg(long)]
        json: bool,
    },
}

impl Codes {
    /// Needs no store: codes depend on the configuration alone.
    pub(super) fn run(self, config: &Config, tenant: &TenantId, out: &mut dyn Write) -> anyhow::Result<()> {
        if !config.serves(tenant) {
            bail!("no [[switch]] in the configuration has phones of the tenant {tenant}");
        }
        let codes = config.of(tenant).codes();
        match self.ask {
            None => list(&codes, self.json, out),
            Some(Ask::Explain { dialled, json }) => explain(&codes, &dialled, json, out),
        }
    }
}

/// A code as it is listed.
#[derive(Serialize)]
struct Listed {
    dialled: String,
    does: Action,
    /// `none` also of what needs none.
    pin: PinRule,
    from: String,
}

fn list(codes: &Known, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let listed: Vec<Listed> = codes
        .iter()
        .map(|code| Listed {
            dialled: code.pattern.to_string(),
            does: code.does,
            pin: code.pin,
            from: code.source.to_string(),
        })
        .collect();
    if json {
        return print::json(out, &listed);
    }
    let rows: Vec<Vec<String>> = codes
        .iter()
        .zip(&listed)
        .map(|(code, listed)| {
            let pin = if code.does.takes_pin() || code.pin != PinRule::None { code.pin.name() } else { "-" };
            vec![listed.dialled.clone(), meaning(code), pin.into(), listed.from.clone()]
        })
        .collect();
    print::table(out, &["DIALLED", "DOES", "PIN", "FROM"], &rows)
}

/// What a code does, in a few words.
fn meaning(code: &Code) -> String {
    let who = if code.pattern.has_extension() { "{ext}" } else { "whoever the caller says" };
    match code.does {
        Action::ChangePin if code.pattern.has_extension() => "changes the PIN of {ext}".into(),
        Action::ChangePin => "changes the PIN of who sits here".into(),
        Action::Login => format!("logs in {who}"),
        Action::Logout => "logs out who sits here".into(),
        Action::DoNotDisturb => "switches do not disturb on, or off again".into(),
        Action::DoNotDisturbOff => "switches do not disturb off".into(),
        Action::DoNotDisturbOn => "switches do not disturb on".into(),
        Action::ForwardAlways => forwards("calls", code),
        Action::ForwardBusy => forwards("calls that find who sits here busy", code),
        Action::ForwardUnanswered => forwards("calls that are not answered", code),
        Action::Group => "signs in to the group spelled {group} on the keys, or out of it".into(),
        Action::Pause => "takes no calls of groups, or takes them again".into(),
        Action::Pickup => {
            "takes the call that rings in the pick-up group; the switch does so by itself".into()
        }
        Action::RingDesk => rings("desk phones of his own"),
        Action::RingHotdesk => rings("phones where who sits here logged in"),
        Action::RingInTurn => "rings one phone after the other, or all at once again".into(),
        Action::RingMobile => rings("mobiles"),
        Action::RingSoftphone => rings("softphones"),
        Action::ShowNumber if code.pattern.operand().is_some() => {
            "calls show his {choice}. number; 0: no number".into()
        }
        Action::ShowNumber => "calls show his extension".into(),
        Action::Voicemail => "opens the voicemail box of who sits here; the switch does so by itself".into(),
        Action::LogoutEverywhere => format!("logs out {who}, wherever that is"),
        Action::Toggle if code.pattern.has_extension() => {
            "logs out {ext} who sits here, else logs in {ext}".into()
        }
        Action::Toggle => "logs out who sits here, else logs in whoever the caller says".into(),
        Action::WhoIsHere => "says who sits here".into(),
    }
}

fn forwards(which: &str, code: &Code) -> String {
    match code.pattern.operand() {
        Some(_) => format!("{which} go to {{number}}"),
        None => format!("{which} are no longer sent on"),
    }
}

fn rings(which: &str) -> String {
    format!("{which} ring no longer, or again")
}

/// A string as it is read.
#[derive(Serialize)]
struct Explained {
    dialled: String,
    code: Option<String>,
    does: Option<Action>,
    extension: Option<Extension>,
    pin: Option<PinRule>,
    from: Option<String>,
}

fn explain(codes: &Known, dialled: &str, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some((code, request)) = codes.reading(dialled) else { return unread(codes, dialled, json, out) };
    let explained = Explained {
        dialled: shown(code, &request),
        code: Some(code.pattern.to_string()),
        does: Some(code.does),
        pin: Some(code.pin),
        from: Some(code.source.to_string()),
        extension: request.user,
    };
    if json {
        return print::json(out, &explained);
    }
    let pin = match code.pin {
        PinRule::Asked => "asked for",
        PinRule::Dialled => "dialled along",
        PinRule::None if code.does.takes_pin() => "none, as pinless = true says",
        PinRule::None => "none needed",
    };
    print::facts(
        out,
        &[
            ("dialled", explained.dialled),
            ("is read as", format!("{} ({})", code.pattern, code.source)),
            ("which", meaning(code)),
            ("extension", print::or_dash(explained.extension.as_ref())),
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

/// Says of a string that it is no code. Nobody knows where a PIN stands in it, so little of it is shown.
fn unread(codes: &Known, dialled: &str, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let mistyped = codes.nets().into_iter().find(|net| net.shape().matches(dialled));
    if json {
        let dialled = mistyped.map_or_else(|| HIDDEN.to_owned(), |net| net.bare + HIDDEN);
        let explained = Explained { dialled, code: None, does: None, extension: None, pin: None, from: None };
        return print::json(out, &explained);
    }
    match mistyped {
        Some(net) => writeln!(
            out,
            "no code: it begins like one with {}, so hotdesk takes the call, and the caller hears that it is not accepted",
            net.bare
        )?,
        None => writeln!(out, "no code: the dialplan goes on with it as with any other number")?,
    }
    Ok(())
}
