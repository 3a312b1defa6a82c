//! What things are called: each name is a type of its own, checked once where it enters the house.
//!
//! A value of one of these types can be written into a SIP dial string, an AstDB key, an AMI header
//! or a dialplan argument as it stands: no control characters, no separators, bounded length.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name that cannot be one, with the rule it breaks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{value:?} is not {kind}: it takes {rule}")]
pub struct InvalidId {
    /// What the value should have been, with its article ("an extension").
    pub kind: &'static str,
    /// What was given; cut at 80 characters.
    pub value: String,
    /// What would have been accepted.
    pub rule: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $max:literal, $valid:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `value`.
            ///
            /// # Errors
            /// [`InvalidId`] names the value and the rule it breaks.
            pub fn new(value: impl Into<String>) -> Result<Self, InvalidId> {
                let value = value.into();
                let valid: fn(&str) -> bool = $valid;
                if value.is_empty() || value.chars().count() > $max || !valid(&value) {
                    let value = value.chars().take(80).collect();
                    return Err(InvalidId { kind: $kind, value, rule: $rule });
                }
                Ok(Self(value))
            }

            /// The name as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(value: &str) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(value: String) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// What the accounts of calls are kept under.
    Account, "an account", "1 to 40 letters, digits, '.', '_' or '-'", 40,
        |v| all(v, "._-");
    /// An address as people write it, on one line.
    Address, "an address", "1 to 200 characters, none of them a control character", 200,
        |v| !v.chars().any(char::is_control) && v.trim() == v;
    /// A call's id as the switch gives it (Asterisk: the channel's unique id).
    CallId, "a call id", "1 to 150 letters, digits, '.', '_', '-' or ':'", 150,
        |v| all(v, "._-:");
    /// A context of the site's dialplan; a user's class of service is one.
    Context, "a dialplan context", "1 to 79 letters, digits, '.', '_' or '-'", 79,
        |v| all(v, "._-");
    /// A device as its switch knows it: a PJSIP endpoint, a SIP auth user.
    DeviceName, "a device", "1 to 64 letters, digits, '.', '_', '+', '@' or '-'", 64,
        |v| all(v, "._+@-");
    /// What the switch dials to reach a device: `PJSIP/desk1`; several are joined by `&`.
    DialTarget, "a dial target", "TECHNOLOGY/resource, up to 200 letters, digits and . _ + @ : / & -", 200,
        |v| all(v, "._+@:/&-") && v.split('&').all(|t| t.split_once('/').is_some_and(|(tech, to)| !tech.is_empty() && !to.is_empty()));
    /// A name shown to the called party.
    DisplayName, "a name", "1 to 80 characters, none of them a control character", 80,
        |v| !v.chars().any(char::is_control) && v.trim() == v;
    /// A number that is an emergency call when dialled.
    EmergencyNumber, "an emergency number", "2 to 15 digits", 15,
        |v| v.len() > 1 && v.bytes().all(|b| b.is_ascii_digit());
    /// A user's number inside. Leading zeros count: `001` is not `1`.
    Extension, "an extension", "1 to 20 digits", 20,
        |v| v.bytes().all(|b| b.is_ascii_digit());
    /// A group or a queue, as its switch knows it.
    GroupName, "a group", "1 to 40 letters, digits, '.', '_' or '-'", 40,
        |v| all(v, "._-");
    /// A language as the switch's sound folders are named: `en`, `nl`, `de`, `en_GB`.
    Language, "a language", "two letters, if need be with a country: en, nl, en_GB", 5,
        |v| { let b = v.as_bytes(); b.iter().take(2).filter(|c| c.is_ascii_lowercase()).count() == 2
            && (b.len() == 2 || (b.len() == 5 && b.get(2) == Some(&b'_') && b.iter().skip(3).all(u8::is_ascii_uppercase))) };
    /// A place where devices stand.
    LocationName, "a location", "1 to 64 letters, digits, '.', '_' or '-'", 64,
        |v| all(v, "._-");
    /// A voicemail box, `101` or `101@default`.
    Mailbox, "a mailbox", "a box, or box@context, up to 80 letters, digits, '.', '_' or '-'", 80,
        |v| v.split('@').count() <= 2 && v.split('@').all(|part| !part.is_empty() && all(part, "._-"));
    /// A number as it is shown outside or dialled.
    Number, "a number", "1 to 32 digits, if need be with a leading '+'", 32,
        |v| { let digits = v.strip_prefix('+').unwrap_or(v); !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) };
    /// One act asked for, so that asking for it twice does it once.
    RequestId, "a request id", "1 to 64 letters, digits or '-'", 64,
        |v| all(v, "-");
    /// A switch, by its name in the configuration.
    SwitchName, "a switch", "1 to 64 letters, digits, '.', '_' or '-'", 64,
        |v| all(v, "._-");
    /// A company on a shared switch.
    TenantId, "a tenant", "1 to 64 letters, digits, '.', '_' or '-'", 64,
        |v| all(v, "._-");
}

