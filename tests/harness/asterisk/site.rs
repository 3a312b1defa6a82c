//! The configuration of an Asterisk for a small site.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::data::{self, Sounds};
use super::ports::Ports;
use crate::harness::debian::Install;

/// User and secret of the AMI account of the tests, which has all rights.
pub const ADMIN: (&str, &str) = ("admin", "admin-secret");

/// What an Asterisk is to be: its phones, its dialplan, its AMI users.
pub struct Site {
    /// Its ports, reserved until the Asterisk is dropped.
    pub ports: Ports,
    endpoints: Vec<Endpoint>,
    mailboxes: Vec<String>,
    dialplan: String,
    manager: String,
    files: Vec<(String, String)>,
    sounds: Vec<Sounds>,
}

/// A PJSIP endpoint with its auth and its AOR, all of one name. Its password is `pw-` and the name.
#[derive(Clone, Debug)]
pub struct Endpoint {
    name: String,
    context: String,
    subscribe_context: String,
    extra: String,
}

impl Endpoint {
    /// A hotdesk device: calls go to `hotdesk`, subscriptions to `hotdesk-users`.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            context: "hotdesk".to_owned(),
            subscribe_context: "hotdesk-users".to_owned(),
            extra: String::new(),
        }
    }

    /// Where its calls go.
    #[must_use]
    pub fn context(mut self, context: &str) -> Self {
        self.context = context.to_owned();
        self
    }

    /// Where the extensions that it watches are looked up.
    #[must_use]
    pub fn subscribe_context(mut self, context: &str) -> Self {
        self.subscribe_context = context.to_owned();
        self
    }

    /// A further line of the endpoint's section, such as `callerid=Reception <100>`.
    #[must_use]
    pub fn with(mut self, line: &str) -> Self {
        self.extra.push_str(line);
        self.extra.push('\n');
        self
    }

    fn conf(&self) -> String {
        let Self { name, context, subscribe_context, extra } = self;
        format!(
            "[{name}](phone)\naors={name}\nauth={name}\ncontext={context}\nsubscribe_context={subscribe_context}\n{extra}\
             [{name}](auth)\nusername={name}\npassword={}\n[{name}](aor)\n",
            password(name)
        )
    }
}

/// The password of an endpoint.
pub fn password(endpoint: &str) -> String {
    format!("pw-{endpoint}")
}

impl Site {
    /// An empty site on free ports.
    pub fn new() -> Result<Self> {
        let ports = Ports::claim()?;
        let nothing = String::new;
        Ok(Self {
            ports,
            endpoints: vec![],
            mailboxes: vec![],
            dialplan: nothing(),
            manager: nothing(),
            files: vec![],
            sounds: vec![],
        })
    }

    /// `desk1` to `desk<n>`: hotdesk devices.
    #[must_use]
    pub fn desks(self, n: usize) -> Self {
        (1..=n).fold(self, |site, i| site.endpoint(Endpoint::new(&format!("desk{i}"))))
    }

    /// One more endpoint.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// A voicemail box `<extension>@default`, PIN 1111.
    #[must_use]
    pub fn mailbox(mut self, extension: &str, name: &str) -> Self {
        self.mailboxes.push(format!("{extension} => 1111,{name}\n"));
        self
    }

    /// Text for extensions.conf after `[general]`.
    #[must_use]
    pub fn dialplan(mut self, text: &str) -> Self {
        self.dialplan.push_str(text);
        self
    }

    /// Text for manager.conf after `[general]` and [`ADMIN`].
    #[must_use]
    pub fn manager(mut self, text: &str) -> Self {
        self.manager.push_str(text);
        self
    }

    /// A file beside them, such as a `hotdesk.conf` for the dialplan to `#include`; or one of them, replaced.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Own prompts: `folder` plays as `<name>/…` to a caller of this language.
    #[must_use]
    pub fn sounds(mut self, language: &str, name: &str, folder: &Path) -> Self {
        let (language, name, folder) = (language.to_owned(), name.to_owned(), folder.to_owned());
        self.sounds.push(Sounds { language, name, folder });
        self
    }

