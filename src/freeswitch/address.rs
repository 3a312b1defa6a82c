//! As what a device registers: the user of the directory that rings it.

use std::collections::{BTreeMap, HashMap};

use crate::desk::id::{DeviceName, DialTarget, TenantId};
use crate::desk::table::{Edit, Key, Row, Table};

/// The directory's user of a device, as far as is known with his domain: `1005@a.example`.
pub(super) fn user(device: &DeviceName, dial: &DialTarget, tenant: &TenantId) -> String {
    let user = dial.as_str().split('&').find_map(|target| target.strip_prefix("user/"));
    match user {
        Some(user) => user.into(),
        None if *tenant == TenantId::default() => device.to_string(),
        None => format!("{device}@{tenant}"),
    }
}

/// The addresses of the devices of a table.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    tenant: TenantId,
    /// The domain of who is known without one.
    domain: String,
    of: HashMap<DeviceName, String>,
    devices: HashMap<String, DeviceName>,
    /// How many devices are in each domain.
    domains: BTreeMap<String, usize>,
}

impl Addresses {
    pub(super) fn new(tenant: TenantId) -> Self {
        Self { tenant, ..Self::default() }
    }

    /// These rows were read, all there are, on a switch whose own domain is this.
    pub(super) fn read(&mut self, table: &Table, domain: &str) {
        *self = Self { domain: domain.into(), ..Self::new(self.tenant.clone()) };
        table.iter().for_each(|(key, row)| self.learn(key, Some(row)));
    }

    /// These differences were written.
    pub(super) fn written(&mut self, edits: &[Edit]) {
        edits.iter().for_each(|edit| self.learn(&edit.key, edit.is.as_ref()));
    }

    /// That of a device.
    pub(super) fn of(&self, device: &DeviceName) -> Option<&str> {
        self.of.get(device).map(String::as_str)
    }

    /// The device that has it.
    pub(super) fn device(&self, address: &str) -> Option<&DeviceName> {
        self.devices.get(&address.to_ascii_lowercase())
    }

    /// The domains in which the tenant's people may be watched.
    pub(super) fn domains(&self) -> Vec<String> {
        let own = if self.tenant == TenantId::default() { &self.domain } else { self.tenant.as_str() };
        let own = (!own.is_empty() && !self.domains.contains_key(own)).then(|| own.to_owned());
        self.domains.keys().cloned().chain(own).collect()
    }

    /// A box with its domain: that of the device that shows it.
    pub(super) fn mailbox(&self, device: &DeviceName, mailbox: &str) -> String {
        let domain = self.of(device).and_then(|address| address.split_once('@')).map(|(_, domain)| domain);
        match domain {
            Some(domain) if !mailbox.contains('@') => format!("{mailbox}@{domain}"),
            _ => mailbox.into(),
        }
    }

    fn learn(&mut self, key: &Key, row: Option<&Row>) {
        let Key::Device(device) = key else { return };
        if let Some(was) = self.of.remove(device) {
            self.devices.remove(&was.to_ascii_lowercase());
            self.count(&was, false);
        }
        let Some(Row::Device(row)) = row else { return };
        let user = user(device, &row.dial, &self.tenant);
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

    /// One device more in the domain of `address`, or one less.
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
    use crate::desk::table::DeviceRow;

    fn row(device: &str, dial: &str) -> (Key, Row) {
        let row = DeviceRow::of(DialTarget::new(dial).unwrap());
        (Key::Device(DeviceName::new(device).unwrap()), Row::Device(row))
    }

    #[test]
    fn a_device_is_known_by_its_address_and_its_domain_as_long_as_it_is_there() {
        let (desk, far) = (DeviceName::new("desk1").unwrap(), DeviceName::new("far").unwrap());
        let mut addresses = Addresses::new(TenantId::default());
        addresses.read(&Table::new(), "");
        assert!(addresses.domains().is_empty());
        for (key, row) in [row("desk1", "user/1005@a.example"), row("far", "sofia/gateway/pbx/9")] {
            addresses.written(&[Edit { key, was: None, is: Some(row) }]);
        }
        assert_eq!((addresses.of(&desk), addresses.of(&far)), (Some("1005@a.example"), None));
        assert_eq!(addresses.device("1005@A.example"), Some(&desk));
        assert_eq!(addresses.mailbox(&desk, "101"), "101@a.example");
        assert_eq!(addresses.mailbox(&desk, "101@b.example"), "101@b.example");
        assert_eq!(addresses.domains(), ["a.example"]);
        addresses.written(&[Edit { key: Key::Device(desk.clone()), was: None, is: None }]);
        assert!(addresses.domains().is_empty() && addresses.device("1005@a.example").is_none());
        addresses.read(&[row("far", "sofia/gateway/pbx/9")].into(), "b.example");
        assert_eq!(
            (addresses.of(&far), addresses.domains()),
            (Some("far@b.example"), vec!["b.example".into()])
        );
    }
}
