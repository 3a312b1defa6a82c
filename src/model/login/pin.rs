//! PINs: what a PIN is, and how it is stored so that neither the store nor a log reveals it.
//!
//! There are so few PINs that a slow hash alone does not protect them: ten thousand argon2 hashes take two minutes.
//! So the PIN is first keyed with a pepper that is not in the store, and then hashed.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base16ct::lower::encode_string as hex;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::model::id::{Extension, TenantId};

/// The 4 to 10 digits that prove who a user is. Wiped from memory when dropped, never displayed.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct Pin(String);

/// Not 4 to 10 digits. The error does not contain the input.
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

    /// Six digits from `random`, for a user without a PIN.
    pub fn from_random(random: u64) -> Self {
        Self(format!("{:06}", random % 1_000_000))
    }

    /// The digits, to check a chosen PIN, or to show a generated PIN to its user.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A key that is kept outside the store, and its name in the records that were made with it.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Pepper {
    #[zeroize(skip)]
    name: String,
    key: [u8; 64],
}

impl Pepper {
    /// A pepper of 512 bits, the block of SHA-256. Its name is derived from the key and reveals nothing about it.
    pub fn new(key: [u8; 64]) -> Self {
        let name = hex(keyed(&key, &[b"hotdesk pepper name"]).split_at(8).0);
        Self { name, key }
    }

    /// The alias under which failures of `user` are counted.
    pub fn alias(&self, tenant: &TenantId, user: &Extension) -> Alias {
        let parts: [&[u8]; 4] =
            [b"hotdesk alias\0", tenant.as_str().as_bytes(), b"\0", user.as_str().as_bytes()];
        Alias(self.derived(&parts))
    }

    /// 128 bits in hex that only a holder of this pepper can tell for these `parts`, which begin with a label of their own.
    pub(super) fn derived(&self, parts: &[&[u8]]) -> String {
        hex(keyed(&self.key, parts).split_at(16).0)
    }

    /// Its name in records.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The name under which the failures of an extension are counted. It is keyed with the pepper: what a caller enters
/// as an extension may be a PIN, and no store may keep that.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Alias(String);

impl Alias {
    /// 128 bits, in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({})", self.name)
    }
}

/// The cost of a PIN's hash. Each record contains its own, so the cost for new records can change.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cost {
    /// Memory of the hash in KiB; at least 8.
    pub memory_kib: u32,
    /// Passes over the memory; at least 1.
    pub passes: u32,
}

impl Cost {
    const MOST_KIB: u32 = 1024 * 1024;
    const MOST_PASSES: u32 = 100;

    /// The cost of a record that does not contain it.
    const fn former() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

impl Default for Cost {
    /// 7 MiB and five passes. OWASP lists it beside 19 MiB and two passes as of equal strength; on two cores it made 78 hashes a
    /// second, and the latter 63 (November 2026).
    fn default() -> Self {
        Self { memory_kib: 7 * 1024, passes: 5 }
    }
}

/// The stored record of a PIN: argon2id over HMAC-SHA-256 with the pepper.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct PinRecord {
    /// The cost of its hash.
    #[serde(default = "Cost::former")]
    cost: Cost,
    /// The name of its pepper.
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
    /// The record of `pin` for this user, at the default [`Cost`]: never on a reactor thread. `salt` comes from the
    /// system's random source. The record has no date: see [`PinRecord::chosen`].
    pub fn make(pin: &Pin, pepper: &Pepper, tenant: &TenantId, user: &Extension, salt: [u8; 16]) -> Self {
        Self::make_at(Cost::default(), pin, pepper, tenant, user, salt)
    }

    /// The same record, for a PIN that was chosen at `at`.
    #[must_use]
    pub fn chosen(self, at: Timestamp) -> Self {
        Self { set: Some(at), ..self }
    }

    /// The same at this cost.
    pub fn make_at(
        cost: Cost,
        pin: &Pin,
        pepper: &Pepper,
        tenant: &TenantId,
        user: &Extension,
        salt: [u8; 16],
    ) -> Self {
        let salt = hex(&salt);
        // A cost out of bounds gives an empty hash, which matches nothing.
        let hash = hashed(cost, pin, pepper, tenant, user, &salt).unwrap_or_default();
        Self { cost, pepper: pepper.name.clone(), salt, hash, set: None }
    }

    /// A record that no PIN matches: checking it for an unknown user takes as long as for a known one with this cost.
    pub fn of_no_user(cost: Cost, pepper: &Pepper) -> Self {
        let (pepper, salt) = (pepper.name.clone(), "0".repeat(32));
        Self { cost, pepper, salt, hash: String::new(), set: None }
    }

    /// Whether `pin` is the PIN of this record. Takes as long as [`PinRecord::make`] in both cases.
    pub fn matches(&self, pin: &Pin, pepper: &Pepper, tenant: &TenantId, user: &Extension) -> bool {
        let hash = hashed(self.cost, pin, pepper, tenant, user, &self.salt);
        let same = hash.is_some_and(|hash| hash.as_bytes().ct_eq(self.hash.as_bytes()).into());
        same && self.pepper == pepper.name
    }

    /// The cost of its hash.
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// The name of its pepper.
    pub fn pepper(&self) -> &str {
        &self.pepper
    }

    /// When the PIN was chosen, if that is known.
    pub const fn set(&self) -> Option<Timestamp> {
        self.set
    }

