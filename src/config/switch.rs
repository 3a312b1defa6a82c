//! `[[switch]]`: an Asterisk or FreeSWITCH that Hotdesk works with.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::HostPort;
use super::error::refuse_if;
use crate::model::id::{SwitchName, TenantId};
use crate::model::routes::Route;

/// One switch. The keys of the other kind have their defaults.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Written")]
pub struct Switch {
    /// The name that devices refer to: `hotdesk device set … --switch pbx`.
    pub name: SwitchName,
    /// Asterisk or FreeSWITCH.
    pub kind: Kind,
    /// The layout of the switch table in the AstDB of an Asterisk.
    pub layout: Layout,
    /// The tenants that it serves; at least one.
    pub tenants: Vec<TenantId>,
    /// Where Hotdesk listens for its FastAGI calls.
    pub agi_listen: SocketAddr,
    /// Where its dialplan connects to Hotdesk, if that differs from `agi_listen`.
    agi_advertise: Option<HostPort>,
    /// The networks that may connect there; by default this machine and the host of `ami`.
    agi_allow: Option<Vec<IpNet>>,
    /// Where its manager interface listens.
    pub ami: HostPort,
    /// Hotdesk's user name there.
    pub ami_user: String,
    /// The file with Hotdesk's secret there.
    pub ami_secret_file: PathBuf,
    /// Where a FreeSWITCH's event socket listens.
    pub esl: HostPort,
    /// Hotdesk's user in its directory, `name@domain`; none: Hotdesk logs in with the event socket's password.
    pub esl_user: Option<String>,
    /// The file with the password of that user, or of the event socket.
    pub esl_password_file: PathBuf,
    /// Where Hotdesk listens for its outbound socket; none: calls wait until Hotdesk takes them over `esl`.
    pub outbound_listen: Option<SocketAddr>,
    /// The networks that may connect there; by default this machine and the host of `esl`.
    outbound_allow: Option<Vec<IpNet>>,
    /// The controllers that its dialplan tries, in this order; by default `outbound_listen`.
    outbound_controllers: Option<Vec<HostPort>>,
    /// The folder of its dialplan's files on this machine.
    pub dialplan_dir: PathBuf,
    /// The folder of its prompts on this machine.
    pub sounds_dir: PathBuf,
    /// How it dials users on the other switches, by the names of the switches.
    pub(super) routes: BTreeMap<SwitchName, Route>,
}

/// A switch as written: a missing key has its default, or belongs to the other kind.
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
    dialplan_dir: Option<PathBuf>,
    sounds_dir: Option<PathBuf>,
    #[serde(default)]
    routes: BTreeMap<SwitchName, Route>,
}

impl TryFrom<Written> for Switch {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        let name = written.name.clone().unwrap_or_default();
        let kind = written.kind.unwrap_or(Kind::Asterisk);
        if let Some(key) = written.foreign(kind) {
            return Err(format!(
                "switch {name}: a switch of kind {kind} has no {key}: remove it, or change kind"
            ));
        }
        let layout = written.layout.unwrap_or_default();
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self {
            name,
            kind,
            layout,
            tenants: written.tenants.unwrap_or_else(|| vec![TenantId::default()]),
            agi_listen: written.agi_listen.unwrap_or_else(|| local(layout.agi_port())),
            agi_advertise: written.agi_advertise,
            agi_allow: written.agi_allow,
            ami: written.ami.unwrap_or_else(|| local(5038).into()),
            ami_user: written.ami_user.unwrap_or_else(|| "hotdesk".into()),
            ami_secret_file: written.ami_secret_file.unwrap_or_else(|| "ami.secret".into()),
            esl: written.esl.unwrap_or_else(|| local(8021).into()),
            esl_user: written.esl_user,
            esl_password_file: written.esl_password_file.unwrap_or_else(|| "esl.secret".into()),
            outbound_listen: written.outbound_listen,
            outbound_allow: written.outbound_allow,
            outbound_controllers: written.outbound_controllers,
            dialplan_dir: written.dialplan_dir.unwrap_or_else(|| kind.folders().0.into()),
            sounds_dir: written.sounds_dir.unwrap_or_else(|| kind.folders().1.into()),
            routes: written.routes,
        })
    }
}

impl Written {
    /// The first key that a switch of this kind does not have.
    fn foreign(&self, kind: Kind) -> Option<&'static str> {
        let keys = [
            (Kind::Asterisk, "layout", self.layout.is_some()),
            (Kind::Asterisk, "agi_listen", self.agi_listen.is_some()),
            (Kind::Asterisk, "agi_advertise", self.agi_advertise.is_some()),
            (Kind::Asterisk, "agi_allow", self.agi_allow.is_some()),
            (Kind::Asterisk, "ami", self.ami.is_some()),
            (Kind::Asterisk, "ami_user", self.ami_user.is_some()),
            (Kind::Asterisk, "ami_secret_file", self.ami_secret_file.is_some()),
            (Kind::FreeSwitch, "esl", self.esl.is_some()),
            (Kind::FreeSwitch, "esl_user", self.esl_user.is_some()),
            (Kind::FreeSwitch, "esl_password_file", self.esl_password_file.is_some()),
            (Kind::FreeSwitch, "outbound_listen", self.outbound_listen.is_some()),
            (Kind::FreeSwitch, "outbound_allow", self.outbound_allow.is_some()),
            (Kind::FreeSwitch, "outbound_controllers", self.outbound_controllers.is_some()),
        ];
        keys.into_iter().find_map(|(of, key, written)| (of != kind && written).then_some(key))
    }
}

