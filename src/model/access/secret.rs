//! Secrets of links, sessions and keys: random, and only their hashes are kept.

use std::fmt;

use base16ct::lower::encode_string as hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 256 random bits that prove a link, a session or a key. Wiped from memory when dropped, never displayed.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// The secret of these random bits.
    pub fn from_random(bits: &[u8; 32]) -> Self {
        Self(hex(bits))
    }

    /// The secret that a browser or a program sent; none, if it cannot be one.
    pub fn read(text: &str) -> Option<Self> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(hex)).then(|| Self(text.into()))
    }

    /// The text, for the browser or the program that it belongs to.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What a store keeps of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash(hex(&Sha256::digest(&self.0)))
    }

    /// What each form of a session has, so that no other site can send one.
    pub fn form_token(&self) -> String {
        let digest = Sha256::new().chain_update("hotdesk form\0").chain_update(&self.0).finalize();
        hex(digest.split_at(16).0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The SHA-256 of a [`Secret`]. Nothing leads back from it.
#[derive(Clone, Debug, Deserialize, Eq, Serialize)]
pub struct SecretHash(String);

impl SecretHash {
    /// The hash in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for SecretHash {
    /// In the same time, whatever differs.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_it_was_sent_and_never_shown() {
        let secret = Secret::from_random(&[171; 32]);
        assert_eq!(Secret::read(secret.reveal()), Some(secret.clone()));
        assert_eq!(format!("{secret:?}"), "***");
        assert!(secret.hash() == secret.hash() && secret.hash() != Secret::from_random(&[172; 32]).hash());
        let kept = serde_json::to_string(&secret.hash()).unwrap() + &secret.form_token();
        assert!(!kept.contains(secret.reveal()) && !kept.contains("abab"), "{kept}");
        for bad in ["", "ab", &"AB".repeat(32), &"ab".repeat(33), &"zz".repeat(32)] {
            assert_eq!(Secret::read(bad), None, "{bad}");
        }
    }
}
