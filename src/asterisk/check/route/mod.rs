//! Follows a call through the site's own contexts, to where it is dialled: an emergency call to the trunk, a call to a user to
//! Hotdesk or past it. Pure: the dialplan was read before.
//!
//! It reads `Goto`, `GotoIf` (both ways), `Gosub`, `Macro`, `Dial`, and applications that lead nowhere else. At any other
//! application the end is not known, which is said. Asterisk lists the extensions of a context in the order in which it matches them (16.28 and 22.10).

use std::collections::BTreeMap;

use super::codes::set_of;
use crate::model::codes::dial_set::DialSet;
use crate::model::contexts::is_own;

/// Steps before a call is taken to loop.
const STEPS: usize = 300;
/// Contexts that include each other.
const DEPTH: usize = 20;
/// Applications after which the call goes on at the next priority.
const GO_ON: [&str; 20] = [
    "answer",
    "log",
    "mixmonitor",
    "monitor",
    "mset",
    "noop",
    "playback",
    "playtones",
    "proceeding",
    "progress",
    "ringing",
    "sendurl",
    "set",
    "sipaddheader",
    "stopmixmonitor",
    "stopplaytones",
    "system",
    "userevent",
    "verbose",
    "wait",
];
/// Applications that end the call.
const ENDS: [&str; 4] = ["busy", "congestion", "hangup", "return"];

/// A priority of an extension.
#[derive(Clone, Debug, Default)]
pub(in crate::asterisk) struct Line {
    pub(in crate::asterisk) extension: String,
    pub(in crate::asterisk) priority: u32,
    pub(in crate::asterisk) label: String,
    pub(in crate::asterisk) application: String,
    pub(in crate::asterisk) data: String,
}

/// A context as Asterisk has loaded it.
#[derive(Clone, Debug, Default)]
pub(in crate::asterisk) struct Context {
    pub(in crate::asterisk) lines: Vec<Line>,
    pub(in crate::asterisk) includes: Vec<String>,
    /// Whether it asks another switch for what it does not know.
    pub(in crate::asterisk) switches: bool,
}

/// What was read of Asterisk.
#[derive(Debug, Default)]
pub(in crate::asterisk) struct Known {
    /// By name; none for a context that is not there.
    pub(in crate::asterisk) contexts: BTreeMap<String, Option<Context>>,
    /// Global variables.
    pub(in crate::asterisk) variables: BTreeMap<String, String>,
}

/// What must be read first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::asterisk) enum Need {
    Context(String),
    Variable(String),
}

/// Why a call is not known to leave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::asterisk) enum Stop {
    Needs(Need),
    /// It does not leave.
    Ends(String),
    /// It goes on in this context of Hotdesk.
    Own(String),
    Unknown(String),
}

/// How a call leaves: where, and what is dialled there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::asterisk) struct Leaves {
    /// `[emergency] _11X,1: Dial(PJSIP/112@trunk)`.
    pub(in crate::asterisk) place: String,
    /// `PJSIP/112@trunk`.
    pub(in crate::asterisk) target: String,
    /// What follows an `@`, or the whole without one: `trunk`.
    pub(in crate::asterisk) peer: String,
    /// The number, if the target has one.
    pub(in crate::asterisk) number: Option<String>,
}

/// A call on its way.
#[derive(Clone)]
struct Call<'a> {
    known: &'a Known,
    /// What the contexts of Hotdesk are called like.
    own: &'a str,
    number: String,
    variables: BTreeMap<String, String>,
    /// Whether the number that the call shows matters, and the channels that it passes through.
    emergency: bool,
}

/// Whether Hotdesk's dialplan for any tenant has a context of this name.
pub(in crate::asterisk) fn is_of_any(context: &str) -> bool {
    let namespace = context.find("hotdesk").and_then(|at| context.get(..at + "hotdesk".len()));
    namespace.is_some_and(|it| (it == "hotdesk" || it.ends_with("-hotdesk")) && is_own(context, it))
}

impl Known {
    /// Where an emergency call for `number` leaves that is sent to `context`. `own` is the namespace of Hotdesk.
    pub(in crate::asterisk) fn follow(&self, own: &str, context: &str, number: &str) -> Result<Leaves, Stop> {
        self.call(own, number, true).enter(context, "1", &mut STEPS.clone())
    }

