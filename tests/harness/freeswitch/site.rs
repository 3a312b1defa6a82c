//! The configuration of a FreeSWITCH for a small site.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::harness::asterisk::ports::Ports;

/// The domain of its users: not the address that it listens on.
pub const DOMAIN: &str = "hotdesk.test";

/// The event socket's password.
pub const PASSWORD: &str = "esl-password-of-the-test";

/// The user of the directory that hotdesk is at the event socket.
pub const ESL_USER: &str = "hotdesk@hotdesk.test";

/// The password there, with each character that may separate fields.
pub const ESL_USER_PASSWORD: &str = "hotdesk's:own@password";

/// The options of the program, and the folder for each.
pub(super) const FOLDERS: [(&str, &str); 9] = [
    ("-conf", "conf"),
    ("-log", "log"),
    ("-db", "db"),
    ("-run", "run"),
    ("-storage", "storage"),
    ("-recordings", "recordings"),
    ("-cache", "cache"),
    ("-temp", "temp"),
    ("-sounds", "sounds"),
];

/// What a FreeSWITCH is to be: its phones and its dialplan.
pub struct Site {
    /// Its ports, reserved until it is dropped; `ami` is the event socket's.
    pub ports: Ports,
    users: Vec<User>,
    /// Of other domains.
    others: Vec<(String, User)>,
    entries: Vec<String>,
    dialplan: String,
    dial_string: String,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// A user of the directory, with a phone. The password is `pw-` and the name.
#[derive(Clone, Debug)]
pub struct User {
    name: String,
    context: String,
    variables: Vec<(String, String)>,
}

impl User {
    /// A hotdesk device: its calls go to `hotdesk`.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), context: "hotdesk@desk".to_owned(), variables: vec![] }
    }

    /// Where its calls go.
    #[must_use]
    pub fn context(mut self, context: &str) -> Self {
        self.context = context.to_owned();
        self
    }

    /// One more variable, such as `effective_caller_id_number`.
    #[must_use]
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    fn xml(&self) -> String {
        let Self { name, context, variables } = self;
        let variables: String = variables
            .iter()
            .map(|(name, value)| format!("<variable name=\"{name}\" value=\"{value}\"/>\n"))
            .collect();
        format!(
            "<user id=\"{name}\">\n<params><param name=\"password\" value=\"{}\"/></params>\n\
             <variables><variable name=\"user_context\" value=\"{context}\"/>\n{variables}</variables>\n</user>\n",
            password(name)
        )
    }
}

/// The password of a user.
pub fn password(user: &str) -> String {
    format!("pw-{user}")
}

impl Site {
    /// An empty site on free ports.
    pub fn new() -> Result<Self> {
        Ok(Self {
            ports: Ports::claim()?,
            users: vec![],
            others: vec![],
            entries: vec![],
            dialplan: String::new(),
            dial_string: "${sofia_contact(*/${dialed_user}@${dialed_domain})}".to_owned(),
            files: vec![],
        })
    }

    /// `desk1` to `desk<n>`: hotdesk devices.
    #[must_use]
    pub fn desks(self, n: usize) -> Self {
        (1..=n).fold(self, |site, i| site.user(User::new(&format!("desk{i}"))))
    }

    /// One more user.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// A user of another domain. What the profile calls by one domain of its own then goes by each phone's.
    #[must_use]
    pub fn user_in(mut self, domain: &str, user: User) -> Self {
        self.others.push((domain.to_owned(), user));
        self
    }

    /// A voicemail box, PIN 1111.
    #[must_use]
    pub fn mailbox(self, extension: &str) -> Self {
        self.entry(&format!(
            "<user id=\"{extension}\"><params><param name=\"vm-password\" value=\"1111\"/></params></user>\n"
        ))
    }

    /// One more entry of the directory, as XML.
    #[must_use]
    pub fn entry(mut self, xml: &str) -> Self {
        self.entries.push(xml.to_owned());
        self
    }

    /// Contexts of the site's own.
    #[must_use]
    pub fn dialplan(mut self, xml: &str) -> Self {
        self.dialplan.push_str(xml);
        self
    }

    /// What `user/<name>` rings: the directory's `dial-string`.
    #[must_use]
    pub fn dial_string(mut self, dial_string: &str) -> Self {
        self.dial_string = dial_string.to_owned();
        self
    }

    /// A file within its folder: `conf/dialplan/hotdesk.xml`, `sounds/hotdesk/en/locked.wav`.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.into(), bytes.into()));
        self
    }

    /// A domain of the directory.
    fn domain(&self, domain: &str, users: &str) -> String {
        format!(
            "<domain name=\"{domain}\">\n<params><param name=\"dial-string\" value=\"{}\"/></params>\n\
             <groups><group name=\"default\"><users>\n{users}</users></group></groups>\n</domain>\n",
            self.dial_string
        )
    }

    /// Writes it all under `dir`.
    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        let made = [
            "conf/dialplan/default",
            "conf/dialplan/public",
            "log/cdr-csv/format",
            "log/cdr-csv/json",
            "log/cdr-csv/xml",
        ];
        for folder in FOLDERS.iter().map(|(_, folder)| *folder).chain(made) {
            fs::create_dir_all(dir.join(folder))
                .with_context(|| format!("making {folder} in {}", dir.display()))?;
        }
        let users: String = self.users.iter().map(User::xml).chain(self.entries.iter().cloned()).collect();
        let mut domains: BTreeMap<&str, String> = BTreeMap::from([(DOMAIN, users)]);
        for (domain, user) in &self.others {
            domains.entry(domain).or_default().push_str(&user.xml());
        }
        let forced = |line: &&str| !line.contains("\"force-") || domains.len() == 1;
        let profile: String =
            include_str!("freeswitch.xml").lines().filter(forced).map(|line| format!("{line}\n")).collect();
        let realm = if domains.len() == 1 { DOMAIN } else { "auto_from" };
        let aliases: String = domains
            .keys()
            .map(|domain| format!("<domain name=\"{domain}\" alias=\"true\" parse=\"false\"/>"))
            .collect();
        let directory: String = domains.iter().map(|(domain, users)| self.domain(domain, users)).collect();
        let xml = profile
            .replace("@ALIASES@", &aliases)
            .replace("@DIRECTORY@", &directory)
            .replace("@REALM@", realm)
            .replace("@CDRS@", &dir.join("log/cdr-csv").display().to_string())
            .replace("@DIALPLAN@", &self.dialplan)
            .replace("@DOMAIN@", DOMAIN)
            .replace("@ESL-PORT@", &self.ports.ami.port().to_string())
            .replace("@PASSWORD@", PASSWORD)
            .replace("@RTP-FIRST@", &self.ports.rtp.start().to_string())
            .replace("@RTP-LAST@", &self.ports.rtp.end().to_string())
            .replace("@SIP-PORT@", &self.ports.sip.port().to_string());
        fs::write(dir.join("conf/freeswitch.xml"), xml)?;
        for (path, bytes) in &self.files {
            let path = dir.join(path);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}
