//! User settings decide which devices ring, on real switches.

use std::thread;
use std::time::{Duration, Instant};

use super::{Company, dial, on_each};
use crate::harness::company::one_touch;
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

on_each! {
    user_settings_decide_which_devices_ring
}

const CODES: &str = "[codes]\npresets = [\"simmpl\", \"personal\"]\n";
/// How long a switch may take at most to have a setting.
const SOON: Duration = Duration::from_secs(2);
/// How soon the switch has a changed setting, in most cases.
const AT_ONCE: Duration = Duration::from_millis(300);

impl Company {
    /// The ring targets of 101 in the switch table, such as `desk1` and `desk3`.
    fn rings(&self) -> Vec<String> {
        let row = match self {
            Self::Asterisk(company) => {
                let mut ami = company.pbx.ami().unwrap();
                let row = ami.list("DBGet", &[("Family", "hotdesk/user"), ("Key", "101")]).unwrap();
                row.first().map(|row| row.get("Val").to_owned()).unwrap_or_default()
            }
            Self::FreeSwitch(company) => company.pbx.api("db select/hotdesk-user-default/101").unwrap(),
        };
        let dial = row.split('|').next().unwrap_or_default();
        let desk = |n: &&usize| dial.contains(&format!("desk{n}"));
        [1, 2, 3].iter().filter(desk).map(|n| format!("desk{n}")).collect()
    }

    /// Waits until these are the ring targets. Returns how long it took.
    fn wait_rings(&self, these: &[&str]) -> Duration {
        let since = Instant::now();
        while self.rings() != these {
            assert!(since.elapsed() < SOON, "{:?} and not {these:?}", self.rings());
            thread::sleep(Duration::from_millis(2));
        }
        since.elapsed()
    }
}

/// Calls 101 from `caller`. Returns which of `phones` ring. Without any the call is busy.
fn rung<'a>(caller: &Phone, phones: &[(&'a str, &Phone)]) -> Vec<&'a str> {
    caller.dial("101").unwrap();
    thread::sleep(Duration::from_millis(600));
    let rung: Vec<&str> = phones.iter().filter(|(_, phone)| phone.in_call()).map(|(name, _)| *name).collect();
    if rung.is_empty() {
        assert_eq!(caller.wait_ended().unwrap().code, 486, "busy");
    } else {
        caller.hang_up().unwrap();
        for (_, phone) in phones.iter().filter(|(name, _)| rung.contains(name)) {
            phone.wait_ended().unwrap();
        }
    }
    rung
}

fn user_settings_decide_which_devices_ring(version: Option<Version>) {
    let Some(mut company) = Company::open(version, CODES) else { return };
    let (desk1, desk2, soft) = (company.phone("desk1"), company.phone("desk2"), company.phone("desk3"));
    let phones = [("desk1", &desk1), ("desk3", &soft)];
    let hotdesk = company.hotdesk();
    hotdesk.run(&["user", "set", "101", "--mailbox", "", "--numbers", "0205550177"]).unwrap();
    hotdesk
        .run(&["device", "set", "desk3", "--kind", "softphone", "--owner", "101", "--no-hotdesk"])
        .unwrap();
    dial(&desk1, &one_touch("101"), &[]);
    dial(&desk2, &one_touch("102"), &[]);
    company.wait_rings(&["desk1", "desk3"]);
    assert_eq!(rung(&desk2, &phones), ["desk1", "desk3"]);

    // Heard, and then it is true: no wait between the confirmation and the call.
    let heard = dial(&desk1, "*78", &[]);
    assert!(heard > AT_ONCE, "{heard:?}");
    assert_eq!(rung(&desk2, &phones), [""; 0]);
    dial(&desk1, "*79", &[]);
    assert_eq!(rung(&desk2, &phones), ["desk1", "desk3"]);
    dial(&soft, "*76", &[]);
    assert!(company.rings().is_empty(), "by the user's softphone, too");
    dial(&desk1, "*76", &[]);

    // The sliders.
    dial(&desk1, "*373", &[]);
    assert_eq!(rung(&desk2, &phones), ["desk1"]);
    dial(&desk1, "*371", &[]);
    assert!(company.rings().is_empty());
    dial(&desk1, "*373", &[]);
    assert_eq!(rung(&desk2, &phones), ["desk3"]);
    dial(&desk1, "*371", &[]);
    let mut took = vec![];
    for (to, rings) in [("off", &["desk1"][..]), ("on", &["desk1", "desk3"])].into_iter().cycle().take(8) {
        company.hotdesk().run(&["user", "ring", "101", "desk3", to]).unwrap();
        took.push(company.wait_rings(rings));
    }
    took.sort();
    println!("{version:?}: from the store to the switch {took:?}");
    assert!(took[took.len() / 2] < AT_ONCE, "{took:?}");

    // A softphone that registers again rings again.
    dial(&desk1, "*373", &[]);
    assert_eq!(company.rings(), ["desk1"]);
    soft.unregister().unwrap();
    thread::sleep(Duration::from_secs(1));
    soft.register().unwrap();
    company.wait_rings(&["desk1", "desk3"]);
    assert_eq!(rung(&desk2, &phones), ["desk1", "desk3"]);

    // An impossible setting changes nothing. The chosen caller ID is shown.
    for refused in ["*72112", "*72101", "*389", "*45400", "*46"] {
        dial(&desk1, refused, &[]);
    }
    assert_eq!(company.rings(), ["desk1", "desk3"]);
    dial(&desk1, "*381", &[]);
    let known = company.hotdesk().run(&["user", "show", "101", "--json"]).unwrap();
    let known: serde_json::Value = serde_json::from_str(&known).unwrap();
    assert_eq!((&known["caller_id"], &known["forward"]), (&"0205550177".into(), &serde_json::json!({})));
    dial(&desk1, "*72103", &[]);
    assert!(company.rings().is_empty());
    dial(&desk1, "*73", &[]);
    assert_eq!(rung(&desk2, &phones), ["desk1", "desk3"]);
    let cdrs = company.cdrs();
    assert!(!cdrs.contains("72103") && cdrs.contains("*72") == company.records_codes(), "{cdrs}");
}
