//! What phones dial besides plain numbers: a plus, parameters of the user part (RFC 3261, section 19.1.1), and separators
//! (RFC 3966, section 5.1.1). They change neither what is called, nor whether it is an emergency call.

use super::{Switch, contact};
use crate::harness::dialled::{
    CODES, each_emergency_form_reaches, each_number_form_is_refused, each_number_form_reaches,
};

#[test]
fn an_emergency_number_is_one_in_every_form() {
    let Some(mut switch) = Switch::start() else { return };
    let (desk, trunk) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("trunk").unwrap());
    switch.row("user", "101", &format!("{}|1|101|Alice|0||default||", contact("desk1")));
    each_emergency_form_reaches(&trunk, &desk, |row| switch.row("device", "desk1", row));
}

#[test]
fn a_code_is_one_in_every_form_and_no_parameter_gets_into_its_pin() {
    let Some(mut switch) = Switch::start() else { return };
    let desk = switch.fs.phone("desk1").unwrap();
    switch.esl.command("event plain CHANNEL_PARK").unwrap();
    for (dialled, read) in CODES {
        desk.dial(dialled).unwrap();
        let parked = switch.esl.wait_for("CHANNEL_PARK").unwrap();
        let held = parked.get("variable_hd_dialled").map(|held| held.trim_end_matches('#'));
        assert_eq!(held, Some(read.trim_end_matches('#')), "{dialled}");
        assert_eq!(parked.get("Caller-Destination-Number").map(String::as_str), Some("*35"), "{dialled}");
        desk.hang_up().unwrap();
    }
}

#[test]
fn a_number_goes_to_the_class_without_parameters_and_separators() {
    let Some(mut switch) = Switch::start() else { return };
    let (desk, trunk) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("trunk").unwrap());
    each_number_form_is_refused(&desk, outside);
    switch.row("user", "101", &format!("{}|1|101|Alice|0||default||", contact("desk1")));
    switch.row("device", "desk1", "101|1|0205550101");
    let channels = || switch.fs.api("show channels").unwrap();
    each_number_form_reaches(&trunk, &desk, outside, channels, ",00101234567,");
}

/// With the prefix for calls outside, of which this site has one.
fn outside(number: &str) -> String {
    number.strip_prefix('(').map_or_else(|| format!("0{number}"), |number| format!("(0{number}"))
}
