//! The dialplan alone, on a real Asterisk with rows that the test writes: what calls look like when the controller is
//! there, is not, or misbehaves.

mod alone;
mod away;
mod calls;
mod codes;
mod desk;
mod emergency;
mod following;
mod manager;
mod recording;
mod sent_on;

use hotdesk::asterisk::dialplan::{Settings, hotdesk_conf};
use hotdesk::asterisk::rows;
use hotdesk::desk::code::{Codes, Preset};
use hotdesk::desk::id::{
    Context, DeviceName, DialTarget, DisplayName, EmergencyNumber, Extension, SwitchName, TenantId,
};
use hotdesk::desk::model::{Device, Kind, Office, User};
use hotdesk::desk::pattern::NumberPattern;
use hotdesk::desk::reach::Reach;
use hotdesk::desk::table::wanted;

use crate::support::ami::Ami;
use crate::support::asterisk::{Asterisk, Endpoint, Site};
use crate::support::debian::Version;
use crate::support::each::on_both;

/// What the site has of its own. `fallback` includes the extensions that it is the fallback of, `circle` the phones'
/// own context: a careless site must not make calls go round.
const SITE: &str = "\
#include hotdesk.conf

[from-internal]
include => hotdesk-users
exten => 600,1,Answer()
 same => n,Echo()
exten => _01X.,1,Dial(PJSIP/careful,20)
 same => n,Hangup()
exten => _00X.,1,Dial(PJSIP/trunk,20)
 same => n,Hangup()
exten => 110,1,Answer()
 same => n,Echo()
exten => _70X,1,Dial(Local/1${EXTEN:1}@hotdesk-ring/n,20)
 same => n,Hangup(${HANGUPCAUSE})
exten => *7,1,Goto(hotdesk-pickup,s,1)
exten => *98,1,Goto(hotdesk-voicemail,s,1)
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
exten => 7,1,Goto(hotdesk-pickup,s,1)
exten => 98,1,Goto(hotdesk-voicemail,s,1)

[recording]
exten => s,1,MixMonitor(${ARG1}-${ARG2}-${ARG3}.wav,b)
 same => n,Return()

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
    settings: Settings,
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
            freepbx: false,
        };
        let other = |name: &str| Endpoint::new(name).context("from-internal");
        // What a phone's endpoint says of itself is not what its user is.
        let desk = |n: u8| {
            let desk =
                Endpoint::new(&format!("desk{n}")).with("accountcode=desk").with("named_call_group=desks");
            desk.with(&format!("callerid=Desk {n} <90{n}>"))
        };
        let pbx = (1..=3)
            .fold(site, |site, n| site.endpoint(desk(n)))
            .endpoint(other("careful").context("from-trunk").with("trust_id_outbound=no"))
            .endpoint(other("colleague").with("callerid=Colleague <199>"))
            .endpoint(other("trunk").context("from-trunk").with("callerid=Outside <0612345678>"))
            .mailbox("101", "Zoe")
            .mailbox("103", "Carol")
            .dialplan(SITE)
            .manager(&include_str!("../../dialplan/asterisk/manager.conf").replace("CHANGE-ME", SECRET))
            .file("hotdesk.conf", &hotdesk_conf(&settings))
            .file("features.conf", "[featuremap]\nautomixmon=*3\n")
            .start(version)
            .unwrap();
        let ami = pbx.ami().unwrap();
        Self { pbx, ami, settings }
    }

    /// Prints the dialplan for other settings.
    fn reload(&self, settings: &Settings) {
        self.pbx.write("hotdesk.conf", &hotdesk_conf(settings)).unwrap();
        self.pbx.cli("dialplan reload").unwrap();
    }

    /// Holds exactly the rows that this office wants.
    fn hold(&mut self, office: &Office) {
        self.ami.act("DBDelTree", &[("Family", "hotdesk")]).unwrap();
        for (key, row) in wanted(office, &SwitchName::default(), &Reach::default()) {
            if let (Some(key), Some(value)) = (rows::key(&key), rows::value(&row)) {
                self.row(&key, &value);
            }
        }
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

/// Alice, Bob and Carol, 101 to 103, who may call outside and own a desk each. `change` changes them.
fn office(change: impl Fn(&str, &mut User)) -> Office {
    let mut office = Office::default();
    for (n, name) in (1..).zip(["Alice", "Bob", "Carol"]) {
        let extension = format!("10{n}");
        let mut user = User::new(TenantId::default(), Extension::new(&*extension).unwrap());
        user.name = DisplayName::new(name).ok();
        user.class = Context::new("from-internal").ok();
        change(&extension, &mut user);
        office.users.insert(user.extension.clone(), user);
        give(&mut office, &format!("desk{n}"), Kind::Desk, &extension);
    }
    office
}

/// Gives a user one more phone.
fn give(office: &mut Office, phone: &str, kind: Kind, owner: &str) {
    let dial = DialTarget::new(format!("PJSIP/{phone}")).unwrap();
    let mut device =
        Device::new(TenantId::default(), DeviceName::new(phone).unwrap(), SwitchName::default(), dial);
    device.kind = kind;
    device.owner = Extension::new(owner).ok();
    office.devices.insert(device.name.clone(), device);
}
