use super::{Switch, on_both};
use crate::support::debian::Version;

on_both! { an_emergency_call_shows_where_the_phone_stands_whoever_sits_there }

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
