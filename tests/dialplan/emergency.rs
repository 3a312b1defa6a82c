use super::{Switch, on_both};
use crate::harness::debian::Version;
use crate::harness::dialled::CALLED_BACK;
use crate::harness::phone::Phone;

on_both! {
    an_emergency_call_shows_the_location_of_the_device_with_any_user_or_none
    an_emergency_number_that_looks_like_a_users_is_left_to_the_site
    an_emergency_number_of_one_location_is_an_ordinary_number_at_another
    a_callback_reaches_for_an_hour_the_devices_that_made_an_emergency_call
}

/// Nothing listens where the controller should.
fn an_emergency_call_shows_the_location_of_the_device_with_any_user_or_none(version: Version) {
    let mut switch = Switch::start(version);
    let (desk, trunk) = (switch.pbx.phone("desk1").unwrap(), switch.pbx.phone("trunk").unwrap());
    let shown = |number: &str| {
        desk.dial(number).unwrap();
        let caller = trunk.wait_ringing().unwrap();
        trunk.answer().unwrap();
        desk.wait_answered().unwrap();
        desk.hang_up().unwrap();
        trunk.wait_ended().unwrap();
        assert_eq!(caller.asserted.as_ref(), Some(&caller.from));
        (caller.from.name, caller.from.number)
    };
    let here = (String::new(), "0205550101".to_owned());
    assert_eq!(shown("112").1, "901", "without a row, as the endpoint itself is known");
    switch.row("device/desk1", "|0|0205550101");
    assert_eq!(shown("112"), here, "without a session");
    assert_eq!(shown("112#"), here, "with the dial key");
    switch.row("user/101", "PJSIP/desk1|1|101|Alice|1||from-internal|");
    switch.row("device/desk1", "101|1|0205550101");
    assert_eq!(shown("112"), here, "not hidden, though 101 is anonymous");
}

/// The colleague's phone is no hotdesk device. Its context includes hotdesk's before the one that knows 112.
fn an_emergency_number_that_looks_like_a_users_is_left_to_the_site(version: Version) {
    let switch = Switch::start(version);
    let (colleague, trunk) = (switch.pbx.phone("colleague").unwrap(), switch.pbx.phone("trunk").unwrap());
    colleague.dial("112").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "199");
    trunk.answer().unwrap();
    colleague.wait_answered().unwrap();
    colleague.hang_up().unwrap();
    trunk.wait_ended().unwrap();
}

/// One switch for a location in Berlin (110 and 112) and one in Amsterdam (112).
fn an_emergency_number_of_one_location_is_an_ordinary_number_at_another(version: Version) {
    let mut switch = Switch::start(version);
    let [berlin, amsterdam, trunk] = ["desk1", "desk2", "trunk"].map(|name| switch.pbx.phone(name).unwrap());
    let helped = |desk: &Phone, number: &str| {
        desk.dial(number).unwrap();
        let shown = trunk.wait_ringing().unwrap().from.number;
        desk.hang_up().unwrap();
        trunk.wait_ended().unwrap();
        shown
    };
    switch.row("user/102", "PJSIP/desk2|2|102|Bob|0||from-internal||");
    switch.row("device/desk1", "|0|0305550100|110&112|PJSIP/desk1||");
    switch.row("device/desk2", "102|2|0205550100|112|PJSIP/desk2||");
    assert_eq!(helped(&berlin, "110"), "0305550100");
    assert_eq!(helped(&berlin, "112"), "0305550100");
    assert_eq!(helped(&amsterdam, "112"), "0205550100");
    amsterdam.dial("110").unwrap();
    amsterdam.wait_answered().unwrap();
    amsterdam.tone(true);
    amsterdam.wait_audio().unwrap(); // its own number 110, an echo
    amsterdam.hang_up().unwrap();
    amsterdam.tone(false);
    switch.row("device/desk2", "|0|0205550100|112|PJSIP/desk2||");
    amsterdam.dial("110").unwrap();
    assert_eq!(
        amsterdam.wait_ended().unwrap().code,
        403,
        "without a session, and 110 is no emergency number here"
    );
    // An empty or unreadable row never blocks an emergency call.
    for row in [
        "|0|0205550100||PJSIP/desk2||",
        "|0|0205550100",
        "garbage",
        "a|b|c|112|d||",
        "||||||",
        "|0|x|112|y|z|",
    ] {
        switch.row("device/desk2", row);
        let shown = helped(&amsterdam, "110");
        assert_eq!(shown, if row.starts_with("|0|0205550100") { "0205550100" } else { "902" }, "{row}");
    }
}

