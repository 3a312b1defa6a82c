//! Passwords that a person who does not know the user would try first.

use super::password::Password;
use crate::model::id::{AccountName, TenantId};

/// Words that common passwords are made of. What remains of a password without them must not be short.
const COMMON: [&str; 40] = [
    "password",
    "passwort",
    "wachtwoord",
    "welcome",
    "welkom",
    "willkommen",
    "hotdesk",
    "asterisk",
    "freeswitch",
    "freepbx",
    "telephone",
    "telefoon",
    "telefon",
    "administrator",
    "admin",
    "changeme",
    "letmein",
    "secret",
    "geheim",
    "qwertyuiop",
    "qwertzuiop",
    "qwerty",
    "qwertz",
    "azerty",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t",
    "iloveyou",
    "monkey",
    "dragon",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "abc123",
    "company",
    "summer",
    "winter",
];
/// Characters in a row; a run of them counts as one.
const ROWS: [&str; 2] = ["0123456789012345678901234567890", "abcdefghijklmnopqrstuvwxyz"];
/// How many letters must remain.
const REMAINS: usize = 6;

/// Why `password` is too easy to guess for this account; none, if it is not. Checked when a password is chosen.
pub fn weak_password(password: &Password, tenant: &TenantId, account: &AccountName) -> Option<&'static str> {
    let text = password.reveal().to_lowercase();
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 5 {
        return Some("it has fewer than five different characters");
    }
    let own = [account.as_str(), account.as_str().split('@').next().unwrap_or_default(), tenant.as_str()];
    if remains(&text, own.into_iter()) < REMAINS {
        return Some("it is little more than the name of the account or of the company");
    }
    (remains(&text, COMMON.into_iter()) < REMAINS).then_some("it is one of those that are tried first")
}

/// How many letters remain without these words and without rows; two digits are as good as a letter.
fn remains<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> usize {
    let mut text = text.to_owned();
    for word in words.filter(|word| word.len() > 2) {
        text = text.replace(word, "");
    }
    let chars: Vec<char> = text.chars().collect();
    let in_row = |pair: &[char]| {
        let pair: String = pair.iter().collect();
        let turned: String = pair.chars().rev().collect();
        ROWS.iter().any(|row| row.contains(&pair) || row.contains(&turned))
            || pair.chars().all(|c| pair.starts_with(c))
    };
    let rows = chars.windows(2).filter(|pair| in_row(pair)).count();
    let letters = chars.iter().filter(|c| c.is_alphabetic()).count();
    let digits = chars.iter().filter(|c| c.is_numeric()).count();
    (letters + digits / 2).saturating_sub(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_tried_first_are_refused_and_sentences_are_not() {
        let (tenant, account) = (TenantId::new("noordzee").unwrap(), AccountName::new("eva.bakker").unwrap());
        let weak = |text: &str| weak_password(&Password::new(text).unwrap(), &tenant, &account);
        for bad in [
            "aaaaaaaaaaaaaaa",
            "121212121212",
            "123456789012",
            "abcdefghijkl",
            "password1234",
            "Password123!",
            "Welkom2026!!",
            "qwertyuiop12",
            "hotdesk-hotdesk",
            "eva.bakker.1",
            "eva.bakker2026",
            "Noordzee2026!",
            "admin-admin-admin",
            "administrator",
            "987654321098",
            "1q2w3e4r5t6z",
        ] {
            assert!(weak(bad).is_some(), "{bad}");
        }
        for good in
            ["three tall cranes", "vX7#kPq2!mZ9", "korte zin over kaas", "correct horse battery staple"]
        {
            assert_eq!(weak(good), None, "{good}");
        }
    }
}
