//! The hint of a user in `ext-local`, as FreePBX writes it: `PJSIP/201&Custom:DND131,CustomPresence:131`.

use std::collections::BTreeSet;

use crate::asterisk::table::rows::NOWHERE;

/// The hint of a user whose devices are dialled by `dials`. FreePBX's own parts come from the hint that `stands`, or from the
/// one in FreePBX's `row` of the user. A hint that stands and says the same stays.
pub(super) fn hint<'a>(stands: &str, row: &str, dials: impl Iterator<Item = &'a str>) -> String {
    let (states, presence) =
        [stands, row].map(own).into_iter().find(|own| *own != Own::default()).unwrap_or_default();
    let mut hint = dials.filter(|dial| is_watched(dial)).collect::<Vec<_>>().join("&");
    for state in states {
        hint.extend(["&", state]);
    }
    // Never empty, or its watchers would hear nothing.
    if hint.is_empty() {
        hint.push_str(NOWHERE);
    }
    hint.extend(presence.into_iter().flat_map(|presence| [",", presence]));
    let made = |hint: &str| states_of(hint).any(|state| state == NOWHERE);
    let same = phones(stands) == phones(&hint) && (!made(stands) || made(&hint));
    if same && !stands.is_empty() { stands.into() } else { hint }
}

/// FreePBX's own parts of a hint: `Custom:DND131`, and `CustomPresence:131` behind the comma.
type Own<'a> = (Vec<&'a str>, Option<&'a str>);

fn own(hint: &str) -> Own<'_> {
    let states = states_of(hint).filter(|state| is_custom(state) && *state != NOWHERE);
    (states.collect(), hint.split_once(',').map(|(_, presence)| presence))
}

fn states_of(hint: &str) -> impl Iterator<Item = &str> {
    hint.split(',').next().unwrap_or_default().split('&').filter(|state| !state.is_empty())
}

fn phones(hint: &str) -> BTreeSet<&str> {
    states_of(hint).filter(|state| !is_custom(state)).collect()
}

fn is_custom(state: &str) -> bool {
    state.starts_with("Custom:")
}

/// Whether a device that is dialled so has a state. FreePBX dials a virtual extension as `/132`, and leaves it out of the hint.
fn is_watched(dial: &str) -> bool {
    dial.split_once('/').is_some_and(|(technology, name)| !technology.is_empty() && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_what_freepbx_writes_and_one_that_says_the_same_stays() {
        let row = "&Custom:DND131,CustomPresence:131";
        for (stands, row, dials, is) in [
            (
                "PJSIP/131&Custom:DND131,CustomPresence:131",
                "",
                &["PJSIP/131", "PJSIP/201"][..],
                "PJSIP/131&PJSIP/201&Custom:DND131,CustomPresence:131",
            ),
            // The order does not matter.
            (
                "PJSIP/201&PJSIP/131&Custom:DND131",
                "",
                &["PJSIP/131", "PJSIP/201"],
                "PJSIP/201&PJSIP/131&Custom:DND131",
            ),
            // Logged in nowhere: one text, FreePBX's.
            ("PJSIP/201&Custom:DND131,CustomPresence:131", "", &[], row),
            ("Custom:hotdesk&Custom:DND131,CustomPresence:131", "", &[], row),
            (row, "", &[], row),
            (row, "", &["/131"], row),
            ("/131&Custom:DND131,CustomPresence:131", "", &["/131"], row),
            // FreePBX's own logout removes the hint.
            ("", row, &[], row),
            ("", row, &["PJSIP/201"], "PJSIP/201&Custom:DND131,CustomPresence:131"),
            ("Custom:hotdesk", row, &[], row),
            // Nothing of FreePBX's own: the BLF is dark, and not without a state.
            ("", "", &[], "Custom:hotdesk"),
            ("PJSIP/201", "", &[], "Custom:hotdesk"),
            ("PJSIP/201,CustomPresence:131", "", &[], "Custom:hotdesk,CustomPresence:131"),
            ("Custom:hotdesk", "", &[], "Custom:hotdesk"),
            (",CustomPresence:131", "", &[], ",CustomPresence:131"),
            // Other technologies have states, too.
            ("", "", &["SIP/9", "", "DAHDI/1", "/5", "Virtual"], "SIP/9&DAHDI/1"),
        ] {
            assert_eq!(hint(stands, row, dials.iter().copied()), is, "{stands} {row} {dials:?}");
        }
    }
}
