//! The dialplan alone, on a real Asterisk with rows that the test writes: calls with a controller, without one, and with one
//! that misbehaves.

mod calls;
mod codes;
mod dialled_forms;
mod emergency;
mod logged_out;
mod manager;
mod recording;
mod ring_targets;
mod several_phones;
mod short_list;
mod transfers;
mod user_features;

use hotdesk::asterisk::dialplan::{Settings, hotdesk_conf};
use hotdesk::asterisk::namespace::Namespace;
use hotdesk::asterisk::table::rows;
use hotdesk::model::codes::{Codes, Preset};
use hotdesk::model::desired::{Desired, Records, Scope};
use hotdesk::model::directory::{Device, Kind, Snapshot, User};
use hotdesk::model::id::{
    Context, DeviceName, DialTarget, DisplayName, EmergencyContext, EmergencyNumber, Extension, SwitchName,
    TenantId,
};
use hotdesk::model::login::token::Token;
use hotdesk::model::number_pattern::NumberPattern;
use hotdesk::model::routes::Routes;

use crate::harness::ami::Ami;
use crate::harness::asterisk::{Asterisk, Endpoint, Site};
use crate::harness::debian::Version;
use crate::harness::each::on_both;

/// The dialplan of the site. `fallback` includes the extensions whose fallback it is, and `circle` the context of the phones: a
/// careless site must not make calls loop.
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

/// An Asterisk with three hotdesk devices, the phone of a colleague, and a trunk. No user is logged in.
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
            fallback_context: Context::new("fallback").ok(),
            emergency_numbers: ["110", "112"].map(|number| EmergencyNumber::new(number).unwrap()).into(),
            emergency_context: EmergencyContext::new("emergency").unwrap(),
            agi: site.ports.agi.to_string(),
            ring: 2,
            ring_each: 1,
            recording_context: Context::new("recording").ok(),
            voicemail_password: true,
            routes: Routes::default(),
            freepbx: false,
            token: Token::sample(),
        };
        let other = |name: &str| Endpoint::new(name).context("from-internal");
        // The endpoint's own caller ID and account differ from those of the user.
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

    /// Replaces all rows by those of this snapshot.
    fn hold(&mut self, snapshot: &Snapshot) {
        self.ami.act("DBDelTree", &[("Family", "hotdesk")]).unwrap();
        let desired = Desired::of(snapshot, &Scope::All, &SwitchName::default(), &Routes::default());
        let space = Namespace::of(&TenantId::default());
        for (key, value) in rows::project(&space, &desired, &Records::new()) {
            if let Some(place) = key.name.strip_prefix("hotdesk/") {
                self.row(place, &value);
            }
        }
    }

    /// Writes a row.
    fn row(&mut self, key: &str, value: &str) {
        let put = self.ami.act("DBPut", &[("Family", "hotdesk"), ("Key", key), ("Val", value)]).unwrap();
        assert_eq!(put.get("Response"), "Success", "{put:?}");
    }

    /// Logs in 101, who may call outside, at desk1, and 102, anonymous and without a class, at desk2.
    fn log_in_two_users(&mut self) {
        self.row("device/desk1", "101|1|0205550101");
        self.row("user/101", "PJSIP/desk1|1|101|Zoë %22Z%22 O'Neill%2C B.V.|0|nl|from-internal|");
        self.row("device/desk2", "102|2|0205550102");
        self.row("user/102", "PJSIP/desk2|2|+31201234567|Bob|1|||");
    }
}

/// Alice, Bob and Carol, 101 to 103, who may call outside and own a device each. `change` changes them.
fn snapshot(change: impl Fn(&str, &mut User)) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (n, name) in (1..).zip(["Alice", "Bob", "Carol"]) {
        let extension = format!("10{n}");
        let mut user = User::new(TenantId::default(), Extension::new(&*extension).unwrap());
        user.name = DisplayName::new(name).ok();
        user.class = Context::new("from-internal").ok();
        change(&extension, &mut user);
        snapshot.users.insert(user.extension.clone(), user);
        give(&mut snapshot, &format!("desk{n}"), Kind::Desk, &extension);
    }
    snapshot
}

/// Gives a user one more device.
fn give(snapshot: &mut Snapshot, phone: &str, kind: Kind, owner: &str) {
    let dial = DialTarget::new(format!("PJSIP/{phone}")).unwrap();
    let mut device =
        Device::new(TenantId::default(), DeviceName::new(phone).unwrap(), SwitchName::default(), dial);
    device.kind = kind;
    device.owner = Extension::new(owner).ok();
    snapshot.devices.insert(device.name.clone(), device);
}
