//! What is wrong with a text of `hotdesk.conf`, as far as it can be told without an Asterisk.

use std::collections::BTreeSet;

use crate::asterisk::namespace::TOKEN_HINT;
use crate::model::login::token::Token;

/// Asterisk cuts off what is behind this in a line (16.28 and 22.10).
const LINE: usize = 8191;

/// The first flaw: a line that Asterisk does not read, an included context that is not there, a missing token.
#[must_use]
pub fn flaw(text: &str, token: &Token) -> Option<String> {
    let context = |line: &str| Some(line.strip_prefix('[')?.strip_suffix(']')?.to_owned());
    let contexts: BTreeSet<String> = text.lines().filter_map(context).collect();
    for (n, line) in text.lines().enumerate() {
        let read = line.is_empty()
            || line.trim_start().starts_with(';')
            || ["exten => ", " same => n", "include => "].iter().any(|it| line.starts_with(it))
            || context(line).is_some();
        if !read || line.len() > LINE {
            return Some(format!("Asterisk would not read line {}", n + 1));
        }
        if let Some(included) = line.strip_prefix("include => ").filter(|it| !contexts.contains(*it)) {
            return Some(format!("line {} includes [{included}], which is not there", n + 1));
        }
    }
    let there = text.contains(&format!("exten => token,hint,{TOKEN_HINT}{}\n", token.reveal()));
    (!there).then(|| "it has no token".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_or_changed_has_a_flaw() {
        let printed = include_str!("../../../dialplan/asterisk/hotdesk.conf");
        let token = Token::sample();
        assert_eq!(flaw(printed, &token), None);
        let line = printed.lines().position(|line| line == "include => hotdesk-hints").unwrap() + 1;
        for (was, is, found) in [
            ("[hotdesk-hints]\n", "[other]\n", format!("line {line} includes [hotdesk-hints], which")),
            ("token,hint,Custom:PRINT", "token,hint,Custom:OTHER", "no token".into()),
            ("include => hotdesk-hints", "<<<<<<< old", format!("not read line {line}")),
            ("exten => 112,1,", &format!("exten => 112,1,{}", "x".repeat(LINE)), "not read line".into()),
        ] {
            let said = flaw(&printed.replacen(was, is, 1), &token).unwrap();
            assert!(said.contains(&found), "{was}: {said}");
        }
        assert!(flaw(&printed[..printed.len() / 2], &token).is_some());
        assert!(flaw("", &token).is_some());
    }
}
