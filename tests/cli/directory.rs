use serde_json::json;

use super::Desk;

#[test]
fn setting_a_user_changes_only_what_is_given() {
    let desk = Desk::new();
    assert!(
        desk.ok("user add 101 --name Ann --caller-id +3120555 --class inside --mailbox 101@default")
            .contains("added")
    );
    let ann = json!({
        "extension": "101", "name": "Ann", "caller_id": "+3120555", "anonymous": false, "hotdesk": true,
        "language": null, "class": "inside", "mailbox": "101@default",
        "when_logged_out": "voicemail", "auto_logout": {}, "devices": [], "recording": "never", "pickup": null,
        "account": null, "numbers": [], "groups": {}, "do_not_disturb": false, "forward": {}, "in_turn": false,
        "rings": {}
    });
    assert_eq!(desk.json("user show 101 --json"), ann);
    assert_eq!(desk.ok("user set 101 --language nl"), "user 101 changed\n");
    let mut after = ann;
    after["language"] = "nl".into();
    assert_eq!(desk.json("user show 101 --json"), after);
    desk.ok("user set 101 --anonymous --no-hotdesk");
    after["anonymous"] = true.into();
    after["hotdesk"] = false.into();
    after["caller_id"] = json!(null);
    assert_eq!(desk.json("user show 101 --json"), after);
}

#[test]
fn an_empty_value_removes_a_setting() {
    let desk = Desk::new();
    desk.ok("user add 101 --name Ann --caller-id 0205 --class inside");
    let said = desk.run_with(&["user", "set", "101", "--name", "", "--caller-id", ""], "");
    assert_eq!(said.code, 0, "{said:?}");
    let ann = desk.json("user show 101 --json");
    assert_eq!(
        (&ann["name"], &ann["caller_id"], &ann["class"]),
        (&json!(null), &json!(null), &json!("inside"))
    );
}

#[test]
fn setting_equal_values_changes_nothing() {
    let desk = Desk::furnished();
    let before = desk.ok("journal");
    assert!(desk.ok("user set 101 --name Ann").contains("is unchanged"));
    assert!(desk.ok("device set desk1 --dial PJSIP/desk1").contains("is unchanged"));
    assert_eq!(desk.ok("journal"), before);
}

#[test]
fn extensions_keep_their_leading_zeros() {
    let desk = Desk::new();
    desk.ok("user add 001");
    assert!(desk.fails("user show 1").contains("there is no user 1\n"));
    assert_eq!(desk.json("user list --json")[0]["extension"], "001");
}

#[test]
fn an_emergency_number_cannot_be_an_extension() {
    let desk = Desk::new();
    assert!(desk.fails("user add 112").contains("112 is an emergency number"));
    assert_eq!(desk.json("user list --json"), json!([]));
}

#[test]
fn a_user_whom_calls_cannot_reach_is_reported() {
    let (done, note) = Desk::new().noted("user add 2001");
    assert_eq!(done, "user 2001 added; to set a PIN: hotdesk user pin 2001\n");
    assert!(note.contains("no pattern of [dialplan] users matches 2001"), "{note}");
}

#[test]
fn a_new_device_takes_a_switch_of_the_configuration_and_a_dial_target() {
    let desk = Desk::new();
    assert!(desk.fails("device add desk1").contains("--switch pbx --dial PJSIP/desk1"));
    assert!(desk.fails("device add desk1 --switch pbx").contains("--dial"));
    let nope = desk.fails("device add desk1 --switch nope --dial PJSIP/desk1 --no-hotdesk");
    assert!(nope.contains("no [[switch]] named nope in the configuration; there is pbx"), "{nope}");
    desk.configure(
        "[[switch]]\n[[switch]]\nname = \"b\"\ntenants = [\"acme\"]\nagi_listen = \"127.0.0.1:4574\"\n",
    );
    let other = desk.fails("device add desk1 --switch b --dial PJSIP/desk1 --no-hotdesk");
    assert!(other.contains("does not serve the tenant default"), "{other}");
    assert_eq!(desk.json("device list --json"), json!([]));
}

