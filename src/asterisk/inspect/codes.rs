//! Whether a code hides a number that the site's own dialplan has: at a hotdesk phone the code goes first. And whether
//! Asterisk itself takes one of them.

use std::collections::BTreeSet;

use super::super::ami::Action;
use super::super::space::Space;
use super::Inspection;
use crate::controller::inspect;
use crate::desk::code::keys::{Keys, Shape, Times, common};
use crate::desk::finding::Finding;
use crate::desk::model::Office;
use crate::switch::SwitchError;

/// Contexts that are looked at; what a class of service includes counts along.
const CONTEXTS: usize = 500;
/// Hidden numbers that are named one by one.
const NAMED: usize = 5;

impl Inspection<'_> {
    /// Of the classes of service and all that they include. `ShowDialPlan` needs the right `reporting`, with which nothing
    /// can be changed.
    pub(super) async fn hidden(&self, office: &Office) -> Result<Finding, SwitchError> {
        let check = self.of("codes");
        let listed = self.manager.act(Action::new("ListCommands")).await?;
        if listed.header("ShowDialPlan").is_none() {
            return Ok(Finding::remark(
                check,
                "nobody knows whether one of them hides a number of the site's: our user may not look",
                "add reporting to its write in manager.conf, and `manager reload`; it can change nothing with it",
            ));
        }
        let mut next: Vec<String> = inspect::classes(office).into_keys().map(ToString::to_string).collect();
        next.extend(self.dialplan.otherwise.iter().map(ToString::to_string));
        let mut seen = BTreeSet::new();
        let mut hidden = BTreeSet::new();
        while let Some(context) = next.pop() {
            // Our own contexts hide nothing of the site's.
            let ours = context.starts_with(Space::of(self.tenant).name());
            if ours || seen.len() >= CONTEXTS || !seen.insert(context.clone()) {
                continue;
            }
            let show = Action::new("ShowDialPlan").with("Context", context.as_str());
            let lines = match self.manager.list(show).await {
                Ok(lines) => lines,
                // There is no such context, which another check tells.
                Err(SwitchError::Refused(..)) => continue,
                Err(error) => return Err(error),
            };
            next.extend(lines.iter().filter_map(|line| line.header("IncludeContext")).map(str::to_owned));
            let extensions: BTreeSet<&str> =
                lines.iter().filter_map(|line| line.header("Extension")).collect();
            for (extension, shape) in extensions.iter().filter_map(|it| Some((it, shape(it)?))) {
                hidden.extend(
                    self.hiding(&shape).map(|hiding| format!("{hiding} and {extension} of {context}")),
                );
            }
        }
        if hidden.is_empty() {
            return Ok(Finding::fine(check, "hide no number of the site's"));
        }
        let named: Vec<&str> = hidden.iter().take(NAMED).map(String::as_str).collect();
        let more = hidden.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        Ok(Finding::wrong(
            check,
            format!("{}{more}: at a hotdesk phone it is the code", named.join("; ")),
            "change [codes] here, or that extension in extensions.conf",
        ))
    }

    /// What is dialled for Asterisk's own pick-up (`*8`, unless features.conf says otherwise) gets to no dialplan: seen on
    /// 16.28 and 22.10. `FEATURE()` is built into it.
    pub(super) async fn taken(&self) -> Result<Option<Finding>, SwitchError> {
        let asked = Action::new("Getvar").with("Variable", "FEATURE(pickupexten)");
        let answer = match self.manager.act(asked).await {
            Ok(answer) => answer,
            Err(SwitchError::Refused(..)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let taken = answer.header("Value").unwrap_or_default();
        Ok(self.dialplan.codes.reading(taken).map(|(code, _)| {
            Finding::wrong(
                self.of("codes"),
                format!("{taken} is the code {code}, and never gets to us: Asterisk picks up calls by it itself"),
                "say `pickupexten = *88`, or what you like, in [general] of features.conf and `module reload features`",
            )
        }))
    }

    /// The digits that are such an extension and a code, with the code.
    fn hiding(&self, extension: &Shape) -> Option<String> {
        let codes = &self.dialplan.codes;
        codes.iter().find_map(|code| {
            let digits = common(&codes.shapes(code), std::slice::from_ref(extension))?;
            Some(format!("{digits} is the code {code}"))
        })
    }
}

/// The strings that Asterisk matches by an extension as it is written; none, if it is nothing that is dialled, or takes
/// whatever is left: such an extension is meant for what no other takes.
fn shape(extension: &str) -> Option<Shape> {
    let Some(pattern) = extension.strip_prefix('_') else {
        let dialled = !extension.is_empty() && extension.chars().all(|key| Keys::ALL.contains(key));
        return dialled.then(|| Shape::default().literal(extension));
    };
    let (mut shape, mut rest, mut single) = (Shape::default(), pattern, 0);
    let mut keys_before = 0;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..)?;
        if first == '.' || first == '!' {
            let leftovers =
                keys_before < 2 && !(single == 1 && pattern.starts_with(|c: char| c.is_ascii_digit()));
            let one = if first == '.' { shape.then(Keys::ALL, Times::Once) } else { shape };
            return (!leftovers).then(|| one.rest());
        }
        let (keys, after) = match first {
            'X' | 'x' => (Keys::DIGITS, after),
            'Z' | 'z' => (Keys::of('1'..='9'), after),
            'N' | 'n' => (Keys::of('2'..='9'), after),
            '[' => {
                let (set, after) = after.split_once(']')?;
                (set_of(set), after)
            }
            '-' | ' ' => {
                rest = after;
                continue;
            }
            key => (Keys::of([key]), after),
        };
        // A letter is on no phone.
        if keys.count() == 0 {
            return None;
        }
        single += u32::from(keys.count() == 1);
        keys_before += 1;
        shape = shape.then(keys, Times::Once);
        rest = after;
    }
    Some(shape)
}

/// The keys of a set: `135-7*` is 1, 3, 5, 6, 7 and the star.
fn set_of(set: &str) -> Keys {
    let mut keys = vec![];
    let mut written = set.chars().peekable();
    while let Some(from) = written.next() {
        let to = if written.next_if_eq(&'-').is_some() { written.next().unwrap_or(from) } else { from };
        keys.extend(from..=to);
    }
    Keys::of(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_read_as_asterisk_matches_it() {
        for (extension, these, not_these) in [
            ("*35", &["*35"][..], &["*35#", "*3"][..]),
            ("_*3X", &["*35", "*30"], &["*3", "*355", "*3#"]),
            ("_8.", &["81", "8*#"], &["8", "9"]),
            ("_0[1-35]!", &["01", "0500"], &["04", "0"]),
            ("_NZ-X", &["210"], &["110", "200"]),
            ("_[*#]XX", &["*12", "#34"], &["112"]),
        ] {
            let shape = shape(extension).unwrap();
            assert!(these.iter().all(|dialled| shape.matches(dialled)), "{extension}");
            assert!(!not_these.iter().any(|dialled| shape.matches(dialled)), "{extension}");
        }
    }

    #[test]
    fn what_is_not_dialled_or_takes_what_is_left_hides_behind_nothing() {
        for extension in ["s", "h", "fax", "_.", "_X.", "_!", "_*.", "_[*#0-9]!", "_vm.", ""] {
            assert_eq!(shape(extension), None, "{extension}");
        }
    }
}