    /// Writes it all under `dir`.
    pub(super) fn write(&self, install: &Install, dir: &Path) -> Result<()> {
        for folder in ["etc", "lib", "db", "spool", "run", "log/cdr-csv", "cache"] {
            fs::create_dir_all(dir.join(folder))
                .with_context(|| format!("making {folder} in {}", dir.display()))?;
        }
        data::link(&install.data, &dir.join("data"), &self.sounds)?;
        let fixed = [
            ("modules.conf", include_str!("etc/modules.conf")),
            ("logger.conf", include_str!("etc/logger.conf")),
            ("indications.conf", include_str!("etc/indications.conf")),
            ("cdr.conf", include_str!("etc/cdr.conf")),
            ("cel.conf", "[general]\nenable=no\n"),
            ("pjproject.conf", "[startup]\nlog_level=2\n"),
        ];
        // Named so that Asterisk does not warn that they are missing.
        let empty = [
            "acl",
            "ccss",
            "cli",
            "codecs",
            "extconfig",
            "features",
            "pjsip_notify",
            "sorcery",
            "stasis",
            "udptl",
        ];
        let written = [
            ("asterisk.conf", asterisk_conf(install, dir)),
            ("rtp.conf", self.rtp_conf()),
            ("pjsip.conf", self.pjsip_conf()),
            ("manager.conf", self.manager_conf()),
            ("voicemail.conf", self.voicemail_conf()),
            (
                "musiconhold.conf",
                format!("[default]\nmode=files\ndirectory={}/sounds/en\n", install.data.display()),
            ),
            ("extensions.conf", format!("[general]\nstatic=yes\nwriteprotect=no\n\n{}", self.dialplan)),
        ];
        let all = fixed
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .chain(empty.into_iter().map(|name| (format!("{name}.conf"), String::new())))
            .chain(written.into_iter().map(|(name, text)| (name.to_owned(), text)))
            .chain(self.files.iter().cloned());
        for (name, text) in all {
            fs::write(dir.join("etc").join(&name), text).with_context(|| format!("writing {name}"))?;
        }
        Ok(())
    }

    fn rtp_conf(&self) -> String {
        let (first, last) = (self.ports.rtp.start(), self.ports.rtp.end());
        format!("[general]\nrtpstart={first}\nrtpend={last}\nicesupport=no\nstrictrtp=no\n")
    }

    fn pjsip_conf(&self) -> String {
        let transport = format!("[udp]\ntype=transport\nprotocol=udp\nbind={}\n", self.ports.sip);
        let endpoints: String = self.endpoints.iter().map(Endpoint::conf).collect();
        format!("{}{transport}{endpoints}", include_str!("etc/pjsip-base.conf"))
    }

    fn manager_conf(&self) -> String {
        let (user, secret) = ADMIN;
        format!(
            "[general]\nenabled=yes\nport={}\nbindaddr=127.0.0.1\nwebenabled=no\n\
             [{user}]\nsecret={secret}\nread=all\nwrite=all\nwritetimeout=5000\n\n{}",
            self.ports.ami.port(),
            self.manager
        )
    }

    fn voicemail_conf(&self) -> String {
        format!("[general]\nformat=wav\nminsecs=0\npollmailboxes=no\n[default]\n{}", self.mailboxes.concat())
    }
}

fn asterisk_conf(install: &Install, dir: &Path) -> String {
    let mut text = String::from("[directories]\n");
    let own = [
        ("astetcdir", "etc"),
        ("astvarlibdir", "lib"),
        ("astkeydir", "lib"),
        ("astagidir", "lib"),
        ("astdatadir", "data"),
        ("astdbdir", "db"),
        ("astspooldir", "spool"),
        ("astrundir", "run"),
        ("astlogdir", "log"),
        ("astcachedir", "cache"),
    ];
    for (key, folder) in own {
        let _ = writeln!(text, "{key} => {}", dir.join(folder).display());
    }
    let _ = writeln!(text, "astmoddir => {}", install.modules.display());
    text + "[options]\nnocolor=yes\nverbose=3\nautosystemname=no\nhideconnect=yes\n"
}
