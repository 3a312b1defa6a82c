//! The dialplan of FreeSWITCH alone, on a real one with rows that the test writes: calls with a controller and without one.
//! Where no FreeSWITCH is installed, each test says so and is skipped.

mod calls;
mod codes;
mod dialled_forms;
pub mod documented;
mod emergency;
mod fusionpbx;
mod init;
mod rows;
mod self_test;
pub mod site;
mod table;
mod tenants;
mod user_rights;
mod user_settings;
mod vanilla;

use hotdesk::freeswitch::dialplan::files;
use hotdesk::freeswitch::dialplan::{Settings, directory_example};
use hotdesk::model::codes::{Codes, Preset};
use hotdesk::model::id::{Context, EmergencyNumber, TenantId};
use hotdesk::model::number_pattern::NumberPattern;

use crate::harness::freeswitch::company::{SITE, installed_at};
use crate::harness::freeswitch::{Esl, FreeSwitch, Site, User, installed};

/// A FreeSWITCH with three hotdesk devices, a colleague's phone and a trunk, without sessions.
struct Switch {
    fs: FreeSwitch,
    esl: Esl,
    tenant: TenantId,
}

fn settings() -> Settings {
    let codes = Codes::of(&[Preset::Simmpl]).unwrap();
    Settings {
        emergency_numbers: ["110", "112"].map(|number| EmergencyNumber::new(number).unwrap()).into(),
        ring: 2,
        ring_each: 1,
        recording_context: Context::new("recording").ok(),
        ..Settings::sample(codes.into(), NumberPattern::new("1XX").unwrap())
    }
}

impl Switch {
    fn start() -> Option<Self> {
        Self::start_for(TenantId::default())
    }

    fn start_for(tenant: TenantId) -> Option<Self> {
        let install = installed()?;
        let settings = Settings { tenant: tenant.clone(), ..settings() };
        let directory = directory_example(&settings);
        let (_, dial_string) = directory.split_once("name=\"dial-string\" value=\"").unwrap();
        let (dial_string, _) = dial_string.split_once('"').unwrap();
        let other = |name: &str, number: &str| {
            User::new(name).context("default").with("effective_caller_id_number", number)
        };
        let site = Site::new()
            .unwrap()
            .desks(3)
            .user(other("colleague", "199"))
            .user(other("trunk", "0612345678").context("outside"))
            .mailbox("101")
            .mailbox("103")
            .dial_string(dial_string)
            .dialplan(SITE);
        let fs = files::files(&settings)
            .into_iter()
            .fold(site, |site, (path, bytes)| site.file(installed_at(&path), bytes))
            .start(&install)
            .unwrap();
        let esl = fs.esl().unwrap();
        Some(Self { fs, esl, tenant })
    }

    /// Writes a row.
    fn row(&mut self, relation: &str, key: &str, value: &str) {
        let tenant = &self.tenant;
        let written = self.esl.api(&format!("db insert/hotdesk-{relation}-{tenant}/{key}/{value}")).unwrap();
        assert_eq!(written, "+OK");
    }

    /// Logs in 101, who may call outside, at desk1, and 102, anonymous and without a class, at desk2.
    fn log_in_users(&mut self) {
        self.row("device", "desk1", "101|1|0205550101");
        self.row("lamp", "101", &contact("desk1"));
        let ann = format!("{}|1|101|Zoë ”Z” O’Neill, B.V.|0|nl|default||", contact("desk1"));
        self.row("user", "101", &ann);
        self.row("device", "desk2", "102|2|0205550102");
        self.row("lamp", "102", &contact("desk2"));
        self.row("user", "102", &format!("{}|2|+31201234567|Bob|1||||", contact("desk2")));
    }
}

fn contact(device: &str) -> String {
    format!("${{sofia_contact(*/{device}@hotdesk.test)}}")
}
