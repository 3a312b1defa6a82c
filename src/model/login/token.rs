//! The token of the printed dialplan: by it Hotdesk knows that a call comes from the switch, and not from another process that
//! reaches its port.
//!
//! It is derived from the pepper. So it is the same in all controllers of an installation, needs no backup, and changes with the
//! pepper; nothing about the pepper follows from it.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::pin::Pepper;

/// A token: 128 bits in hex. Never displayed by `Debug`.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// That of the dialplan which is printed with `pepper`.
    pub fn of(pepper: &Pepper) -> Self {
        Self(Zeroizing::new(pepper.derived(&[b"hotdesk dialplan token"])))
    }

    /// Stands in for a token in a sample. No controller takes a call with it.
    pub fn sample() -> Self {
        Self(Zeroizing::new("PRINT-YOUR-OWN".into()))
    }

    /// The token, for the dialplan.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `shown` is this token; takes the same time whatever is shown.
    pub fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// What a [`proof`] begins with.
pub const PROOF: &str = "hotdesk-";

/// What a controller with `pepper` answers to `nonce`: only a Hotdesk of the same installation gives this answer.
pub fn proof(pepper: &Pepper, nonce: &str) -> String {
    format!("{PROOF}{}", pepper.derived(&[b"hotdesk listener\0", nonce.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_that_of_its_pepper_and_no_other_text_is_it() {
        let [one, other] = [7, 8].map(|byte| Pepper::new([byte; 64]));
        let token = Token::of(&one);
        assert!(token.is(Token::of(&one).reveal()) && token.reveal().len() == 32);
        let long = format!("{}0", token.reveal());
        for shown in ["", &long, &long[..31], Token::of(&other).reveal(), Token::sample().reveal()] {
            assert!(!token.is(shown), "{shown}");
        }
        assert_ne!(proof(&one, ""), token.reveal());
        assert_ne!(proof(&one, "a"), proof(&one, "b"));
        assert!(!format!("{token:?}").contains(token.reveal()));
    }
}
