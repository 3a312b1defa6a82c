//! Whom one switch reaches, and how: people who sit at the devices of another, and the groups of its own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::group::Groups;
use super::id::{DialTarget, Extension, InvalidId, SwitchName};

/// The SIP header that a call carries from one switch to another: the extension that it was sent on for. The switch it
/// comes to does not send it on for that extension once more, so no call goes round while the two tables differ.
pub const HEADER: &str = "X-Hotdesk-Reach";

/// Where the user's extension goes in a route.
const USER: &str = "{user}";

/// What one switch dials to reach a user on another: a dial target with one `{user}` in it, `PJSIP/{user}@fs`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Route(String);

/// One switch's routes to the others, and its groups.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reach {
    /// By the other switch.
    pub routes: BTreeMap<SwitchName, Route>,
    /// Whether a lamp's row may be a route. Not where the row is a device to watch: that device would be the whole trunk.
    pub lamps: bool,
    /// The groups that it has.
    pub groups: Groups,
}

impl Route {
    /// Checks `template`.
    ///
    /// # Errors
    /// [`InvalidId`], unless it is one dial target once an extension stands for its only `{user}`.
    pub fn new(template: impl Into<String>) -> Result<Self, InvalidId> {
        let template = template.into();
        // The longest extension there is.
        let longest = template.replace(USER, "00000000000000000000");
        if template.matches(USER).count() != 1 || template.contains('&') || DialTarget::new(longest).is_err()
        {
            let rule = "one dial target with one {user} in it: PJSIP/{user}@fs, sofia/gateway/pbx/{user}";
            let value = template.chars().take(80).collect();
            return Err(InvalidId { kind: "a route to another switch", value, rule });
        }
        Ok(Self(template))
    }

    /// It, with `user` where the extension goes: an extension, or an expression of the dialplan's.
    #[must_use]
    pub fn with(&self, user: &str) -> String {
        self.0.replace(USER, user)
    }

    /// What is dialled for `user`.
    #[must_use]
    pub fn to(&self, user: &Extension) -> Option<DialTarget> {
        DialTarget::new(self.with(user.as_str())).ok()
    }
}

impl TryFrom<String> for Route {
    type Error = InvalidId;
    fn try_from(template: String) -> Result<Self, InvalidId> {
        Self::new(template)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_one_dial_target_with_one_user() {
        let user = Extension::new("101").unwrap();
        for (route, dials) in [
            ("PJSIP/{user}@fs", "PJSIP/101@fs"),
            ("sofia/gateway/pbx/{user}", "sofia/gateway/pbx/101"),
            ("sofia/internal/9{user}@192.0.2.1:5060", "sofia/internal/9101@192.0.2.1:5060"),
        ] {
            assert_eq!(Route::new(route).unwrap().to(&user), DialTarget::new(dials).ok());
        }
        let long = format!("PJSIP/{{user}}@{}", "x".repeat(180));
        for bad in
            ["", "PJSIP/fs", "{user}", "PJSIP/{user}@{user}", "PJSIP/{user}&PJSIP/fs", "PJSIP/{exten}", &long]
        {
            assert!(Route::new(bad).is_err(), "{bad}");
        }
    }
}
