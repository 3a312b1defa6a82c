//! What is only shown or logged of a call: its id, the channel's name, the phone's display name and program. Whatever it
//! is, the code works, and the journal and the log have it on one line.

use std::fs;

use crate::company::{Company, dial, registered};
use crate::harness::company::one_touch;
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::phone::Labels;

on_each! {
    a_code_works_whatever_the_labels_of_its_call_are
}

/// What a site names its switch (`systemname`, of which Asterisk keeps 19 bytes; it begins each unique id), what a phone
/// may put into its `Call-ID` (RFC 3261, section 25.1; FreeSWITCH can take it for the call's id), and display names.
const LABELS: [(&str, &str, &str); 6] = [
    ("pbx", "@10.0.0.1:5060", "Alice"),
    ("Office 1 (A/B)", "-.!%*_+`'~()<>:\\\"/[]?{}@h", " !\"#$%&'()*+,-./0123456789:;<=>?@"),
    ("Büro 'q' \"x\" |&,@", "''''@h", "ABCXYZ[\\]^_`abcxyz{|}~"),
    ("שלום \\ ${EXTEN}", "\\@h", "${EXTEN} $[1+1] ${system(x)} %41%0A"),
    ("e\u{301}👩\u{200D}💻", "'\\'@h", "שלום\u{202e} e\u{301} 👩\u{200D}💻"),
    ("\u{fffd}%41 %%", "x@[2001:db8::1]", "\u{E0E9}\u{E0FF} x\u{E0E9}y"),
];

fn a_code_works_whatever_the_labels_of_its_call_are(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let desk1 = company.phone("desk1");
    if let Company::FreeSwitch(company) = &company {
        let path = company.pbx.path("conf/freeswitch.xml");
        let anchor = "<param name=\"auth-calls\"";
        let own = "<param name=\"inbound-use-callid-as-uuid\" value=\"true\"/>\n";
        let xml = fs::read_to_string(&path).unwrap().replace(anchor, &format!("{own}{anchor}"));
        fs::write(path, xml).unwrap();
    }
    let whole = "x".repeat(500);
    let long = (whole.as_str(), whole.as_str(), whole.as_str());
    for (at, (system, call_id, name)) in LABELS.into_iter().chain([long]).enumerate() {
        if let Company::Asterisk(company) = &company {
            let path = company.pbx.path("etc/asterisk.conf");
            let conf = fs::read_to_string(&path).unwrap();
            let conf: String = conf
                .lines()
                .filter(|line| !line.starts_with("systemname"))
                .fold(String::new(), |conf, line| conf + line + "\n");
            fs::write(path, format!("{conf}systemname={system}\n")).unwrap();
        }
        if at == 0 || matches!(company, Company::Asterisk(_)) {
            company.restart_switch();
            registered(&desk1);
        }
        let mark = company.hotdesk().log().len();
        for expected in [&["101@desk1"][..], &[]] {
            let labels = Labels { call_id, name, agent: name };
            desk1.dial_with(&labels, &one_touch("101")).unwrap();
            let heard = desk1.wait_ended().unwrap().heard;
            assert_eq!(company.sessions(), expected, "{system:?} {call_id:?} {name:?}: {heard:?}");
        }
        let log = company.hotdesk().log().split_off(mark);
        for event in ["login.done", "logout.done"] {
            let lines = log.lines().filter(|line| line.contains(event));
            assert_eq!(lines.clone().count(), 1, "{log}");
            assert!(
                lines.clone().all(|line| line.contains("call=") && line.contains("device=desk1")),
                "{log}"
            );
        }
        let id = match company {
            Company::Asterisk(_) => system.get(..14),
            Company::FreeSwitch(_) => call_id.get(..14),
        };
        let journal = company.run(&["journal", "--json"]);
        let calls: Vec<serde_json::Value> =
            journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let named = calls.iter().filter(|entry| {
            entry["call"].as_str().is_some_and(|call| id.is_some_and(|id| call.contains(id)))
        });
        assert!(id.is_none() || named.count() >= 2, "{id:?} in {journal}");
    }
    dial(&desk1, "*35", &["101", "729154"]);
    assert_eq!(company.sessions(), ["101@desk1"]);
}