/// The kind of a switch.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Asterisk 16 to 22.
    Asterisk,
    /// FreeSWITCH 1.10.
    FreeSwitch,
}

/// The layout of the switch table in the AstDB of an Asterisk.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// The rows of a FreePBX, which its own dialplan reads.
    FreePbx,
    /// Rows of Hotdesk, which the dialplan of `hotdesk dialplan asterisk` reads.
    #[default]
    Hotdesk,
}

impl Kind {
    /// Where its packages for Debian keep the dialplan and the sounds.
    const fn folders(self) -> (&'static str, &'static str) {
        match self {
            Self::Asterisk => ("/etc/asterisk", "/usr/share/asterisk/sounds"),
            Self::FreeSwitch => ("/etc/freeswitch/dialplan", "/usr/share/freeswitch/sounds"),
        }
    }
}

/// The port of FastAGI servers, which a dialplan that names none connects to.
const FAST_AGI: u16 = 4573;

impl Layout {
    /// Hotdesk's default port for FastAGI. FreePBX has a server of its own at 4573, on by default, and its dialplan names no
    /// port (core 16.0.68).
    const fn agi_port(self) -> u16 {
        match self {
            Self::FreePbx => FAST_AGI + 1,
            Self::Hotdesk => FAST_AGI,
        }
    }
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
    /// Whether it serves `tenant`.
    #[must_use]
    pub fn has(&self, tenant: &TenantId) -> bool {
        self.tenants.contains(tenant)
    }

    /// Whether Hotdesk listens where the scripts of a FreePBX on this machine should go: then they reach Hotdesk.
    #[must_use]
    pub fn has_port_of_freepbx(&self) -> bool {
        let here = ["127.0.0.1", "::1", "localhost"].contains(&self.ami.host());
        let hears = self.agi_listen.ip().is_loopback() || self.agi_listen.ip().is_unspecified();
        self.layout == Layout::FreePbx && self.agi_listen.port() == FAST_AGI && here && hears
    }

    /// Where its dialplan connects to Hotdesk.
    #[must_use]
    pub fn agi_advertise(&self) -> HostPort {
        self.agi_advertise.clone().unwrap_or_else(|| self.agi_listen.into())
    }

    /// The networks that may connect with calls; by default this machine and the host of `ami` or `esl`, whose name
    /// is resolved each time. That may take seconds.
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

    /// The controllers that a FreeSWITCH's dialplan tries, in this order; none if calls wait until they are taken.
    #[must_use]
    pub fn outbound_controllers(&self) -> Vec<HostPort> {
        let own = || self.outbound_listen.map(HostPort::from).into_iter().collect();
        self.outbound_controllers.clone().unwrap_or_else(own)
    }

    /// The switch without what a reload replaces: a difference in the rest needs a restart.
    #[must_use]
    pub fn without_reloadable(self) -> Self {
        let nowhere = PathBuf::new;
        Self { agi_allow: None, outbound_allow: None, dialplan_dir: nowhere(), sounds_dir: nowhere(), ..self }
    }

    /// Validates it, and that its routes lead to switches of `all`.
    pub(super) fn validate(&self, all: &[Self]) -> Result<(), String> {
        let valid = self.validate_keys().and_then(|()| self.validate_outbound());
        let valid = valid.and_then(|()| self.validate_routes(all));
        valid.map_err(|why| format!("switch {}: {why}", self.name))
    }

