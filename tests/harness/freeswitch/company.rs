//! A whole company: real phones on a real FreeSWITCH, a real hotdesk beside it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::{ESL_USER_PASSWORD, FreeSwitch, Site, User, installed};
use crate::harness::company::{self, DESKS, USERS};
use crate::harness::hotdesk::Hotdesk;
use crate::harness::phone::Phone;

/// The hotdesk phones that FreeSWITCH knows, `desk1` and so on; the company has those of [`DESKS`].
pub const PHONES: usize = 12;
/// The dialplan of the site. `circle` leads back to the context of the phones: a careless site must not make calls loop.
pub const SITE: &str = r#"
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
    <action application="transfer" data="hotdesk-voicemail XML hotdesk@features"/>
  </condition><condition field="destination_number" expression="^\*8$">
    <action application="transfer" data="hotdesk-pickup XML hotdesk@features"/>
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
    <action application="transfer" data="hotdesk-pickup XML hotdesk@features"/>
  </condition></extension>
  <extension name="colleague"><condition field="destination_number" expression="^200$">
    <action application="bridge" data="user/colleague@hotdesk.test"/>
  </condition></extension>
</context>
<context name="circle">
  <extension name="back"><condition field="destination_number" expression="^(.*)$">
    <action application="transfer" data="$1 XML hotdesk@desk"/>
  </condition></extension>
</context>
<context name="emergency">
  <extension name="help"><condition field="destination_number" expression="^11[02]$">
    <action application="bridge" data="user/trunk@hotdesk.test"/>
  </condition></extension>
</context>
"#;

/// A company that is open.
pub struct Company {
    pub pbx: FreeSwitch,
    pub hotdesk: Hotdesk,
}

impl Company {
    /// Runs `program` with its store at `store`, these keys of its switch for the port of its calls, `more` in its
    /// configuration, and these contexts in FreeSWITCH's dialplan. None where no FreeSWITCH is installed.
    pub fn open(
        program: &[PathBuf],
        store: &str,
        keys: impl Fn(SocketAddr) -> String,
        more: &str,
        contexts: &str,
    ) -> Option<Self> {
        let install = installed()?;
        let site = Site::new().unwrap();
        let keys = keys(site.ports.agi);
        let hotdesk = Hotdesk::beside_freeswitch(program, store, site.ports.ami).unwrap();
        let mut hotdesk = hotdesk.with_least_rights(&keys).unwrap();
        hotdesk.configure(more).unwrap();
        let out = hotdesk.path("tree");
        hotdesk.run(&["dialplan", "freeswitch", "--out", &out.display().to_string()]).unwrap();
        let mut files = vec![];
        below(&out, &mut files);
        let directory = std::fs::read_to_string(out.join("directory.xml.example")).unwrap();
        let (_, dial_string) = directory.split_once("name=\"dial-string\" value=\"").unwrap();
        let (dial_string, _) = dial_string.split_once('"').unwrap();
        let (_, user) = directory.split_once("<user id=\"hotdesk\">").unwrap();
        let mut user = format!("<user id=\"hotdesk\">{}", user.replace("CHANGE-ME", ESL_USER_PASSWORD));
        if more.contains("extend_call = true") {
            user = user.replace("esl-allowed-api\" value=\"", "esl-allowed-api\" value=\"originate ");
        }
        let other = |name: &str, number: &str| {
            User::new(name).context("default").with("effective_caller_id_number", number)
        };
        let site = site
            .desks(PHONES)
            .user(other("colleague", "199"))
            .user(other("trunk", "0612345678").context("outside"))
            .dial_string(dial_string)
            .entry(&user)
            .user(User::new("softphone"))
            .user(other("mobile", "0687654321"))
            .dialplan(SITE)
            .dialplan(contexts);
        let site = USERS.iter().fold(site, |site, (extension, ..)| site.mailbox(extension));
        let pbx = files
            .iter()
            .fold(site, |site, file| {
                let within = file.strip_prefix(&out).unwrap().display().to_string();
                site.file(installed_at(&within), std::fs::read(file).unwrap())
            })
            .start(&install)
            .unwrap();
        for (extension, name, pin) in USERS {
            hotdesk.add_user(extension, name, pin).unwrap();
        }
        for (desk, emergency) in DESKS {
            hotdesk.add_desk(desk, emergency).unwrap();
        }
        hotdesk.start().unwrap();
        Some(Self { pbx, hotdesk })
    }

    pub fn dial_code(&self, phone: &Phone, code: &str, entries: &[&str]) -> Result<Duration> {
        company::dial_code(phone, code, entries)
    }

    pub fn log_in(&self, phone: &Phone, user: &str) -> Result<()> {
        company::log_in(&self.hotdesk, phone, user)
    }

    pub fn sessions(&self) -> Result<Vec<String>> {
        company::sessions(&self.hotdesk)
    }

    /// The sessions in the switch table, likewise. An owner is not logged in: the owner's rows have revision 0.
    pub fn rows(&self) -> Result<Vec<String>> {
        let mut esl = self.pbx.esl()?;
        let mut sessions = vec![];
        for (desk, _) in DESKS {
            let row = esl.api(&format!("db select/hotdesk-device-default/{desk}"))?;
            let (user, rest) = row.split_once('|').unwrap_or_default();
            if !user.is_empty() && !rest.starts_with("0|") {
                sessions.push(format!("{user}@{desk}"));
            }
        }
        Ok(sessions)
    }

    pub fn agreed(&self, within: Duration) -> Result<Vec<String>> {
        company::agreed(&self.hotdesk, || self.rows(), within)
    }
}

/// Every file below `folder`.
pub fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { below(&path, files) } else { files.push(path) }
    }
}

/// Where a file of the tree goes in a FreeSWITCH's folder.
pub fn installed_at(path: &str) -> String {
    if path.starts_with("sounds/") { path.to_owned() } else { format!("conf/{path}") }
}