    /// The salt, which differs in each record.
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// A record of the same PIN, with the same date, made with another pepper or at another cost.
    #[must_use]
    pub fn again(
        &self,
        cost: Cost,
        pin: &Pin,
        pepper: &Pepper,
        tenant: &TenantId,
        user: &Extension,
        salt: [u8; 16],
    ) -> Self {
        Self { set: self.set, ..Self::make_at(cost, pin, pepper, tenant, user, salt) }
    }
}

impl fmt::Debug for PinRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinRecord(pepper {})", self.pepper)
    }
}

fn hashed(
    cost: Cost,
    pin: &Pin,
    pepper: &Pepper,
    tenant: &TenantId,
    user: &Extension,
    salt: &str,
) -> Option<String> {
    let (tenant, user) = (tenant.as_str().as_bytes(), user.as_str().as_bytes());
    stretched(cost, pepper, &[tenant, b"\0", user, b"\0", pin.0.as_bytes()], salt)
}

/// The slow hash of these parts, keyed with the pepper. None when `cost` is out of argon2's bounds, as in a damaged record.
pub(in crate::model) fn stretched(
    cost: Cost,
    pepper: &Pepper,
    parts: &[&[u8]],
    salt: &str,
) -> Option<String> {
    let (memory, passes) = (cost.memory_kib.min(Cost::MOST_KIB), cost.passes.min(Cost::MOST_PASSES));
    let argon2 =
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(memory, passes, 1, Some(32)).ok()?);
    let input = Zeroizing::new(keyed(&pepper.key, parts));
    let mut hash = [0; 32];
    let mut blocks = Blocks::take(argon2.params().block_count());
    argon2.hash_password_into_with_memory(&*input, salt.as_bytes(), &mut hash, &mut *blocks.0).ok()?;
    Some(hex(&hash))
}

/// The memory of a hash. Without reuse the allocator keeps a copy for each thread: 0.9 GB after some hundred logins. There is one
/// for each hash that ran at the same time. Its content shows no more than the hash.
struct Blocks(Vec<Block>);

static FREE: Mutex<Vec<Vec<Block>>> = Mutex::new(vec![]);

impl Blocks {
    fn take(count: usize) -> Self {
        let mut blocks = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        blocks.resize(count, Block::new());
        Self(blocks)
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        // A record may ask for far more than usual.
        if self.0.capacity() <= Cost::former().memory_kib as usize {
            FREE.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.0));
        }
    }
}

fn keyed(key: &[u8; 64], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(key.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(extension: &str) -> Extension {
        Extension::new(extension).unwrap()
    }

    /// A PIN of user 101 in the default tenant, and its record at this cost.
    fn record(pin: &str, cost: Cost) -> (Pin, Pepper, TenantId, Extension, PinRecord) {
        let (pin, pepper) = (Pin::new(pin).unwrap(), Pepper::new([7; 64]));
        let (tenant, user) = (TenantId::default(), user("101"));
        let record = PinRecord::make_at(cost, &pin, &pepper, &tenant, &user, [1; 16]);
        (pin, pepper, tenant, user, record)
    }

    #[test]
    fn a_pin_has_four_to_ten_digits_and_nothing_else() {
        for good in ["0042", "1234567890"] {
            assert_eq!(Pin::new(good).map(|p| p.reveal().to_owned()), Ok(good.into()));
        }
        for bad in ["", "123", "12345678901", "12a4", "12 4", "٣٣٣٣"] {
            assert_eq!(Pin::new(bad), Err(InvalidPin), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_digit() {
        let (pin, pepper, .., record) = record("987654", Cost::default());
        let shown = format!("{pin:?} {pepper:?} {record:?}");
        assert!(!shown.contains("987654") && shown.starts_with("***"), "{shown}");
        assert!(!serde_json::to_string(&record).unwrap().contains("987654"));
    }

    #[test]
    fn only_the_same_pin_pepper_and_user_match() {
        let (pin, pepper, tenant, user, record) = record("0042", Cost::default());
        assert!(record.matches(&pin, &pepper, &tenant, &user));
        assert!(!record.matches(&Pin::new("00420").unwrap(), &pepper, &tenant, &user));
        assert!(!record.matches(&pin, &Pepper::new([8; 64]), &tenant, &user));
        assert!(!record.matches(&pin, &pepper, &tenant, &self::user("0101")));
        assert!(!record.matches(&pin, &pepper, &TenantId::new("acme").unwrap(), &user));
        assert!(!PinRecord::of_no_user(Cost::default(), &pepper).matches(&pin, &pepper, &tenant, &user));
    }

    #[test]
    fn a_record_carries_its_cost_and_one_without_has_the_former_cost() {
        let (pin, pepper, tenant, user, record) = record("0042", Cost { memory_kib: 8, passes: 1 });
        let stored: PinRecord = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert!(stored.matches(&pin, &pepper, &tenant, &user));
        let mut old =
            serde_json::to_value(PinRecord::make_at(Cost::former(), &pin, &pepper, &tenant, &user, [1; 16]))
                .unwrap();
        old.as_object_mut().unwrap().remove("cost");
        let old: PinRecord = serde_json::from_value(old).unwrap();
        assert!(old.matches(&pin, &pepper, &tenant, &user));
        let broken = PinRecord { cost: Cost { memory_kib: 0, passes: 0 }, ..record };
        assert!(!broken.matches(&pin, &pepper, &tenant, &user));
    }

    #[test]
    fn an_alias_belongs_to_one_user_and_reveals_no_digits() {
        let (tenant, user) = (TenantId::default(), user("729154"));
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
