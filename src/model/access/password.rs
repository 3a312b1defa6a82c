//! Passwords of accounts, and how they are stored: as PINs are, keyed with the pepper and then hashed slowly.

use std::fmt;

use base16ct::lower::encode_string as hex;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::model::id::{AccountName, TenantId};
use crate::model::login::pin::{Cost, Pepper, stretched};

/// A password. Wiped from memory when dropped, never displayed.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

/// Too short or too long. The error does not contain the input.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a password takes 12 to 128 characters")]
pub struct InvalidPassword;

impl Password {
    /// Checks the length of a password that was typed. Any characters will do.
    ///
    /// # Errors
    /// [`InvalidPassword`] when it has fewer than 12 characters or more than 128.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidPassword> {
        let password = Self(text.into());
        let valid = (12..=128).contains(&password.0.chars().count());
        if valid { Ok(password) } else { Err(InvalidPassword) }
    }

    /// The text, to check a chosen password.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The stored record of a password: argon2id over HMAC-SHA-256 with the pepper.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct PasswordRecord {
    cost: Cost,
    /// The name of its pepper.
    pepper: String,
    /// 16 random bytes, in hex.
    salt: String,
    /// 32 bytes of argon2id, in hex.
    hash: String,
}

impl PasswordRecord {
    /// The record of a password of this account: never on a reactor thread. `salt` comes from the system's random source.
    pub fn make(
        cost: Cost,
        password: &Password,
        pepper: &Pepper,
        tenant: &TenantId,
        account: &AccountName,
        salt: [u8; 16],
    ) -> Self {
        let salt = hex(&salt);
        let hash = hashed(cost, password, pepper, tenant, account, &salt).unwrap_or_default();
        Self { cost, pepper: pepper.name().into(), salt, hash }
    }

    /// A record that no password matches: checking it for an unknown account takes as long as for a known one.
    pub fn of_no_account(cost: Cost, pepper: &Pepper) -> Self {
        Self { cost, pepper: pepper.name().into(), salt: "0".repeat(32), hash: String::new() }
    }

    /// Whether `password` is the one of this record. Takes as long as [`PasswordRecord::make`] in both cases.
    pub fn matches(
        &self,
        password: &Password,
        pepper: &Pepper,
        tenant: &TenantId,
        account: &AccountName,
    ) -> bool {
        let hash = hashed(self.cost, password, pepper, tenant, account, &self.salt);
        let same = hash.is_some_and(|hash| hash.as_bytes().ct_eq(self.hash.as_bytes()).into());
        same && self.pepper == pepper.name()
    }

    /// The name of its pepper.
    pub fn pepper(&self) -> &str {
        &self.pepper
    }

    /// The salt, which differs in each record.
    pub fn salt(&self) -> &str {
        &self.salt
    }
}

impl fmt::Debug for PasswordRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordRecord(pepper {})", self.pepper)
    }
}

fn hashed(
    cost: Cost,
    password: &Password,
    pepper: &Pepper,
    tenant: &TenantId,
    account: &AccountName,
    salt: &str,
) -> Option<String> {
    let (tenant, account) = (tenant.as_str().as_bytes(), account.as_str().as_bytes());
    // No PIN begins so: a PIN and a password never have the same hash.
    let parts: [&[u8]; 6] = [b"hotdesk password\0", tenant, b"\0", account, b"\0", password.0.as_bytes()];
    stretched(cost, pepper, &parts, salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

    #[test]
    fn a_record_matches_its_password_of_its_account_only() {
        let (pepper, tenant) = (Pepper::new([7; 64]), TenantId::default());
        let [eva, jan] = ["eva", "jan"].map(|name| AccountName::new(name).unwrap());
        let [right, wrong] =
            ["three tall cranes", "three tall crane "].map(|text| Password::new(text).unwrap());
        let record = PasswordRecord::make(CHEAP, &right, &pepper, &tenant, &eva, [1; 16]);
        let other = TenantId::new("other").unwrap();
        assert!(record.matches(&right, &pepper, &tenant, &eva));
        assert!(!record.matches(&wrong, &pepper, &tenant, &eva));
        assert!(
            !record.matches(&right, &pepper, &tenant, &jan) && !record.matches(&right, &pepper, &other, &eva)
        );
        assert!(!record.matches(&right, &Pepper::new([8; 64]), &tenant, &eva));
        assert!(!PasswordRecord::of_no_account(CHEAP, &pepper).matches(&right, &pepper, &tenant, &eva));
        let kept = serde_json::to_string(&record).unwrap();
        assert!(!kept.contains("cranes") && !format!("{record:?}{right:?}").contains("cranes"), "{kept}");
    }

    #[test]
    fn a_password_has_12_to_128_characters() {
        for good in ["é".repeat(12), "x".repeat(128), "   spaces   too  ".into()] {
            assert!(Password::new(good).is_ok());
        }
        for bad in [String::new(), "é".repeat(11), "x".repeat(129)] {
            assert_eq!(Password::new(bad), Err(InvalidPassword));
        }
    }
}
