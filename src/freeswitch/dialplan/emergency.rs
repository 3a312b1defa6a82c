//! Emergency calls in the dialplan, and the calls back: needs no controller, and to get through no row.
//!
//! Who called is kept in a realm of `mod_db` of its own, which the controller neither reads nor writes:
//! `hotdesk-called-<tenant>`, by device, is `until|shown`, with `until` in seconds since 1970. There is no arithmetic in a
//! dialplan without `mod_expr`; but `strepoch` (1.10.12) takes any number of seconds, and so an hour is added.

use std::fmt::Write as _;

use crate::desk::id::{Context, EmergencyNumber};

/// The realm of the phones that called for help, but for the tenant.
pub(super) const CALLED: &str = "hotdesk-called";

/// What a context of calls from outside takes in.
pub(super) const FROM_OUTSIDE: &str = include_str!("../public.xml.in");

const CONTEXTS: &str = include_str!("../emergency.xml.in");

/// All that shows a caller's number somewhere.
const SHOWN: [&str; 6] = [
    "set_profile_var\" data=\"caller_id_number",
    "set_profile_var\" data=\"caller_id_name",
    "set\" data=\"effective_caller_id_number",
    "set\" data=\"effective_caller_id_name",
    "set\" data=\"outbound_caller_id_number",
    "set\" data=\"outbound_caller_id_name",
];

/// What is dialled at a phone. A row that names numbers, and not this one, makes it an ordinary number; any other text, or
/// none, does not. Phones may send `#` as their dial key, with these numbers too.
pub(super) fn numbers(numbers: &[EmergencyNumber]) -> String {
    numbers.iter().fold(String::new(), |mut lines, number| {
        let _ = write!(
            lines,
            r#"    <extension name="hotdesk-emergency-{number}">
      <condition field="destination_number" expression="^{number}#?\z"/>
      <condition field="@row-of-phone@"
                 expression="^(?!\d*\|\d+\|\+?\d*\|(?!(?:\d+&amp;)*{number}[&amp;|])\d[\d&amp;]*\|)">
        <action application="transfer" data="{number} XML hotdesk-emergency"/>
      </condition>
    </extension>
"#
        );
        lines
    })
}

/// The contexts of ours that such a call, and a call back, go through; `context` is the site's.
pub(super) fn contexts(context: &Context) -> String {
    let shown = SHOWN.iter().fold(String::new(), |mut lines, what| {
        let _ = writeln!(lines, "        <action application=\"{what}=$1\"/>");
        lines
    });
    CONTEXTS.replace("@shown@", &shown).replace("@emergency-context@", context.as_str())
}
