//! What is wrong with a file of the dialplan, as far as it can be told without a FreeSWITCH.

use roxmltree::{Document, Node};

use super::TOKEN;
use crate::model::login::token::Token;

/// The first flaw: no XML, no extension, another token than this one.
#[must_use]
pub fn flaw(text: &str, token: &Token) -> Option<String> {
    let read = match Document::parse(text) {
        Ok(read) => read,
        Err(error) => return Some(format!("it is no XML: {error}")),
    };
    if !read.descendants().any(|node| node.has_tag_name("extension")) {
        return Some("it has no extension".into());
    }
    let value = |node: Node<'_, '_>| {
        node.attribute("data")?.strip_prefix(TOKEN)?.strip_prefix('=').map(str::to_owned)
    };
    let other = read.descendants().filter_map(value).any(|shown| !token.is(&shown));
    other.then(|| "it has another token".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_or_has_another_token_has_a_flaw() {
        let token = Token::sample();
        let with = |token: &str| {
            format!("<include><X-PRE-PROCESS cmd=\"set\" data=\"{TOKEN}={token}\"/><extension/></include>")
        };
        for printed in [
            include_str!("../../../dialplan/freeswitch/hotdesk.xml"),
            include_str!("../../../dialplan/freeswitch/00_hotdesk.xml"),
            include_str!("../../../dialplan/freeswitch/public_00_hotdesk.xml"),
            &with(token.reveal()),
        ] {
            assert_eq!(flaw(printed, &token), None);
            assert!(flaw(&printed[..printed.len() / 2], &token).unwrap().contains("no XML"));
        }
        assert!(flaw(&with("other"), &token).unwrap().contains("another token"));
        assert!(flaw("<include/>", &token).unwrap().contains("no extension"));
    }
}
