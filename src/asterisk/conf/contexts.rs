//! The contexts of an `extensions.conf`: which extension takes a call, and the change that lets Hotdesk take it first.
//!
//! A context gets another name, and a new one takes its place that includes first Hotdesk's and then the renamed one. So
//! all else is matched as before, in the same order: Asterisk takes an extension of a context before those of an included one.

use std::collections::BTreeSet;

use super::tree::{Section, Tree};
use crate::asterisk::check::codes::shape;
use crate::asterisk::check::route::{Known, Line, Stop, is_of_any};
use crate::switch::config_file::NotReadable;

/// The context with the extensions of users.
const USERS: &str = "hotdesk-users";
/// Sections that are no contexts.
const NO_CONTEXTS: [&str; 2] = ["general", "globals"];

/// What takes a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Taker {
    /// Hotdesk.
    Hotdesk,
    /// An extension of this context.
    Context(String),
    /// No extension, or one for whatever no other takes.
    None,
}

/// The contexts of the files as they are now.
pub(super) struct Contexts(Known);

impl Contexts {
    pub(super) fn of(tree: &Tree) -> Result<Self, NotReadable> {
        let mut known = Known::default();
        let own = |section: &&Section| {
            !NO_CONTEXTS.contains(&section.name.as_str())
                && !section.options.iter().any(|option| option == "!")
        };
        for section in tree.sections.iter().filter(own) {
            let context = known.contexts.entry(section.name.clone()).or_default().get_or_insert_default();
            let mut last = String::new();
            for setting in tree.resolved(section)? {
                match setting.key.as_str() {
                    "exten" => {
                        let line = extension(&setting.value);
                        let line = line.ok_or_else(|| {
                            tree.not_readable(setting.at, "Hotdesk cannot read this extension")
                        })?;
                        last.clone_from(&line.extension);
                        context.lines.push(line);
                    }
                    "same" => {
                        let line = extension(&format!("{last},{}", setting.value));
                        context.lines.extend(line);
                    }
                    "include" => context.includes.push(setting.value.clone()),
                    "switch" | "lswitch" | "eswitch" => context.switches = true,
                    "ignorepat" | "autohints" => {}
                    _ => return Err(tree.not_readable(setting.at, "Hotdesk does not know what this says")),
                }
            }
        }
        // An included context that is not there takes nothing.
        let included = known.contexts.values().flatten().flat_map(|context| context.includes.clone());
        for name in included.collect::<Vec<_>>() {
            known.contexts.entry(name.split([',', '|']).next().unwrap_or_default().into()).or_default();
        }
        for context in known.contexts.values_mut().flatten() {
            context.lines.retain(|line| line.application != HINT);
            context.lines.sort_by_key(|line| order(&line.extension));
        }
        Ok(Self(known))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contexts.get(name).is_some_and(Option::is_some)
    }

    /// What takes a call for `number` from this context. The reason why that cannot be told is an error.
    pub(super) fn taker(&self, context: &str, number: &str) -> Result<Taker, String> {
        Ok(match self.0.matched(context, number) {
            Ok(Some((within, _))) if is_of_any(&within) => Taker::Hotdesk,
            Ok(Some((within, extension))) if self.is_for(&within, &extension, number) => {
                Taker::Context(within)
            }
            Ok(_) => Taker::None,
            Err(Stop::Needs(need)) => return Err(format!("{need:?} is not in extensions.conf")),
            Err(Stop::Unknown(why) | Stop::Ends(why) | Stop::Own(why)) => return Err(why),
        })
    }

    /// Whether any extension takes the number, also one for whatever is left.
    pub(super) fn takes(&self, context: &str, number: &str) -> bool {
        matches!(self.0.matched(context, number), Ok(Some(_)))
    }

    /// Whether an extension is for numbers such as this one: it is no leftover such as `_X.`, or it dials the phone.
    fn is_for(&self, context: &str, extension: &str, number: &str) -> bool {
        let dials = |line: &Line| {
            let data = line.data.replace("${EXTEN}", number).to_ascii_uppercase();
            line.extension == extension
                && data.contains(&format!("PJSIP/{number}"))
                && !data.contains(&format!("PJSIP/{number}@"))
        };
        let lines = self.0.contexts.get(context).into_iter().flatten().flat_map(|context| &context.lines);
        shape(extension).is_some() || lines.into_iter().any(dials)
    }

