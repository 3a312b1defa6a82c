//! The codes in the dialplan, and what serves them. FreeSWITCH matches codes, numbers and dial targets by regular expressions.

use crate::model::codes::{Book, DialplanMatch, Piece, Served};
use crate::model::number_pattern::NumberPattern;

pub(super) struct CodeExtension {
    /// The code without what may be secret.
    pub(super) bare: String,
    pub(super) expression: String,
    /// Matches what begins like a code that takes whatever follows.
    pub(super) beginning: Option<String>,
    pub(super) served: Served,
    /// Matches the domains of the tenants that have the code; `None` if all have it.
    pub(super) domains: Option<String>,
}

/// The extensions for all codes. Where tenants have different codes, the domain that the phone registered in decides.
pub(super) fn extensions(book: &Book) -> Vec<CodeExtension> {
    let mut extensions = vec![];
    for (codes, tenants) in book.sets() {
        let names: Vec<String> = tenants.iter().map(|tenant| exactly(tenant.as_str())).collect();
        let domains = (!names.is_empty()).then(|| names.join("|"));
        for code in codes.dialplan_matches() {
            let (expression, beginning) = expressions(&code);
            let (domains, served) = (domains.clone(), code.served);
            extensions.push(CodeExtension { bare: code.bare, expression, beginning, served, domains });
        }
    }
    extensions
}

/// What FreeSWITCH matches a code by; and what begins like one that takes whatever follows, with signs that no code has.
fn expressions(code: &DialplanMatch) -> (String, Option<String>) {
    let pattern = code.pieces.iter().fold(String::new(), |pattern, piece| match piece {
        Piece::Digit => pattern + r"\d",
        Piece::Literal(keys) => pattern + &keys.replace('*', r"\*"),
        Piece::Number(numbers) => pattern + &number(numbers),
        Piece::Rest => pattern,
    });
    match (code.pieces.last(), code.hashes) {
        (Some(Piece::Rest), _) => (format!(r"^({pattern}[0-9*#]*)\z"), Some(format!("^{pattern}"))),
        (_, 1) => (format!(r"^({pattern})#?\z"), None),
        (_, hashes) => (format!(r"^({pattern})#{{0,{hashes}}}\z"), None),
    }
}

pub(crate) fn users(patterns: &[NumberPattern]) -> String {
    let each: Vec<String> = patterns.iter().map(number).collect();
    format!(r"^(?:{})\z", each.join("|"))
}

/// A pattern of numbers: sets of digits are written alike.
pub(super) fn number(pattern: &NumberPattern) -> String {
    pattern.as_str().replace('X', r"\d").replace('Z', "[1-9]").replace('N', "[2-9]")
}

/// An expression that matches only this dial target or name.
pub(super) fn exactly(name: &str) -> String {
    name.replace('.', r"\.").replace('+', r"\+")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::codes::{Codes, Preset};
    use crate::model::id::TenantId;

    fn printed(presets: &[Preset]) -> Vec<String> {
        Codes::of(presets).unwrap().dialplan_matches().iter().map(|code| expressions(code).0).collect()
    }

    #[test]
    fn a_code_that_begins_with_a_digit_or_runs_on_into_the_extension_takes_extensions_alone() {
        assert_eq!(
            printed(&[Preset::Xelion, Preset::Freepbx]),
            [r"^(\*11)#?\z", r"^(\*11\d\d\d)#?\z", r"^(\*12)#?\z", r"^(\*13)#?\z", r"^(8\d\d\d)#?\z"]
        );
    }

    #[test]
    fn where_tenants_have_different_codes_the_domain_decides() {
        let tenant = |name| TenantId::new(name).unwrap();
        let book = |of_b: Preset| {
            let codes = [("a.example", Preset::Simmpl), ("b.example", of_b), ("c.example", Preset::Simmpl)];
            Book::new(BTreeMap::from(codes.map(|(name, set)| (tenant(name), Codes::of(&[set]).unwrap()))))
        };
        let domains = |book: &Book| -> Vec<Option<String>> {
            extensions(book).into_iter().map(|code| code.domains).collect()
        };
        let (a, b) = (Some(r"a\.example|c\.example".to_owned()), Some(r"b\.example".to_owned()));
        assert_eq!(domains(&book(Preset::Freepbx)), [&a, &a, &b, &b, &b, &b].map(Clone::clone));
        assert_eq!(domains(&book(Preset::Simmpl)), [None, None]);
    }

    #[test]
    fn a_pattern_of_numbers_becomes_an_expression() {
        let patterns = ["[1-3]XX", "8[0-24]NZ"].map(|pattern| NumberPattern::new(pattern).unwrap());
        assert_eq!(users(&patterns), r"^(?:[1-3]\d\d|8[0-24][2-9][1-9])\z");
    }
}
