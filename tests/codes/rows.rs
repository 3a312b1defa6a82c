//! Each code in the table of presets has its effect.

use std::time::Duration;

use super::{AVAYA, Company, TOGETHER, dial, on_each};
use crate::harness::company::{one_touch, pin};
use crate::harness::debian::Version;
use crate::harness::process::Signal;

on_each! {
    each_code_of_each_preset_has_its_effect
}

/// A prompt and an extension of three digits take longer than a prompt alone.
const SAYS_AN_EXTENSION: Duration = Duration::from_millis(1900);

fn each_code_of_each_preset_has_its_effect(version: Option<Version>) {
    let Some(mut company) = Company::open(version, TOGETHER) else { return };
    let (desk1, desk2) = (company.phone("desk1"), company.phone("desk2"));
    let (alice, bob) = (pin("101"), pin("102"));
    let one_touch = one_touch("101");
    let here: &[&str] = &["101@desk1"];
    let none: &[&str] = &[];
    for (code, entries, sessions) in [
        // simmpl
        ("*35", &["101", alice][..], here),
        ("*35", &[], none),
        ("*35*101", &[alice], here),
        ("*35*101", &[], none),
        (&one_touch, &[], here),
        (&one_touch, &[], none),
        // 3cx, also with a session
        ("*77*102*", &[bob], &["102@desk1"]),
        ("*77*101*", &[alice], here),
        ("*77*5*", &[], none),
        // xelion, for a known and an unknown user
        ("8101", &[], here),
        ("8101", &[], none),
        ("8199", &[], none),
        // freepbx and kazoo
        ("*11", &["101", alice], here),
        ("*12", &[], none),
        ("*11101", &[alice], here),
        ("*13", &[], none),
        ("*13", &["101", alice], here),
        // extras
        ("*34", &[], here),
    ] {
        let heard = dial(&desk1, code, entries);
        assert_eq!(company.sessions(), sessions, "{code}");
        assert!(heard > Duration::from_millis(400), "{code}: {heard:?}");
        let says_it = sessions == here && company.hears_digits();
        assert!(!says_it || heard > SAYS_AN_EXTENSION, "{code}: the extension is said: {heard:?}");
    }
    dial(&desk2, "*350", &["101", alice]);
    assert_eq!(company.sessions(), none, "logged out from elsewhere");
    dial(&desk1, "8101", &[]);
    dial(&desk1, "*3500", &[alice, "864209", "864209"]);
    dial(&desk2, "*35*101*864209", &[]);
    assert_eq!(company.sessions(), ["101@desk2"], "the new PIN is that of 101");
    dial(&desk2, "*12", &[]);

    // A conflicting set is refused, and the old one stays.
    let hotdesk = company.hotdesk();
    let mark = hotdesk.log().len();
    hotdesk.configure("[codes]\npresets = [\"simmpl\", \"avaya\"]\n").unwrap();
    hotdesk.signal(Signal::HUP).unwrap();
    hotdesk.wait_for_log(mark, "event=\"reload.refused\"").unwrap();
    assert!(hotdesk.log()[mark..].contains("*35*100*0000 would be read as"), "{}", hotdesk.log());
    hotdesk.configure(TOGETHER).unwrap();
    dial(&desk1, "8101", &[]);
    assert_eq!(company.sessions(), here);

    company.reload(AVAYA);
    dial(&desk1, "*36", &[]);
    assert_eq!(company.sessions(), none);
    // As Avaya writes it, from a phone that adds a `#`, and from one that uses `#` as its dial key.
    for end in ["#", "##", ""] {
        dial(&desk1, &format!("*35*102*{bob}{end}"), &[]);
        assert_eq!(company.sessions(), ["102@desk1"], "ended by {end:?}");
        dial(&desk1, "*36", &[]);
        assert_eq!(company.sessions(), none);
    }
}

impl Company {
    /// Whether its switch has the sounds of digits: a FreeSWITCH's are a package of their own.
    fn hears_digits(&self) -> bool {
        matches!(self, Self::Asterisk(_))
    }
}
