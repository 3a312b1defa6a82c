//! Extensions mode: what calls do, without a login, with a user who has a phone, and with one who has none.

use std::collections::BTreeMap;

use super::{FreePbx, on_both};
use crate::harness::ami::Message;
use crate::harness::debian::Version;
use crate::harness::phone::{Event, PATIENCE, Phone};
use crate::harness::wait;

on_both! {
    calls_ring_and_show_what_freepbx_has_of_the_user
    what_a_user_sets_at_a_desk_is_the_users
}

/// A call: from which phone, what is dialled, the number that is shown, and the phones that ring.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// While no user is logged in, a desk is an extension like any other.
const VACANT: &[Row] = &[
    ("120", "131", "120", &["131"]),
    ("120", "201", "120", &["201"]),
    ("201", "120", "201", &["120"]),
    ("201", "112", "0205550901", &["trunk"]),
    // The voicemail of 132 does not take the call of the group or of the queue.
    ("120", "600", "120", &["131", "120"]),
    ("120", "700", "120", &["131"]),
];

/// 131 at desk 201, beside their own phone; 132 at desk 202.
const BOTH: &[Row] = &[
    ("120", "131", "120", &["131", "201"]),
    ("120", "132", "120", &["202"]),
    // The desk's own number, and the number outside for it: also for a call back.
    ("120", "201", "120", &["201"]),
    ("trunk", "0205550201", "trunk", &["201"]),
    ("trunk", "0205550131", "trunk", &["131", "201"]),
    ("trunk", "0205550132", "trunk", &["202"]),
    ("120", "600", "120", &["131", "201", "202", "120"]),
    ("120", "700", "120", &["131", "201", "202"]),
    // The user's caller ID inside and outside, and the phone's in an emergency.
    ("201", "120", "131", &["120"]),
    ("202", "120", "132", &["120"]),
    ("201", "0301234567", "0205550131", &["trunk"]),
    ("202", "0301234567", "0205550132", &["trunk"]),
    ("201", "112", "0205550901", &["trunk"]),
    ("202", "112", "0205550902", &["trunk"]),
    ("131", "112", "0205550913", &["trunk"]),
];

/// Follow me of 132 goes to the reception, too.
const FOLLOWED: &[Row] = &[("131", "132", "131", &["202", "120"])];

fn make(phones: &BTreeMap<&str, Phone>, rows: &[Row]) {
    for (from, dialled, shows, ring) in rows {
        let rung = |phone: &Phone| {
            phone.events().all().into_iter().filter(|it| matches!(it, Event::Ringing(_))).count()
        };
        let before: Vec<usize> = phones.values().map(rung).collect();
        phones[from].dial(dialled).unwrap();
        // A phone that calls is rung, too, and does not take the second call.
        for name in ring.iter().filter(|name| *name != from) {
            let caller =
                phones[name].wait_ringing().unwrap_or_else(|why| panic!("{from} dials {dialled}: {why:#}"));
            assert_eq!(caller.from.number, *shows, "{from} dials {dialled}, and {name} rings");
        }
        if ring.contains(from) {
            phones[from].wait_turned_away().unwrap();
        }
        phones[from].hang_up().unwrap();
        for name in ring.iter().filter(|name| *name != from) {
            phones[name].wait_ended().unwrap();
        }
        for ((name, phone), before) in phones.iter().zip(before) {
            let should = ring.contains(name) && name != from;
            assert_eq!(rung(phone) - before, usize::from(should), "{from} dials {dialled}: {name}");
        }
    }
}

fn calls_ring_and_show_what_freepbx_has_of_the_user(version: Version) {
    let mut freepbx = FreePbx::extensions(version);
    let names = ["120", "131", "201", "202", "trunk"];
    let phones: BTreeMap<&str, Phone> = names.map(|name| (name, freepbx.pbx.phone(name).unwrap())).into();
    make(&phones, VACANT);
    freepbx.log_in(&phones["201"], "131");
    freepbx.log_in(&phones["202"], "132");
    make(&phones, BOTH);
    freepbx.put("AMPUSER", "132/followme/ddial", "EXTENSION");
    make(&phones, FOLLOWED);
    for desk in ["201", "202"] {
        freepbx.dial(&phones[desk], "*12", &[]);
    }
    make(&phones, VACANT);
    let cdrs = freepbx.pbx.cdrs();
    for name in ["\"\"\"Ann\"\" <131>\"", "\"\"\"Ben\"\" <132>\"", "\"\"\"Desk 1\"\" <201>\""] {
        assert!(cdrs.contains(name), "{name}:\n{cdrs}");
    }
}

fn what_a_user_sets_at_a_desk_is_the_users(version: Version) {
    let freepbx = FreePbx::extensions(version);
    let [desk, reception, own] = ["201", "120", "131"].map(|name| freepbx.pbx.phone(name).unwrap());
    freepbx.log_in(&desk, "131");
    let mark = freepbx.ami.mark();
    freepbx.dial(&desk, "*97", &[]);
    let opened = |m: &Message| m.get("UserEvent") == "VoiceMailMain" && m.get("Mailbox") == "131@default";
    freepbx.ami.wait_from(mark, "the mailbox of 131", opened).unwrap();

    reception.watch("131").unwrap();
    reception.wait_lamp("131", "terminated").unwrap();
    let logged_in = [("/DEVICE/201/user", "131"), ("/AMPUSER/131/device", "131&201")];
    for (code, row, lamp) in [
        ("*78", ("/DND/131", "YES"), Some("confirmed")),
        ("*79", ("/DND/131", ""), Some("terminated")),
        ("*72120", ("/CF/131", "120"), None),
        ("*73", ("/CF/131", ""), None),
    ] {
        freepbx.dial(&desk, code, &[]);
        freepbx.differs_only_in(&[&logged_in[..], &[row]].concat());
        lamp.iter().for_each(|lamp| drop(reception.wait_lamp("131", lamp).unwrap()));
        if row.1 == "120" {
            own.dial("131").unwrap();
            reception.wait_ringing().unwrap();
            own.hang_up().unwrap();
            reception.wait_ended().unwrap();
        }
    }
    // A call lights the lamp of the user, at the desk and at the own phone, and is recorded.
    let recordings = || std::fs::read_dir(freepbx.pbx.path("spool/monitor")).into_iter().flatten().count();
    for (n, phone) in [&desk, &own].into_iter().enumerate() {
        phone.dial("602").unwrap();
        phone.wait_answered().unwrap();
        reception.wait_lamp("131", "confirmed").unwrap();
        phone.hang_up().unwrap();
        reception.wait_lamp("131", "terminated").unwrap();
        wait::until(PATIENCE, || recordings() > n, || format!("{} was not recorded", phone.name()));
    }
}
