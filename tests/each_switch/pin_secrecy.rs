//! No PIN is in a file of hotdesk, in the journal, in an event that hotdesk's rights show, or in a CDR.

use std::fs;
use std::path::Path;

use crate::company::Company;
use crate::harness::ami::{Ami, Message};
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::hotdesk::SECRET;

/// Digits that occur nowhere by chance.
const CANARY: &str = "8642097531";
/// Another, which is the PIN of no user.
const WRONG: &str = "9753108642";

on_each! {
    no_file_or_event_holds_a_pin
}

fn no_file_or_event_holds_a_pin(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    company.hotdesk().run_with(&["user", "pin", "101"], &format!("{CANARY}\n")).unwrap();
    company.record_all();
    let desk1 = company.phone("desk1");
    let records = match &company {
        Company::Asterisk(company) => Some(company.pbx.ami().unwrap()),
        Company::FreeSwitch(_) => None,
    };
    // On Asterisk, a second connection with the rights of hotdesk reads all events.
    let events = match &company {
        Company::Asterisk(company) => Some(Ami::login(company.pbx.ami_address(), "hotdesk", SECRET).unwrap()),
        Company::FreeSwitch(_) => None,
    };

    for secret in [CANARY, WRONG] {
        let entry = format!("{secret}#");
        for (code, entries) in [
            (format!("*35*101*{secret}"), &[][..]),
            ("*35".into(), &[]),
            (format!("*35*101*{secret}#"), &[]),
            ("*35*101".into(), &[]),
            ("*35*101".into(), &[entry.as_str()]),
            ("*35*101".into(), &[]),
            ("*35".into(), &["101#", &entry]),
            ("*35".into(), &[]),
            // At the wrong question, too long, and as a code that is none.
            ("*35".into(), &[entry.as_str(), &entry]),
            (format!("*35*{secret}*{secret}"), &[]),
            (format!("*35*101*{secret}*"), &[]),
            (format!("*35*101*{secret}{secret}"), &[]),
        ] {
            desk1.dial(&code).unwrap();
            for entry in entries {
                desk1.wait_audio().unwrap();
                desk1.press(entry);
                desk1.wait_silence().unwrap();
            }
            // The caller hangs up if the switch asks again within this time.
            std::thread::sleep(std::time::Duration::from_millis(700));
            if desk1.in_call() {
                let _ = desk1.hang_up();
            }
        }
    }
    company.sessions();
    let journal = company.run(&["journal", "--json"]);
    assert!(
        journal.contains("pin-wrong") && journal.contains("\"begun\""),
        "the PINs were entered indeed:\n{journal}"
    );

    let cdrs = company.cdrs_by_form();
    for (form, records) in &cdrs {
        let codes = records.matches("*35").count();
        let as_expected = if company.records_codes() { codes > 10 } else { codes == 0 };
        assert!(as_expected, "{codes} codes in the CDRs as {form}: {records}");
    }

    if let Some(records) = &records {
        assert_eq!(cdrs.len(), 2);
        let cel = fs::read_to_string(company.path("log/cel-custom/Master.csv")).unwrap();
        // The switch writes its first event before a dialplan can prevent it. Without it CEL has no PIN.
        let (begun, rest): (Vec<&str>, Vec<&str>) =
            cel.lines().partition(|line| line.starts_with("\"CHAN_START\""));
        assert!(begun.iter().any(|line| line.contains(CANARY)), "the PINs were dialled: {cel}");
        assert!(rest.iter().any(|line| line.contains("\"*35\"")), "{cel}");
        let messages = records.messages();
        let of_modules = |it: &&Message| it.is("Cdr") || it.is("CEL") && it.get("EventName") != "CHAN_START";
        let told: Vec<&Message> = messages.iter().filter(of_modules).collect();
        assert!(["Cdr", "CEL"].iter().all(|event| told.iter().any(|it| it.is(event))), "{told:?}");
        for secret in [CANARY, WRONG] {
            clean("CEL in a file", rest.join("\n").as_bytes(), secret);
            clean("a CDR or CEL by AMI", format!("{told:?}").as_bytes(), secret);
        }
    }
    let folder = company.hotdesk().folder().to_owned();
    let folders = match &company {
        Company::Asterisk(_) => &["db"][..],
        Company::FreeSwitch(_) => &["db", "log/cdr-csv", "storage", "recordings"],
    };
    for secret in [CANARY, WRONG] {
        clean("the journal", journal.as_bytes(), secret);
        if let Some(events) = &events {
            clean("an event of AMI", format!("{:?}", events.messages()).as_bytes(), secret);
        }
        for (form, records) in &cdrs {
            clean(&format!("the CDRs as {form}"), records.as_bytes(), secret);
        }
        for folder in folders.iter().map(|folder| company.path(folder)).chain([folder.clone()]) {
            files(&folder, &mut |file, bytes| clean(&file.display().to_string(), bytes, secret));
        }
        if let Company::FreeSwitch(company) = &company {
            // FreeSWITCH logs a dialled code at INFO before a dialplan can prevent it. Entered digits are in no line.
            let log = company.pbx.log();
            let keyed: Vec<&str> =
                log.lines().filter(|line| line.contains(secret) && !line.contains("*35*")).collect();
            assert!(keyed.is_empty(), "the log at INFO: {keyed:#?}");
        }
    }
}

/// Checks that `bytes` do not hold the PIN.
pub fn clean(place: &str, bytes: &[u8], secret: &str) {
    let found = bytes.windows(secret.len()).position(|window| window == secret.as_bytes());
    if let Some(at) = found {
        let around = &bytes[at.saturating_sub(200)..(at + 200).min(bytes.len())];
        panic!("{place} holds a PIN:\n{}", String::from_utf8_lossy(around));
    }
}

/// Every file below `folder`.
pub fn files(folder: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, look);
        } else if path.is_file() {
            look(&path, &fs::read(&path).unwrap());
        }
    }
}
