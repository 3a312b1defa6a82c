//! PINs: what one is, and how it is kept so that neither the store nor a log gives it away.
//!
//! A PIN has so few values that no slow hash alone protects it: ten thousand argon2 hashes take two
//! minutes. So it is first keyed with a pepper that is not in the store, and the result is hashed.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::id::{Extension, TenantId};

/// Digits that prove who somebody is: 4 to 10 of them. Wiped from memory when dropped, shown nowhere.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct Pin(String);

/// Not 4 to 10 digits. Does not say what was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a PIN takes 4 to 10 digits")]
pub struct InvalidPin;

impl Pin {
    /// Checks `digits`.
    ///
    /// # Errors
    /// [`InvalidPin`] when they are not 4 to 10 ASCII digits.
    pub fn new(digits: &str) -> Result<Self, InvalidPin> {
        let valid = (4..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if valid { Ok(Self(digits.into())) } else { Err(InvalidPin) }
    }

    /// Six digits made of `random`, for somebody who has no PIN yet.
    #[must_use]
    pub fn from_random(random: u64) -> Self {
        Self(format!("{:06}", random % 1_000_000))
    }

    /// The digits, for who judges a PIN that was chosen, and for who tells a generated one to its user.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A key that is kept outside the store, and the name by which a record says that it was made with it.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Pepper {
    #[zeroize(skip)]
    name: String,
    key: [u8; 64],
}

impl Pepper {
    /// A pepper of 512 bits, the block of SHA-256. Its name is derived from the key and gives nothing of it away.
    #[must_use]
    pub fn new(key: [u8; 64]) -> Self {
        let name = hex(&keyed(&key, &[b"hotdesk pepper name"])).chars().take(16).collect();
        Self { name, key }
    }

    /// What failures of `user` are counted under.
    #[must_use]
    pub fn alias(&self, tenant: &TenantId, user: &Extension) -> Alias {
        let parts: [&[u8]; 4] =
            [b"hotdesk alias\0", tenant.as_str().as_bytes(), b"\0", user.as_str().as_bytes()];
        Alias(hex(&keyed(&self.key, &parts)).chars().take(32).collect())
    }

    /// The name that records made with it carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// An extension as failures are counted under it: keyed with the pepper, because what a caller enters as his extension
/// may be nobody's, but somebody's PIN, and no store shall keep that.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Alias(String);

impl Alias {
    /// 128 bits, in hex.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({})", self.name)
    }
}

/// How hard a PIN's hash is to compute. A record carries its own, so that another can be chosen for new ones.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cost {
    /// Memory that a hash fills, in KiB; 8 at least.
    pub memory_kib: u32,
    /// How often it goes over the memory; 1 at least.
    pub passes: u32,
}

impl Cost {
    const MOST_KIB: u32 = 1024 * 1024;
    const MOST_PASSES: u32 = 100;
}

impl Default for Cost {
    /// OWASP's first choice for argon2id: 19 MiB, twice; 13 to 15 ms of a core of 2026.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// What is stored of a PIN: argon2id over HMAC-SHA-256 with the pepper.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct PinRecord {
    /// What its hash cost.
    #[serde(default)]
    cost: Cost,
    /// The pepper it was made with.
    pepper: String,
    /// 16 random bytes, in hex.
    salt: String,
    /// 32 bytes of argon2id, in hex.
    hash: String,
    /// When the PIN was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<Timestamp>,
}

impl PinRecord {
    /// The record of `pin` for this user, at the default [`Cost`]: never on a reactor thread. `salt` comes from the system's
    /// random source. It says not when the PIN was chosen: see [`PinRecord::chosen`].
    #[must_use]
    pub fn make(pin: &Pin, pepper: &Pepper, tenant: &TenantId, user: &Extension, salt: [u8; 16]) -> Self {
        Self::make_at(Cost::default(), pin, pepper, tenant, user, salt)
    }

    /// The same record, of a PIN that was chosen then.
    #[must_use]
    pub fn chosen(self, at: Timestamp) -> Self {
        Self { set: Some(at), ..self }
    }

    /// The same at another cost.
    #[must_use]
    pub fn make_at(
        cost: Cost,
        pin: &Pin,
        pepper: &Pepper,
        tenant: &TenantId,
        user: &Extension,
        salt: [u8; 16],
    ) -> Self {
        let salt = hex(&salt);
        // An empty hash, for a cost that cannot be, is matched by nothing.
        let hash = stretched(cost, pin, pepper, tenant, user, &salt).unwrap_or_default();
        Self { cost, pepper: pepper.name.clone(), salt, hash, set: None }
    }

    /// A record that no PIN matches, to spend on an unknown user what a known one costs.
    #[must_use]
    pub fn nobody(cost: Cost, pepper: &Pepper) -> Self {
        let (pepper, salt) = (pepper.name.clone(), "0".repeat(32));
        Self { cost, pepper, salt, hash: String::new(), set: None }
    }

    /// Whether `pin` is the one the record was made of; takes as long as [`PinRecord::make`] either way.
    #[must_use]
    pub fn matches(&self, pin: &Pin, pepper: &Pepper, tenant: &TenantId, user: &Extension) -> bool {
        let hash = stretched(self.cost, pin, pepper, tenant, user, &self.salt);
        let same = hash.is_some_and(|hash| hash.as_bytes().ct_eq(self.hash.as_bytes()).into());
        same && self.pepper == pepper.name
    }

    /// The name of the pepper the record was made with.
    #[must_use]
    pub fn pepper(&self) -> &str {
        &self.pepper
    }