    /// Where a call for `user` leaves that is made in `context`.
    pub(in crate::asterisk) fn follow_user(
        &self,
        own: &str,
        context: &str,
        user: &str,
    ) -> Result<Leaves, Stop> {
        self.call(own, user, false).enter(context, "1", &mut STEPS.clone())
    }

    fn call<'a>(&'a self, own: &'a str, number: &str, emergency: bool) -> Call<'a> {
        Call { known: self, own, number: number.into(), variables: BTreeMap::new(), emergency }
    }

    /// The extension that a call for `number` from `context` matches first, with its context; none if there is none.
    pub(in crate::asterisk) fn matched(
        &self,
        context: &str,
        number: &str,
    ) -> Result<Option<(String, String)>, Stop> {
        let found = self.find(context, number, DEPTH)?;
        Ok(found.and_then(|(context, lines)| Some((context, lines.first()?.extension.clone()))))
    }

    fn context(&self, name: &str) -> Result<Option<&Context>, Stop> {
        let known = self.contexts.get(name).ok_or_else(|| Stop::Needs(Need::Context(name.into())))?;
        Ok(known.as_ref())
    }

    /// The extension that a number matches, with its context, which may be an included one.
    fn find(&self, name: &str, number: &str, depth: usize) -> Result<Option<(String, Vec<&Line>)>, Stop> {
        let Some(context) = self.context(name)?.filter(|_| depth > 0) else { return Ok(None) };
        if let Some(found) = context.lines.iter().find(|line| matches(&line.extension, number)) {
            let lines = context.lines.iter().filter(|line| line.extension == found.extension);
            return Ok(Some((name.into(), lines.collect())));
        }
        for include in &context.includes {
            let (included, times) = include.split_once([',', '|']).unwrap_or((include, ""));
            match self.find(included, number, depth - 1)? {
                Some(_) if !times.is_empty() => {
                    return Err(Stop::Unknown(format!(
                        "[{name}] includes {include}, which depends on the time"
                    )));
                }
                None => {}
                found => return Ok(found),
            }
        }
        if context.switches {
            return Err(Stop::Unknown(format!("[{name}] asks another switch for {number}")));
        }
        Ok(None)
    }
}