    fn validate_keys(&self) -> Result<(), String> {
        for (n, tenant) in self.tenants.iter().enumerate() {
            let again = self.tenants.iter().take(n).any(|before| before == tenant);
            refuse_if(again, format!("tenants has {tenant} twice: remove one"))?;
        }
        refuse_if(self.tenants.is_empty(), "tenants is empty: remove the key, or name a tenant")?;
        let several = self.tenants.len() > 1;
        refuse_if(
            self.kind == Kind::FreeSwitch && several && self.has(&TenantId::default()),
            "on a FreeSWITCH the tenant default stands for every domain: remove it from tenants, or make it the only \
             one",
        )?;
        let freepbx = self.layout == Layout::FreePbx;
        refuse_if(freepbx && several, "a FreePBX serves one tenant: name one in tenants")?;
        let user = &self.ami_user;
        refuse_if(
            user.is_empty() || user.len() > 80 || !user.chars().all(|c| c.is_ascii_graphic()),
            "ami_user must have 1 to 80 characters without spaces",
        )?;
        let agi = self.agi_listen;
        let why = format!(
            "the dialplan cannot connect to agi_listen = \"{agi}\": add agi_advertise = \"HOST:PORT\""
        );
        refuse_if(self.agi_advertise.is_none() && is_incomplete(agi), why)?;
        for (key, networks) in [("agi_allow", &self.agi_allow), ("outbound_allow", &self.outbound_allow)] {
            let why = format!("{key} is empty, so no call can come in: add the address of the switch");
            refuse_if(networks.as_ref().is_some_and(Vec::is_empty), why)?;
        }
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
        };
        let valid = |user: &String| {
            user.len() <= 120
                && user.split_once('@').is_some_and(|(user, domain)| plain(user) && plain(domain))
        };
        refuse_if(
            !self.esl_user.as_ref().is_none_or(valid),
            "esl_user must be NAME@DOMAIN, a user of FreeSWITCH's directory",
        )
    }

    /// Validates that its dialplan can connect to the controllers.
    fn validate_outbound(&self) -> Result<(), String> {
        let Some(own) = self.outbound_listen else {
            let key = match (&self.outbound_allow, &self.outbound_controllers) {
                (Some(_), _) => "outbound_allow",
                (None, Some(_)) => "outbound_controllers",
                (None, None) => return Ok(()),
            };
            return Err(format!("{key} needs outbound_listen: add it, or remove {key}"));
        };
        let controllers = self.outbound_controllers();
        refuse_if(
            controllers.is_empty(),
            "outbound_controllers is empty: remove the key, or name a controller",
        )?;
        let why = format!(
            "the dialplan cannot connect to outbound_listen = \"{own}\": add outbound_controllers = [\"HOST:PORT\"]"
        );
        refuse_if(self.outbound_controllers.is_none() && is_incomplete(own), why)?;
        match controllers.iter().find(|controller| controller.host().contains(':')) {
            Some(numbered) => Err(format!(
                "FreeSWITCH's dialplan cannot connect to the IPv6 address {numbered}: use a host name or IPv4"
            )),
            None => Ok(()),
        }
    }

    /// Validates that each route leads to another switch over SIP, so that it carries
    /// [`HEADER`](crate::model::routes::HEADER).
    fn validate_routes(&self, all: &[Self]) -> Result<(), String> {
        let freepbx = self.layout == Layout::FreePbx;
        refuse_if(freepbx && !self.routes.is_empty(), "a FreePBX rings its own devices only: remove routes")?;
        let sip = match self.kind {
            Kind::Asterisk => "PJSIP/",
            Kind::FreeSwitch => "sofia/",
        };
        for (to, route) in &self.routes {
            refuse_if(*to == self.name, format!("routes.{to} leads to itself: remove it"))?;
            let other = all.iter().find(|switch| switch.name == *to);
            let other = other.ok_or_else(|| format!("routes.{to}: there is no [[switch]] named {to}"))?;
            if let Some(tenant) = self.tenants.iter().find(|tenant| !other.has(tenant)) {
                return Err(format!(
                    "routes.{to} leads to a switch without the tenant {tenant}: add it to the tenants of {to}"
                ));
            }
            let why = format!(
                "routes.{to} must begin with {sip}: a SIP header keeps calls from looping between the two switches"
            );
            refuse_if(!route.with("").starts_with(sip), why)?;
        }
        Ok(())
    }

    pub(super) fn validate_against(&self, other: &Self) -> Result<(), String> {
        let name = &self.name;
        refuse_if(*name == other.name, format!("two [[switch]] are named {name}: give each its own name"))?;
        let both = format!("the switches {} and {name} have the same", other.name);
        let (of, of_other) = match self.kind {
            Kind::Asterisk => (&self.ami, &other.ami),
            Kind::FreeSwitch => (&self.esl, &other.esl),
        };
        let same = self.kind == other.kind && of == of_other;
        if let Some(tenant) = self.tenants.iter().find(|tenant| same && other.has(tenant)) {
            return Err(format!("{both} address, {of}, and both serve the tenant {tenant}: remove one"));
        }
        let asterisk = |switch: &Self| (switch.kind == Kind::Asterisk).then_some(switch.agi_listen);
        for (key, own, others) in [
            ("outbound_listen", self.outbound_listen, other.outbound_listen),
            ("agi_listen", asterisk(self), asterisk(other)),
        ] {
            if let Some(address) = own.filter(|own| own.port() != 0 && Some(*own) == others) {
                return Err(format!("{both} {key}, {address}: give each its own"));
            }
        }
        Ok(())
    }
}

/// Whether a peer could not connect to this address: it names no host or no port.
fn is_incomplete(address: SocketAddr) -> bool {
    address.ip().is_unspecified() || address.port() == 0
}
