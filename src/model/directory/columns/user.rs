//! The columns of users. Besides those of an export there are `group:NAME`, the membership of a group, and `ring:DEVICE`, the
//! choice for an owned device.

use super::{AUTO_LOGOUT, Columns, cell, is_on, joined, listed, on, parsed, put, put_rule, rule_text, yes};
use crate::model::directory::profile::{Membership, Profile, When};
use crate::model::directory::{Away, CallerId, User};
use crate::model::id::{DeviceName, GroupName, Number};

/// The numbers that a user may choose as caller ID.
///
/// # Errors
/// One is no number, or there are more than there are keys.
pub fn numbers(text: &str) -> Result<Vec<Number>, String> {
    let numbers: Vec<Number> = listed(text)?;
    match numbers.len() {
        0..=Profile::NUMBERS => Ok(numbers),
        _ => Err(format!("at most {} numbers are allowed, one for each key", Profile::NUMBERS)),
    }
}

impl Columns for User {
    const COLUMNS: &'static [&'static str] = &[
        "extension",
        "name",
        "caller-id",
        "hotdesk",
        "language",
        "class",
        "mailbox",
        "when-logged-out",
        "recording",
        "pickup",
        "account",
        "numbers",
        "groups",
        "dnd",
        "forward-always",
        "forward-busy",
        "forward-unanswered",
        "in-turn",
        "auto-logout-at",
        "auto-logout-days",
        "auto-logout-after",
        "auto-logout-idle",
        "auto-logout-unregistered",
    ];

    fn text(&self, column: &str) -> String {
        let profile = &self.profile;
        match column {
            "extension" => self.extension.to_string(),
            "name" => cell(self.name.as_ref()),
            "caller-id" => match &self.caller_id {
                CallerId::Anonymous => "anonymous".into(),
                CallerId::Extension => String::new(),
                CallerId::Number(number) => number.to_string(),
            },
            "hotdesk" => yes(self.hotdesk).into(),
            "language" => cell(self.language.as_ref()),
            "class" => cell(self.class.as_ref()),
            "mailbox" => cell(self.mailbox.as_ref()),
            "when-logged-out" => self.away.to_string(),
            "recording" => profile.recording.to_string(),
            "pickup" => cell(profile.pickup.as_ref()),
            "account" => cell(profile.account.as_ref()),
            "numbers" => joined(&profile.numbers),
            "groups" => joined(profile.groups.keys()),
            "dnd" => on(profile.do_not_disturb).into(),
            "forward-always" => cell(profile.forward.to(When::Always)),
            "forward-busy" => cell(profile.forward.to(When::Busy)),
            "forward-unanswered" => cell(profile.forward.to(When::Unanswered)),
            "in-turn" => on(profile.rings.in_turn).into(),
            _ => match column.split_once(':') {
                Some(("group", group)) => membership(profile.groups.get(group)).into(),
                Some(("ring", device)) => {
                    profile.rings.devices.get(device).map_or("", |rings| on(*rings)).into()
                }
                _ => rule_text(&self.auto_logout, column),
            },
        }
    }

    fn put(&mut self, column: &str, text: &str) -> Result<(), String> {
        let profile = &mut self.profile;
        match column {
            "name" => put(&mut self.name, text),
            "caller-id" => {
                self.caller_id = match text {
                    "anonymous" => CallerId::Anonymous,
                    "" => CallerId::Extension,
                    number => CallerId::Number(parsed(number)?),
                };
                Ok(())
            }
            "hotdesk" => is_on(text).map(|is| self.hotdesk = is),
            "language" => put(&mut self.language, text),
            "class" => put(&mut self.class, text),
            "mailbox" => put(&mut self.mailbox, text),
            "when-logged-out" => {
                self.away = if text.is_empty() { Away::default() } else { parsed(text)? };
                Ok(())
            }
            "recording" => parsed(text).map(|which| profile.recording = which),
            "pickup" => put(&mut profile.pickup, text),
            "account" => put(&mut profile.account, text),
            "numbers" => numbers(text).map(|numbers| profile.numbers = numbers),
            "groups" => {
                profile.set_groups(listed(text)?);
                Ok(())
            }
            "dnd" => is_on(text).map(|is| profile.do_not_disturb = is),
            "forward-always" => put(&mut profile.forward.always, text),
            "forward-busy" => put(&mut profile.forward.busy, text),
            "forward-unanswered" => put(&mut profile.forward.unanswered, text),
            "in-turn" => is_on(text).map(|is| profile.rings.in_turn = is),
            rule if AUTO_LOGOUT.contains(&rule) => put_rule(&mut self.auto_logout, rule, text),
            _ => match column.split_once(':') {
                Some(("group", group)) => put_membership(profile, group, text),
                Some(("ring", device)) => put_ring(profile, device, text),
                _ => Err(format!("there is no field {column}")),
            },
        }
    }
}

const fn membership(of: Option<&Membership>) -> &'static str {
    match of {
        None => "",
        Some(Membership { signed_in: false, .. }) => "out",
        Some(Membership { paused: true, .. }) => "pause",
        Some(Membership { .. }) => "in",
    }
}

fn put_membership(profile: &mut Profile, group: &str, text: &str) -> Result<(), String> {
    let group: GroupName = parsed(group)?;
    let is = match text {
        "" => {
            profile.groups.remove(&group);
            return Ok(());
        }
        "in" => Membership { signed_in: true, paused: false },
        "out" => Membership { signed_in: false, paused: false },
        "pause" => Membership { signed_in: true, paused: true },
        _ => return Err(format!("{text:?} is no membership: in, out or pause")),
    };
    profile.groups.insert(group, is);
    Ok(())
}

fn put_ring(profile: &mut Profile, device: &str, text: &str) -> Result<(), String> {
    let device: DeviceName = parsed(device)?;
    match text {
        "" => profile.rings.devices.remove(&device),
        text => profile.rings.devices.insert(device, is_on(text)?),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{Extension, TenantId};

    #[test]
    fn groups_and_ring_targets_are_fields_of_their_own() {
        let mut user = User::new(TenantId::default(), Extension::new("101").unwrap());
        for column in ["group:sales", "ring:desk1"] {
            assert_eq!(user.text(column), "");
            let texts: &[&str] =
                if column.starts_with("group") { &["in", "out", "pause", ""] } else { &["on", "off", ""] };
            for text in texts {
                user.put(column, text).unwrap();
                assert_eq!(user.text(column), *text, "{column}");
            }
            assert!(user.put(column, "perhaps").is_err());
        }
        assert_eq!(user, User::new(TenantId::default(), Extension::new("101").unwrap()));
        // A list of groups leaves the memberships that stay.
        user.put("group:sales", "pause").unwrap();
        user.put("groups", "sales,support").unwrap();
        assert_eq!((user.text("group:sales"), user.text("group:support")), ("pause".into(), "out".into()));
    }
}
