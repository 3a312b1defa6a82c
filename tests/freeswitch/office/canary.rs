//! A PIN is nowhere: not in a file of ours, not in the journal, not in a CDR.

use std::fs;
use std::path::Path;

use super::{SOON, company};

/// Digits that occur nowhere by chance.
const CANARY: &str = "8642097531";
/// Another, which is nobody's PIN.
const WRONG: &str = "9753108642";

#[test]
fn a_pin_entered_in_every_way_is_nowhere() {
    let Some(company) = company() else { return };
    company.hotdesk.run_with(&["user", "pin", "101"], &format!("{CANARY}\n")).unwrap();
    let desk1 = company.pbx.phone("desk1").unwrap();

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
            // What asks on is left.
            std::thread::sleep(std::time::Duration::from_millis(700));
            if desk1.in_call() {
                let _ = desk1.hang_up();
            }
        }
    }
    company.agreed(SOON).unwrap();
    let refused = company.hotdesk.run(&["journal", "--json"]).unwrap();
    assert!(
        refused.contains("pin-wrong") && refused.contains("\"seated\""),
        "it was entered indeed:\n{refused}"
    );

    for secret in [CANARY, WRONG] {
        clean("the journal", refused.as_bytes(), secret);
        let cdrs = company.pbx.cdrs();
        assert!(cdrs.lines().count() > 10, "there are CDRs: {cdrs}");
        clean("the CDRs", cdrs.as_bytes(), secret);
        files(company.hotdesk.folder(), &mut |file, bytes| clean(&file.display().to_string(), bytes, secret));
        for folder in ["db", "log/cdr-csv", "storage", "recordings"] {
            files(&company.pbx.path(folder), &mut |file, bytes| {
                clean(&file.display().to_string(), bytes, secret)
            });
        }
        // What was dialled along with the code is in FreeSWITCH's log at INFO before a dialplan can do anything about
        // it; what was keyed in is nowhere.
        let log = company.pbx.log();
        let keyed: Vec<&str> =
            log.lines().filter(|line| line.contains(secret) && !line.contains("*35*")).collect();
        assert!(keyed.is_empty(), "the log at INFO: {keyed:#?}");
    }
}

fn clean(place: &str, bytes: &[u8], secret: &str) {
    let found = bytes.windows(secret.len()).position(|window| window == secret.as_bytes());
    if let Some(at) = found {
        let around = &bytes[at.saturating_sub(200)..(at + 200).min(bytes.len())];
        panic!("{place} holds a PIN:\n{}", String::from_utf8_lossy(around));
    }
}

/// Every file below `folder`.
fn files(folder: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, look);
        } else if path.is_file() {
            look(&path, &fs::read(&path).unwrap());
        }
    }
}
