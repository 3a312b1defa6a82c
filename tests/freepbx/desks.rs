//! Extensions mode: the rows and hints of desks that are extensions of their own.

use super::{FreePbx, on_both};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_both! {
    logins_and_logouts_change_the_rows_that_freepbx_reads
    rows_that_freepbx_writes_again_are_repaired
    a_login_survives_apply_config_and_a_restart
    a_phone_of_a_user_that_is_a_desk_too_is_the_owners_again_after_a_guest
}

const LOGGED_IN: [(&str, &str); 2] = [("/DEVICE/201/user", "131"), ("/AMPUSER/131/device", "131&201")];
const HINT_131: &str = "PJSIP/131&Custom:DND131,CustomPresence:131";
const HINT_131_AT_201: &str = "PJSIP/131&PJSIP/201&Custom:DND131,CustomPresence:131";
const HINT_132: &str = "&Custom:DND132,CustomPresence:132";

/// How a user logs in or out.
enum How<'a> {
    /// A code dialled at a desk, with these keys after the prompt.
    Code(&'a Phone, &'a str, &'a [&'a str]),
    Command(&'a [&'a str]),
}

fn logins_and_logouts_change_the_rows_that_freepbx_reads(version: Version) {
    let mut freepbx = FreePbx::extensions(version);
    let [desk1, desk2] = ["201", "202"].map(|desk| freepbx.pbx.phone(desk).unwrap());
    assert!(freepbx.hotdesk.log().contains("repaired=0"), "all was right as FreePBX left it");
    for (how, rows, hints) in [
        (How::Code(&desk1, "*11131", &["905172#"]), &LOGGED_IN[..], [HINT_131_AT_201, HINT_132]),
        // The guest moves, and the first desk is itself again.
        (
            How::Code(&desk2, "*11131", &["905172#"]),
            &[("/DEVICE/202/user", "131"), ("/AMPUSER/131/device", "131&202")],
            ["PJSIP/131&PJSIP/202&Custom:DND131,CustomPresence:131", HINT_132],
        ),
        (How::Code(&desk2, "*12", &[]), &[], [HINT_131, HINT_132]),
        // A user without a phone, and then another one at the same desk.
        (
            How::Code(&desk1, "*11", &["132#", "618340#"]),
            &[("/DEVICE/201/user", "132"), ("/AMPUSER/132/device", "132&201")],
            [HINT_131, "PJSIP/201&Custom:DND132,CustomPresence:132"],
        ),
        (How::Command(&["login", "131", "201"]), &LOGGED_IN, [HINT_131_AT_201, HINT_132]),
        (How::Command(&["logout", "131"]), &[], [HINT_131, HINT_132]),
        (
            How::Command(&["login", "132", "202"]),
            &[("/DEVICE/202/user", "132"), ("/AMPUSER/132/device", "132&202")],
            [HINT_131, "PJSIP/202&Custom:DND132,CustomPresence:132"],
        ),
        // A phone that is no desk any more is an ordinary extension again.
        (How::Command(&["device", "set", "202", "--no-hotdesk"]), &[], [HINT_131, HINT_132]),
    ] {
        match how {
            How::Code(phone, code, keys) => freepbx.dial(phone, code, keys),
            How::Command(command) => drop(freepbx.hotdesk.run(command).unwrap()),
        }
        freepbx.differs_only_in(rows);
        assert_eq!(["131", "132"].map(|user| freepbx.hint(user)), hints, "{rows:?}");
        for desk in ["201", "202"] {
            assert_eq!(freepbx.hint(desk), format!("PJSIP/{desk}&Custom:DND{desk},CustomPresence:{desk}"));
        }
    }
}