impl From<Extension> for Number {
    /// An extension is a number that can be shown.
    fn from(extension: Extension) -> Self {
        Self(extension.0)
    }
}

impl RequestId {
    /// The id that these 128 bits make.
    #[must_use]
    pub fn from_bits(high: u64, low: u64) -> Self {
        Self(format!("{high:016x}{low:016x}"))
    }
}

impl Context {
    /// The context `emergency`.
    #[must_use]
    pub fn emergency() -> Self {
        Self("emergency".into())
    }
}

impl Default for TenantId {
    /// The tenant of a switch that has only one: `default`.
    fn default() -> Self {
        Self("default".into())
    }
}

impl Default for SwitchName {
    /// The name of a switch that needs none: `pbx`.
    fn default() -> Self {
        Self("pbx".into())
    }
}

/// The state of one tenant's truth: grows by one with every act that is journalled.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn all(value: &str, also: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_make_another_extension() {
        assert_ne!(Extension::new("001"), Extension::new("1"));
        assert_eq!(Extension::new("001").map(|e| e.to_string()), Ok("001".into()));
    }

    #[test]
    fn nothing_that_a_dialplan_or_a_protocol_line_would_read_as_syntax_gets_in() {
        for bad in ["", "a b", "a,b", "a\r\nAction: Originate", "a)", "${X}", "a;b", "é"] {
            assert!(Extension::new(bad).is_err(), "{bad:?}");
            assert!(DeviceName::new(bad).is_err(), "{bad:?}");
            assert!(DialTarget::new(format!("PJSIP/{bad}")).is_err(), "{bad:?}");
            assert!(Context::new(bad).is_err(), "{bad:?}");
            assert!(Number::new(bad).is_err(), "{bad:?}");
            assert!(Mailbox::new(bad).is_err(), "{bad:?}");
            assert!(Language::new(bad).is_err(), "{bad:?}");
        }
        assert!(DisplayName::new("line\r\nbreak").is_err());
        assert!(DialTarget::new("PJSIP").is_err());
        assert!(DialTarget::new("PJSIP/desk1&").is_err());
    }

    #[test]
    fn the_error_names_the_value_and_the_rule() {
        let message = Extension::new("12a").map_err(|e| e.to_string());
        assert_eq!(message, Err("\"12a\" is not an extension: it takes 1 to 20 digits".into()));
    }

    #[test]
    fn the_trades_own_names_are_accepted() {
        assert!(Language::new("en").is_ok() && Language::new("en_GB").is_ok());
        assert!(Mailbox::new("101@default").is_ok());
        assert!(DialTarget::new("PJSIP/desk1&PJSIP/soft-101").is_ok());
        assert!(Number::new("+31201234567").is_ok());
        assert!(DisplayName::new("Zoë \"Z\" O'Neill, B.V.").is_ok());
    }
}
