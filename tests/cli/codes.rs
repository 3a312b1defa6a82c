use serde_json::json;

use crate::harness::dialled::{CODES, REFUSED};

use super::Desk;

#[test]
fn codes_are_listed_and_a_string_is_explained_without_its_pin() {
    let desk = Desk::bare();
    desk.configure("[[switch]]\nname = \"pbx\"\n");
    let listed = desk.ok("codes");
    assert!(listed.starts_with("CODE             ACTION"), "{listed}");
    assert!(
        listed.contains("*35*{ext}*{pin}  Log out user {ext} if logged in here, else log in"),
        "{listed}"
    );
    assert_eq!(
        desk.json("codes --json")[2],
        json!({"code": "*35*{ext}*{pin}", "action": "toggle", "pin": "dialled", "source": "preset simmpl"})
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
    assert!(desk.ok("codes explain *35*1011*1234").contains("begins like the code *35"));
    assert!(desk.ok("codes explain *99").contains("any other number"));
    for (dialled, _) in CODES {
        let said = desk.run_with(&["codes", "explain", &dialled.replace("%20", " ")], "");
        assert!(
            said.out.contains("is read as  *35") && !said.out.contains("80246197"),
            "{dialled}: {said:?}"
        );
    }
    for dialled in REFUSED {
        assert!(desk.run_with(&["codes", "explain", dialled], "").out.contains("refuses it"), "{dialled}");
    }
    assert!(!desk.path("hotdesk.db").exists(), "no store is needed");
}

#[test]
fn a_number_that_is_no_code_is_explained_as_what_it_is() {
    let desk = Desk::bare();
    desk.configure(
        "[emergency]\nnumbers = [\"112\"]\n[[switch]]\nname = \"pbx\"\ntenants = [\"default\", \"acme\"]\n\
         [[tenant]]\nname = \"acme\"\nemergency.numbers = [\"110\"]\n",
    );
    let kind = |args: &str| desk.json(&format!("codes explain {args} --json"))["kind"].clone();
    for (args, is) in [
        ("112", "emergency"),
        ("+112", "emergency"),
        ("1-1-2", "emergency"),
        ("110", "no-user"),
        ("110 --tenant acme", "emergency"),
        ("112 --tenant acme", "no-user"),
        ("101", "no-user"),
        ("0205550100", "number"),
        ("*35*101*1234", "code"),
        ("*35*1234", "mistyped"),
        ("abc", "refused"),
    ] {
        assert_eq!(kind(args), is, "{args}");
    }
    assert!(!desk.path("hotdesk.db").exists(), "no store is needed");
    let told = desk.ok("codes explain 112");
    assert!(
        told.starts_with(
            "112 is an emergency number, and never a code. The call goes to the context emergency"
        ),
        "{told}"
    );
    assert!(desk.ok("codes explain 101").contains("no user has it: the caller hears that it is invalid"));
    desk.ok("user add 101 --name Ann");
    assert_eq!(desk.ok("codes explain 101"), "not a code. 101 is the extension of a user, Ann\n");
    assert_eq!((kind("101"), kind("102")), (json!("user"), json!("no-user")));
    let outside = desk.ok("codes explain 0205550100");
    assert!(outside.contains("class of service of the user") && !outside.contains("0205550100"), "{outside}");
    // A store that cannot be read says nothing about users.
    desk.configure("[store]\nurl = \"redis://127.0.0.1:1/0\"\n[[switch]]\nname = \"pbx\"\n");
    let (told, note) = desk.noted("codes explain 101");
    assert!(told.contains("It may be the extension of a user") && note.contains("unknown whether"), "{told}");
}

#[test]
fn each_tenant_has_its_own_codes_in_the_list_and_in_the_dialplan() {
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
    assert!(desk.fails("codes --tenant other").contains("the tenant other is on no [[switch]]"));

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
fn conflicting_codes_are_refused_with_both_codes_and_a_string_that_shows_it() {
    let desk = Desk::bare();
    desk.configure("[codes]\npresets = [\"simmpl\"]\ncustom = [{ dial = \"*35*1{ext}\", action = \"login\" }]\n[dialplan]\nusers = [\"XX\", \"XXX\"]\n[[switch]]\n");
    for command in ["check", "codes", "serve", "dialplan asterisk"] {
        let said = desk.run(command);
        assert_eq!(said.code, 64, "{said:?}");
        let both =
            "*35*100 would be read as *35*{ext} (toggle, preset simmpl) and as *35*1{ext} (login, custom)";
        assert!(said.err.contains(both), "{}", said.err);
    }
}
