//! FreeSWITCH's dialplan alone, on a real one with rows that the test writes: what calls look like when the controller is
//! there or is not. Where no FreeSWITCH is found, each of these says so and is skipped.

mod calls;
mod codes;
mod emergency;
mod following;
mod lab;
pub mod office;
mod rows;
mod table;
mod tenants;
mod vanilla;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hotdesk::desk::code::{Codes, Preset};
use hotdesk::desk::id::{Context, EmergencyNumber, TenantId};
use hotdesk::desk::pattern::NumberPattern;
use hotdesk::desk::reach::Reach;
use hotdesk::freeswitch::dialplan::{Settings, directory_example};
use hotdesk::freeswitch::tree;

use crate::support::freeswitch::{Esl, FreeSwitch, Site, User, installed};

/// What the site has of its own. `circle` leads back to the phones' own context: a careless site must not make calls
/// go round.
const SITE: &str = r#"
<context name="default">
  <X-PRE-PROCESS cmd="include" data="dialplan/default/*.xml"/>
  <extension name="echo"><condition field="destination_number" expression="^600$">
    <action application="answer"/><action application="echo"/>
  </condition></extension>
  <extension name="police"><condition field="destination_number" expression="^110$">
    <action application="answer"/><action application="echo"/>
  </condition></extension>
  <extension name="group"><condition field="destination_number" expression="^700$">
    <action application="bridge" data="user/101@hotdesk.test"/>
  </condition></extension>
  <extension name="sales"><condition field="destination_number" expression="^701$">
    <action application="callcenter" data="sales@default"/>
  </condition></extension>
  <extension name="support"><condition field="destination_number" expression="^702$">
    <action application="callcenter" data="support@default"/>
  </condition></extension>
  <extension name="outside"><condition field="destination_number" expression="^00\d+$">
    <action application="bridge" data="user/trunk@hotdesk.test"/>
  </condition></extension>
  <extension name="keys"><condition field="destination_number" expression="^\*97$" break="on-true">
    <action application="transfer" data="hotdesk-voicemail XML hotdesk-features"/>
  </condition><condition field="destination_number" expression="^\*8$">
    <action application="transfer" data="hotdesk-pickup XML hotdesk-features"/>
  </condition></extension>
</context>
<context name="recording">
  <extension name="on-demand"><condition field="destination_number" expression="^on-demand$">
    <action application="bind_meta_app" data="2 a s record_session::${recordings_dir}/${hd_record_user}-by-key-${uuid}.wav"/>
  </condition></extension>
  <extension name="record"><condition>
    <action application="record_session" data="${recordings_dir}/${hd_record_user}-${hd_record_direction}-${uuid}.wav"/>
  </condition></extension>
</context>
<context name="outside">
  <X-PRE-PROCESS cmd="include" data="dialplan/public/*.xml"/>
  <extension name="users"><condition field="destination_number" expression="^(1\d\d)$">
    <action application="transfer" data="$1 XML default"/>
  </condition></extension>
  <extension name="nobody"><condition field="destination_number" expression="^\+?\d+$">
    <action application="respond" data="404"/>
  </condition></extension>
</context>
<context name="first-aid">
  <extension name="key"><condition field="destination_number" expression="^\*8$">
    <action application="transfer" data="hotdesk-pickup XML hotdesk-features"/>
  </condition></extension>
  <extension name="colleague"><condition field="destination_number" expression="^200$">
    <action application="bridge" data="user/colleague@hotdesk.test"/>
  </condition></extension>
</context>
<context name="circle">
  <extension name="back"><condition field="destination_number" expression="^(.*)$">
    <action application="transfer" data="$1 XML hotdesk"/>
  </condition></extension>
</context>
<context name="emergency">
  <extension name="help"><condition field="destination_number" expression="^11[02]$">
    <action application="bridge" data="user/trunk@hotdesk.test"/>
  </condition></extension>
</context>
"#;

/// A FreeSWITCH with three hotdesk phones, a colleague's, and a trunk; nobody is anywhere.
struct Switch {
    fs: FreeSwitch,
    esl: Esl,
    tenant: TenantId,
}

fn settings() -> Settings {
    Settings {
        tenant: TenantId::default(),
        codes: Codes::of(&[Preset::Simmpl]).unwrap().into(),
        users: vec![NumberPattern::new("1XX").unwrap()],
        emergency_numbers: ["110", "112"].map(|number| EmergencyNumber::new(number).unwrap()).into(),
        emergency_context: Context::new("emergency").unwrap(),
        ring: 2,
        turn: 1,
        recording: Context::new("recording").ok(),
        voicemail_password: true,
        reach: Reach::default(),
        groups: BTreeMap::new(),
        controllers: vec![],
    }
}

/// Every file below `folder`.
fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { below(&path, files) } else { files.push(path) }
    }
}

/// Where a file of the tree goes in a FreeSWITCH's folder.
fn installed_at(path: &str) -> String {
    if path.starts_with("sounds/") { path.to_owned() } else { format!("conf/{path}") }
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
        let fs = tree::files(&settings)
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

    /// 101, who may call outside, sits at desk1; 102, anonymous and without a class, at desk2.
    fn seat(&mut self) {
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
