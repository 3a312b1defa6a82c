//! Checks that no code hides a number of the site's own dialplan (at a hotdesk phone the code goes first), and that Asterisk
//! itself does not take a code.

use std::collections::BTreeSet;

use super::Inspection;
use crate::asterisk::ami::codec::Action;
use crate::controller::check;
use crate::model::check::Finding;
use crate::model::codes::dial_set::{DialSet, Shape, Times, common};
use crate::model::contexts::is_own;
use crate::model::directory::Snapshot;
use crate::switch::{SwitchError, unless_refused};

/// The most contexts to check, those that a class of service includes among them.
const CONTEXTS: usize = 500;
/// Hidden numbers to name; more are counted.
const NAMED: usize = 5;

impl Inspection<'_> {
    /// Checks the classes of service, and all contexts that they include. `ShowDialPlan` needs the right `reporting`, which
    /// allows no change.
    pub(super) async fn hidden(&self, snapshot: &Snapshot) -> Result<Finding, SwitchError> {
        let check = self.of("codes");
        if !self.may("ShowDialPlan").await? {
            return Ok(Finding::unknown(
                check,
                "cannot tell whether a code hides a number of the site: Hotdesk's user may not read the dialplan",
                super::MAY_READ,
            ));
        }
        let mut next: Vec<String> = check::classes(snapshot).into_keys().map(ToString::to_string).collect();
        next.extend(self.dialplan.fallback_context.iter().map(ToString::to_string));
        let mut seen = BTreeSet::new();
        let mut hidden = BTreeSet::new();
        while let Some(context) = next.pop() {
            // The contexts of Hotdesk hide no number of the site.
            let own = is_own(&context, self.space().name());
            if own || seen.len() >= CONTEXTS || !seen.insert(context.clone()) {
                continue;
            }
            let show = Action::new("ShowDialPlan").with("Context", context.as_str());
            // There may be no such context: another check says so.
            let Some(lines) = unless_refused(self.manager.list(show).await)? else { continue };
            next.extend(lines.iter().filter_map(|line| line.header("IncludeContext")).map(str::to_owned));
            let extensions: BTreeSet<&str> =
                lines.iter().filter_map(|line| line.header("Extension")).collect();
            for (extension, shape) in extensions.iter().filter_map(|it| Some((it, shape(it)?))) {
                let hiding = self.hiding(&shape);
                hidden.extend(hiding.map(|hiding| format!("{hiding} and {extension} of {context}")));
            }
        }
        if hidden.is_empty() {
            return Ok(Finding::fine(check, "hide no number of the site"));
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

    /// Checks Asterisk's own pick-up code (`*8`, unless features.conf sets another): it reaches no dialplan (16.28 and 22.10).
    /// `FEATURE()` is built into Asterisk.
    pub(super) async fn taken(&self) -> Result<Option<Finding>, SwitchError> {
        let asked = Action::new("Getvar").with("Variable", "FEATURE(pickupexten)");
        let Some(answer) = unless_refused(self.manager.act(asked).await)? else { return Ok(None) };
        let taken = answer.header("Value").unwrap_or_default();
        Ok(self.dialplan.codes.reading(taken).map(|(code, _)| {
            Finding::wrong(
                self.of("codes"),
                format!("{taken} is the code {code}, and never reaches Hotdesk: Asterisk itself picks up calls with it"),
                "set another pickupexten, such as *88, in [general] of features.conf and `module reload features`",
            )
        }))
    }

    /// A code, and digits that are both that code and such an extension.
    fn hiding(&self, extension: &Shape) -> Option<String> {
        let codes = &self.dialplan.codes;
        codes.iter().find_map(|code| {
            let digits = common(&codes.shapes(code), std::slice::from_ref(extension))?;
            Some(format!("{digits} is the code {code}"))
        })
    }
}

/// The strings that an extension matches. `None` if it cannot be dialled, or if it takes any string that is left: such an
/// extension is for what no other extension takes.
pub(in crate::asterisk) fn shape(extension: &str) -> Option<Shape> {
    let Some(pattern) = extension.strip_prefix('_') else {
        let dialled = !extension.is_empty() && extension.chars().all(|key| DialSet::ALL.contains(key));
        return dialled.then(|| Shape::default().literal(extension));
    };
    let (mut shape, mut rest, mut single) = (Shape::default(), pattern, 0);
    let mut keys_before = 0;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..)?;
        if first == '.' || first == '!' {
            let leftovers =
                keys_before < 2 && !(single == 1 && pattern.starts_with(|c: char| c.is_ascii_digit()));
            let one = if first == '.' { shape.then(DialSet::ALL, Times::Once) } else { shape };
            return (!leftovers).then(|| one.rest());
        }
        let (keys, after) = match first {
            'X' | 'x' => (DialSet::DIGITS, after),
            'Z' | 'z' => (DialSet::of('1'..='9'), after),
            'N' | 'n' => (DialSet::of('2'..='9'), after),
            '[' => {
                let (set, after) = after.split_once(']')?;
                (set_of(set), after)
            }
            '-' | ' ' => {
                rest = after;
                continue;
            }
            key => (DialSet::of([key]), after),
        };
        // A phone has no key for a letter.
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
pub(super) fn set_of(set: &str) -> DialSet {
    let mut keys = vec![];
    let mut written = set.chars().peekable();
    while let Some(from) = written.next() {
        let to = if written.next_if_eq(&'-').is_some() { written.next().unwrap_or(from) } else { from };
        keys.extend(from..=to);
    }
    DialSet::of(keys)
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
    fn an_extension_that_is_not_dialled_or_takes_any_string_has_no_shape() {
        for extension in ["s", "h", "fax", "_.", "_X.", "_!", "_*.", "_[*#0-9]!", "_vm.", ""] {
            assert_eq!(shape(extension), None, "{extension}");
        }
    }
}
