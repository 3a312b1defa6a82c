//! The fields of records as text: the columns of an export, and the fields of a form. Each has the name of its option on the
//! command line.

mod device;
mod location;
mod user;

use std::fmt::Display;
use std::str::FromStr;

use crate::model::auto_logout::AutoLogoutRules;

pub use device::{network, short_list};
pub use location::emergency_numbers;
pub use user::numbers;

/// A record whose fields can be read and written as text.
pub trait Columns {
    /// The columns of an export, the name of the record first.
    const COLUMNS: &'static [&'static str];

    /// The text of a field; empty: it is not set, or there is no such field.
    fn text(&self, column: &str) -> String;

    /// Sets a field to what a text says; an empty one removes it.
    ///
    /// # Errors
    /// What is wrong with the text. The field stays as it was.
    fn put(&mut self, column: &str, text: &str) -> Result<(), String>;
}

/// The columns of automatic logout, which each kind of record has.
const AUTO_LOGOUT: [&str; 5] = [
    "auto-logout-after",
    "auto-logout-at",
    "auto-logout-days",
    "auto-logout-idle",
    "auto-logout-unregistered",
];

fn rule_text(rules: &AutoLogoutRules, column: &str) -> String {
    match column {
        "auto-logout-after" => cell(rules.after.as_ref()),
        "auto-logout-at" => cell(rules.at.as_ref()),
        "auto-logout-days" => cell(rules.days.as_ref()),
        "auto-logout-idle" => cell(rules.idle.as_ref()),
        "auto-logout-unregistered" => cell(rules.unregistered.as_ref()),
        _ => String::new(),
    }
}

fn put_rule(rules: &mut AutoLogoutRules, column: &str, text: &str) -> Result<(), String> {
    match column {
        "auto-logout-after" => put(&mut rules.after, text),
        "auto-logout-at" => put(&mut rules.at, text),
        "auto-logout-days" => put(&mut rules.days, text),
        "auto-logout-idle" => put(&mut rules.idle, text),
        "auto-logout-unregistered" => put(&mut rules.unregistered, text),
        unknown => Err(format!("there is no field {unknown}")),
    }
}

fn cell(value: Option<&impl Display>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn joined(values: impl IntoIterator<Item = impl Display>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(",")
}

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

const fn on(is: bool) -> &'static str {
    if is { "on" } else { "off" }
}

/// `yes`, `no`, `on` or `off`
fn is_on(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "on" => Ok(true),
        "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither on nor off")),
    }
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn put<T: FromStr<Err: Display>>(value: &mut Option<T>, text: &str) -> Result<(), String> {
    *value = if text.is_empty() { None } else { Some(parsed(text)?) };
    Ok(())
}

/// The values of a list, with commas, blanks or both between them.
fn listed<T: FromStr<Err: Display>>(text: &str) -> Result<Vec<T>, String> {
    let each = text.split(|c: char| c == ',' || c.is_whitespace());
    each.filter(|one| !one.is_empty()).map(parsed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::location::{Location, Zone};
    use crate::model::directory::{Device, User};
    use crate::model::id::{DeviceName, DialTarget, Extension, LocationName, SwitchName, TenantId};

    /// Puts each text, and reads it back from a record that was written with all columns of another one.
    fn round<R: Columns + Clone + PartialEq + std::fmt::Debug>(mut is: R, texts: &[(&str, &str)]) {
        let mut copy = is.clone();
        for (column, text) in texts {
            assert!(R::COLUMNS.contains(column), "{column}");
            is.put(column, text).unwrap();
            assert_eq!(is.text(column), *text, "{column}");
        }
        for column in R::COLUMNS.iter().skip(1) {
            copy.put(column, &is.text(column)).unwrap();
            assert!(copy.put(column, "\u{7}").is_err(), "{column}");
        }
        assert_eq!(copy, is);
        assert!(copy.put("unheard-of", "").is_err() && is.text("unheard-of").is_empty());
    }

    const RULES: [(&str, &str); 5] = [
        ("auto-logout-at", "23:00"),
        ("auto-logout-days", "mon-fri"),
        ("auto-logout-after", "never"),
        ("auto-logout-idle", "45m"),
        ("auto-logout-unregistered", "15m"),
    ];

    #[test]
    fn what_a_column_says_can_be_put_into_another_record() {
        let tenant = TenantId::default();
        let user = User::new(tenant.clone(), Extension::new("101").unwrap());
        let of_user = [
            ("name", "Ann, B.V."),
            ("caller-id", "+31205550101"),
            ("hotdesk", "no"),
            ("language", "nl"),
            ("class", "national"),
            ("mailbox", "101@default"),
            ("when-logged-out", "busy"),
            ("recording", "on-demand"),
            ("pickup", "sales"),
            ("account", "a1"),
            ("numbers", "0201234567,0207654321"),
            ("groups", "sales,support"),
            ("dnd", "on"),
            ("forward-always", "0612345678"),
            ("forward-busy", "0612345679"),
            ("forward-unanswered", "0612345670"),
            ("in-turn", "on"),
        ];
        round(user.clone(), &[&of_user[..], &RULES].concat());
        round(user, &[("caller-id", "anonymous")]);
        let dial = DialTarget::new("PJSIP/desk1").unwrap();
        let device =
            Device::new(tenant.clone(), DeviceName::new("desk1").unwrap(), SwitchName::default(), dial);
        let of_device = [
            ("switch", "fs"),
            ("dial", "PJSIP/d1&PJSIP/d2"),
            ("kind", "softphone"),
            ("hotdesk", "no"),
            ("location", "ams"),
            ("owner", "101"),
            ("allow-from", "192.0.2.0/24 192.0.2.7/32"),
            ("may-dial", "100,200"),
            ("class", "internal"),
        ];
        round(device.clone(), &[&of_device[..], &RULES].concat());
        round(device, &[("allow-from", "any")]);
        let location = Location::new(tenant, LocationName::new("ams").unwrap(), Zone::default());
        let of_location = [
            ("emergency-caller-id", "0205550100"),
            ("emergency-numbers", "110,112"),
            ("zone", "Europe/Amsterdam"),
            ("language", "nl"),
            ("address", "Dam 1, Amsterdam"),
        ];
        round(location, &[&of_location[..], &RULES].concat());
    }

    #[test]
    fn lists_take_commas_and_blanks_and_have_an_end() {
        assert_eq!(numbers("100, 200\r\n 300"), numbers("100,200,300"));
        assert_eq!(numbers(""), Ok(vec![]));
        let many = (100..110).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
        assert!(numbers(&many).unwrap_err().contains("at most 9 numbers"));
        assert!(short_list(&many).is_ok() && short_list(&(many + ",1")).unwrap_err().contains("at most 10"));
        assert_eq!(network("192.0.2.7"), network("192.0.2.7/32"));
    }
}