impl Call<'_> {
    fn enter(mut self, context: &str, priority: &str, steps: &mut usize) -> Result<Leaves, Stop> {
        if is_own(context, self.own) || is_of_any(context) {
            return Err(Stop::Own(context.into()));
        }
        let Some((context, lines)) = self.known.find(context, &self.number, DEPTH)? else {
            return Err(Stop::Ends(format!("[{context}] does not know {}", self.number)));
        };
        if is_of_any(&context) {
            return Err(Stop::Own(context));
        }
        let at = |priority: &str| {
            let labelled = || Some(lines.iter().find(|line| line.label == priority)?.priority);
            priority.parse().ok().or_else(labelled)
        };
        let Some(mut priority) = at(priority) else {
            return Err(Stop::Ends(format!("[{context}] {} has no priority {priority}", self.number)));
        };
        loop {
            *steps = steps.saturating_sub(1);
            if *steps == 0 {
                return Err(Stop::Ends(format!("it loops at [{context}] {}", self.number)));
            }
            let Some(line) = lines.iter().find(|line| line.priority == priority) else {
                return Err(Stop::Ends(format!("[{context}] {} ends before it dials", self.number)));
            };
            let data = self.filled(&line.data)?;
            let place =
                format!("[{context}] {},{}: {}({data})", line.extension, line.priority, line.application);
            let application = line.application.to_ascii_lowercase();
            let unknown = || Stop::Unknown(format!("cannot be followed further than {place}"));
            // The branch of a Goto: `label`, `extension,label`, `context,extension,label`.
            let branch = |call: &Self, to: &str, steps: &mut usize| match to.split(',').collect::<Vec<_>>()[..]
            {
                [""] => call.clone().enter(&context, &(line.priority + 1).to_string(), steps),
                [label] => call.clone().enter(&context, label, steps),
                _ if to.contains("${") => Err(unknown()),
                [extension, label] => call.clone().dialling(extension).enter(&context, label, steps),
                [context, extension, label] => call.clone().dialling(extension).enter(context, label, steps),
                _ => Err(unknown()),
            };
            match application.as_str() {
                "set" | "mset" if self.emergency && data.starts_with("CALLERID(") => {
                    return Err(Stop::Unknown(format!("{place} may change the number that the call shows")));
                }
                "set" => {
                    if let Some((name, value)) = data.split_once('=') {
                        self.variables.insert(name.trim_start_matches('_').into(), value.into());
                    }
                }
                name if GO_ON.contains(&name) => {}
                name if ENDS.contains(&name) => return Err(Stop::Ends(format!("it ends at {place}"))),
                "goto" => return branch(&self, &data, steps),
                "gotoif" => {
                    let Some((_, to)) = data.rsplit_once('?') else { return Err(unknown()) };
                    let (yes, no) = to.split_once(':').unwrap_or((to, ""));
                    return both(branch(&self, yes, steps), branch(&self, no, steps), &place);
                }
                // The context of a call back returns unless there was an emergency call.
                "gosub" if is_of_any(data.split(',').next().unwrap_or_default()) => {}
                "gosub" | "macro" => return self.called(&application, &data, &context, steps, unknown()),
                "dial" => match data.strip_prefix("Local/").filter(|_| !self.emergency) {
                    Some(local) => {
                        let local = local.split([',', '&']).next().unwrap_or_default();
                        let (to, at) = local.split_once('@').unwrap_or((local, "default"));
                        let at = at.split('/').next().unwrap_or_default();
                        return self.dialling(to).enter(at, "1", steps);
                    }
                    None => return leaves(place, &data),
                },
                _ => return Err(unknown()),
            }
            priority += 1;
        }
    }

    /// Where a subroutine dials. What comes after it is not known if it may return.
    fn called(
        &self,
        application: &str,
        data: &str,
        here: &str,
        steps: &mut usize,
        unknown: Stop,
    ) -> Result<Leaves, Stop> {
        let (to, given) = match application {
            "macro" => data.split_once(',').unwrap_or((data, "")),
            _ => data.trim_end_matches(')').split_once('(').unwrap_or((data, "")),
        };
        let mut call = self.clone();
        let given =
            given.split(',').enumerate().map(|(n, value)| (format!("ARG{}", n + 1), value.to_owned()));
        call.variables.extend(given);
        let there = match (application, to.split(',').collect::<Vec<_>>().as_slice()) {
            ("macro", [name, ..]) => call.dialling("s").enter(&format!("macro-{name}"), "1", steps),
            (_, [label]) => call.enter(here, label, steps),
            (_, [extension, label]) => call.dialling(extension).enter(here, label, steps),
            (_, [context, extension, label]) => call.dialling(extension).enter(context, label, steps),
            _ => return Err(unknown),
        };
        match there {
            Err(Stop::Ends(_) | Stop::Unknown(_)) => Err(unknown),
            there => there,
        }
    }

    fn dialling(mut self, extension: &str) -> Self {
        self.number = extension.into();
        self
    }

    /// With the values of `${EXTEN}`, of its parts, and of variables.
    fn filled(&self, data: &str) -> Result<String, Stop> {
        let (mut filled, mut rest) = (String::new(), data);
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}').filter(|(name, _)| !name.contains(['(', '$']))
            else {
                // A function, or a name made of others: what it gives is not known.
                filled.push_str("${");
                rest = after;
                continue;
            };
            let mut parts = name.split(':');
            let name = parts.next().unwrap_or_default();
            let value = match name {
                "EXTEN" => self.number.as_str(),
                name => match self.variables.get(name).or_else(|| self.known.variables.get(name)) {
                    Some(value) => value,
                    None => return Err(Stop::Needs(Need::Variable(name.into()))),
                },
            };
            filled.push_str(&part(value, parts.next(), parts.next()));
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// `value:offset:length`, which may be negative.
fn part(value: &str, offset: Option<&str>, length: Option<&str>) -> String {
    let all: Vec<char> = value.chars().collect();
    let whole = isize::try_from(all.len()).unwrap_or(isize::MAX);
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<isize>().ok());
    let from = number(offset).unwrap_or(0);
    let from = if from < 0 { (whole + from).max(0) } else { from.min(whole) };
    let upto = match number(length) {
        None => whole,
        Some(length) if length < 0 => (whole + length).max(from),
        Some(length) => from.saturating_add(length).min(whole),
    };
    let index = |at: isize| usize::try_from(at).unwrap_or(0);
    all.get(index(from)..index(upto)).unwrap_or_default().iter().collect()
}

