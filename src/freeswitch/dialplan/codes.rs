//! The codes in the dialplan: what is sent to us, and as what its call goes on.

use std::fmt::Write as _;

use super::regex;
use crate::desk::code::{Book, Net, Piece, Served};
use crate::desk::id::TenantId;

/// An extension for each thing that a code is matched by; its PIN stays behind in `hd_dialled`. Where tenants have
/// different codes, the domain that the phone registered in says whose count.
pub(super) fn codes(book: &Book) -> String {
    book.sets().into_iter().fold(String::new(), |mut lines, (codes, tenants)| {
        let of_tenants = of(&tenants);
        for net in codes.nets() {
            let (bare, expression) = (&net.bare, expression(&net));
            let actions = match net.served {
                Served::Here(place) => {
                    format!(r#"        <action application="transfer" data="{place} XML hotdesk-features"/>"#)
                }
                Served::Controller => format!(
                    r#"        <action application="set" data="hd_dialled=$1" inline="true"/>
        <action application="set_profile_var" data="destination_number={bare}" inline="true"/>
        <action application="transfer" data="{bare} XML hotdesk-code"/>"#
                ),
            };
            let _ = write!(
                lines,
                r#"    <extension name="hotdesk-code-{bare}">
{of_tenants}      <condition field="destination_number" expression="{expression}">
{actions}
      </condition>
    </extension>
"#
            );
        }
        lines
    })
}

/// The condition that the phone is one of theirs; empty, if it need not be asked.
fn of(tenants: &[&TenantId]) -> String {
    if tenants.is_empty() {
        return String::new();
    }
    let names: Vec<String> = tenants.iter().map(|tenant| tenant.as_str().replace('.', r"\.")).collect();
    format!("      <condition field=\"${{domain_name}}\" expression=\"(?i)^(?:{})\\z\"/>\n", names.join("|"))
}

/// What FreeSWITCH matches it by. Of what goes on, what cannot be dialled, and all after it, is dropped.
fn expression(net: &Net) -> String {
    let pattern = net.pieces.iter().fold(String::new(), |pattern, piece| match piece {
        Piece::Digit => pattern + r"\d",
        Piece::Literal(keys) => pattern + &keys.replace('*', r"\*"),
        Piece::Number(number) => pattern + &regex(number),
        Piece::Rest => pattern + "[0-9*#]*",
    });
    match (net.pieces.last(), net.hashes) {
        (Some(Piece::Rest), _) => format!("^({pattern})"),
        (_, 1) => format!(r"^({pattern})#?\z"),
        (_, hashes) => format!(r"^({pattern})#{{0,{hashes}}}\z"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::desk::code::{Codes, Preset};

    fn expressions(presets: &[Preset]) -> Vec<String> {
        Codes::of(presets).unwrap().nets().iter().map(expression).collect()
    }

    #[test]
    fn a_code_with_an_extension_takes_whatever_follows_its_star() {
        assert_eq!(expressions(&[Preset::Simmpl]), [r"^(\*35)#?\z", r"^(\*35\*[0-9*#]*)"]);
    }

    #[test]
    fn a_code_that_begins_with_a_digit_or_runs_on_into_the_extension_takes_extensions_alone() {
        assert_eq!(
            expressions(&[Preset::Xelion, Preset::Freepbx]),
            [r"^(\*11)#?\z", r"^(\*11\d\d\d)#?\z", r"^(\*12)#?\z", r"^(\*13)#?\z", r"^(8\d\d\d)#?\z"]
        );
    }

    #[test]
    fn where_tenants_have_different_codes_the_domain_says_whose_count() {
        let tenant = |name| TenantId::new(name).unwrap();
        let book = |of_b: Preset| {
            let codes = [("a.example", Preset::Simmpl), ("b.example", of_b), ("c.example", Preset::Simmpl)];
            Book::new(BTreeMap::from(
                codes.map(|(name, preset)| (tenant(name), Codes::of(&[preset]).unwrap())),
            ))
        };
        let printed = codes(&book(Preset::Freepbx));
        let conditions = |names: &str| {
            let condition =
                format!("<condition field=\"${{domain_name}}\" expression=\"(?i)^(?:{names})\\z\"/>");
            printed.matches(&condition).count()
        };
        assert_eq!((conditions(r"a\.example|c\.example"), conditions(r"b\.example")), (2, 4));
        assert_eq!(codes(&book(Preset::Simmpl)), codes(&Codes::default().into()));
    }
}
