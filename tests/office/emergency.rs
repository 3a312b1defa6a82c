//! Emergency calls and a controller that does not answer: the dialplan needs nothing of us.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{company, on_both};
use crate::support::company::one_touch;
use crate::support::debian::Version;

on_both! {
    a_silent_controller_is_not_waited_for
}

fn a_silent_controller_is_not_waited_for(version: Version) {
    let mut company = company(version);
    let (desk1, trunk) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("trunk").unwrap());
    company.hotdesk.stop().unwrap();
    // It takes the call, and says nothing.
    let listener = TcpListener::bind(company.agi()).unwrap();
    let began = Instant::now();
    desk1.dial(&one_touch("101")).unwrap();
    let _taken = listener.accept().unwrap();
    desk1.wait_audio().unwrap();
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(4), "the caller waited {waited:?}");
    let ended = desk1.wait_ended().unwrap();
    assert!(ended.heard > Duration::from_millis(500), "it is said that it is not available: {ended:?}");
    // Whoever dials for help is not concerned.
    desk1.dial("112").unwrap();
    assert_eq!(trunk.wait_ringing().unwrap().from.number, "0205550101");
    trunk.answer().unwrap();
    desk1.wait_answered().unwrap();
    desk1.hang_up().unwrap();
}
