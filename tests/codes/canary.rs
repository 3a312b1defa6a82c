//! A PIN that is entered by any code is in no file afterwards.

use super::{AVAYA, Company, TOGETHER, dial, dial_and_leave, on_each};
use crate::each_switch::pin_secrecy::{clean, files};
use crate::harness::debian::Version;

/// Digits that occur nowhere by chance.
const CANARY: &str = "8642097531";
/// Another, which is the PIN of no user.
const WRONG: &str = "9753108642";
/// What a user chooses by phone.
const CHOSEN: &str = "6420975318";

on_each! {
    a_pin_entered_by_any_code_is_stored_nowhere
}

fn a_pin_entered_by_any_code_is_stored_nowhere(version: Option<Version>) {
    let Some(mut company) = Company::open(version, TOGETHER) else { return };
    company.hotdesk().run_with(&["user", "pin", "101"], &format!("{CANARY}\n")).unwrap();
    let desk1 = company.phone("desk1");
    for secret in [CANARY, WRONG] {
        for (code, entries) in [
            (format!("*35*101*{secret}"), &[][..]),
            ("*35*101".into(), &[secret]),
            ("*35".into(), &["101", secret]),
            ("*77*101*".into(), &[secret]),
            ("*11".into(), &["101", secret]),
            ("*11101".into(), &[secret]),
            ("*13".into(), &["101", secret]),
            ("*350".into(), &["101", secret]),
            // At the wrong question, and in codes that take no PIN.
            ("*11".into(), &[secret, secret]),
            ("*350".into(), &[secret, secret]),
            (format!("*77*101*{secret}"), &[]),
            (format!("*35*101*{secret}*"), &[]),
            (format!("*35*{secret}"), &[]),
        ] {
            dial_and_leave(&desk1, &code, entries);
            dial_and_leave(&desk1, "*12", &[]);
        }
    }
    dial(&desk1, "*3500", &["101", CANARY, CHOSEN, CHOSEN]);
    company.reload(AVAYA);
    for secret in [CANARY, CHOSEN] {
        for end in ["#", "##", "", "*#"] {
            dial_and_leave(&desk1, &format!("*35*101*{secret}{end}"), &[]);
        }
    }
    assert_eq!(company.sessions(), ["101@desk1"], "the chosen PIN is the one of user 101");

    let journal = company.hotdesk().run(&["journal", "--json"]).unwrap();
    assert!(["pin-wrong", "\"begun\"", "pin_changed"].iter().all(|it| journal.contains(it)), "{journal}");
    for (form, cdrs) in company.cdrs_by_form() {
        for code in ["*35", "*77", "*11", "*350", "*3500"] {
            assert_eq!(
                cdrs.contains(&format!("\"{code}\"")),
                company.records_codes(),
                "{code} as {form}: {cdrs}"
            );
        }
    }
    let own = company.hotdesk().folder().to_owned();
    let folders = match &company {
        Company::Asterisk(_) => &["db", "log/cdr-csv"][..],
        Company::FreeSwitch(_) => &["db", "log/cdr-csv", "storage", "recordings"],
    };
    for secret in [CANARY, WRONG, CHOSEN] {
        clean("the journal", journal.as_bytes(), secret);
        for folder in folders.iter().map(|folder| company.path(folder)).chain([own.clone()]) {
            files(&folder, &mut |file, bytes| clean(&file.display().to_string(), bytes, secret));
        }
    }
}
