use std::fs;
use std::os::unix::fs::PermissionsExt;

use hotdesk::model::login::prompt::Prompt;

use super::Desk;

#[test]
fn the_dialplan_is_printed_for_the_configuration() {
    let desk = Desk::bare();
    desk.configure(
        "[dialplan]\nusers = [\"2XX\", \"30[1-4]\"]\nfallback_context = \"reception\"\n\
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
    assert!(!printed.contains("127.0.0.1") && !printed.contains("{{"), "{printed}");
    // The first print makes the pepper. After that no store is needed.
    assert_eq!(super::mode(&desk.path("hotdesk.pepper")), 0o600);
    fs::remove_file(desk.path("hotdesk.db")).unwrap();
    assert_eq!(desk.ok("dialplan asterisk"), printed);
    assert!(!desk.path("hotdesk.db").exists(), "no store is needed");
}

#[test]
fn out_writes_all_files_again_but_keeps_the_manager_secret() {
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
    assert_eq!(super::mode(&desk.path("site/hotdesk.conf")), 0o640);
    fs::write(desk.path("site/hotdesk.conf"), "old\n").unwrap();
    fs::set_permissions(desk.path("site/hotdesk.conf"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(desk.ok("dialplan asterisk --out site").contains("hotdesk-manager.conf (kept)\n"));
    assert_eq!(fs::read_to_string(desk.path("site/hotdesk-manager.conf")).unwrap(), "secret = mine\n");
    assert_ne!(fs::read_to_string(desk.path("site/hotdesk.conf")).unwrap(), "old\n");
    assert_eq!(super::mode(&desk.path("site/hotdesk.conf")), 0o640, "also where the old one was open");
}

#[test]
fn one_of_several_switches_is_chosen_by_name() {
    let desk = Desk::bare();
    desk.configure("[[switch]]\nname = \"a\"\n[[switch]]\nname = \"b\"\nami = \"b:5038\"\nagi_listen = \"127.0.0.1:4574\"\n");
    assert!(desk.fails("dialplan asterisk").contains("--switch a or b"));
    assert!(desk.ok("dialplan asterisk --switch b").contains("agi://127.0.0.1:4574/"));
    assert!(desk.fails("dialplan asterisk --switch c").contains("no [[switch]] named c"));
}

#[test]
fn freeswitch_has_files_of_its_own() {
    let desk = Desk::bare();
    desk.configure(
        "[dialplan]\nusers = [\"2XX\", \"30[1-4]\"]\n[emergency]\nnumbers = [\"999\"]\ncontext = \"help\"\n\
         [[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\ntenants = [\"a.example\"]\n",
    );
    let printed = desk.ok("dialplan freeswitch");
    for says in [
        r"^(?:2\d\d|30[1-4])\z",
        r"^999#?\z",
        "999 XML hotdesk@emergency",
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
        desk.fails("dialplan asterisk --switch fs").contains("switch fs has kind freeswitch, not asterisk")
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
    // So no user there can have the extension 999.
    let refused = desk.fails("--tenant b.example user add 999 --name X");
    assert!(refused.contains("999 is an emergency number"), "{refused}");
}

#[test]
fn a_context_of_hotdesk_is_refused_where_a_context_of_the_site_belongs() {
    let desk = Desk::bare();
    let acme = "[[switch]]\ntenants = [\"acme\"]\n";
    let fs = "[[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\n";
    for (context, switch) in [
        ("emergency.context = \"hotdesk-emergency\"\n", "[[switch]]\n"),
        ("emergency.context = \"hotdesk\"\n", "[[switch]]\n"),
        ("emergency.context = \"Hotdesk@ring-next\"\n", fs),
        ("dialplan.fallback_context = \"acme-hotdesk-users\"\n", acme),
        ("dialplan.recording_context = \"hotdesk-answered\"\n", "[[switch]]\n"),
    ] {
        desk.configure(&format!("{context}{switch}"));
        for command in ["check", "dialplan asterisk", "serve"] {
            let said = desk.run(command);
            assert_eq!(said.code, 64, "{context}: {said:?}");
            assert!(said.err.contains("is a context of Hotdesk on switch"), "{context}: {}", said.err);
        }
    }
    desk.configure(&format!("emergency.context = \"hotdesk-emergency-out\"\n{acme}"));
    assert!(desk.ok("dialplan asterisk").contains("Goto(hotdesk-emergency-out,${EXTEN},1)\n"));
}

#[test]
fn a_fusionpbx_has_rows_for_its_database() {
    let desk = Desk::bare();
    let configure = |more: &str, keys: &str| {
        desk.configure(&format!("{more}[[switch]]\nkind = \"freeswitch\"\n{keys}"));
    };
    let domain = "emergency.context = \"${domain_name}\"\n";
    let tenants = "tenants = [\"pbx.example\"]\n";
    for (more, keys, refused) in [
        (domain, "", "set tenants = [\"DOMAIN\"] in [[switch]] pbx"),
        ("", tenants, "none named emergency: set context = \"${domain_name}\" in [emergency]"),
    ] {
        configure(more, keys);
        let said = desk.fails("dialplan fusionpbx");
        assert!(said.contains(refused), "{said}");
    }
    configure(domain, &format!("{tenants}outbound_listen = \"127.0.0.1:8084\"\n"));
    assert!(
        desk.fails("dialplan fusionpbx --rows").contains("outbound_listen of switch pbx needs hotdesk.xml")
    );
    configure(domain, &format!("{tenants}esl_user = \"hotdesk@pbx.example\"\n"));
    assert!(desk.run("dialplan fusionpbx").err.contains("esl_password_file"));
    fs::write(desk.path("esl.secret"), "it's secret\n").unwrap();
    fs::set_permissions(desk.path("esl.secret"), PermissionsExt::from_mode(0o600)).unwrap();
    let rows = desk.ok("dialplan fusionpbx");
    assert!(rows.contains("'esl-password', 'it''s secret', 'true'"), "{rows}");
    assert!(!rows.contains("'hotdesk@desk'"), "{rows}");
    let contexts = desk.ok("dialplan fusionpbx --rows");
    assert!(contexts.starts_with(rows.split("-- A call").next().unwrap()), "{contexts}");
    assert!(contexts.contains("'hotdesk@desk', 'hotdesk@desk', 'true', 1, 'true'"), "{contexts}");
    desk.ok("dialplan fusionpbx --out site");
    assert_eq!(fs::read_to_string(desk.path("site/fusionpbx.sql")).unwrap(), rows);
    let mode = fs::metadata(desk.path("site/fusionpbx.sql")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "it holds the password");
    assert!(desk.path("site/dialplan/hotdesk.xml").exists() && !desk.path("site/dialplan/default").exists());

    desk.configure("emergency.context = \"${domain_name}\"\n[[switch]]\n");
    assert!(desk.run("dialplan asterisk").err.contains("the Asterisk pbx has no ${domain_name}"));
}

/// The text from `token,hint,Custom:` on an Asterisk, and of the variable on a FreeSWITCH that brings calls.
fn token(printed: &str) -> Option<&str> {
    let after =
        ["token,hint,Custom:", "hotdesk_token="].into_iter().find_map(|name| printed.split_once(name))?;
    after.1.get(..32).filter(|token| token.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[test]
fn every_dialplan_of_an_installation_has_its_token_and_no_other_installation_has_it() {
    let [one, other] = [Desk::new(), Desk::new()].map(|desk| {
        let printed = desk.ok("dialplan asterisk");
        let outbound = "outbound_listen = \"127.0.0.1:8084\"\n";
        let fs =
            |keys: &str| desk.configure(&format!("[[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\n{keys}"));
        fs(outbound);
        let brought = desk.ok("dialplan freeswitch");
        assert_eq!(token(&printed), token(&brought));
        desk.ok("dialplan freeswitch --out tree");
        assert_eq!(super::mode(&desk.path("tree/dialplan/hotdesk.xml")), 0o640);
        // Calls that FreeSWITCH parks come over a connection that Hotdesk made itself.
        fs("");
        assert_eq!(token(&desk.ok("dialplan freeswitch")), None);
        token(&printed).expect("it has a token").to_owned()
    });
    assert_ne!(one, other);
}

#[test]
fn the_samples_have_no_token() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplan/");
    let asterisk = fs::read_to_string(format!("{samples}asterisk/hotdesk.conf")).unwrap();
    assert!(asterisk.contains("exten => token,hint,Custom:PRINT-YOUR-OWN\n") && token(&asterisk).is_none());
    assert!(
        !fs::read_to_string(format!("{samples}freeswitch/hotdesk.xml")).unwrap().contains("hotdesk_token")
    );
}