#[test]
fn hotdesking_without_a_location_is_refused_or_forced_and_journalled() {
    let desk = Desk::new();
    let refused = desk.fails("device add desk1 --switch pbx --dial PJSIP/desk1");
    assert!(
        refused.contains("needs a location with an emergency caller ID: give its location (--location"),
        "{refused}"
    );
    let unknown = desk.fails("device add desk1 --switch pbx --dial PJSIP/desk1 --location ams");
    assert!(unknown.contains("no location ams: add it first: hotdesk location add ams"), "{unknown}");
    desk.ok("location add ams");
    let refused = desk.fails("device add desk1 --switch pbx --dial PJSIP/desk1 --location ams");
    assert!(refused.contains("(hotdesk location set ams --emergency-caller-id NUM)"), "{refused}");
    desk.ok("device add lift --switch pbx --dial PJSIP/lift --no-hotdesk");
    desk.fails("device set lift --hotdesk");
    assert!(!desk.ok("journal").contains("without an emergency caller ID"));
    desk.ok("device set lift --hotdesk --force");
    assert!(
        desk.ok("journal")
            .contains("device lift is for hotdesking without an emergency caller ID, by tester")
    );
    desk.ok("location set ams --emergency-caller-id 0201");
    desk.ok("device set lift --location ams");
    assert_eq!(desk.json("device show lift --json")["emergency_caller_id"], "0201");
}

#[test]
fn a_location_keeps_settings_that_are_not_given() {
    let desk = Desk::furnished();
    let said = desk
        .run_with(&["location", "set", "ams", "--address", "Damrak 1, Amsterdam", "--language", "nl"], "");
    assert_eq!((said.code, said.out.as_str()), (0, "location ams changed\n"), "{said:?}");
    let ams = json!({
        "location": "ams", "zone": "Europe/Amsterdam", "language": "nl", "emergency_caller_id": "0201",
        "emergency_numbers": [], "address": "Damrak 1, Amsterdam", "auto_logout": {}, "devices": ["desk1", "desk2"]
    });
    assert_eq!(desk.json("location show ams --json"), ams);
    assert_eq!(desk.json("location list --json"), json!([ams]));
    assert!(desk.ok("location set ams --zone Europe/Amsterdam").contains("is unchanged"));
    let number = desk.fails("location set ams --emergency-numbers 112,110");
    assert!(number.contains("110 is not in [emergency] numbers"), "{number}");
    desk.ok("location set ams --emergency-numbers 112");
    assert_eq!(desk.json("location show ams --json")["emergency_numbers"], json!(["112"]));
    let zone = desk.run("location set ams --zone Amsterdam");
    assert!(zone.code == 2 && zone.err.contains("is not a time zone"), "{zone:?}");
}

#[test]
fn a_location_with_devices_keeps_its_emergency_caller_id_and_is_not_removed() {
    let desk = Desk::furnished();
    let refused = desk.fails("location remove ams");
    assert!(refused.contains("cannot remove location ams: "), "{refused}");
    let bare = |force: &[&str]| {
        let args = [&["location", "set", "ams", "--emergency-caller-id", ""], force].concat();
        desk.run_with(&args, "")
    };
    let refused = bare(&[]);
    assert!(
        refused.code == 1
            && refused
                .err
                .contains("2 hotdesking devices at ams need its emergency caller ID, for example desk1"),
        "{refused:?}"
    );
    assert_eq!(bare(&["--force"]).code, 0);
    assert!(
        desk.ok("journal")
            .contains("device desk2 is for hotdesking without an emergency caller ID, by tester")
    );
    desk.ok("device remove desk1");
    let said = desk.run_with(&["device", "set", "desk2", "--location", "", "--force"], "");
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(desk.ok("location remove ams"), "location ams removed\n");
    assert!(desk.fails("location show ams").contains("there is no location ams"));
    assert!(desk.fails("location remove ams").contains("there is no location ams"));
}

#[test]
fn a_device_keeps_settings_that_are_not_given() {
    let desk = Desk::furnished();
    desk.ok("device set desk1 --owner 101 --allow-from 192.0.2.0/24 --allow-from 2001:db8::7");
    desk.ok("device set desk1 --dial PJSIP/desk1&PJSIP/soft1");
    assert_eq!(
        desk.json("device show desk1 --json"),
        json!({
            "device": "desk1", "switch": "pbx", "dial": "PJSIP/desk1&PJSIP/soft1", "hotdesk": true,
            "location": "ams", "emergency_caller_id": "0201", "owner": "101", "allow_from": ["192.0.2.0/24", "2001:db8::7/128"],
            "may_dial": [], "class": null, "auto_logout": {}, "user": null, "kind": "desk"
        })
    );
    desk.ok("device set desk1 --allow-from any");
    assert_eq!(desk.json("device show desk1 --json")["allow_from"], json!([]));
    assert!(desk.fails("device set desk1 --owner 999").contains("there is no user 999"));
}

