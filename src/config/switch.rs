//! `[[switch]]`: a switch that we stand beside.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::{ConfigError, HostPort, Secret};
use crate::desk::id::{SwitchName, TenantId};
use crate::desk::reach::{Reach, Route};

/// One switch. The keys of the other kind are at their defaults.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Written")]
pub struct Switch {
    /// What devices call it: `hotdesk device set … --switch pbx`.
    pub name: SwitchName,
    /// What it is.
    pub kind: Kind,
    /// In whose rows of an Asterisk our table stands.
    pub layout: Layout,
    /// Whose phones it has; at least one.
    pub tenants: Vec<TenantId>,
    /// Where we take its FastAGI calls.
    pub agi_listen: SocketAddr,
    /// Where its dialplan finds us, if that is another address than `agi_listen`.
    agi_advertise: Option<HostPort>,
    /// Who may make FastAGI calls, if not only this machine and the host of `ami`.
    agi_allow: Option<Vec<IpNet>>,
    /// Where its manager interface listens.
    pub ami: HostPort,
    /// Our name there.
    pub ami_user: String,
    /// The file with our secret there.
    pub ami_secret_file: PathBuf,
    /// Where a FreeSWITCH's event socket listens.
    pub esl: HostPort,
    /// Our user in its directory, `name@domain`; without one, the event socket's own password is ours.
    pub esl_user: Option<String>,
    /// The file with the password of either.
    pub esl_password_file: PathBuf,
    /// Where its dialplan brings us the calls; without it, they wait until we take them over `esl`.
    pub outbound_listen: Option<SocketAddr>,
    /// Who may bring calls, if not only this machine and the host of `esl`.
    outbound_allow: Option<Vec<IpNet>>,
    /// The controllers that its dialplan tries, in this order, if there are others than `outbound_listen`.
    outbound_controllers: Option<Vec<HostPort>>,
    /// How it reaches the others, by their names.
    reach: BTreeMap<SwitchName, Route>,
}

/// A switch as it is written: what is not there is at its default, or of the other kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<SwitchName>,
    kind: Option<Kind>,
    layout: Option<Layout>,
    tenants: Option<Vec<TenantId>>,
    agi_listen: Option<SocketAddr>,
    agi_advertise: Option<HostPort>,
    agi_allow: Option<Vec<IpNet>>,
    ami: Option<HostPort>,
    ami_user: Option<String>,
    ami_secret_file: Option<PathBuf>,
    esl: Option<HostPort>,
    esl_user: Option<String>,
    esl_password_file: Option<PathBuf>,
    outbound_listen: Option<SocketAddr>,
    outbound_allow: Option<Vec<IpNet>>,
    outbound_controllers: Option<Vec<HostPort>>,
    #[serde(default)]
    reach: BTreeMap<SwitchName, Route>,
}

impl TryFrom<Written> for Switch {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        let default = Self::default();
        let name = written.name.clone().unwrap_or(default.name);
        let kind = written.kind.unwrap_or(default.kind);
        if let Some(key) = written.foreign(kind) {
            return Err(format!("switch {name}: {key} is no key of kind {kind}: drop it, or change kind"));
        }
        Ok(Self {
            name,
            kind,
            layout: written.layout.unwrap_or(default.layout),
            tenants: written.tenants.unwrap_or(default.tenants),
            agi_listen: written.agi_listen.unwrap_or(default.agi_listen),
            agi_advertise: written.agi_advertise,
            agi_allow: written.agi_allow,
            ami: written.ami.unwrap_or(default.ami),
            ami_user: written.ami_user.unwrap_or(default.ami_user),
            ami_secret_file: written.ami_secret_file.unwrap_or(default.ami_secret_file),
            esl: written.esl.unwrap_or(default.esl),
            esl_user: written.esl_user,
            esl_password_file: written.esl_password_file.unwrap_or(default.esl_password_file),
            outbound_listen: written.outbound_listen,
            outbound_allow: written.outbound_allow,
            outbound_controllers: written.outbound_controllers,
            reach: written.reach,
        })
    }
}

impl Written {
    /// The first key that a switch of this kind does not have.
    fn foreign(&self, kind: Kind) -> Option<&'static str> {
        let of_asterisk = [
            ("layout", self.layout.is_some()),
            ("agi_listen", self.agi_listen.is_some()),
            ("agi_advertise", self.agi_advertise.is_some()),
            ("agi_allow", self.agi_allow.is_some()),
            ("ami", self.ami.is_some()),
            ("ami_user", self.ami_user.is_some()),
            ("ami_secret_file", self.ami_secret_file.is_some()),
        ];
        let of_freeswitch = [
            ("esl", self.esl.is_some()),
            ("esl_user", self.esl_user.is_some()),
            ("esl_password_file", self.esl_password_file.is_some()),
            ("outbound_listen", self.outbound_listen.is_some()),
            ("outbound_allow", self.outbound_allow.is_some()),
            ("outbound_controllers", self.outbound_controllers.is_some()),
        ];
        let foreign = match kind {
            Kind::Asterisk => &of_freeswitch[..],
            Kind::FreeSwitch => &of_asterisk[..],
        };
        foreign.iter().find(|(_, written)| *written).map(|(key, _)| *key)
    }
}

