//! The display name of a user, with every character that has a meaning to a switch.

use super::{company, on_both};
use crate::harness::debian::Version;

on_both! {
    any_display_name_reaches_the_callee_unchanged
}

/// What a name may hold and a dialplan, a row, a hint or a header would read as something else.
fn any_display_name_reaches_the_callee_unchanged(version: Version) {
    const ODD: &str = "${EXTEN} $[1+1] %41+|,;&:=@()[]{}<b>'~\\ \"Zoë\" 李";
    let company = company(version);
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    company.hotdesk.run(&["user", "set", "101", "--name", ODD]).unwrap();
    company.log_in(&desk1, "101").unwrap();
    company.log_in(&desk2, "102").unwrap();
    desk1.dial("102").unwrap();
    let caller = desk2.wait_ringing().unwrap();
    assert_eq!((caller.from.name.as_str(), caller.from.number.as_str()), (ODD, "101"));
    desk1.hang_up().unwrap();
    desk2.wait_ended().unwrap();
}