fn both(yes: Result<Leaves, Stop>, no: Result<Leaves, Stop>, place: &str) -> Result<Leaves, Stop> {
    match (yes, no) {
        (Err(Stop::Needs(need)), _) | (_, Err(Stop::Needs(need))) => Err(Stop::Needs(need)),
        (Err(Stop::Unknown(why)), _) | (_, Err(Stop::Unknown(why))) => Err(Stop::Unknown(why)),
        (Err(Stop::Ends(why)), Err(Stop::Ends(_))) => Err(Stop::Ends(why)),
        (Err(Stop::Own(context)), Err(Stop::Own(_))) => Err(Stop::Own(context)),
        (Err(Stop::Own(context)), _) | (_, Err(Stop::Own(context))) => {
            Err(Stop::Unknown(format!("{place} decides; on one way it goes on in {context}")))
        }
        (Err(Stop::Ends(why)), Ok(_)) | (Ok(_), Err(Stop::Ends(why))) => {
            Err(Stop::Unknown(format!("{place} decides; on one way {why}")))
        }
        (Ok(yes), Ok(no)) if yes.number == no.number => Ok(yes),
        (Ok(yes), Ok(no)) => {
            Err(Stop::Unknown(format!("{place} decides between {} and {}", yes.target, no.target)))
        }
    }
}

/// The first target of a `Dial`.
fn leaves(place: String, data: &str) -> Result<Leaves, Stop> {
    let target = data.split([',', '&']).next().unwrap_or_default();
    let contacts = target.strip_prefix("${PJSIP_DIAL_CONTACTS(").and_then(|it| it.strip_suffix(")}"));
    let target = &contacts.map_or_else(|| target.to_owned(), |endpoint| format!("PJSIP/{endpoint}"));
    let Some((technology, rest)) = target.split_once('/').filter(|_| !target.contains("${")) else {
        return Err(Stop::Unknown(format!("what {place} dials is not known")));
    };
    if technology.eq_ignore_ascii_case("local") {
        return Err(Stop::Unknown(format!("cannot be followed further than {place}")));
    }
    // PJSIP/trunk/sip:112@192.0.2.1; PJSIP/112@trunk; SIP/trunk/112 and DAHDI/g1/112; PJSIP/trunk.
    let (peer, number) = if let Some((peer, address)) = rest.split_once("/sip:") {
        (peer, address.split('@').next())
    } else if let Some((number, peer)) = rest.split_once('@') {
        (peer, Some(number))
    } else {
        rest.split_once('/').map_or((rest, None), |(peer, number)| (peer, Some(number)))
    };
    let number = number.map(str::to_owned);
    Ok(Leaves { place, target: target.clone(), peer: peer.into(), number })
}

/// Whether an extension of the dialplan matches a number.
fn matches(extension: &str, number: &str) -> bool {
    let Some(pattern) = extension.strip_prefix('_') else { return extension == number };
    let (mut rest, mut left) = (pattern, number.chars());
    while let Some(first) = rest.chars().next() {
        let Some(mut after) = rest.get(first.len_utf8()..) else { return false };
        let keys = match first {
            '.' => return left.next().is_some(),
            '!' => return true,
            '-' | ' ' => {
                rest = after;
                continue;
            }
            'X' | 'x' => DialSet::DIGITS,
            'Z' | 'z' => DialSet::of('1'..='9'),
            'N' | 'n' => DialSet::of('2'..='9'),
            '[' => {
                let Some((set, behind)) = after.split_once(']') else { return false };
                after = behind;
                set_of(set)
            }
            key => DialSet::of([key]),
        };
        if !left.next().is_some_and(|key| keys.contains(key)) {
            return false;
        }
        rest = after;
    }
    left.next().is_none()
}

#[cfg(test)]
mod tests;
