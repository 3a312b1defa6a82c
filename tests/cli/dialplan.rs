use std::fs;

use hotdesk::desk::policy::Prompt;

use super::Desk;

#[test]
fn the_switchs_side_is_printed_for_what_is_configured() {
    let desk = Desk::bare();
    desk.configure(
        "[dialplan]\nusers = [\"2XX\", \"30[1-4]\"]\notherwise = \"reception\"\n\
         [emergency]\nnumbers = [\"999\"]\ncontext = \"help\"\n\
         [[switch]]\nagi_listen = \"0.0.0.0:4573\"\nagi_advertise = \"hotdesk:4573\"\n",
    );
    let printed = desk.ok("dialplan asterisk");
    for says in [
        "agi://hotdesk:4573/",
        "exten => _2XX,1,",
        "_30[1-4]",
        "reception",
        "exten => 999,1,",
        "Goto(hotdesk-emergency,999,1)",
        "Goto(help,${EXTEN},1)",
        "*35",
    ] {
        assert!(printed.contains(says), "{says}");
    }
    assert!(!printed.contains("127.0.0.1") && !printed.contains('@'), "{printed}");
    assert!(!desk.path("hotdesk.db").exists(), "the store is none of its business");
}

#[test]
fn out_writes_the_tree_again_and_again_but_leaves_the_managers_secret() {
    let desk = Desk::new();
    let said = desk.ok("dialplan asterisk --out site");
    assert_eq!(said.lines().count(), 2 + 3 * Prompt::ALL.len());
    assert_eq!(fs::read_to_string(desk.path("site/hotdesk.conf")).unwrap(), desk.ok("dialplan asterisk"));
    for language in ["en", "nl", "de"] {
        let wav =
            fs::read(desk.path("site/sounds").join(language).join("hotdesk/not-available.wav")).unwrap();
        assert!(wav.starts_with(b"RIFF"), "{language}");
    }
    fs::write(desk.path("site/hotdesk-manager.conf"), "secret = mine\n").unwrap();
    fs::write(desk.path("site/hotdesk.conf"), "old\n").unwrap();
    assert!(desk.ok("dialplan asterisk --out site").contains("hotdesk-manager.conf stays as it is\n"));
    assert_eq!(fs::read_to_string(desk.path("site/hotdesk-manager.conf")).unwrap(), "secret = mine\n");
    assert_ne!(fs::read_to_string(desk.path("site/hotdesk.conf")).unwrap(), "old\n");
}

#[test]
fn where_there_are_several_switches_one_is_named() {
    let desk = Desk::bare();
    desk.configure("[[switch]]\nname = \"a\"\n[[switch]]\nname = \"b\"\nami = \"b:5038\"\nagi_listen = \"127.0.0.1:4574\"\n");
    assert!(desk.fails("dialplan asterisk").contains("--switch: a or b"));
    assert!(desk.ok("dialplan asterisk --switch b").contains("agi://127.0.0.1:4574/"));
    assert!(desk.fails("dialplan asterisk --switch c").contains("no [[switch]] named c"));
}

#[test]
fn a_freeswitchs_side_is_a_tree_of_its_own() {
    let desk = Desk::bare();
    desk.configure(
        "[dialplan]\nusers = [\"2XX\", \"30[1-4]\"]\n[emergency]\nnumbers = [\"999\"]\ncontext = \"help\"\n\
         [[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\ntenants = [\"a.example\"]\n",
    );
    let printed = desk.ok("dialplan freeswitch");
    for says in [
        r"^(?:2\d\d|30[1-4])\z",
        r"^999#?\z",
        "999 XML hotdesk-emergency",
        "XML help",
        r"^(\*35)#?\z",
        "hotdesk-user-${domain_name}/",
    ] {
        assert!(printed.contains(says), "{says}");
    }
    let said = desk.ok("dialplan freeswitch --out site");
    assert_eq!(said.lines().count(), 5 + 3 * Prompt::ALL.len());
    assert_eq!(fs::read_to_string(desk.path("site/dialplan/hotdesk.xml")).unwrap(), printed);
    assert!(
        fs::read_to_string(desk.path("site/dialplan/default/00_hotdesk.xml"))
            .unwrap()
            .contains("hotdesk-user")
    );
    assert!(desk.path("site/sounds/hotdesk/nl/not-available.wav").exists());
    assert!(desk.fails("dialplan asterisk").contains("no [[switch]] of kind asterisk"));
    assert!(
        desk.fails("dialplan asterisk --switch fs").contains("switch fs is of kind freeswitch, not asterisk")
    );
}

#[test]
fn a_tenant_on_an_asterisk_has_emergency_numbers_of_its_own_and_on_a_freeswitch_shares_them() {
    let desk = Desk::bare();
    let tenants = "tenants = [\"a.example\", \"b.example\"]\n";
    let number = "[[tenant]]\nname = \"a.example\"\nemergency.numbers = [\"uk\"]\n";
    desk.configure(&format!("[[switch]]\n{tenants}{number}emergency.context = \"sos\"\n"));
    let printed = desk.ok("dialplan asterisk");
    let (a, b) = printed.split_once("[b.example-hotdesk]").unwrap();
    for (says, in_a, in_b) in [
        ("exten => 999,1,Goto(", true, false),
        ("exten => 112,1,Goto(", true, true),
        ("Goto(sos,", true, false),
        ("Goto(emergency,", false, true),
    ] {
        assert_eq!((a.contains(says), b.contains(says)), (in_a, in_b), "{says}");
    }
    desk.configure(&format!("[[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\n{tenants}{number}"));
    let printed = desk.ok("dialplan freeswitch");
    for number in ["112", "999"] {
        assert_eq!(printed.matches(&format!("\"hotdesk-emergency-{number}\"")).count(), 1, "{number}");
    }
    // So 999 is nobody's extension there, whose number it may be.
    let refused = desk.fails("--tenant b.example user set 999 --name X");
    assert!(refused.contains("999 is an emergency number"), "{refused}");
}