#[test]
fn short_lists_and_destinations_are_kept_until_removed() {
    let desk = Desk::furnished();
    desk.ok("device set desk1 --may-dial 100,+31201 --class first-aid");
    let shown = desk.json("device show desk1 --json");
    assert_eq!((&shown["may_dial"], &shown["class"]), (&json!(["100", "+31201"]), &json!("first-aid")));
    desk.ok("device set desk1 --dial PJSIP/other");
    assert_eq!(desk.json("device show desk1 --json")["may_dial"], json!(["100", "+31201"]));
    let said = desk.run_with(&["device", "set", "desk1", "--may-dial", "", "--class", ""], "");
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(desk.json("device show desk1 --json")["may_dial"], json!([]));
    let many = desk.run("device set desk1 --may-dial 1,2,3,4,5,6,7,8,9,10,11");
    assert!(many.code == 2 && many.err.contains("at most 10 numbers"), "{many:?}");

    let away = || desk.json("user show 101 --json")["when_logged_out"].clone();
    for to in ["busy", "0612345678", "voicemail"] {
        desk.ok(&format!("user set 101 --when-logged-out {to}"));
        desk.ok("user set 101 --language nl");
        desk.ok("user set 101 --language de");
        assert_eq!(away(), to);
    }
    assert!(desk.fails("user set 101 --when-logged-out 101").contains("is the extension of this user"));
    assert!(desk.fails("user set 101 --when-logged-out 112").contains("an emergency number"));
    assert_eq!(desk.run("user set 101 --when-logged-out home").code, 2);
}

#[test]
fn unknown_users_and_devices_cannot_be_shown_or_removed() {
    let desk = Desk::new();
    for args in ["user show 101", "user remove 101", "user pin 101 --generate"] {
        assert!(desk.fails(args).contains("there is no user 101"), "{args}");
    }
    for args in ["device show desk1", "device remove desk1"] {
        assert!(desk.fails(args).contains("there is no device desk1"), "{args}");
    }
}

#[test]
fn lists_are_aligned_and_sorted() {
    let desk = Desk::furnished();
    desk.ok("user add 001 --name Zoe --class from-internal");
    assert_eq!(
        desk.ok("user list"),
        "USER  NAME  CALLER ID  HOTDESK  CLASS          DEVICE\n\
         001   Zoe   001        yes      from-internal  -\n\
         101   Ann   101        yes      -              -\n\
         102   Bob   102        yes      -              -\n"
    );
}

#[test]
fn adding_and_changing_are_two_commands_and_a_slip_finds_the_name() {
    let desk = Desk::furnished();
    let before = desk.ok("journal");
    for (args, says) in [
        (
            "user set 103 --name X",
            "there is no user 103. Did you mean 101? To add it: hotdesk user add 103\n",
        ),
        ("user set 999 --name X", "there is no user 999. To add it: hotdesk user add 999\n"),
        ("user add 101 --name X", "there is a user 101 already. To change it: hotdesk user set 101\n"),
        (
            "device set dsek1 --no-hotdesk",
            "there is no device dsek1. Did you mean desk1? To add it: hotdesk device add dsek1\n",
        ),
        (
            "device add desk1 --switch pbx --dial PJSIP/x",
            "there is a device desk1 already. To change it: hotdesk device set desk1\n",
        ),
        (
            "location set asm --language nl",
            "there is no location asm. Did you mean ams? To add it: hotdesk location add asm\n",
        ),
        ("location add ams", "there is a location ams already. To change it: hotdesk location set ams\n"),
        ("user show 110", "there is no user 110. Did you mean 101?\n"),
        ("user remove 103", "there is no user 103. Did you mean 101?\n"),
        ("login 110 desk1", "there is no user 110. Did you mean 101?\n"),
        ("login 101 desk3", "there is no device desk3. Did you mean desk1?\n"),
        ("location show am", "there is no location am. Did you mean ams?\n"),
    ] {
        assert_eq!(desk.fails(args), format!("hotdesk: {says}"), "{args}");
    }
    assert_eq!(desk.ok("journal"), before);
}
