//! What a switch's dialplan sends to us: the codes, and what is a mistyped one.

use super::keys::{Keys, Shape, Times};
use super::pattern::Part;
use super::{Code, Served};
use crate::desk::pattern::NumberPattern;

/// Strings that a switch's dialplan sends to us, or serves itself.
///
/// All that begins like a code in which an extension or a PIN follows a `*` is sent, mistyped or not: a PIN may be in
/// it, and what we refuse is scrubbed. So is all that begins like a code with a number or a group. Other codes are sent as
/// they are read and no further: what begins with a digit may be a number.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Net {
    /// Who serves it. What a switch serves itself comes first: it may begin like something that is sent to us.
    pub served: Served,
    /// As what the call goes on: the code without what may be secret.
    pub bare: String,
    /// What they are made of.
    pub pieces: Vec<Piece>,
    /// How many `#` may follow.
    pub hashes: usize,
}

/// A piece of a [`Net`].
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Piece {
    /// One digit.
    Digit,
    /// These keys.
    Literal(String),
    /// One of these numbers.
    Number(NumberPattern),
    /// Whatever follows; always last.
    Rest,
}

impl Net {
    /// What is sent to us for the sake of `code`, where users have extensions of these patterns.
    #[must_use]
    pub fn of(code: &Code, users: &[NumberPattern]) -> Vec<Self> {
        let (served, code) = (code.does.served(), &code.pattern);
        let stem = code.stem();
        let bare = match stem.trim_end_matches(['*', '#']) {
            "" => stem,
            bare => bare,
        };
        let net = |pieces, hashes| Self { served, bare: bare.into(), pieces, hashes };
        let literal = Piece::Literal(stem.into());
        let marked = stem.starts_with(['*', '#']);
        if code.has_extension() && marked && stem.ends_with(['*', '#']) {
            return vec![net(vec![literal, Piece::Rest], 0)];
        }
        let endless = matches!(code.operand(), Some(Part::Group | Part::Number));
        if code.has_pin() && marked || endless {
            return vec![net(vec![literal, Piece::Digit, Piece::Rest], 0)];
        }
        let (mut parts, mut hashes) = code.without_dial_key();
        let mut rest = None;
        if let Some(pin) = parts.iter().position(|part| *part == Part::Pin) {
            parts.truncate(pin);
            (hashes, rest) = (0, Some(Piece::Rest));
        }
        let any = &[None];
        let each: Vec<Option<&NumberPattern>> = users.iter().map(Some).collect();
        let each = if code.has_extension() { each.as_slice() } else { any };
        let pieces = |users: &Option<&NumberPattern>| -> Vec<Piece> {
            let piece = |part: &Part| match (part, users) {
                (Part::Literal(keys), _) => Some(Piece::Literal(keys.clone())),
                (Part::Choice, _) => Some(Piece::Digit),
                (_, users) => users.cloned().map(Piece::Number),
            };
            parts.iter().filter_map(piece).chain(rest.clone()).collect()
        };
        each.iter().map(|users| net(pieces(users), hashes)).collect()
    }

    /// The strings.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let pieces = self.pieces.iter().fold(Shape::default(), |shape, piece| match piece {
            Piece::Digit => shape.then(Keys::DIGITS, Times::Once),
            Piece::Literal(keys) => shape.literal(keys),
            Piece::Number(pattern) => shape.number(pattern),
            Piece::Rest => shape.rest(),
        });
        pieces.hashes(self.hashes)
    }
}
