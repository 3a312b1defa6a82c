//! Sets of strings that a phone can dial: whether a string is in one, and the shortest that two of them share.

use std::collections::BTreeSet;

use crate::model::number_pattern::NumberPattern;

/// The keys of a phone, in the order in which a string is looked for.
const KEYS: &str = "0123456789*#";

/// A set of keys of a phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DialSet(u16);

impl DialSet {
    /// All twelve keys.
    pub const ALL: Self = Self(0xfff);
    /// The ten digits.
    pub const DIGITS: Self = Self(0x3ff);

    /// The keys among `keys`; other characters are left out.
    pub fn of(keys: impl IntoIterator<Item = char>) -> Self {
        Self(keys.into_iter().filter_map(|key| KEYS.find(key)).fold(0, |set, at| set | 1 << at))
    }

    /// Whether `key` is in the set.
    pub fn contains(self, key: char) -> bool {
        KEYS.find(key).is_some_and(|at| self.0 & 1 << at != 0)
    }

    /// How many keys are in the set.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// How often a key is pressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Times {
    /// Any number of times, or never.
    Any,
    /// Once or never.
    AtMostOnce,
    /// Once.
    Once,
}

/// Strings of one shape: a sequence of sets of keys.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct Shape(Vec<(DialSet, Times)>);

impl Shape {
    /// This shape, followed by one of `keys`.
    pub fn then(mut self, keys: DialSet, times: Times) -> Self {
        self.0.push((keys, times));
        self
    }

    /// This shape, followed by these keys.
    pub fn literal(self, keys: &str) -> Self {
        keys.chars().fold(self, |shape, key| shape.then(DialSet::of([key]), Times::Once))
    }

    /// This shape, followed by one of these numbers.
    pub fn number(self, pattern: &NumberPattern) -> Self {
        let digits = pattern.digits();
        digits.iter().fold(self, |shape, accepted| {
            shape.then(DialSet::of(accepted.iter().map(|digit| char::from(*digit))), Times::Once)
        })
    }

    /// This shape, followed by `least` to `most` digits.
    pub fn digits(self, least: usize, most: usize) -> Self {
        (0..most).fold(self, |shape, at| {
            shape.then(DialSet::DIGITS, if at < least { Times::Once } else { Times::AtMostOnce })
        })
    }

    /// This shape, followed by up to `most` times `#`.
    pub fn hashes(self, most: usize) -> Self {
        (0..most).fold(self, |shape, _| shape.then(DialSet::of(['#']), Times::AtMostOnce))
    }

    /// This shape, followed by anything.
    pub fn rest(self) -> Self {
        self.then(DialSet::ALL, Times::Any)
    }

    /// Whether `dialled` has this shape.
    pub fn matches(&self, dialled: &str) -> bool {
        let mut at = self.without_a_key([0].into());
        for key in dialled.chars() {
            let next = at.iter().filter_map(|at| self.after(*at, key)).collect();
            at = self.without_a_key(next);
        }
        at.contains(&self.0.len())
    }

    /// The shortest string of both shapes.
    pub fn common(&self, other: &Self) -> Option<String> {
        // Pairs of places, one in each shape, with a shortest string that leads there.
        let mut seen = BTreeSet::from([(0, 0)]);
        let mut layer = vec![(0, 0, String::new())];
        while !layer.is_empty() {
            let mut next = vec![];
            for (at, of_other, dialled) in layer {
                let ends = |shape: &Self, at| shape.without_a_key([at].into());
                let (mine, others) = (ends(self, at), ends(other, of_other));
                if mine.contains(&self.0.len()) && others.contains(&other.0.len()) {
                    return Some(dialled);
                }
                for key in KEYS.chars() {
                    for mine in mine.iter().filter_map(|at| self.after(*at, key)) {
                        for others in others.iter().filter_map(|at| other.after(*at, key)) {
                            if seen.insert((mine, others)) {
                                next.push((mine, others, format!("{dialled}{key}")));
                            }
                        }
                    }
                }
            }
            layer = next;
        }
        None
    }

    /// These positions, and those that follow without pressing a key.
    fn without_a_key(&self, places: BTreeSet<usize>) -> BTreeSet<usize> {
        let mut all = places.clone();
        for mut at in places {
            while self.0.get(at).is_some_and(|(_, times)| *times != Times::Once) {
                at += 1;
                all.insert(at);
            }
        }
        all
    }

    /// The position after `key` is pressed.
    fn after(&self, at: usize, key: char) -> Option<usize> {
        let (keys, times) = self.0.get(at)?;
        keys.contains(key).then_some(if *times == Times::Any { at } else { at + 1 })
    }
}

/// The shortest string that is in one of `these` and in one of `those`.
pub fn common(these: &[Shape], those: &[Shape]) -> Option<String> {
    let pairs = these.iter().flat_map(|this| those.iter().map(move |that| (this, that)));
    pairs.filter_map(|(this, that)| this.common(that)).min_by_key(String::len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(items: &[(u16, usize)]) -> Shape {
        const TIMES: [Times; 4] = [Times::Once, Times::Once, Times::AtMostOnce, Times::Any];
        Shape(items.iter().map(|(keys, times)| (DialSet(*keys), TIMES[*times])).collect())
    }

    #[test]
    fn a_shortest_common_string_of_two_shapes_is_found() {
        let star = Shape::default().literal("*35*").rest();
        let code = Shape::default().literal("*35*").digits(3, 3).literal("*").digits(4, 10).hashes(1);
        assert_eq!(star.common(&code).as_deref(), Some("*35*000*0000"));
        let users = Shape::default().number(&NumberPattern::new("2[5-7]X").unwrap());
        assert_eq!(users.common(&Shape::default().literal("2").digits(1, 3)).as_deref(), Some("250"));
        assert_eq!(users.common(&Shape::default().literal("1").rest()), None);
        assert_eq!(Shape::default().rest().common(&Shape::default()).as_deref(), Some(""));
    }

    proptest! {
        #[test]
        fn a_common_string_is_in_both_shapes(
            one in prop::collection::vec((1_u16..8, 0_usize..4), 0..5),
            other in prop::collection::vec((1_u16..8, 0_usize..4), 0..5),
            dialled in "[012]{0,6}",
        ) {
            let (one, other) = (shape(&one), shape(&other));
            match one.common(&other) {
                Some(shared) => {
                    prop_assert!(one.matches(&shared) && other.matches(&shared), "{shared}");
                    prop_assert!(dialled.len() >= shared.len() || !(one.matches(&dialled) && other.matches(&dialled)));
                }
                None => prop_assert!(!(one.matches(&dialled) && other.matches(&dialled))),
            }
        }
    }
}
