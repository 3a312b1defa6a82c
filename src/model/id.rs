//! Names: each is a type of its own, checked once when it is read.
//!
//! A value of these types can be written unchanged into a SIP dial string, an AstDB key, an AMI header or a dialplan
//! argument: no control characters, no separators, bounded length. Names of up to 24 bytes, which most are, need no memory
//! besides the value: a login copies some hundred.

use std::fmt;

use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};

/// An invalid name, with the rule it breaks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{value:?} is not {kind}: it takes {rule}")]
pub struct InvalidId {
    /// What the value should be, with its article ("an extension").
    pub kind: &'static str,
    /// The value; cut at 80 characters.
    pub value: String,
    /// What is accepted.
    pub rule: &'static str,
}

impl InvalidId {
    pub(super) fn new(kind: &'static str, value: &str, rule: &'static str) -> Self {
        Self { kind, value: value.chars().take(80).collect(), rule }
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $max:literal, $valid:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(CompactString);

        impl $name {
            /// Checks `value`.
            ///
            /// # Errors
            /// [`InvalidId`] names the value and the rule it breaks.
            pub fn new(value: impl AsRef<str>) -> Result<Self, InvalidId> {
                let value = value.as_ref();
                let valid: fn(&str) -> bool = $valid;
                if value.is_empty() || value.chars().count() > $max || !valid(value) {
                    return Err(InvalidId::new($kind, value, $rule));
                }
                Ok(Self(value.into()))
            }

            /// The name, unchanged.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// For maps with such keys. It has the same order.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
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
                id.0.into()
            }
        }
    )+};
}

ids! {
    /// The account under which the switch records calls.
    Account, "an account", "1 to 40 letters, digits, '.', '_' or '-'", 40,
        |v| all(v, "._-");
    /// An account of the console.
    AccountName, "the name of an account", "1 to 64 lower-case letters, digits, '.', '_', '@' or '-'", 64,
        |v| all(v, "._@-") && !v.bytes().any(|b| b.is_ascii_uppercase());
    /// An address for people to read, on one line.
    Address, "an address", "1 to 200 characters, none of them a control character", 200,
        |v| !v.chars().any(char::is_control) && v.trim() == v;
    /// A context of the site's dialplan; a user's class of service is one.
    Context, "a dialplan context", "1 to 79 letters, digits, '.', '_' or '-'", 79,
        |v| all(v, "._-");
    /// A device as its switch knows it: a PJSIP endpoint, a SIP auth user.
    DeviceName, "a device", "1 to 64 letters, digits, '.', '_', '+', '@' or '-'", 64,
        |v| all(v, "._+@-");
    /// What the switch dials to reach a device: `PJSIP/desk1`; several are joined by `&`.
    DialTarget, "a dial target", "TECHNOLOGY/resource, up to 200 letters, digits and . _ + @ : / & -", 200,
        |v| all(v, "._+@:/&-") && v.split('&').all(|t| t.split_once('/').is_some_and(|(tech, to)| !tech.is_empty() && !to.is_empty()));
    /// A name that the called party sees.
    DisplayName, "a name", "1 to 80 characters, none of them a control character", 80,
        |v| !v.chars().any(char::is_control) && v.trim() == v;
    /// The site's context for emergency calls. On a FreeSWITCH `${domain_name}` in it stands for the domain of the phone.
    EmergencyContext, "a context for emergency calls", "1 to 79 letters, digits, '.', '_', '-' or '@', and ${domain_name}", 79,
        |v| all(&v.replace(EmergencyContext::DOMAIN, ""), "._-@");
    /// A number that is an emergency call when dialled.
    EmergencyNumber, "an emergency number", "2 to 15 digits", 15,
        |v| v.len() > 1 && v.bytes().all(|b| b.is_ascii_digit());
    /// A user's internal number. Leading zeros count: `001` is not `1`.
    Extension, "an extension", "1 to 20 digits", 20,
        |v| v.bytes().all(|b| b.is_ascii_digit());
    /// A group or a queue, as its switch names it.
    GroupName, "a group", "1 to 40 letters, digits, '.', '_' or '-'", 40,
        |v| all(v, "._-");
    /// A key of the API.
    KeyName, "the name of a key", "1 to 64 lower-case letters, digits, '.', '_', '@' or '-'", 64,
        |v| all(v, "._@-") && !v.bytes().any(|b| b.is_ascii_uppercase());
    /// A language as the switch's sound folders are named: `en`, `nl`, `de`, `en_GB`.
    Language, "a language", "two letters, if need be with a country: en, nl, en_GB", 5,
        |v| { let b = v.as_bytes(); b.iter().take(2).filter(|c| c.is_ascii_lowercase()).count() == 2
            && (b.len() == 2 || (b.len() == 5 && b.get(2) == Some(&b'_') && b.iter().skip(3).all(u8::is_ascii_uppercase))) };
    /// A location of devices.
    LocationName, "a location", "1 to 64 letters, digits, '.', '_' or '-'", 64,
        |v| all(v, "._-");
    /// A voicemail box, `101` or `101@default`.
    Mailbox, "a mailbox", "a box, or box@context, up to 80 letters, digits, '.', '_' or '-'", 80,
        |v| v.split('@').count() <= 2 && v.split('@').all(|part| !part.is_empty() && all(part, "._-"));
    /// A number that is dialled, or shown outside.
    Number, "a number", "1 to 32 digits, if need be with a leading '+'", 32,
        |v| { let digits = v.strip_prefix('+').unwrap_or(v); !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) };
    /// One requested command: a repeated request with the same id is carried out once.
    RequestId, "a request id", "1 to 64 letters, digits or '-'", 64,
        |v| all(v, "-");
    /// The identity of a store's data, made once with it.
    StoreId, "the identity of a store", "1 to 64 letters or digits", 64,
        |v| all(v, "");
    /// A switch, by its name in the configuration.
    SwitchName, "a switch", "1 to 64 letters, digits, '.', '_' or '-'", 64,
        |v| all(v, "._-");
    /// A company on a shared switch.
    TenantId, "a tenant", "1 to 64 letters, digits, '.', '_' or '-'", 64,
        |v| all(v, "._-");
    /// A variable of a directory entry of FreeSWITCH.
    VariableName, "a variable of the directory", "1 to 64 letters, digits, '_' or '-', and not one that begins with hd_", 64,
        |v| all(v, "_-") && !v.starts_with("hd_");
}

