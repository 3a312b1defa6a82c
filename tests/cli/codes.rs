use serde_json::json;

use super::Desk;

#[test]
fn codes_are_listed_and_a_string_is_explained_without_its_pin() {
    let desk = Desk::new();
    let listed = desk.ok("codes");
    assert!(listed.starts_with("DIALLED          DOES"), "{listed}");
    assert!(listed.contains("*35*{ext}*{pin}  logs out {ext} who sits here, else logs in {ext}"), "{listed}");
    assert_eq!(
        desk.json("codes --json")[2],
        json!({"dialled": "*35*{ext}*{pin}", "does": "toggle", "pin": "dialled", "from": "preset simmpl"})
    );
    let told = desk.ok("codes explain *35*101*1234");
    assert!(told.contains("*35*101*****\n") && told.contains("dialled along"), "{told}");
    for dialled in ["*35*101*1234", "*35*101*1234#", "*35*1011*1234", "*35*1234", "*99*1234", "1234"] {
        for json in ["", " --json"] {
            let told = desk.ok(&format!("codes explain {dialled}{json}"));
            assert!(!told.contains("1234"), "{told}");
        }
    }
    assert_eq!(desk.json("codes explain *35*101*1234 --json")["extension"], "101");
    assert!(desk.ok("codes explain *35*1011*1234").contains("begins like one with *35"));
    assert!(desk.ok("codes explain *99").contains("any other number"));
    assert!(!desk.path("hotdesk.db").exists(), "no store is needed");
}

#[test]
fn each_tenant_has_its_own_codes_in_its_list_and_in_its_switchs_dialplan() {
    let desk = Desk::bare();
    desk.configure(
        "[[switch]]\nname = \"pbx\"\ntenants = [\"default\", \"acme\"]\n\
         [[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\ntenants = [\"b.example\", \"c.example\"]\n\
         [[tenant]]\nname = \"acme\"\ncodes.presets = [\"3cx\"]\n\
         [[tenant]]\nname = \"b.example\"\ncodes.presets = [\"freepbx\"]\n",
    );
    assert!(desk.ok("codes").contains("*35*{ext}") && !desk.ok("codes").contains("*11"));
    let theirs = desk.ok("codes --tenant b.example");
    assert!(theirs.contains("*11{ext}") && !theirs.contains("*35"), "{theirs}");
    assert!(desk.fails("codes --tenant nobody").contains("tenant nobody"));

    let printed = desk.ok("dialplan asterisk");
    let part = |context: &str| {
        let (_, part) = printed.split_once(&format!("\n[{context}]\n")).unwrap();
        part.split("\n[").next().unwrap().to_owned()
    };
    let (ours, acme) = (part("hotdesk"), part("acme-hotdesk"));
    assert!(ours.contains("_*35*!") && !ours.contains("*77"), "{ours}");
    assert!(acme.contains("_*77*!") && acme.contains("Goto(acme-hotdesk-code,*77,1)"), "{acme}");
    assert!(!acme.contains("*35"), "{acme}");
    let printed = desk.ok("dialplan freeswitch");
    let of_b = "<condition field=\"${domain_name}\" expression=\"(?i)^(?:b\\.example)\\z\"/>\n      \
                <condition field=\"destination_number\" expression=\"^(\\*11\\d\\d\\d)#?\\z\">";
    assert!(printed.contains(of_b), "{printed}");
}

#[test]
fn codes_that_do_not_go_together_are_refused_with_both_and_the_digits_named() {
    let desk = Desk::bare();
    desk.configure("[codes]\npresets = [\"simmpl\"]\nown = [{ dial = \"*35*1{ext}\", does = \"login\" }]\n[dialplan]\nusers = [\"XX\", \"XXX\"]\n[[switch]]\n");
    for command in ["check", "codes", "serve", "dialplan asterisk"] {
        let said = desk.run(command);
        assert_eq!(said.code, 64, "{said:?}");
        let both =
            "*35*100 would be read as *35*{ext} (toggle, preset simmpl) and as *35*1{ext} (login, own)";
        assert!(said.err.contains(both), "{}", said.err);
    }
}
