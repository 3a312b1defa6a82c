use super::{Switch, on_both};
use crate::support::debian::Version;

on_both! {
    an_emergency_call_shows_where_the_phone_stands_whoever_sits_there
    an_emergency_number_that_looks_like_a_users_is_left_to_the_site
}

/// Nothing listens where the controller should.
fn an_emergency_call_shows_where_the_phone_stands_whoever_sits_there(version: Version) {
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
    assert_eq!(shown("112").1, "desk1", "without a row, as the endpoint itself is known");
    switch.row("device/desk1", "|0|0205550101");
    assert_eq!(shown("112"), here, "with nobody there");
    assert_eq!(shown("112#"), here, "with the dial key");
    switch.row("user/101", "PJSIP/desk1|1|101|Alice|1||from-internal|");
    switch.row("device/desk1", "101|1|0205550101");
    assert_eq!(shown("112"), here, "not hidden, though 101 is anonymous");
}

/// The colleague's phone is no hotdesk phone; its context includes ours before the one that knows 112.
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
