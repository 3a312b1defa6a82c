//! The columns of devices.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{AUTO_LOGOUT, Columns, cell, is_on, joined, listed, parsed, put, put_rule, rule_text, yes};
use crate::model::directory::{Device, ShortList};
use crate::model::id::Number;

/// The numbers that may be dialled while no user is logged in.
///
/// # Errors
/// One is no number, or there are more than fit.
pub fn short_list(text: &str) -> Result<Vec<Number>, String> {
    let numbers: Vec<Number> = listed(text)?;
    match numbers.len() {
        0..=ShortList::MOST => Ok(numbers),
        _ => Err(format!("at most {} numbers are allowed", ShortList::MOST)),
    }
}

/// `192.0.2.0/24`, `192.0.2.7`, or `any`: none
///
/// # Errors
/// What it takes.
pub fn network(text: &str) -> Result<Option<IpNet>, &'static str> {
    if text == "any" {
        return Ok(None);
    }
    let one = text.parse::<IpAddr>().map(IpNet::from);
    let net = text.parse().or(one).map(Some);
    net.map_err(|_| "use a network (192.0.2.0/24), an address (192.0.2.7) or \"any\"")
}

impl Columns for Device {
    const COLUMNS: &'static [&'static str] = &[
        "device",
        "switch",
        "dial",
        "kind",
        "hotdesk",
        "location",
        "owner",
        "allow-from",
        "may-dial",
        "class",
        "auto-logout-at",
        "auto-logout-days",
        "auto-logout-after",
        "auto-logout-idle",
        "auto-logout-unregistered",
    ];

    fn text(&self, column: &str) -> String {
        match column {
            "device" => self.name.to_string(),
            "switch" => self.switch.to_string(),
            "dial" => self.dial.to_string(),
            "kind" => self.kind.to_string(),
            "hotdesk" => yes(self.hotdesk).into(),
            "location" => cell(self.location.as_ref()),
            "owner" => cell(self.owner.as_ref()),
            "allow-from" if self.allow_from.is_empty() => "any".into(),
            "allow-from" => self.allow_from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            "may-dial" => joined(&self.may_dial.numbers),
            "class" => cell(self.may_dial.class.as_ref()),
            rule => rule_text(&self.auto_logout, rule),
        }
    }

    fn put(&mut self, column: &str, text: &str) -> Result<(), String> {
        match column {
            "switch" => parsed(text).map(|switch| self.switch = switch),
            "dial" => parsed(text).map(|dial| self.dial = dial),
            "kind" => parsed(text).map(|kind| self.kind = kind),
            "hotdesk" => is_on(text).map(|is| self.hotdesk = is),
            "location" => put(&mut self.location, text),
            "owner" => put(&mut self.owner, text),
            "allow-from" => {
                let each = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|one| !one.is_empty());
                let networks: Vec<Option<IpNet>> = each.map(network).collect::<Result<_, _>>()?;
                self.allow_from = networks.into_iter().flatten().collect();
                Ok(())
            }
            "may-dial" => short_list(text).map(|numbers| self.may_dial.numbers = numbers),
            "class" => put(&mut self.may_dial.class, text),
            rule if AUTO_LOGOUT.contains(&rule) => put_rule(&mut self.auto_logout, rule, text),
            unknown => Err(format!("there is no field {unknown}")),
        }
    }
}
