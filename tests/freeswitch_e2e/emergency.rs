//! Emergency calls and callbacks, the list of a device without a session, and the calls of a logged-out user.

use super::{Switch, contact};
use crate::harness::dialled::CALLED_BACK;
use crate::harness::phone::Phone;

impl Switch {
    /// A device's row: `number` is the emergency caller ID, `numbers` are the emergency numbers of the location.
    fn device(&mut self, desk: &str, user: &str, number: &str, numbers: &str, may: &str) {
        let row = format!("{user}|1|{number}|{numbers}|{}|{may}|", contact(desk));
        self.row("device", desk, &row);
    }

    /// A user without a session.
    fn away(&mut self, user: &str, class: &str, mailbox: &str, away: &str) {
        self.row("user", user, &format!("|0|{user}|Carol|0||{class}|{mailbox}|{away}|"));
    }
}

/// One switch for a location in Berlin (110 and 112) and one in Amsterdam (112).
#[test]
fn emergency_numbers_depend_on_the_location() {
    let Some(mut switch) = Switch::start() else { return };
    let [berlin, amsterdam, trunk] = ["desk1", "desk2", "trunk"].map(|name| switch.fs.phone(name).unwrap());
    let helped = |desk: &Phone, number: &str| {
        desk.dial(number).unwrap();
        let shown = trunk.wait_ringing().unwrap().from.number;
        desk.hang_up().unwrap();
        trunk.wait_ended().unwrap();
        shown
    };
    switch.row("user", "102", &format!("{}|2|102|Bob|0||default|||", contact("desk2")));
    switch.device("desk1", "", "0305550100", "110&112", "|");
    switch.device("desk2", "102", "0205550100", "112", "|");
    assert_eq!(helped(&berlin, "110"), "0305550100");
    assert_eq!(helped(&berlin, "112#"), "0305550100");
    assert_eq!(helped(&amsterdam, "112"), "0205550100");
    amsterdam.dial("110").unwrap();
    amsterdam.wait_answered().unwrap(); // its own number 110, an echo
    amsterdam.hang_up().unwrap();
    switch.device("desk2", "", "0205550100", "112", "|");
    amsterdam.dial("110").unwrap();
    assert_eq!(amsterdam.wait_ended().unwrap().code, 403, "no session, and no emergency number there");
    // An empty or unreadable row never prevents an emergency call.
    for row in ["|0|0205550100||x||", "|0|0205550100", "garbage", "a|b|c|112|d||", "||||||", "|0|x|112|y|z|"]
    {
        switch.row("device", "desk2", row);
        let shown = helped(&amsterdam, "110");
        assert_eq!(shown, if row.starts_with("|0|0205550100") { "0205550100" } else { "desk2" }, "{row}");
    }
}

#[test]
fn an_emergency_callback_reaches_the_device_for_an_hour() {
    let Some(mut switch) = Switch::start() else { return };
    let [desk1, desk2, trunk] = ["desk1", "desk2", "trunk"].map(|name| switch.fs.phone(name).unwrap());
    switch.device("desk1", "", "+31205550100", "", "|");
    switch.device("desk2", "", "+31205550100", "", "|");
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
            assert_eq!(trunk.wait_ended().unwrap().code, 404, "{number} goes on as ever");
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
    // As trunks write it. A login there in the meantime changes nothing.
    switch.row("user", "102", &format!("{}|2|102|Bob|0|||||", contact("desk1")));
    switch.device("desk1", "102", "+31205550100", "", "|");
    for number in CALLED_BACK {
        back(number, &[&desk1], &[&desk2]);
    }
    for number in ["0105550100", "0205550101", "0100", "100", "310205550100"] {
        back(number, &[], &[&desk1, &desk2]);
    }
    trunk.dial("0205550100").unwrap();
    desk1.wait_ringing().unwrap();
    desk1.answer().unwrap();
    trunk.wait_answered().unwrap();
    trunk.hang_up().unwrap();
    desk1.wait_ended().unwrap();
    // A phone of the same place called, too.
    help(&desk2);
    back("0205550100", &[&desk1, &desk2], &[]);
    // Another hour, for one of them.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let kept = switch.esl.api("db select/hotdesk-called-default/desk1").unwrap();
    let until: u64 = kept.split('|').next().unwrap().parse().unwrap();
    assert!((now + 3500..=now + 3600).contains(&until), "{now} {kept}");
    switch.row("called", "desk1", &format!("{now}|+31205550100"));
    back("0205550100", &[&desk2], &[&desk1]);
    assert_eq!(switch.esl.api("db list/hotdesk-called-default").unwrap(), "desk2");
    // And when the switch was killed meanwhile.
    switch.fs.kill().unwrap();
    switch.fs.start().unwrap();
    back("0205550100", &[&desk2], &[&desk1]);
}

#[test]
fn a_device_without_a_session_calls_the_numbers_on_its_list() {
    let Some(mut switch) = Switch::start() else { return };
    switch.log_in_users();
    let [desk, bob, colleague] = ["desk3", "desk2", "colleague"].map(|name| switch.fs.phone(name).unwrap());
    let code = |number: &str| {
        desk.dial(number).unwrap();
        desk.wait_ended().unwrap().code
    };
    switch.device("desk3", "", "0205550103", "112", "102&0031|");
    desk.dial("102").unwrap();
    let caller = bob.wait_ringing().unwrap();
    assert_eq!((caller.from.number.as_str(), caller.from.name.as_str()), ("0205550103", "desk3"));
    desk.hang_up().unwrap();
    bob.wait_ended().unwrap();
    assert_eq!(code("0031"), 404, "no such number, and no outside calls");
    for number in ["101", "10", "1020", "200", "102*"] {
        assert_eq!(code(number), 403, "{number}");
    }
    switch.device("desk3", "", "0205550103", "112", "200|first-aid");
    assert_eq!(code("102"), 403);
    desk.dial("200").unwrap();
    assert_eq!(colleague.wait_ringing().unwrap().from.number, "0205550103");
    desk.hang_up().unwrap();
    colleague.wait_ended().unwrap();
    // With a session, the class of the user decides, and not the list.
    switch.device("desk3", "102", "0205550103", "112", "200|first-aid");
    assert_eq!(code("200"), 404);
}

#[test]
fn calls_of_a_logged_out_user_go_to_the_target_that_the_class_allows() {
    let Some(mut switch) = Switch::start() else { return };
    switch.log_in_users();
    let [desk, bob, trunk] = ["desk1", "desk2", "trunk"].map(|name| switch.fs.phone(name).unwrap());
    let code = || {
        desk.dial("103").unwrap();
        desk.wait_ended().unwrap().code
    };
    switch.away("103", "", "103", "");
    desk.dial("103").unwrap();
    desk.wait_answered().unwrap();
    desk.hang_up().unwrap();
    switch.away("103", "", "", "");
    assert_eq!(code(), 480);
    switch.away("103", "", "103", "busy");
    assert_eq!(code(), 486);
    // By the class of the called user, for any caller.
    switch.away("103", "default", "103", "0031");
    bob.dial("103").unwrap();
    trunk.wait_ringing().unwrap();
    bob.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    switch.away("103", "", "", "0031");
    assert_eq!(code(), 404);
    // A logged-in user is called at the device.
    switch.away("103", "", "", "102");
    desk.dial("103").unwrap();
    assert_eq!(bob.wait_ringing().unwrap().from.number, "101");
    desk.hang_up().unwrap();
    bob.wait_ended().unwrap();
    // Not round and round.
    switch.away("103", "", "", "104");
    switch.away("104", "", "", "103");
    assert_eq!(code(), 480);
}
