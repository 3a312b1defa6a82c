//! A user's name with every printable character, imported from CSV, is shown by both ends of a call as it was given; on a
//! FreeSWITCH as docs/freeswitch.md says.

use std::cell::RefCell;
use std::fs;
use std::time::Duration;

use crate::company::Company;
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::phone::Phone;
use crate::harness::wait;

on_each! {
    both_ends_of_a_call_show_a_name_as_it_was_given
}

/// All printable characters of ASCII; those that mean something to a switch, a protocol, a dialplan or CSV at the
/// beginning, at the end and in pairs; and other scripts.
const NAMES: [&str; 22] = [
    "a !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLM z",
    "NOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
    "\"Ann\"",
    "'Ann' 'B'",
    "\\Ann\\",
    ";Ann;",
    ",Ann,",
    "|Ann|B|",
    "&Ann&",
    "%41nn%",
    "${EXTEN} $[1+1] ${system(id)}",
    "<sip:102@h>",
    "@{#}^~=!",
    "Ann  B",
    "=1+1",
    "NULL",
    "Zoë O\u{2019}Neill",
    "שלום עולם",
    "\u{202B}مرحبا\u{202C} Ann",
    "e\u{301} 👩\u{200D}💻",
    "ｆｕｌｌ　＄",
    "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",
];

/// What a FreeSWITCH shows instead: full-width forms and curly quotation marks.
fn wide(name: &str) -> String {
    let wide = |c: char| match c {
        '\'' => '\u{2019}',
        '"' => '\u{201D}',
        '!' | '#' | '$' | '%' | '*' | '/' | ':' | ';' | '<' | '=' | '>' | '?' | '@' | '[' | '\\' | ']'
        | '^' | '`' | '{' | '|' | '}' | '~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
        c => c,
    };
    name.chars().map(wide).collect()
}

/// What an Asterisk shows: 255 bytes at the most.
fn cut(name: &str) -> String {
    let mut cut = name.to_owned();
    while cut.len() > 255 {
        cut.pop();
    }
    cut
}

/// Calls until the name is shown: the switch follows a change of the store a little later. The last other name, if it is not.
fn not_shown(
    from: &Phone,
    number: &str,
    at: &Phone,
    name: &str,
    shows: impl Fn() -> String,
) -> Option<String> {
    let seen = RefCell::new(String::new());
    let shown = || {
        from.dial(number).unwrap();
        at.wait_ringing().unwrap();
        *seen.borrow_mut() = shows();
        from.hang_up().unwrap();
        at.wait_ended().unwrap();
        Ok((*seen.borrow() == name).then_some(()))
    };
    let found = wait::find(Duration::from_secs(10), shown, String::new);
    found.is_err().then(|| format!("{name:?} of {}: {:?}", at.name(), seen.borrow()))
}

fn both_ends_of_a_call_show_a_name_as_it_was_given(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2] = ["desk1", "desk2"].map(|name| company.phone(name));
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "102");
    let sheet = company.hotdesk().path("names.csv");
    let mut others = vec![];
    for name in NAMES {
        let mut csv = csv::Writer::from_path(&sheet).unwrap();
        csv.write_record(["extension", "name"]).unwrap();
        csv.write_record(["101", name]).unwrap();
        csv.flush().unwrap();
        company.run(&["import", sheet.to_str().unwrap()]);
        let user: serde_json::Value =
            serde_json::from_str(&company.run(&["user", "show", "101", "--json"])).unwrap();
        assert_eq!(user["name"], name);
        let expected = if matches!(company, Company::FreeSwitch(_)) { wide(name) } else { cut(name) };
        // 101 calls, and is called.
        others.extend(not_shown(&desk1, "102", &desk2, &expected, || {
            let asserted = desk2.last_invite().unwrap().asserted();
            let from = crate::harness::phone::Identity::parse(desk2.last_invite().unwrap().header("From"));
            assert!(asserted.is_none_or(|asserted| asserted.name == from.name), "{from:?}");
            from.name
        }));
        others.extend(not_shown(&desk2, "101", &desk1, &expected, || desk2.wait_connected().unwrap().name));
    }
    assert!(others.is_empty(), "{others:#?}");
    let journal = company.run(&["journal", "--json"]);
    for line in journal.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let check = company.hotdesk().output(&["check", "--json"], "").unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    let table =
        findings.as_array().unwrap().iter().filter(|it| it["check"].as_str().unwrap().contains("table"));
    assert!(table.clone().count() > 0 && table.clone().all(|it| it["ok"] == true), "{findings}");
    let _ = fs::remove_file(sheet);
}
