//! What phones dial besides plain numbers: a plus, parameters of the user part (RFC 3261, section 19.1.1), and separators
//! (RFC 3966, section 5.1.1). They change neither what is called, nor whether it is an emergency call.

use super::codes::Session;
use super::{Switch, on_both};
use crate::harness::debian::Version;
use crate::harness::dialled::{
    CODES, each_emergency_form_reaches, each_number_form_is_refused, each_number_form_reaches,
};
use crate::harness::wait;

on_both! {
    an_emergency_number_is_one_in_every_form
    a_code_is_one_in_every_form_and_no_parameter_gets_into_its_pin
    a_number_goes_to_the_class_without_parameters_and_separators
}

fn an_emergency_number_is_one_in_every_form(version: Version) {
    let mut switch = Switch::start(version);
    let (desk, trunk) = (switch.pbx.phone("desk1").unwrap(), switch.pbx.phone("trunk").unwrap());
    switch.row("user/101", "PJSIP/desk1|1|101|Alice|0||from-internal|");
    each_emergency_form_reaches(&trunk, &desk, |row| switch.row("device/desk1", row));
}

fn a_code_is_one_in_every_form_and_no_parameter_gets_into_its_pin(version: Version) {
    let switch = Switch::start(version);
    let desk = switch.pbx.phone("desk1").unwrap();
    let listener = wait::listen(switch.pbx.agi());
    for (dialled, read) in CODES {
        desk.dial(dialled).unwrap();
        let (mut session, _) = Session::accept(&listener);
        let held = session.command("GET FULL VARIABLE ${HD_DIALLED}");
        assert_eq!(held, format!("200 result=1 ({read})"), "{dialled}");
        session.command("SET VARIABLE HD_RESULT logged-in");
        drop(session);
        desk.wait_ended().unwrap();
    }
}

fn a_number_goes_to_the_class_without_parameters_and_separators(version: Version) {
    let mut switch = Switch::start(version);
    let (desk, careful) = (switch.pbx.phone("desk1").unwrap(), switch.pbx.phone("careful").unwrap());
    each_number_form_is_refused(&desk, str::to_owned);
    switch.row("user/101", "PJSIP/desk1|1|101|Alice|0||from-internal|");
    switch.row("device/desk1", "101|1|0205550101");
    let channels = || switch.pbx.cli("core show channels concise").unwrap();
    each_number_form_reaches(&careful, &desk, str::to_owned, channels, "!from-internal!0101234567!");
}
