//! As what a device registers: the user of the directory that rings it.

use std::collections::{BTreeSet, HashMap};

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
    pub(super) fn domains(&self) -> BTreeSet<String> {
        let domains = self.of.values().filter_map(|address| Some(address.split_once('@')?.1));
        let own = if self.tenant == TenantId::default() { &self.domain } else { self.tenant.as_str() };
        domains.chain([own]).filter(|domain| !domain.is_empty()).map(str::to_owned).collect()
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
        }
        let Some(Row::Device(row)) = row else { return };
        let user = user(device, &row.dial, &self.tenant);
        let address = match user.contains('@') || self.domain.is_empty() {
            true => user,
            false => format!("{user}@{}", self.domain),
        };
        if address.contains('@') {
            self.devices.insert(address.to_ascii_lowercase(), device.clone());
            self.of.insert(device.clone(), address);
        }
    }
}