    /// When the PIN was chosen, if that is known.
    #[must_use]
    pub const fn set(&self) -> Option<Timestamp> {
        self.set
    }

    /// Tells this record from every other: its salt.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// Of the same PIN, chosen when this one's was, with another pepper.
    #[must_use]
    pub fn again(
        &self,
        pin: &Pin,
        pepper: &Pepper,
        tenant: &TenantId,
        user: &Extension,
        salt: [u8; 16],
    ) -> Self {
        Self { set: self.set, ..Self::make_at(self.cost, pin, pepper, tenant, user, salt) }
    }
}

impl fmt::Debug for PinRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinRecord(pepper {})", self.pepper)
    }
}

/// None where `cost` is out of argon2's bounds, as in a record that somebody damaged.
fn stretched(
    cost: Cost,
    pin: &Pin,
    pepper: &Pepper,
    tenant: &TenantId,
    user: &Extension,
    salt: &str,
) -> Option<String> {
    let (memory, passes) = (cost.memory_kib.min(Cost::MOST_KIB), cost.passes.min(Cost::MOST_PASSES));
    let argon2 =
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(memory, passes, 1, Some(32)).ok()?);
    let input = Zeroizing::new(keyed(
        &pepper.key,
        &[tenant.as_str().as_bytes(), b"\0", user.as_str().as_bytes(), b"\0", pin.0.as_bytes()],
    ));
    let mut hash = [0; 32];
    argon2.hash_password_into(&*input, salt.as_bytes(), &mut hash).ok()?;
    Some(hex(&hash))
}

fn keyed(key: &[u8; 64], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(key.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(extension: &str) -> (TenantId, Extension) {
        (TenantId::default(), Extension::new(extension).unwrap())
    }

    #[test]
    fn four_to_ten_digits_and_nothing_else() {
        for good in ["0042", "1234567890"] {
            assert_eq!(Pin::new(good).map(|p| p.reveal().to_owned()), Ok(good.into()));
        }
        for bad in ["", "123", "12345678901", "12a4", "12 4", "٣٣٣٣"] {
            assert_eq!(Pin::new(bad), Err(InvalidPin), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_digit() {
        let (tenant, user) = id("101");
        let pepper = Pepper::new([7; 64]);
        let pin = Pin::new("987654").unwrap();
        let record = PinRecord::make(&pin, &pepper, &tenant, &user, [1; 16]);
        let shown = format!("{pin:?} {pepper:?} {record:?}");
        assert!(!shown.contains("987654") && shown.starts_with("***"), "{shown}");
        assert!(!serde_json::to_string(&record).unwrap().contains("987654"));
    }

    #[test]
    fn only_the_same_pin_pepper_and_user_match() {
        let (tenant, user) = id("101");
        let (_, other) = id("0101");
        let pepper = Pepper::new([7; 64]);
        let pin = Pin::new("0042").unwrap();
        let record = PinRecord::make(&pin, &pepper, &tenant, &user, [1; 16]);
        assert!(record.matches(&pin, &pepper, &tenant, &user));
        assert!(!record.matches(&Pin::new("00420").unwrap(), &pepper, &tenant, &user));
        assert!(!record.matches(&pin, &Pepper::new([8; 64]), &tenant, &user));
        assert!(!record.matches(&pin, &pepper, &tenant, &other));
        assert!(!record.matches(&pin, &pepper, &TenantId::new("acme").unwrap(), &user));
        assert!(!PinRecord::nobody(Cost::default(), &pepper).matches(&pin, &pepper, &tenant, &user));
    }

    #[test]
    fn a_record_carries_its_cost_and_one_without_has_the_default() {
        let (tenant, user) = id("101");
        let pepper = Pepper::new([7; 64]);
        let pin = Pin::new("0042").unwrap();
        let cheap = Cost { memory_kib: 8, passes: 1 };
        let record = PinRecord::make_at(cheap, &pin, &pepper, &tenant, &user, [1; 16]);
        let stored: PinRecord = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert!(stored.matches(&pin, &pepper, &tenant, &user));
        let mut old = serde_json::to_value(PinRecord::make(&pin, &pepper, &tenant, &user, [1; 16])).unwrap();
        old.as_object_mut().unwrap().remove("cost");
        let old: PinRecord = serde_json::from_value(old).unwrap();
        assert!(old.matches(&pin, &pepper, &tenant, &user));
        let broken = PinRecord { cost: Cost { memory_kib: 0, passes: 0 }, ..record };
        assert!(!broken.matches(&pin, &pepper, &tenant, &user));
    }

    #[test]
    fn an_alias_is_one_users_and_gives_his_digits_away_to_nobody() {
        let (tenant, user) = id("729154");
        let alias = Pepper::new([7; 64]).alias(&tenant, &user);
        assert_eq!(alias, Pepper::new([7; 64]).alias(&tenant, &user));
        assert_ne!(alias, Pepper::new([8; 64]).alias(&tenant, &user));
        assert_ne!(alias, Pepper::new([7; 64]).alias(&TenantId::new("acme").unwrap(), &user));
        assert!(alias.as_str().len() == 32 && !alias.as_str().contains("729154"));
    }

    #[test]
    fn a_generated_pin_has_six_digits() {
        for random in [0, 7, 999_999, 1_000_000, u64::MAX] {
            assert!(Pin::new(Pin::from_random(random).reveal()).is_ok_and(|p| p.reveal().len() == 6));
        }
    }
}
