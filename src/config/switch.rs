//! `[[switch]]`: a switch that we stand beside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::{ConfigError, HostPort, Secret};
use crate::desk::id::{SwitchName, TenantId};

/// One switch.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Switch {
    /// What devices call it: `hotdesk device set … --switch pbx`.
    pub name: SwitchName,
    /// What it is.
    pub kind: Kind,
    /// Whose phones it has.
    pub tenant: TenantId,
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
}

/// What a switch is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Asterisk 16 to 22.
    Asterisk,
}

impl Switch {
    /// Where its dialplan finds us.
    #[must_use]
    pub fn agi_advertise(&self) -> HostPort {
        self.agi_advertise.clone().unwrap_or_else(|| self.agi_listen.into())
    }

    /// The networks that may make FastAGI calls; unless configured, this machine and the host of `ami`. Its name is
    /// looked up each time, which may take seconds.
    #[must_use]
    pub fn agi_allow(&self) -> Vec<IpNet> {
        match &self.agi_allow {
            Some(networks) => networks.clone(),
            None => [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
                .into_iter()
                .chain(self.ami.resolve())
                .map(IpNet::from)
                .collect(),
        }
    }

    /// The same without what a reload can replace: what differs in this needs a restart.
    #[must_use]
    pub fn without_reloadable(self) -> Self {
        Self { agi_allow: None, ..self }
    }

    /// Our secret at its manager interface.
    ///
    /// # Errors
    /// [`ConfigError::Secret`] when the file cannot be read, is empty, or open to others.
    pub fn ami_secret(&self) -> Result<Secret, ConfigError> {
        Secret::read(&self.ami_secret_file)
    }

    pub(super) fn agrees(&self) -> Result<(), String> {
        let name = &self.name;
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
        if self.agi_allow.as_ref().is_some_and(Vec::is_empty) {
            return Err(format!(
                "switch {name}: agi_allow = [] lets nobody in: name the switch's address in it"
            ));
        }
        Ok(())
    }

    pub(super) fn agrees_with(&self, other: &Self) -> Result<(), String> {
        let name = &self.name;
        if *name == other.name {
            return Err(format!("two switches are named {name}: devices could not say which they mean"));
        }
        if self.agi_listen == other.agi_listen && self.agi_listen.port() != 0 {
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
            tenant: TenantId::default(),
            agi_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4573)),
            agi_advertise: None,
            agi_allow: None,
            ami: SocketAddr::from((Ipv4Addr::LOCALHOST, 5038)).into(),
            ami_user: "hotdesk".into(),
            ami_secret_file: "ami.secret".into(),
        }
    }
}