/// What a switch is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Asterisk 16 to 22.
    Asterisk,
    /// FreeSWITCH 1.10.
    FreeSwitch,
}

/// In whose rows of an Asterisk our table stands.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// In those of a FreePBX in Device & User mode, whose own dialplan reads them.
    FreePbx,
    /// In rows of our own, which the dialplan reads that we print.
    #[default]
    Hotdesk,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asterisk => "asterisk",
            Self::FreeSwitch => "freeswitch",
        })
    }
}

impl Switch {
    /// Whether it has phones of `tenant`.
    #[must_use]
    pub fn has(&self, tenant: &TenantId) -> bool {
        self.tenants.contains(tenant)
    }

    /// Where its dialplan finds us.
    #[must_use]
    pub fn agi_advertise(&self) -> HostPort {
        self.agi_advertise.clone().unwrap_or_else(|| self.agi_listen.into())
    }

    /// The networks that may connect to us with calls; unless configured, this machine and the host of `ami` or `esl`. Its
    /// name is looked up each time, which may take seconds.
    #[must_use]
    pub fn allow(&self) -> Vec<IpNet> {
        let (configured, host) = match self.kind {
            Kind::Asterisk => (&self.agi_allow, &self.ami),
            Kind::FreeSwitch => (&self.outbound_allow, &self.esl),
        };
        match configured {
            Some(networks) => networks.clone(),
            None => [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
                .into_iter()
                .chain(host.resolve())
                .map(IpNet::from)
                .collect(),
        }
    }

    /// The controllers that a FreeSWITCH's dialplan tries, in this order; none, where calls wait until they are taken.
    #[must_use]
    pub fn outbound_controllers(&self) -> Vec<HostPort> {
        let own = || self.outbound_listen.map(HostPort::from).into_iter().collect();
        self.outbound_controllers.clone().unwrap_or_else(own)
    }

    /// The same without what a reload can replace: what differs in this needs a restart.
    #[must_use]
    pub fn without_reloadable(self) -> Self {
        Self { agi_allow: None, outbound_allow: None, ..self }
    }

    /// How it reaches the others. A FreeSWITCH's lamp rows are what its directory dials, routes too; an Asterisk's are
    /// devices that are watched.
    #[must_use]
    pub(super) fn reach(&self) -> Reach {
        let lamps = self.kind == Kind::FreeSwitch;
        Reach { routes: self.reach.clone(), lamps, ..Reach::default() }
    }

    /// Our secret at its manager interface.
    ///
    /// # Errors
    /// [`ConfigError::Secret`] when the file cannot be read, is empty, or open to others.
    pub fn ami_secret(&self) -> Result<Secret, ConfigError> {
        Secret::read(&self.ami_secret_file)
    }

    /// Our password at its event socket.
    ///
    /// # Errors
    /// [`ConfigError::Secret`] when the file cannot be read, is empty, or open to others.
    pub fn esl_password(&self) -> Result<Secret, ConfigError> {
        Secret::read(&self.esl_password_file)
    }

    pub(super) fn agrees(&self) -> Result<(), String> {
        let name = &self.name;
        for (n, tenant) in self.tenants.iter().enumerate() {
            if self.tenants.iter().take(n).any(|before| before == tenant) {
                return Err(format!("switch {name}: tenants names {tenant} twice"));
            }
        }
        if self.tenants.is_empty() {
            return Err(format!(
                "switch {name}: tenants = [] has nobody's phones: leave it out, or name them"
            ));
        }
        if self.kind == Kind::FreeSwitch && self.tenants.len() > 1 && self.has(&TenantId::default()) {
            return Err(format!(
                "switch {name}: on a FreeSWITCH the tenant default means whatever domain a phone registers in: leave it \
                 out of tenants, or have it alone"
            ));
        }
        if self.layout == Layout::FreePbx && self.tenants.len() > 1 {
            return Err(format!(
                "switch {name}: a FreePBX has the users of one company: name one in tenants"
            ));
        }
        let user = &self.ami_user;
        if user.is_empty() || user.len() > 80 || !user.chars().all(|c| c.is_ascii_graphic()) {
            return Err(format!("switch {name}: ami_user takes 1 to 80 characters without spaces"));
        }
        if self.agi_advertise.is_none()
            && (self.agi_listen.ip().is_unspecified() || self.agi_listen.port() == 0)
        {
            return Err(format!(
                "switch {name}: agi_listen = \"{}\" is no address that its dialplan could dial: \
                 add agi_advertise = \"HOST:PORT\"",
                self.agi_listen
            ));
        }
        for (key, networks) in [("agi_allow", &self.agi_allow), ("outbound_allow", &self.outbound_allow)] {
            if networks.as_ref().is_some_and(Vec::is_empty) {
                return Err(format!(
                    "switch {name}: {key} = [] lets nobody in: name the switch's address in it"
                ));
            }
        }
        if let Some(user) = &self.esl_user {
            let plain = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
            };
            if user.len() > 120
                || !user.split_once('@').is_some_and(|(user, domain)| plain(user) && plain(domain))
            {
                return Err(format!(
                    "switch {name}: esl_user takes NAME@DOMAIN, a user of FreeSWITCH's directory"
                ));
            }
        }
        self.brings()
    }

