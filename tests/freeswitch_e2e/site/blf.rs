//! What only a FreeSWITCH has of lamps: one that watches a phone by its own name.

use super::company;

#[test]
fn a_device_lamp_lit_by_a_subscription_during_a_call_goes_out_after_it() {
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