fn a_callback_reaches_for_an_hour_the_devices_that_made_an_emergency_call(version: Version) {
    let mut switch = Switch::start(version);
    let phone = |name: &str| switch.pbx.phone(name).unwrap();
    let (desk1, desk2, trunk) = (phone("desk1"), phone("desk2"), phone("trunk"));
    switch.row("device/desk1", "|0|+31205550100||PJSIP/desk1||");
    switch.row("device/desk2", "|0|+31205550100||PJSIP/desk2||");
    let help = |desk: &Phone| {
        desk.dial("112").unwrap();
        trunk.wait_ringing().unwrap();
        desk.hang_up().unwrap();
        trunk.wait_ended().unwrap();
    };
    let back = |number: &str, rings: &[&Phone], silent: &[&Phone]| {
        trunk.dial(number).unwrap();
        for phone in rings {
            assert_eq!(phone.wait_ringing().unwrap().from.number, "0612345678", "{number}");
        }
        if rings.is_empty() {
            trunk.wait_ended().unwrap(); // takes the usual path, to no device
        }
        assert!(silent.iter().all(|phone| !phone.in_call()), "{number}");
        if !rings.is_empty() {
            trunk.hang_up().unwrap();
        }
        for phone in rings {
            phone.wait_ended().unwrap();
        }
    };
    back("0205550100", &[], &[&desk1, &desk2]);
    help(&desk1);
    // In all forms that trunks send. A login at the device in the meantime changes nothing.
    switch.row("user/102", "PJSIP/desk1|2|102|Bob|0||||");
    switch.row("device/desk1", "102|2|+31205550100||PJSIP/desk1||");
    for number in CALLED_BACK {
        back(number, &[&desk1], &[&desk2]);
    }
    for number in ["0105550100", "0205550101", "0100", "100", "310205550100"] {
        back(number, &[], &[&desk1, &desk2]);
    }
    // The device answers.
    trunk.dial("0205550100").unwrap();
    desk1.wait_ringing().unwrap();
    desk1.answer().unwrap();
    trunk.wait_answered().unwrap();
    trunk.hang_up().unwrap();
    desk1.wait_ended().unwrap();
    // Another device of the same location made a call, too.
    help(&desk2);
    back("0205550100", &[&desk1, &desk2], &[]);
    // The hour of one device is over.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let kept = switch.ami.list("DBGetTree", &[("Family", "hotdesk-called")]).unwrap();
    let until: u64 = kept[0].get("Val").split('|').next().unwrap().parse().unwrap();
    assert!((now + 3500..=now + 3600).contains(&until), "{kept:?}");
    let over = format!("{now}|+31205550100");
    let put = [("Family", "hotdesk-called"), ("Key", "desk1"), ("Val", &over)];
    assert_eq!(switch.ami.act("DBPut", &put).unwrap().get("Response"), "Success");
    back("0205550100", &[&desk2], &[&desk1]);
    let kept = switch.ami.list("DBGetTree", &[("Family", "hotdesk-called")]).unwrap();
    assert_eq!(kept.iter().map(|row| row.get("Key")).collect::<Vec<_>>(), ["/hotdesk-called/desk2"]);
}
