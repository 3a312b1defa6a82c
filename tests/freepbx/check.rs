//! What `hotdesk check` says of a FreePBX.

use super::{FreePbx, on_both};
use crate::harness::check::broken;
use crate::harness::debian::Version;

on_both! {
    check_names_each_fault_of_freepbx_with_its_remedy
    check_and_explain_of_extensions_mode
}

fn check_names_each_fault_of_freepbx_with_its_remedy(version: Version) {
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
        "ok     phones of switch pbx: 2 are there, let users log in, and reach the codes\n",
        "note   FreePBX's own codes of switch pbx: they are on",
        "ok     table of switch pbx: in sync",
    ] {
        assert!(said.contains(line), "{line}:\n{said}");
    }
    let emergency = freepbx.hotdesk.run(&["check", "--emergency"]).unwrap();
    assert!(emergency.contains("emergency call from 2001: FreePBX shows 0205550101\n"), "{emergency}");

    freepbx.hotdesk.run(&["user", "add", "104", "--name", "Dave"]).unwrap();
    let strange =
        ["device", "add", "2007", "--switch", "pbx", "--dial", "PJSIP/2007", "--location", "cid-0205550101"];
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
        "phone 2001: no user can log in there: it is of type fixed there",
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

fn check_and_explain_of_extensions_mode(version: Version) {
    let mut freepbx = FreePbx::extensions(version);
    // The numbers that users may have do not matter: calls are FreePBX's.
    freepbx
        .hotdesk
        .configure("layout = \"freepbx\"\n[codes]\npresets = [\"freepbx\"]\n[dialplan]\nusers = [\"9XX\"]\n")
        .unwrap();
    freepbx.pbx.write("hotdesk.conf", &freepbx.hotdesk.run(&["dialplan", "asterisk"]).unwrap()).unwrap();
    freepbx.pbx.cli("dialplan reload").unwrap();
    if version == Version::V16 {
        // Debian's comes without voicemail.
        for user in ["131", "132"] {
            freepbx.hotdesk.run(&["user", "set", user, "--mailbox", ""]).unwrap();
        }
    }
    assert_eq!(broken(&freepbx.hotdesk), "");
    let said = freepbx.hotdesk.run(&["check"]).unwrap();
    for line in [
        "ok     phones of switch pbx: 2 are there, let users log in, and reach the codes\n",
        "ok     emergency call from 201: FreePBX shows 0205550901\n",
        "ok     table of switch pbx: in sync",
    ] {
        assert!(said.contains(line), "{line}:\n{said}");
    }
    freepbx.hotdesk.run(&["login", "131", "201"]).unwrap();
    freepbx.differs_only_in(&[("/DEVICE/201/user", "131"), ("/AMPUSER/131/device", "131&201")]);
    let explained = freepbx.hotdesk.run(&["explain", "131"]).unwrap();
    for line in [
        "  their own desk 131 rings too\n",
        "calls to the user ring 131 and 201",
        "shows PJSIP/131&PJSIP/201&Custom:DND131",
    ] {
        assert!(explained.contains(line), "{line}:\n{explained}");
    }
    let explained = freepbx.hotdesk.run(&["explain", "132"]).unwrap();
    assert!(!explained.contains("voicemail") && explained.contains("ring 132"), "{explained}");

    freepbx.pbx.cli("database del DEVICE 201/emergency_cid").unwrap();
    freepbx.hotdesk.run(&["device", "set", "202", "--location", "", "--force"]).unwrap();
    freepbx.pbx.cli("database del DEVICE 202/emergency_cid").unwrap();
    freepbx.put("AMPUSER", "202/voicemail", "default");
    freepbx.hotdesk.run(&["device", "set", "120", "--hotdesk", "--force"]).unwrap();
    freepbx.put("DEVICE", "120/default_user", "131");
    let wrong = broken(&freepbx.hotdesk);
    for line in [
        "emergency call from 201: FreePBX has no emergency CID of it",
        "emergency call from 202: FreePBX has no emergency CID of it",
        "phone 120: no user can log in there: it is of type fixed there, and 120 is not its default user",
    ] {
        assert!(wrong.contains(line), "{line}:\n{wrong}");
    }
    let said = freepbx.hotdesk.output(&["check"], "").unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("note   phone 202: extension 202 has a mailbox"), "{said}");
}
