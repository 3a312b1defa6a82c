//! How one switch dials users at devices of another switch, and which groups it has.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::directory::group::Groups;
use super::id::{DialTarget, InvalidId, SwitchName};

/// The SIP header of a call from one switch to another: the extension that the first switch dialled. The second
/// switch does not send the call on for that extension again, so no call loops while the two switch tables differ.
pub const HEADER: &str = "X-Hotdesk-Routes";

/// Where the user's extension goes in a route.
const USER: &str = "{user}";

/// What one switch dials to reach a user on another: a dial target with one `{user}` in it, `PJSIP/{user}@fs`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Route(String);

/// One switch's routes to the others, and its groups.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Routes {
    /// By the name of the other switch.
    pub routes: BTreeMap<SwitchName, Route>,
    /// The groups of this switch.
    pub groups: Groups,
}

impl Route {
    /// Checks `template`.
    ///
    /// # Errors
    /// [`InvalidId`], unless an extension in place of its only `{user}` makes it one dial target.
    pub fn new(template: impl Into<String>) -> Result<Self, InvalidId> {
        let template = template.into();
        // The longest extension there is.
        let longest = template.replace(USER, "00000000000000000000");
        if template.matches(USER).count() != 1 || template.contains('&') || DialTarget::new(longest).is_err()
        {
            let rule = "one dial target with one {user} in it: PJSIP/{user}@fs, sofia/gateway/pbx/{user}";
            return Err(InvalidId::new("a route to another switch", &template, rule));
        }
        Ok(Self(template))
    }

    /// The route with `user` in it: an extension, or an expression of the dialplan.
    pub fn with(&self, user: &str) -> String {
        self.0.replace(USER, user)
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
        for (route, dials) in [
            ("PJSIP/{user}@fs", "PJSIP/101@fs"),
            ("sofia/gateway/pbx/{user}", "sofia/gateway/pbx/101"),
            ("sofia/internal/9{user}@192.0.2.1:5060", "sofia/internal/9101@192.0.2.1:5060"),
        ] {
            assert_eq!(Route::new(route).unwrap().with("101"), dials);
        }
        let long = format!("PJSIP/{{user}}@{}", "x".repeat(180));
        for bad in
            ["", "PJSIP/fs", "{user}", "PJSIP/{user}@{user}", "PJSIP/{user}&PJSIP/fs", "PJSIP/{exten}", &long]
        {
            assert!(Route::new(bad).is_err(), "{bad}");
        }
    }
}