impl From<Extension> for Number {
    /// An extension is a number that can be shown.
    fn from(extension: Extension) -> Self {
        Self(extension.0)
    }
}

impl StoreId {
    /// The identity from these 128 bits.
    pub fn from_bits(bits: u128) -> Self {
        Self(format_compact!("{bits:032x}"))
    }
}

impl AccountName {
    /// Stands for what was typed as a name and cannot be one.
    pub fn of_none() -> Self {
        Self(CompactString::const_new("-"))
    }
}

impl RequestId {
    /// The id from these 128 bits.
    pub fn from_bits(bits: u128) -> Self {
        Self(format_compact!("{bits:032x}"))
    }
}

impl EmergencyContext {
    /// Stands for the domain of the phone.
    pub const DOMAIN: &str = "${domain_name}";

    /// The context for the phones of a tenant, whose name is their domain; `None` if that is not known.
    pub fn of(&self, tenant: &TenantId) -> Option<String> {
        let unknown = self.has_domain() && *tenant == TenantId::default();
        (!unknown).then(|| self.0.replace(Self::DOMAIN, tenant.as_str()))
    }

    /// Whether it differs by the domain of the phone.
    pub fn has_domain(&self) -> bool {
        self.0.contains(Self::DOMAIN)
    }
}

impl VariableName {
    /// The rights and settings of a user in the directories of a vanilla FreeSWITCH 1.10.12 and of FusionPBX 5.
    pub fn usual() -> Vec<Self> {
        ["toll_allow", "callgroup", "call_group", "extension_uuid", "hold_music", "limit_max", "user_record"]
            .map(|name| Self(name.into()))
            .into()
    }
}