    /// A name that no context has.
    fn free(&self, name: String) -> String {
        let mut free = name.clone();
        for n in 2.. {
            if !self.0.contexts.contains_key(&free) {
                break;
            }
            free = format!("{name}-{n}");
        }
        free
    }
}

/// The application that a hint has here.
const HINT: &str = "hint";

/// `202,1(label),Dial(PJSIP/202,30)`; the extension may name a caller: `202/0205550100`.
fn extension(text: &str) -> Option<Line> {
    let mut parts = text.splitn(3, ',').map(str::trim);
    let (extension, priority, does) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let extension = extension.split('/').next().unwrap_or_default();
    let (application, data) = does.split_once('(').unwrap_or((does, ""));
    let hint = priority.starts_with("hint");
    (!extension.is_empty() && !extension.contains("${")).then(|| Line {
        extension: extension.into(),
        application: if hint { HINT } else { application }.into(),
        data: data.strip_suffix(')').unwrap_or(data).into(),
        ..Line::default()
    })
}

/// The order in which Asterisk matches: a number before patterns, and of two patterns the one whose first differing sign takes
/// fewer keys.
fn order(extension: &str) -> (bool, Vec<usize>) {
    let Some(pattern) = extension.strip_prefix('_') else { return (false, vec![]) };
    let (mut keys, mut rest) = (vec![], pattern);
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let (count, after) = match first {
            'X' | 'x' => (10, after),
            'Z' | 'z' => (9, after),
            'N' | 'n' => (8, after),
            '.' => (20, ""),
            '!' => (21, ""),
            '[' => after.split_once(']').map_or((1, ""), |(set, after)| (set.len(), after)),
            _ => (1, after),
        };
        keys.push(count);
        rest = after;
    }
    (true, keys)
}

/// A context that is to be renamed, and how the new one in its place begins.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Renamed {
    pub(super) name: String,
    /// Whether Hotdesk's users are found in it.
    pub(super) users: bool,
    /// Whether calls from outside begin there: after an emergency call, a call back reaches the phone.
    pub(super) outside: bool,
}

/// Puts a new context in the place of one that gets another name.
pub(super) fn rename(tree: &mut Tree, contexts: &Contexts, change: &Renamed) -> Result<(), NotReadable> {
    let Renamed { name, users, outside } = change;
    let old = contexts.free(format!("{name}-as-before"));
    let from: Vec<Section> = tree.sections.iter().filter(|section| section.name == *name).cloned().collect();
    let template = |section: &&Section| section.options.iter().any(|option| option == name);
    if let Some(other) = tree.sections.iter().find(template) {
        return Err(
            tree.not_readable(other.at, &format!("[{name}] is a template of this section and a context too"))
        );
    }
    let includes = |first: bool| {
        let own = if first { format!("include => {USERS}\n") } else { String::new() };
        format!("{own}include => {old}\n")
    };
    let new = match *outside {
        false => format!("[{name}]\n{}", includes(*users)),
        true => {
            let next = contexts.free(format!("{name}-next"));
            let invalid = if contexts.takes(name, "i") { "" } else { "exten => i,1,Hangup(1)\n" };
            format!(
                "[{name}]\n; after an emergency call, a call back reaches that phone\n\
                 exten => _[0-9+]!,1,Gosub(hotdesk-callback,${{EXTEN}},1)\n same => n,Goto({next},${{EXTEN}},1)\n\
                 include => {old}\n\n[{next}]\n{}{invalid}",
                includes(*users)
            )
        }
    };
    let names: BTreeSet<_> = from.iter().map(|section| section.at).collect();
    for (n, at) in names.into_iter().enumerate() {
        let header = tree.line(at).replacen(&format!("[{name}]"), &format!("[{old}]"), 1);
        let text = if n == 0 { format!("{new}\n{header}") } else { header };
        tree.replace(at, &text);
    }
    Ok(())
}