fn rows_that_freepbx_writes_again_are_repaired(version: Version) {
    let mut freepbx = FreePbx::extensions(version);
    freepbx.hotdesk.run(&["login", "131", "201"]).unwrap();
    freepbx.differs_only_in(&LOGGED_IN);
    let submitted =
        [("DEVICE", "201/type", "fixed"), ("DEVICE", "201/user", "201"), ("AMPUSER", "131/device", "131")];
    for (what, rows, left) in [
        ("Submit of the page of the desk", &submitted[..], &[][..]),
        (
            "the page of the desk, by an older FreePBX",
            &[("AMPUSER", "201/device", "131&201")],
            &[("/AMPUSER/201/device", "131&201")],
        ),
        ("the list of the desk is lost", &[("AMPUSER", "201/device", "")], &[]),
        (
            "FreePBX's own word for a phone without a user",
            &[("DEVICE", "201/user", "none"), ("DEVICE", "202/user", "none")],
            &[],
        ),
        // The user's own phone is no hotdesk: Hotdesk leaves it alone.
        ("the phone of a user", &[("DEVICE", "131/user", "132")], &[("/DEVICE/131/user", "132")]),
    ] {
        for (family, key, value) in rows {
            freepbx.put(family, key, value);
        }
        freepbx.reload();
        let mut differ = LOGGED_IN.to_vec();
        differ.extend(left);
        freepbx.differs_only_in(&differ);
        assert_eq!(freepbx.hint("131"), HINT_131_AT_201, "{what}");
        for (key, _) in left {
            let (family, key) = key[1..].split_once('/').unwrap();
            let was = key.split('/').next().unwrap();
            freepbx.put(family, key, was);
        }
    }
    let journal = freepbx.hotdesk.run(&["journal"]).unwrap();
    for line in [
        "device 201 (AstDB DEVICE/201/user) repaired, was \"201\", is \"131\"",
        "user 201 (AstDB AMPUSER/201/device) repaired, was missing, is \"201\"",
        "device 202 (AstDB DEVICE/202/user) repaired, was \"none\", is \"202\"",
    ] {
        assert!(journal.contains(line), "{line}:\n{journal}");
    }
    assert!(!journal.contains("/type"), "{journal}");
}

fn a_login_survives_apply_config_and_a_restart(version: Version) {
    let mut freepbx = FreePbx::extensions(version);
    freepbx.hotdesk.run(&["login", "131", "201"]).unwrap();
    freepbx.hotdesk.run(&["login", "132", "202"]).unwrap();
    let rows = [
        ("/DEVICE/201/user", "131"),
        ("/AMPUSER/131/device", "131&201"),
        ("/DEVICE/202/user", "132"),
        ("/AMPUSER/132/device", "132&202"),
    ];
    freepbx.differs_only_in(&rows);
    let hints = [HINT_131_AT_201, "PJSIP/202&Custom:DND132,CustomPresence:132"];
    for _ in 0..3 {
        let mark = freepbx.hotdesk.log().len();
        freepbx.pbx.cli("dialplan reload").unwrap();
        // FreePBX's hints of 131 and 132 differ, and no other record: not that of a virtual user, nor that of a desk.
        freepbx.hotdesk.wait_for_log(mark, "repaired=2").unwrap();
        freepbx.differs_only_in(&rows);
        assert_eq!(["131", "132"].map(|user| freepbx.hint(user)), hints);
    }
    // Asterisk writes AstDB once a second, and no event says so.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let mark = freepbx.hotdesk.log().len();
    freepbx.pbx.restart().unwrap();
    freepbx.hotdesk.wait_reconnected(mark).unwrap();
    freepbx.ami = freepbx.pbx.ami().unwrap();
    freepbx.differs_only_in(&rows);
    assert_eq!(["131", "132"].map(|user| freepbx.hint(user)), hints);
}

fn a_phone_of_a_user_that_is_a_desk_too_is_the_owners_again_after_a_guest(version: Version) {
    let mut freepbx = FreePbx::extensions(version);
    freepbx.hotdesk.run(&["device", "set", "131", "--hotdesk"]).unwrap();
    freepbx.differs_only_in(&[]);
    let guest =
        [("/DEVICE/131/user", "132"), ("/AMPUSER/132/device", "132&131"), ("/AMPUSER/131/device", "")];
    for (command, rows, hint) in [
        ("login 132 131", &guest[..], "&Custom:DND131,CustomPresence:131"),
        ("logout 132", &[], HINT_131),
        // An owner who is logged in elsewhere: FreePBX still needs a user of the phone.
        (
            "login 131 202",
            &[("/DEVICE/202/user", "131"), ("/AMPUSER/131/device", "131&202")],
            "PJSIP/131&PJSIP/202&Custom:DND131,CustomPresence:131",
        ),
        ("logout 131", &[], HINT_131),
    ] {
        freepbx.hotdesk.run(&command.split(' ').collect::<Vec<_>>()).unwrap();
        freepbx.differs_only_in(rows);
        assert_eq!(freepbx.hint("131"), hint, "{command:?}");
    }
}
