//! What is dialled along with a code to be set: a number, a group, a choice.

use crate::model::id::{GroupName, Number};

/// What is dialled along with a code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Operand {
    /// The n-th; 0: none.
    Choice(u8),
    /// A group.
    Group(Spelled),
    /// A number.
    Number(Number),
}

/// The keys that a group's name is spelled with on a phone: `sales` is 72537, and the queue `400` is 400. Characters
/// without a key, such as `-`, are left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spelled(String);

impl Spelled {
    /// The most keys: as many as a name may have letters.
    pub const MOST: usize = 40;

    /// These keys; `None` unless they are digits.
    pub fn keyed(digits: &str) -> Option<Self> {
        let may_be =
            (1..=Self::MOST).contains(&digits.len()) && digits.bytes().all(|key| key.is_ascii_digit());
        may_be.then(|| Self(digits.into()))
    }

    /// The keys.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The keys of a group.
    pub fn of(group: &GroupName) -> Self {
        Self(group.as_str().chars().filter_map(key).collect())
    }
}

/// The key of a letter by ITU-T E.161, as on nearly all phones.
fn key(letter: char) -> Option<char> {
    const LETTERS: [(char, &str); 8] = [
        ('2', "abc"),
        ('3', "def"),
        ('4', "ghi"),
        ('5', "jkl"),
        ('6', "mno"),
        ('7', "pqrs"),
        ('8', "tuv"),
        ('9', "wxyz"),
    ];
    let letter = letter.to_ascii_lowercase();
    if letter.is_ascii_digit() {
        return Some(letter);
    }
    LETTERS.iter().find(|(_, on_it)| on_it.contains(letter)).map(|(key, _)| *key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_dialled_as_its_name_is_spelled() {
        for (name, keys) in
            [("sales", "72537"), ("400", "400"), ("Front-Desk_2", "3766833752"), ("xyz.q", "9997")]
        {
            assert_eq!(Spelled::of(&GroupName::new(name).unwrap()).as_str(), keys);
        }
        assert_eq!(Spelled::keyed("72537"), Some(Spelled::of(&GroupName::new("sales").unwrap())));
        assert_eq!(Spelled::keyed(""), None);
        assert_eq!(Spelled::keyed("7*"), None);
    }
}
