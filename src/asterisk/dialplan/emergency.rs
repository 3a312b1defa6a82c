//! Emergency calls in the dialplan, and the calls back: needs no controller, and to get through no row.
//!
//! Who called is kept in a family of AstDB of its own, as that of the [space](crate::asterisk::space::Space) holds what the
//! controller writes and nothing else: `<space>-called/<endpoint>` is `until|shown`, with `until` in seconds since 1970.

use std::fmt::Write as _;

use crate::desk::emergency::CALL_BACK;
use crate::desk::id::{Context, EmergencyNumber};

/// The AstDB family of the phones that called for help.
const CALLED: &str = "hotdesk-called";

const TEMPLATE: &str = include_str!("../emergency.conf.in");

/// What is dialled at a phone. Phones may send `#` as their dial key, with these numbers too.
pub(super) fn numbers(numbers: &[EmergencyNumber]) -> String {
    numbers.iter().fold(String::new(), |mut lines, number| {
        let _ = writeln!(lines, "exten => {number},1,Goto(hotdesk-emergency,{number},1)");
        let _ = writeln!(lines, "exten => {number}#,1,Goto(hotdesk-emergency,{number},1)");
        lines
    })
}

/// The contexts of ours that such a call, and a call back, go through; `context` is the site's.
pub(super) fn contexts(context: &Context) -> String {
    TEMPLATE
        .replace("@called@", CALLED)
        .replace("@call-back@", &CALL_BACK.to_string())
        .replace("@emergency-context@", context.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asterisk::space::Space;
    use crate::desk::id::TenantId;

    #[test]
    fn an_emergency_number_is_reached_with_the_dial_key_too() {
        let printed = numbers(&[EmergencyNumber::new("112").unwrap()]);
        assert_eq!(
            printed,
            "exten => 112,1,Goto(hotdesk-emergency,112,1)\nexten => 112#,1,Goto(hotdesk-emergency,112,1)\n"
        );
    }

    #[test]
    fn what_the_controller_reconciles_is_not_where_calls_are_kept() {
        assert!(!contexts(&Context::emergency()).contains("DB_DELETE(hotdesk/"));
        assert_ne!(CALLED, Space::of(&TenantId::default()).name());
    }
}
