//! The dialplan alone, on a real Asterisk with rows that the test writes: what calls look like when the controller is
//! there, is not, or misbehaves.

mod alone;
mod away;
mod calls;
mod codes;
mod emergency;
mod manager;
mod sent_on;

use hotdesk::asterisk::dialplan::{Settings, hotdesk_conf};
use hotdesk::desk::code::{Codes, Preset};
use hotdesk::desk::id::{Context, EmergencyNumber, TenantId};
use hotdesk::desk::pattern::NumberPattern;
use hotdesk::desk::reach::Reach;

use crate::support::ami::Ami;
use crate::support::asterisk::{Asterisk, Endpoint, Site};
use crate::support::debian::Version;

/// What the site has of its own. `fallback` includes the extensions that it is the fallback of, `circle` the phones'
/// own context: a careless site must not make calls go round.
const SITE: &str = "\
#include hotdesk.conf

[from-internal]
include => hotdesk-users
exten => 600,1,Answer()
 same => n,Echo()
exten => _00X.,1,Dial(PJSIP/trunk,20)
 same => n,Hangup()
exten => 110,1,Answer()
 same => n,Echo()
include => emergency

[fallback]
include => hotdesk-users
exten => 177,1,Answer()
 same => n,Echo()

[circle]
include => hotdesk

[from-trunk]
exten => _[0-9+]!,1,Gosub(hotdesk-callback,${EXTEN},1)
 same => n,Goto(from-internal,${EXTEN},1)

[first-aid]
exten => 200,1,Dial(PJSIP/colleague,20)

[emergency]
exten => 110,1,Dial(PJSIP/trunk,20)
exten => 112,1,Dial(PJSIP/trunk,20)
 same => n,Hangup()
";

/// The secret of Hotdesk's own AMI user.
const SECRET: &str = "ami-secret-of-the-dialplan";

/// An Asterisk with three hotdesk phones, a colleague's, and a trunk; nobody is anywhere.
struct Switch {
    pbx: Asterisk,
    ami: Ami,
}

impl Switch {
    fn start(version: Version) -> Self {
        let site = Site::new().unwrap();
        let settings = Settings {
            tenant: TenantId::default(),
            codes: Codes::of(&[Preset::Simmpl]).unwrap(),
            users: vec![NumberPattern::new("1XX").unwrap()],
            otherwise: Context::new("fallback").ok(),
            emergency_numbers: ["110", "112"].map(|number| EmergencyNumber::new(number).unwrap()).into(),
            emergency_context: Context::new("emergency").unwrap(),
            agi: site.ports.agi.to_string(),
            ring: 2,
            turn: 1,
            recording: Context::new("recording").ok(),
            voicemail_password: true,
            reach: Reach::default(),
        };
        let other = |name: &str| Endpoint::new(name).context("from-internal");
        let pbx = site
            .desks(3)
            .endpoint(other("colleague").with("callerid=Colleague <199>"))
            .endpoint(other("trunk").context("from-trunk").with("callerid=Outside <0612345678>"))
            .mailbox("103", "Carol")
            .dialplan(SITE)
            .manager(&include_str!("../../dialplan/asterisk/manager.conf").replace("CHANGE-ME", SECRET))
            .file("hotdesk.conf", &hotdesk_conf(&settings))
            .start(version)
            .unwrap();
        let ami = pbx.ami().unwrap();
        Self { pbx, ami }
    }

    /// Writes a row.
    fn row(&mut self, key: &str, value: &str) {
        let put = self.ami.act("DBPut", &[("Family", "hotdesk"), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success", "{put:?}");
    }

    /// 101, who may call outside, sits at desk1; 102, anonymous and without a class, at desk2.
    fn seat(&mut self) {
        self.row("device/desk1", "101|1|0205550101");
        self.row("user/101", "PJSIP/desk1|1|101|Zoë %22Z%22 O'Neill%2C B.V.|0|nl|from-internal|");
        self.row("device/desk2", "102|2|0205550102");
        self.row("user/102", "PJSIP/desk2|2|+31201234567|Bob|1|||");
    }
}

/// Runs the same on the newest Asterisk and on the oldest.
macro_rules! on_both {
    ($($test:ident)+) => {$(
        mod $test {
            #[test]
            fn on_asterisk_22() {
                super::$test($crate::support::debian::Version::Current);
            }

            #[test]
            fn on_asterisk_16() {
                super::$test($crate::support::debian::Version::V16);
            }
        }
    )+};
}
use on_both;
