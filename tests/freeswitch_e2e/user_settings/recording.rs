use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::super::Switch;
use super::talk;
use crate::harness::phone::Phone;

/// What was recorded since the last look, by user and direction.
fn recorded(switch: &Switch) -> Vec<String> {
    let mut names = vec![];
    for file in fs::read_dir(switch.fs.path("recordings")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(fs::metadata(&path).unwrap().len() > 4000, "{name} has some sound in it");
        fs::remove_file(path).unwrap();
        names.push(name.splitn(3, '-').take(2).collect::<Vec<_>>().join(" "));
    }
    names.sort();
    names
}

fn call(from: &Phone, number: &str, to: &Phone, meanwhile: impl Fn()) {
    from.dial(number).unwrap();
    to.wait_ringing().unwrap();
    to.answer().unwrap();
    from.wait_answered().unwrap();
    talk(from, to);
    meanwhile();
    from.hang_up().unwrap();
    to.wait_ended().unwrap();
    // The switch closes the file a moment after the call; where no file is expected, nothing tells the end.
    sleep(Duration::from_millis(300));
}

#[test]
fn each_end_of_a_call_is_recorded_by_the_setting_of_its_user() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, bob, trunk) = (switch.phone("desk1"), switch.phone("desk2"), switch.phone("trunk"));
    let none: [&str; 0] = [];
    switch.log_in("102", "desk2", "default", ["", "", "", "", "", "sales"]);
    for (wants, outbound, inbound) in [
        ("", &none[..], &none[..]),
        ("always", &["101 outbound"], &["101 inbound"]),
        ("inbound", &[], &["101 inbound"]),
        ("outbound", &["101 outbound"], &[]),
    ] {
        switch.log_in("101", "desk1", "default", ["", "", "", wants, "", "sales"]);
        call(&alice, "0031", &trunk, || {});
        assert_eq!(recorded(&switch), outbound, "{wants:?}, an outgoing call");
        call(&bob, "101", &alice, || {});
        assert_eq!(recorded(&switch), inbound, "{wants:?}, an incoming call");
    }
    switch.profile("102", ["", "", "", "always", "", "sales"]);
    switch.profile("101", ["", "", "", "always", "", "sales"]);
    call(&bob, "101", &alice, || {});
    assert_eq!(recorded(&switch), ["101 inbound", "102 outbound"], "each at the user's own end");

    // By the key of the user with that setting, at either end.
    switch.profile("102", ["", "", "", "", "", "sales"]);
    switch.profile("101", ["", "", "", "on-demand", "", "sales"]);
    for (from, number, to) in [(&alice, "102", &bob), (&bob, "101", &alice)] {
        call(from, number, to, || {});
        assert_eq!(recorded(&switch), none, "no key was pressed");
        call(from, number, to, || {
            alice.press("*2");
            // The keys take 320 ms, and no event says that the recording has begun.
            sleep(Duration::from_millis(600));
            talk(from, to);
        });
        assert_eq!(recorded(&switch), ["101 by"]);
        call(from, number, to, || {
            bob.press("*2");
            sleep(Duration::from_millis(600));
        });
        assert_eq!(recorded(&switch), none, "that is not 102's to say");
    }
}

#[test]
fn a_picked_up_call_is_recorded_by_the_setting_of_the_answering_user() {
    let Some(mut switch) = Switch::start() else { return };
    let (alice, bob, colleague) = (switch.phone("desk1"), switch.phone("desk2"), switch.phone("colleague"));
    for (alices, bobs, files) in
        [("always", "", &[][..]), ("", "inbound", &["102 inbound"]), ("", "outbound", &[])]
    {
        switch.log_in("101", "desk1", "default", ["", "", "", alices, "", "sales"]);
        switch.log_in("102", "desk2", "default", ["", "", "", bobs, "", "sales"]);
        colleague.dial("101").unwrap();
        alice.wait_ringing().unwrap();
        bob.dial("*8").unwrap();
        bob.wait_answered().unwrap();
        colleague.wait_answered().unwrap();
        talk(&colleague, &bob);
        bob.hang_up().unwrap();
        colleague.wait_ended().unwrap();
        sleep(Duration::from_millis(300));
        assert_eq!(recorded(&switch), files, "101 {alices:?}, 102 {bobs:?}");
    }
}
