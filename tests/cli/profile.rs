//! The settings that follow a user, as an administrator sets and reads them.

use serde_json::json;

use super::Desk;

#[test]
fn a_profile_is_set_shown_and_removed() {
    let desk = Desk::with_groups();
    desk.ok("user set 101 --recording on-demand --pickup hall --account north-1 --numbers 0205550101,+31205550102 --groups sales,400");
    desk.ok("user set 101 --dnd on --forward-always 0612345678 --forward-busy 102 --forward-unanswered 103 --in-turn on");
    desk.ok("user group 101 sales in");
    let shown = desk.json("user show 101 --json");
    for (field, is) in [
        ("recording", json!("on-demand")),
        ("pickup", json!("hall")),
        ("account", json!("north-1")),
        ("numbers", json!(["0205550101", "+31205550102"])),
        ("do_not_disturb", json!(true)),
        ("forward", json!({"always": "0612345678", "busy": "102", "unanswered": "103"})),
        ("in_turn", json!(true)),
        (
            "groups",
            json!({"400": {"signed_in": false, "paused": false}, "sales": {"signed_in": true, "paused": false}}),
        ),
    ] {
        assert_eq!(shown[field], is, "{field}");
    }
    let told = desk.ok("user show 101");
    for words in [
        "400 (out), sales (in)",
        "always to 0612345678, busy to 102",
        "DND               on",
        "one after the other",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    // The membership of a group stays while the user may join it.
    desk.ok("user set 101 --groups sales,new");
    assert_eq!(
        desk.json("user show 101 --json")["groups"],
        json!({"new": {"signed_in": false, "paused": false}, "sales": {"signed_in": true, "paused": false}})
    );
    let said = desk.run_with(
        &[
            "user",
            "set",
            "101",
            "--forward-always",
            "",
            "--numbers",
            "",
            "--pickup",
            "",
            "--groups",
            "",
            "--dnd",
            "off",
        ],
        "",
    );
    assert_eq!(said.code, 0, "{said:?}");
    let shown = desk.json("user show 101 --json");
    assert_eq!(shown["forward"], json!({"busy": "102", "unanswered": "103"}));
    assert_eq!(
        (&shown["numbers"], &shown["pickup"], &shown["groups"]),
        (&json!([]), &json!(null), &json!({}))
    );
    assert_eq!(shown["do_not_disturb"], json!(false));
    // Settings of the user are journalled as such, and without numbers.
    let journal = desk.ok("journal");
    assert!(
        journal.contains("101: forwarding always on, by tester") && !journal.contains("0612345678"),
        "{journal}"
    );
}

#[test]
fn forwarding_to_the_own_extension_or_an_emergency_number_is_refused() {
    let desk = Desk::furnished();
    for flag in ["--forward-always", "--forward-busy", "--forward-unanswered"] {
        for emergency in ["112", "+112"] {
            let refused = desk.fails(&format!("user set 101 {flag} {emergency}"));
            assert!(refused.contains(&format!("{emergency} is an emergency number")), "{refused}");
        }
        assert!(desk.fails(&format!("user set 101 {flag} 101")).contains("calls would loop"));
    }
    for (wrong, why) in [
        ("--recording sometimes", "never, always, inbound"),
        ("--dnd maybe", "on or off"),
        ("--numbers 1,2,3,4,5,6,7,8,9,0", "at most 9 numbers"),
        ("--groups sales,,x", "a group"),
    ] {
        let said = desk.run(&format!("user set 101 {wrong}"));
        assert!(said.code != 0 && said.err.contains(why), "{said:?}");
    }
}

#[test]
fn a_softphone_and_a_mobile_have_an_owner_and_no_hotdesking() {
    let desk = Desk::furnished();
    let soft = "device add soft --switch pbx --dial PJSIP/soft --kind softphone";
    assert!(desk.fails(soft).contains("a softphone needs an owner: add --owner EXT to soft"));
    assert!(
        desk.fails(&format!("{soft} --owner 101 --hotdesk")).contains("users cannot log in at a softphone")
    );
    desk.ok(&format!("{soft} --owner 101"));
    desk.ok("device add mobile --switch pbx --dial PJSIP/0612345678@trunk --kind mobile --owner 101");
    let shown = desk.json("device show soft --json");
    assert_eq!((&shown["kind"], &shown["hotdesk"]), (&json!("softphone"), &json!(false)));
    assert!(desk.fails("device set desk1 --kind mobile --owner 101").contains("--no-hotdesk"));
    assert!(desk.run("device set soft --kind fax").err.contains("desk, softphone or mobile"));
}

#[test]
fn ring_settings_and_memberships_are_switched() {
    let desk = Desk::with_groups();
    desk.ok("device add soft --switch pbx --dial PJSIP/soft --kind softphone --owner 101");
    desk.ok("user set 101 --groups sales");
    let rings = |desk: &Desk| desk.json("user show 101 --json")["rings"].clone();
    assert_eq!(rings(&desk), json!({"soft": true}));
    assert_eq!(desk.ok("user ring 101 soft off"), "user 101: ringing of soft off\n");
    assert_eq!(desk.ok("user ring 101 soft off"), "user 101 is unchanged\n");
    assert!(desk.fails("user ring 101 hotdesk off").contains("is not logged in"));
    desk.ok("login 101 desk1");
    assert_eq!(rings(&desk), json!({"desk1": true, "soft": false}));
    assert!(desk.fails("user ring 101 desk1 off").contains("user ring 101 hotdesk"));
    desk.ok("user ring 101 hotdesk off");
    desk.ok("user ring 101 soft on");
    assert_eq!(rings(&desk), json!({"desk1": false, "soft": true}));
    assert!(desk.fails("user ring 102 soft off").contains("--owner 102"));
    for (to, says) in
        [("in", "signed in to sales"), ("pause", "paused in sales"), ("out", "signed out of sales")]
    {
        assert_eq!(desk.ok(&format!("user group 101 sales {to}")), format!("user 101: {says}\n"));
    }
    assert!(desk.fails("user group 101 support in").contains("--groups sales,support"));
}

#[test]
fn columns_of_a_sheet_set_the_profile_too() {
    let desk = Desk::furnished();
    std::fs::write(
        desk.path("users.csv"),
        "extension,recording,groups,dnd,forward-busy\n101,always,\"sales,400\",on,102\n102,,,,\n",
    )
    .unwrap();
    desk.ok("import users.csv");
    let shown = desk.json("user show 101 --json");
    assert_eq!((&shown["recording"], &shown["do_not_disturb"]), (&json!("always"), &json!(true)));
    assert_eq!((&shown["forward"], shown["groups"].as_object().unwrap().len()), (&json!({"busy": "102"}), 2));
    assert_eq!(desk.json("user show 102 --json")["recording"], "never");
}

#[test]
fn the_personal_codes_are_listed_and_explained() {
    let desk = Desk::bare();
    desk.configure("[codes]\npresets = [\"simmpl\", \"personal\"]\n[[switch]]\nname = \"pbx\"\n");
    let listed = desk.ok("codes");
    for line in ["*72{number}", "*45{group}", "*38{choice}", "*97", "Toggle DND"] {
        assert!(listed.contains(line), "{line}: {listed}");
    }
    let told = desk.ok("codes explain *720612345678");
    assert!(told.contains("Forward calls always to {number}") && told.contains("0612345678"), "{told}");
    assert!(desk.ok("codes explain *97").contains("(served by the switch)"));
    assert_eq!(desk.json("codes explain *78 --json")["action"], "do_not_disturb_on");
    let printed = desk.ok("dialplan asterisk");
    assert!(printed.contains("exten => *97,1,Goto(hotdesk-voicemail,s,1)\nexten => *97#,1"), "{printed}");
    let forward = printed.split("exten => ").find(|it| it.starts_with("_*72X!,1,")).unwrap();
    assert!(
        forward.contains("hotdesk-end,*72,invalid") && forward.contains("Goto(hotdesk-code,*72,1)"),
        "{forward}"
    );
}
