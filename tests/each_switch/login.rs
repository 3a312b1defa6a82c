//! Logging in and out with each length of the code, and what the phone is from then on.

use std::time::Duration;

use hotdesk::model::id::{Extension, TenantId};
use hotdesk::model::login::pin::{Cost, Pin, PinRecord};

use crate::company::{Company, dial};
use crate::harness::asking::What;
use crate::harness::company::{one_touch, pin};
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::{records, wait};

on_each! {
    one_touch_gives_the_device_the_users_identity
    each_code_form_asks_for_the_rest_and_logs_out_again
    a_login_elsewhere_moves_the_session
    a_caller_who_waits_for_the_verdict_hears_a_tone
}

fn one_touch_gives_the_device_the_users_identity(version: Option<Version>) {
    let Some(company) = Company::open(version, "") else { return };
    let [desk1, desk2, colleague] = ["desk1", "desk2", "colleague"].map(|name| company.phone(name));
    let heard = dial(&desk1, &one_touch("101"), &[]);
    assert!(heard > Duration::from_millis(500), "the confirmation is spoken: {heard:?}");
    assert_eq!(company.sessions(), ["101@desk1"]);

    // A call to 101 rings there.
    colleague.dial("101").unwrap();
    assert_eq!(desk1.wait_ringing().unwrap().from.number, "199");
    desk1.answer().unwrap();
    colleague.wait_answered().unwrap();
    colleague.hang_up().unwrap();
    desk1.wait_ended().unwrap();

    // A call from there shows the user, whatever the phone's From claims.
    company.log_in(&desk2, "102");
    for claims in ["desk1", "103"] {
        desk1.dial_as(claims, "102").unwrap();
        let caller = desk2.wait_ringing().unwrap();
        let shown = [Some(caller.from), caller.asserted];
        let shown = shown.iter().flatten().map(|who| (who.name.as_str(), who.number.as_str()));
        assert!(shown.clone().all(|who| who == ("Alice", "101")), "{:?}", shown.collect::<Vec<_>>());
        desk1.hang_up().unwrap();
        desk2.wait_ended().unwrap();
    }
}

fn each_code_form_asks_for_the_rest_and_logs_out_again(version: Option<Version>) {
    let Some(company) = Company::open(version, "") else { return };
    let desk1 = company.phone("desk1");
    for (code, entries) in
        [("*35", &["101", pin("101")][..]), ("*35*101", &[pin("101")]), (&one_touch("101"), &[])]
    {
        dial(&desk1, code, entries);
        assert_eq!(company.sessions(), ["101@desk1"], "{code} logs in");
        let heard = dial(&desk1, code, &[]);
        assert!(heard > Duration::from_millis(400), "a prompt confirms the logout: {heard:?}");
        assert!(company.sessions().is_empty(), "{code} logs out");
    }
    // Early digits, a false start, and no `#`: the time-out ends the entry.
    desk1.dial("*35").unwrap();
    for entry in ["555*101#", pin("101")] {
        desk1.wait_audio().unwrap();
        desk1.press(entry);
        desk1.wait_silence().unwrap();
    }
    desk1.wait_ended_within(Duration::from_secs(60)).unwrap();
    assert_eq!(company.sessions(), ["101@desk1"]);
    // Another identity in one go.
    company.log_in(&desk1, "102");
    assert_eq!(company.sessions(), ["102@desk1"]);
}

fn a_login_elsewhere_moves_the_session(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let [desk1, desk2, trunk] = ["desk1", "desk2", "trunk"].map(|name| company.phone(name));
    company.log_in(&desk1, "101");
    company.log_in(&desk2, "101");
    assert_eq!(company.sessions(), ["101@desk2"]);
    for hotdesk in ["there", "killed"] {
        if hotdesk == "killed" {
            company.hotdesk().kill().unwrap();
        }
        // The device without a session may not call: a prompt says why.
        desk1.dial("102").unwrap();
        let ended = desk1.wait_ended().unwrap();
        assert_eq!((ended.code, ended.cause), (403, Some(21)), "hotdesk is {hotdesk}");
        assert!(ended.heard > Duration::from_millis(500), "hotdesk is {hotdesk}: {ended:?}");
        // Emergency calls work, with the number of the location.
        desk1.dial("112").unwrap();
        assert_eq!(trunk.wait_ringing().unwrap().from.number, "0205550101", "hotdesk is {hotdesk}");
        desk1.hang_up().unwrap();
        trunk.wait_ended().unwrap();
        // The user is called at the new device.
        trunk.dial("101").unwrap();
        desk2.wait_ringing().unwrap();
        trunk.hang_up().unwrap();
        desk2.wait_ended().unwrap();
    }
    // Without hotdesk, the dialplan answers a code.
    desk1.dial(&one_touch("101")).unwrap();
    let ended = desk1.wait_ended_within(Duration::from_secs(20)).unwrap();
    assert!(ended.heard > Duration::from_millis(500), "a prompt says that it is not available: {ended:?}");
}

fn a_caller_who_waits_for_the_verdict_hears_a_tone(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    // How long a busy machine may take for it.
    const LONG: Duration = Duration::from_secs(60);
    // A record that takes seconds to compare, as if many users logged in at once: three on a quiet machine. How long it takes
    // cannot be measured before, as a machine that is busy now may be quiet then.
    let (user, pin, tenant) =
        (Extension::new("101").unwrap(), Pin::new("583016").unwrap(), TenantId::default());
    let cost = Cost { memory_kib: 256 * 1024, passes: 32 };
    let record = PinRecord::make_at(cost, &pin, &records::pepper(), &tenant, &user, [3; 16]);
    company.hotdesk().change(What::Pin(user.clone(), record)).unwrap();
    let desk1 = company.phone("desk1");
    let waits = || {
        desk1.dial("*35*101*583016").unwrap();
        desk1.wait_audio().unwrap();
        let lasted = desk1.wait_silence().unwrap();
        assert!(lasted < Duration::from_millis(400), "a tone, and no prompt yet: {lasted:?}");
    };
    let refused = || company.run(&["journal"]).matches("pin-wrong").count();
    waits();
    // The pepper is another, so the PIN is refused.
    let prompt = || desk1.wait_silence().unwrap() > Duration::from_millis(700);
    wait::until(LONG, prompt, || "no prompt follows".into());
    desk1.hang_up().unwrap();
    assert_eq!(refused(), 1);
    // An attempt counts, too, when the caller hangs up before the verdict.
    waits();
    desk1.hang_up().unwrap();
    wait::until(LONG, || refused() == 2, || company.run(&["journal"]));
}
