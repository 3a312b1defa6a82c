//! What a record names that the configuration does not have: no error, as it may come later, but most often a mistake.

use std::collections::BTreeSet;

use super::location::Location;
use super::snapshot::Snapshot;
use super::user::{CallerId, User};
use crate::model::check::Finding;
use crate::model::id::{EmergencyNumber, GroupName, Language, Number};

/// The most digits of an internal number: the emergency services cannot call it back.
const INTERNAL: usize = 3;

/// What the configuration of a tenant has.
#[derive(Clone, Debug)]
pub struct Known {
    /// The groups.
    pub groups: BTreeSet<GroupName>,
    /// The emergency numbers.
    pub emergency_numbers: Vec<EmergencyNumber>,
    /// The languages in which Hotdesk has prompts.
    pub languages: BTreeSet<&'static str>,
}

impl Known {
    /// A finding for each doubt about the users and locations of a snapshot.
    #[must_use]
    pub fn doubts(&self, snapshot: &Snapshot) -> Vec<Finding> {
        let users = snapshot.users.values().flat_map(|user| self.about_user(user));
        users.chain(snapshot.locations.values().flat_map(|location| self.about_location(location))).collect()
    }

    fn about_user(&self, user: &User) -> Vec<Finding> {
        let (check, set) =
            (format!("user {}", user.extension), format!("hotdesk user set {}", user.extension));
        let mut doubts = vec![];
        let unknown = user.profile.groups.keys().filter(|group| !self.groups.contains(*group));
        let unknown: Vec<&str> = unknown.map(GroupName::as_str).collect();
        if !unknown.is_empty() {
            let found = format!("no [[group]] is named {}: no call rings for it", unknown.join(" or "));
            doubts.push(Finding::wrong(
                &*check,
                found,
                format!("add the [[group]], or: {set} --groups GROUPS"),
            ));
        }
        doubts.extend(self.about_language(&check, user.language.as_ref(), &set));
        let own = match &user.caller_id {
            CallerId::Number(number) => Some(number),
            CallerId::Anonymous | CallerId::Extension => None,
        };
        for number in own.into_iter().chain(&user.profile.numbers).filter(|number| self.is_emergency(number))
        {
            let found = format!("its caller ID {number} is an emergency number");
            doubts.push(Finding::wrong(&*check, found, format!("{set} --caller-id NUM --numbers NUMS")));
        }
        doubts
    }

    fn about_location(&self, location: &Location) -> Vec<Finding> {
        let (check, set) =
            (format!("location {}", location.name), format!("hotdesk location set {}", location.name));
        let mut doubts = vec![];
        if let Some(number) = &location.emergency.caller_id {
            let digits = number.as_str().chars().filter(char::is_ascii_digit).count();
            let why = match (self.is_emergency(number), digits <= INTERNAL) {
                (true, _) => Some("is itself an emergency number".to_owned()),
                (false, true) => Some(format!("has only {digits} digits")),
                (false, false) => None,
            };
            doubts.extend(why.map(|why| {
                let found = format!(
                    "its emergency caller ID {number} {why}: the emergency services cannot call it back"
                );
                Finding::wrong(&*check, found, format!("{set} --emergency-caller-id NUM"))
            }));
        }
        doubts.extend(self.about_language(&check, location.language.as_ref(), &set));
        doubts
    }

    fn about_language(&self, check: &str, language: Option<&Language>, set: &str) -> Option<Finding> {
        let language = language?.as_str();
        // A switch takes the sounds of `de` for `de_AT`.
        let main = language.split('_').next().unwrap_or_default();
        let there: Vec<&str> = self.languages.iter().copied().collect();
        let found = format!("Hotdesk has no prompts in {language}, and plays those in en or a stock sound");
        let remedy =
            format!("{set} --language {}; or add prompts of your own to the switch", there.join("|"));
        (!self.languages.contains(main)).then(|| Finding::wrong(check, found, remedy))
    }

    fn is_emergency(&self, number: &Number) -> bool {
        self.emergency_numbers
            .iter()
            .any(|emergency| emergency.as_str() == number.as_str().trim_start_matches('+'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::location::Zone;
    use crate::model::directory::profile::Membership;
    use crate::model::id::{Extension, LocationName, TenantId};

    fn said(change: impl Fn(&mut User, &mut Location)) -> String {
        let known = Known {
            groups: [GroupName::new("sales").unwrap()].into(),
            emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
            languages: ["de", "en"].into(),
        };
        let extension = Extension::new("101").unwrap();
        let mut user = User::new(TenantId::default(), extension.clone());
        let name = LocationName::new("ams").unwrap();
        let mut location = Location::new(TenantId::default(), name.clone(), Zone::default());
        change(&mut user, &mut location);
        let mut snapshot = Snapshot::default();
        snapshot.users.insert(extension, user);
        snapshot.locations.insert(name, location);
        let findings = known.doubts(&snapshot);
        assert!(findings.iter().all(|it| it.ok == Some(false) && it.remedy.is_some()), "{findings:?}");
        findings.iter().map(|it| format!("{}: {}", it.check, it.found)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_the_configuration_does_not_have_is_doubted_and_nothing_else() {
        let number = |text: &str| Number::new(text).unwrap();
        let group = |user: &mut User, name: &str| {
            user.profile.groups.insert(GroupName::new(name).unwrap(), Membership::default());
        };
        assert_eq!(said(|_, _| {}), "");
        assert_eq!(said(|user, _| group(user, "sales")), "");
        assert!(
            said(|user, _| group(user, "packing")).starts_with("user 101: no [[group]] is named packing")
        );
        for (language, doubted) in [("en", false), ("de_AT", false), ("fr", true), ("fr_FR", true)] {
            let language = Language::new(language).unwrap();
            let is = |doubt: String| doubt.contains(&format!("no prompts in {language}"));
            assert_eq!(is(said(|user, _| user.language = Some(language.clone()))), doubted, "{language}");
            assert_eq!(is(said(|_, there| there.language = Some(language.clone()))), doubted, "{language}");
        }
        for (shown, says) in [
            ("0205550100", ""),
            ("+31205550100", ""),
            ("112", "is itself an emergency number"),
            ("+112", "is itself an emergency number"),
            ("101", "has only 3 digits"),
        ] {
            let said = said(|_, there| there.emergency.caller_id = Some(number(shown)));
            assert!(said.contains(says) && said.is_empty() == says.is_empty(), "{shown}: {said}");
        }
        assert!(
            said(|user, _| user.caller_id = CallerId::Number(number("112")))
                .contains("is an emergency number")
        );
        assert!(said(|user, _| user.profile.numbers.push(number("112"))).contains("is an emergency number"));
        assert_eq!(said(|user, _| user.caller_id = CallerId::Number(number("101"))), "");
    }
}
