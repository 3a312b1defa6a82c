//! What a switch's dialplan sends to the controller: codes, and mistyped codes.

use super::action::Served;
use super::code::Code;
use super::dial_set::{DialSet, Shape, Times};
use super::pattern::Part;
use crate::model::number_pattern::NumberPattern;

/// Strings that a switch's dialplan sends to the controller, or serves itself.
///
/// A string that begins like a code with an extension or a PIN behind a `*` is sent, even if mistyped: it may contain a
/// PIN, and the controller keeps a refused one out of the switch's records. The same goes for codes with a number or a
/// group. Other codes are sent only as they are read: a string that begins with a digit may be a number.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DialplanMatch {
    /// What serves it. Codes that the switch serves come first: they may begin like a code for the controller.
    pub served: Served,
    /// The code without what may be secret: the call goes on with it.
    pub bare: String,
    /// The parts of the strings.
    pub pieces: Vec<Piece>,
    /// How many `#` may follow.
    pub hashes: usize,
}

/// A part of a [`DialplanMatch`].
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Piece {
    /// One digit.
    Digit,
    /// These keys.
    Literal(String),
    /// One of these numbers.
    Number(NumberPattern),
    /// Anything that follows; always last.
    Rest,
}

impl DialplanMatch {
    /// What is sent because of `code`, where users have extensions of these patterns.
    pub fn of(code: &Code, users: &[NumberPattern]) -> Vec<Self> {
        let (served, code) = (code.action.served(), &code.pattern);
        let stem = code.stem();
        let bare = match stem.trim_end_matches(['*', '#']) {
            "" => stem,
            bare => bare,
        };
        let matching = |pieces, hashes| Self { served, bare: bare.into(), pieces, hashes };
        let literal = Piece::Literal(stem.into());
        let marked = stem.starts_with(['*', '#']);
        if code.has_extension() && marked && stem.ends_with(['*', '#']) {
            return vec![matching(vec![literal, Piece::Rest], 0)];
        }
        let endless = matches!(code.operand(), Some(Part::Group | Part::Number));
        if code.has_pin() && marked || endless {
            return vec![matching(vec![literal, Piece::Digit, Piece::Rest], 0)];
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
        each.iter().map(|users| matching(pieces(users), hashes)).collect()
    }

    /// The strings.
    pub fn shape(&self) -> Shape {
        let pieces = self.pieces.iter().fold(Shape::default(), |shape, piece| match piece {
            Piece::Digit => shape.then(DialSet::DIGITS, Times::Once),
            Piece::Literal(keys) => shape.literal(keys),
            Piece::Number(pattern) => shape.number(pattern),
            Piece::Rest => shape.rest(),
        });
        pieces.hashes(self.hashes)
    }
}
