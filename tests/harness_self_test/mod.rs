//! What the tests stand on, tested itself: a real Asterisk, phones that call each other, and tools.

mod phones;
mod switch;
mod tools;

use crate::harness::asterisk::{Asterisk, Endpoint, Site};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

// Tests with a runtime hand them to threads of their own.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Phone>();
    shared::<Asterisk>();
};

/// desk1 and desk2 are 101 and 102; `watcher` sees their lamps.
fn start(version: Version) -> Asterisk {
    let endpoint = |name: &str| Endpoint::new(name).context("inside").subscribe_context("lamps");
    Site::new()
        .unwrap()
        .endpoint(endpoint("desk1").with("callerid=Alice <101>"))
        .endpoint(endpoint("desk2").with("callerid=Bob <102>"))
        .endpoint(endpoint("watcher"))
        .mailbox("101", "Alice")
        .dialplan(include_str!("dialplan.conf"))
        .start(version)
        .unwrap()
}