impl Default for EmergencyContext {
    /// The context `emergency`.
    fn default() -> Self {
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

/// The state of a tenant's data: grows by one with each command in the journal.
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
    fn text_that_a_dialplan_or_a_protocol_reads_as_syntax_is_refused() {
        for bad in ["", "a b", "a,b", "a\r\nAction: Originate", "a)", "${X}", "a;b", "é"] {
            assert!(Extension::new(bad).is_err(), "{bad:?}");
            assert!(DeviceName::new(bad).is_err(), "{bad:?}");
            assert!(DialTarget::new(format!("PJSIP/{bad}")).is_err(), "{bad:?}");
            assert!(Context::new(bad).is_err(), "{bad:?}");
            assert!(EmergencyContext::new(bad).is_err(), "{bad:?}");
            assert!(VariableName::new(bad).is_err(), "{bad:?}");
            assert!(Number::new(bad).is_err(), "{bad:?}");
            assert!(Mailbox::new(bad).is_err(), "{bad:?}");
            assert!(Language::new(bad).is_err(), "{bad:?}");
        }
        assert!(DisplayName::new("line\r\nbreak").is_err());
        assert!(DialTarget::new("PJSIP").is_err());
        assert!(DialTarget::new("PJSIP/desk1&").is_err());
    }

    /// Each printable character of ASCII, and others that look like one, move others or are none.
    #[test]
    fn each_kind_takes_the_characters_of_its_rule_and_no_other() {
        let others = [
            '\0', '\t', '\n', '\r', '\u{7f}', 'é', 'ß', '\u{301}', '٣', '３', 'ａ', 'ש', '\u{202e}',
            '\u{200b}', '\u{a0}', '😀',
        ];
        let takes = |c: char, also: &str| c.is_ascii_alphanumeric() || also.contains(c);
        for c in (' '..='~').chain(others) {
            let value = format!("1{c}1");
            let digit = c.is_ascii_digit();
            for (kind, is, rule) in [
                ("extension", Extension::new(&value).is_ok(), digit),
                ("emergency number", EmergencyNumber::new(&value).is_ok(), digit),
                ("number", Number::new(&value).is_ok(), digit),
                ("mailbox", Mailbox::new(&value).is_ok(), takes(c, "._-@")),
                ("group", GroupName::new(&value).is_ok(), takes(c, "._-")),
                ("account", Account::new(&value).is_ok(), takes(c, "._-")),
                ("context", Context::new(&value).is_ok(), takes(c, "._-")),
                ("emergency context", EmergencyContext::new(&value).is_ok(), takes(c, "._-@")),
                ("variable", VariableName::new(&value).is_ok(), takes(c, "_-")),
                ("location", LocationName::new(&value).is_ok(), takes(c, "._-")),
                ("tenant", TenantId::new(&value).is_ok(), takes(c, "._-")),
                ("switch", SwitchName::new(&value).is_ok(), takes(c, "._-")),
                ("device", DeviceName::new(&value).is_ok(), takes(c, "._+@-")),
                ("dial target", DialTarget::new(format!("T/{value}")).is_ok(), takes(c, "._+@:/-")),
                ("name", DisplayName::new(&value).is_ok(), !c.is_control()),
                ("address", Address::new(&value).is_ok(), !c.is_control()),
            ] {
                assert_eq!(is, rule, "{kind} {value:?}");
            }
        }
    }

    #[test]
    fn a_context_for_emergency_calls_may_be_that_of_the_phones_domain() {
        let of = |context: &str, tenant: &str| {
            EmergencyContext::new(context).unwrap().of(&TenantId::new(tenant).unwrap())
        };
        assert_eq!(of("out@${domain_name}", "a.example").as_deref(), Some("out@a.example"));
        assert_eq!(of("${domain_name}", "default"), None);
        assert_eq!(of("out", "default").as_deref(), Some("out"));
    }

    #[test]
    fn the_error_names_the_value_and_the_rule() {
        let message = Extension::new("12a").map_err(|e| e.to_string());
        assert_eq!(message, Err("\"12a\" is not an extension: it takes 1 to 20 digits".into()));
    }

    #[test]
    fn names_that_telephony_uses_are_accepted() {
        assert!(Language::new("en").is_ok() && Language::new("en_GB").is_ok());
        assert!(Mailbox::new("101@default").is_ok());
        assert!(DialTarget::new("PJSIP/desk1&PJSIP/soft-101").is_ok());
        assert!(Number::new("+31201234567").is_ok());
        assert!(DisplayName::new("Zoë \"Z\" O'Neill, B.V.").is_ok());
    }
}
