//! A colleague's lamp follows the person, wherever he sits.

use super::company;
use crate::support::phone::Phone;

#[test]
fn a_lamp_follows_from_desk_to_desk_through_reload_and_restart() {
    let Some(mut company) = company() else { return };
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let colleague = company.pbx.phone("colleague").unwrap();
    // Watched before anybody is there, and never again.
    colleague.watch("101").unwrap();

    company.log_in(&desk1, "101").unwrap();
    lit_by(&colleague, &desk1);
    company.log_in(&desk2, "101").unwrap();
    lit_by(&colleague, &desk2);

    company.pbx.api("reloadxml").unwrap();
    lit_by(&colleague, &desk2);
    company.log_in(&desk1, "101").unwrap();
    lit_by(&colleague, &desk1);

    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    lit_by(&colleague, &desk1);
    company.log_in(&desk2, "101").unwrap();
    lit_by(&colleague, &desk2);
}

#[test]
fn a_lamp_of_the_device_that_was_lit_by_a_look_in_the_middle_of_a_call_is_darkened_after_it() {
    let Some(company) = company() else { return };
    let desk = company.pbx.phone("desk1").unwrap();
    let colleague = company.pbx.phone("colleague").unwrap();
    company.log_in(&desk, "101").unwrap();
    for _ in 0..2 {
        desk.dial("600").unwrap();
        desk.wait_answered().unwrap();
        colleague.watch("desk1").unwrap();
        colleague.wait_lamp("desk1", "confirmed").unwrap();
        desk.hang_up().unwrap();
        colleague.wait_lamp("desk1", "terminated").unwrap();
    }
}

/// A call at `desk` lights the lamp, and its end darkens it.
fn lit_by(colleague: &Phone, desk: &Phone) {
    desk.dial("600").unwrap();
    desk.wait_answered().unwrap();
    colleague.wait_lamp("101", "confirmed").unwrap();
    desk.hang_up().unwrap();
    colleague.wait_lamp("101", "terminated").unwrap();
}
