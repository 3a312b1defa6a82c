//! What the tests stand on, tested itself: a real Asterisk, and phones that call each other.

mod phones;
mod switch;

use crate::support::asterisk::{Asterisk, Endpoint, Site};
use crate::support::debian::Version;
use crate::support::phone::Phone;

// Tests with a runtime hand them to threads of their own.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Phone>();
    shared::<Asterisk>();
};

/// desk1 and desk2 are 101 and 102; `watcher` sees their lamps.
fn office(version: Version) -> Asterisk {
    let endpoint = |name: &str| Endpoint::new(name).context("office").subscribe_context("lamps");
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