    /// Whether its dialplan can bring calls to those who are to take them.
    fn brings(&self) -> Result<(), String> {
        let name = &self.name;
        let Some(own) = self.outbound_listen else {
            let key = match (&self.outbound_allow, &self.outbound_controllers) {
                (Some(_), _) => "outbound_allow",
                (None, Some(_)) => "outbound_controllers",
                (None, None) => return Ok(()),
            };
            return Err(format!("switch {name}: {key} means nothing without outbound_listen"));
        };
        let controllers = self.outbound_controllers();
        if controllers.is_empty() {
            return Err(format!("switch {name}: outbound_controllers = [] leaves nobody to take calls"));
        }
        if self.outbound_controllers.is_none() && (own.ip().is_unspecified() || own.port() == 0) {
            return Err(format!(
                "switch {name}: outbound_listen = \"{own}\" is no address that its dialplan could dial: add \
                 outbound_controllers = [\"HOST:PORT\"]"
            ));
        }
        if let Some(numbered) = controllers.iter().find(|controller| controller.host().contains(':')) {
            return Err(format!(
                "switch {name}: FreeSWITCH's dialplan cannot connect to {numbered}: give a name for it, or IPv4"
            ));
        }
        Ok(())
    }

    /// Whether each switch that it reaches is one of `all`, by a route that can carry
    /// [`HEADER`](crate::desk::reach::HEADER).
    pub(super) fn reaches(&self, all: &[Self]) -> Result<(), String> {
        let name = &self.name;
        if self.layout == Layout::FreePbx && !self.reach.is_empty() {
            return Err(format!("switch {name}: a FreePBX rings its own devices only: drop reach"));
        }
        for (other, route) in &self.reach {
            if other == name {
                return Err(format!("switch {name}: reach.{other} leads to itself: drop it"));
            }
            let Some(other) = all.iter().find(|switch| switch.name == *other) else {
                return Err(format!("switch {name}: reach.{other} names no [[switch]]"));
            };
            let other_name = &other.name;
            if let Some(tenant) = self.tenants.iter().find(|tenant| !other.has(tenant)) {
                return Err(format!(
                    "switch {name}: reach.{other_name} leads to a switch without the tenant {tenant}: add it to the \
                     tenants of {other_name}"
                ));
            }
            let sip = match self.kind {
                Kind::Asterisk => "PJSIP/",
                Kind::FreeSwitch => "sofia/",
            };
            if !route.with("").starts_with(sip) {
                return Err(format!(
                    "switch {name}: reach.{other_name} must begin with {sip}: a header of SIP keeps calls from going \
                     round between the two"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn agrees_with(&self, other: &Self) -> Result<(), String> {
        let name = &self.name;
        if *name == other.name {
            return Err(format!("two switches are named {name}: devices could not say which they mean"));
        }
        let both = |kind| self.kind == kind && other.kind == kind;
        let address = match self.kind {
            Kind::Asterisk => &self.ami,
            Kind::FreeSwitch => &self.esl,
        };
        let same =
            both(Kind::FreeSwitch) && self.esl == other.esl || both(Kind::Asterisk) && self.ami == other.ami;
        if let Some(tenant) = self.tenants.iter().find(|tenant| same && other.has(tenant)) {
            return Err(format!(
                "the switches {} and {name} are the same, {address}, and both have the tenant {tenant}",
                other.name
            ));
        }
        if let (Some(own), Some(others)) = (self.outbound_listen, other.outbound_listen)
            && own == others
            && own.port() != 0
        {
            return Err(format!(
                "the switches {} and {name} have the same outbound_listen, {own}",
                other.name
            ));
        }
        if both(Kind::Asterisk) && self.agi_listen == other.agi_listen && self.agi_listen.port() != 0 {
            let agi = self.agi_listen;
            return Err(format!("the switches {} and {name} have the same agi_listen, {agi}", other.name));
        }
        Ok(())
    }
}

impl Default for Switch {
    fn default() -> Self {
        Self {
            name: SwitchName::default(),
            kind: Kind::Asterisk,
            layout: Layout::default(),
            tenants: vec![TenantId::default()],
            agi_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4573)),
            agi_advertise: None,
            agi_allow: None,
            ami: SocketAddr::from((Ipv4Addr::LOCALHOST, 5038)).into(),
            ami_user: "hotdesk".into(),
            ami_secret_file: "ami.secret".into(),
            esl: SocketAddr::from((Ipv4Addr::LOCALHOST, 8021)).into(),
            esl_user: None,
            esl_password_file: "esl.secret".into(),
            outbound_listen: None,
            outbound_allow: None,
            outbound_controllers: None,
            reach: BTreeMap::new(),
        }
    }
}
