//! The address with which a device registers: the user of the directory that rings it.

use std::collections::{BTreeMap, HashMap};

use crate::model::desired::{Desired, Subjects};
use crate::model::id::{DeviceName, DialTarget, TenantId};

/// The directory's user of a device, with the domain where it is known: `1005@a.example`.
pub(crate) fn user(device: &DeviceName, dial: &DialTarget, tenant: &TenantId) -> String {
    let user = dial.as_str().split('&').find_map(|target| target.strip_prefix("user/"));
    match user {
        Some(user) => user.into(),
        None if *tenant == TenantId::default() => device.to_string(),
        None => format!("{device}@{tenant}"),
    }
}

/// The addresses of the devices of a table.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    tenant: TenantId,
    /// The domain of a user who is known without one.
    domain: String,
    of: HashMap<DeviceName, String>,
    devices: HashMap<String, DeviceName>,
    /// How many devices are in each domain.
    domains: BTreeMap<String, usize>,
}

impl Addresses {
    pub(crate) fn new(tenant: TenantId) -> Self {
        Self { tenant, ..Self::default() }
    }

    /// Takes over the rows of these subjects, which the switch now holds; all rows if its own `domain` is given.
    pub(crate) fn follow(&mut self, subjects: &Subjects, desired: &Desired, domain: Option<&str>) {
        if let Some(domain) = domain {
            *self = Self { domain: domain.into(), ..Self::new(self.tenant.clone()) };
        }
        for device in subjects.devices.iter().filter(|it| !desired.devices.contains_key(*it)) {
            self.learn(device, None);
        }
        desired.devices.iter().for_each(|(device, is)| self.learn(device, Some(&is.dial)));
    }

    pub(crate) fn of(&self, device: &DeviceName) -> Option<&str> {
        self.of.get(device).map(String::as_str)
    }

    pub(crate) fn device(&self, address: &str) -> Option<&DeviceName> {
        self.devices.get(&address.to_ascii_lowercase())
    }

    /// The domains in which the tenant's users may be watched.
    pub(crate) fn domains(&self) -> Vec<String> {
        let own = if self.tenant == TenantId::default() { &self.domain } else { self.tenant.as_str() };
        let own = (!own.is_empty() && !self.domains.contains_key(own)).then(|| own.to_owned());
        self.domains.keys().cloned().chain(own).collect()
    }

    /// A box with its domain: that of the device that shows it.
    pub(crate) fn mailbox(&self, device: &DeviceName, mailbox: &str) -> String {
        let domain = self.of(device).and_then(|address| address.split_once('@')).map(|(_, domain)| domain);
        match domain {
            Some(domain) if !mailbox.contains('@') => format!("{mailbox}@{domain}"),
            _ => mailbox.into(),
        }
    }

    fn learn(&mut self, device: &DeviceName, dial: Option<&DialTarget>) {
        if let Some(was) = self.of.remove(device) {
            self.devices.remove(&was.to_ascii_lowercase());
            self.count(&was, false);
        }
        let Some(dial) = dial else { return };
        let user = user(device, dial, &self.tenant);
        let address = match user.contains('@') || self.domain.is_empty() {
            true => user,
            false => format!("{user}@{}", self.domain),
        };
        if address.contains('@') {
            self.devices.insert(address.to_ascii_lowercase(), device.clone());
            self.count(&address, true);
            self.of.insert(device.clone(), address);
        }
    }

    fn count(&mut self, address: &str, more: bool) {
        let Some((_, domain)) = address.split_once('@') else { return };
        let devices = self.domains.entry(domain.to_owned()).or_default();
        *devices = if more { *devices + 1 } else { devices.saturating_sub(1) };
        if *devices == 0 {
            self.domains.remove(domain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::desired::DesiredDevice;

    /// The switch has these devices; all of them, if its own domain is given.
    fn follow(addresses: &mut Addresses, devices: &[(&str, Option<&str>)], domain: Option<&str>) {
        let name = |device: &str| DeviceName::new(device).unwrap();
        let subjects = Subjects {
            devices: devices.iter().map(|(device, _)| name(device)).collect(),
            others: domain.is_some(),
            ..Subjects::default()
        };
        let there = devices.iter().filter_map(|(device, dial)| {
            Some((name(device), DesiredDevice::of(DialTarget::new((*dial)?).unwrap())))
        });
        let desired = Desired { devices: there.collect(), ..Desired::default() };
        addresses.follow(&subjects, &desired, domain);
    }

    #[test]
    fn a_device_is_known_by_its_address_and_its_domain_as_long_as_it_is_there() {
        let (desk, far) = (DeviceName::new("desk1").unwrap(), DeviceName::new("far").unwrap());
        let mut addresses = Addresses::new(TenantId::default());
        follow(&mut addresses, &[], Some(""));
        assert!(addresses.domains().is_empty());
        let both = [("desk1", Some("user/1005@a.example")), ("far", Some("sofia/gateway/pbx/9"))];
        follow(&mut addresses, &both, None);
        assert_eq!((addresses.of(&desk), addresses.of(&far)), (Some("1005@a.example"), None));
        assert_eq!(addresses.device("1005@A.example"), Some(&desk));
        assert_eq!(addresses.mailbox(&desk, "101"), "101@a.example");
        assert_eq!(addresses.mailbox(&desk, "101@b.example"), "101@b.example");
        assert_eq!(addresses.domains(), ["a.example"]);
        follow(&mut addresses, &[("desk1", None)], None);
        assert!(addresses.domains().is_empty() && addresses.device("1005@a.example").is_none());
        follow(&mut addresses, &[("far", Some("sofia/gateway/pbx/9"))], Some("b.example"));
        assert_eq!(addresses.of(&far), Some("far@b.example"));
        assert_eq!(addresses.domains(), ["b.example"]);
    }
}
