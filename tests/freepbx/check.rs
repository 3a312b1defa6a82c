//! What `hotdesk check` says of a FreePBX.

use super::{FreePbx, on_both};
use crate::support::check::broken;
use crate::support::debian::Version;

on_both! { what_is_wrong_with_a_freepbx_is_named_with_what_to_do }

fn what_is_wrong_with_a_freepbx_is_named_with_what_to_do(version: Version) {
    let mut freepbx = FreePbx::open(version);
    if version == Version::V16 {
        // Debian's comes without voicemail.
        for user in ["101", "102"] {
            freepbx.hotdesk.run(&["user", "set", user, "--mailbox", ""]).unwrap();
        }
    }
    assert_eq!(broken(&freepbx.hotdesk), "");
    let said = freepbx.hotdesk.run(&["check"]).unwrap();
    for line in [
        "ok     dialplan of switch pbx: is the one that this configuration prints\n",
        "ok     users of switch pbx: 3 are users of FreePBX\n",
        "ok     phones of switch pbx: 2 are there, of type adhoc, and come to the codes\n",
        "note   FreePBX's own codes of switch pbx: they are on",
        "ok     table of switch pbx: in step",
    ] {
        assert!(said.contains(line), "{line}:\n{said}");
    }
    let emergency = freepbx.hotdesk.run(&["check", "--emergency"]).unwrap();
    assert!(emergency.contains("emergency call from 2001: FreePBX shows 0205550101\n"), "{emergency}");

    freepbx.hotdesk.run(&["user", "set", "104", "--name", "Dave"]).unwrap();
    let strange =
        ["device", "set", "2007", "--switch", "pbx", "--dial", "PJSIP/2007", "--location", "cid-0205550101"];
    freepbx.hotdesk.run(&strange).unwrap();
    freepbx.put("DEVICE", "2001/type", "fixed");
    freepbx.put("DEVICE", "2002/dial", "SIP/2002");
    freepbx.put("DEVICE", "2003/emergency_cid", "0209999999");
    freepbx.pbx.write("hotdesk.conf", "[from-internal-custom]\n[hotdesk-codes]\n").unwrap();
    freepbx.pbx.cli("dialplan reload").unwrap();
    let wrong = broken(&freepbx.hotdesk);
    for line in [
        "dialplan of switch pbx: it is not the one that this configuration prints",
        "user 104: the FreePBX of switch pbx has no such user",
        "phone 2001: FreePBX has it as fixed",
        "phone 2002: FreePBX dials it as \"SIP/2002\"",
        "phone 2007: the FreePBX of switch pbx has no device of this name",
        "emergency call from 2003: FreePBX shows 0209999999, and should show 0205550103",
        "emergency call from 2007: FreePBX has no emergency CID of it",
    ] {
        assert!(wrong.contains(line), "{line}:\n{wrong}");
    }
    let emergency = freepbx.hotdesk.output(&["check", "--emergency"], "").unwrap();
    let emergency = String::from_utf8_lossy(&emergency.stdout).into_owned();
    assert!(emergency.contains("FreePBX shows 0209999999, and should show 0205550103"), "{emergency}");
}
