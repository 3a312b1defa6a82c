//! The mark of a store: whose data it is, and how far its history goes. Each switch keeps the mark of the store whose state it
//! holds, so that a store that is empty, older or another one is noticed before it is written to the switch.

use jiff::Timestamp;

use super::id::{Revision, StoreId};

/// The mark of one tenant's data in a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mark {
    /// The identity of the data: made once, and kept by a backup.
    pub store: StoreId,
    /// The revision: the number of the newest journal entry.
    pub revision: Revision,
    /// When the newest journal entry was made; 1970 before the first. Two histories that parted differ in it.
    pub at: Timestamp,
}

impl Mark {
    /// The text in a switch: `identity|revision|microseconds since 1970`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}|{}|{}", self.store, self.revision, self.at.as_microsecond())
    }

    /// The mark with this text; none if it is no such text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut fields = text.split('|');
        let store = StoreId::new(fields.next()?).ok()?;
        let revision = Revision(fields.next()?.parse().ok()?);
        let at = Timestamp::from_microsecond(fields.next()?.parse().ok()?).ok()?;
        fields.next().is_none().then_some(Self { store, revision, at })
    }

    /// Whether data with this mark may be what `other` was before: the same data, and not less of it.
    #[must_use]
    pub fn may_follow(&self, other: &Self) -> bool {
        let goes_on =
            self.revision > other.revision || (self.revision == other.revision && self.at == other.at);
        self.store == other.store && goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is() {
        let at = Timestamp::from_microsecond(1_795_000_000_123_456).unwrap();
        let mark = Mark { store: StoreId::new("5f3a90c1").unwrap(), revision: Revision(7), at };
        assert_eq!(mark.text(), "5f3a90c1|7|1795000000123456");
        assert_eq!(Mark::read(&mark.text()), Some(mark));
        for other in ["", "5f3a90c1", "5f3a90c1|7", "5f3a90c1|x|1", "|7|1", "5f3a90c1|7|1|", "a b|7|1"] {
            assert_eq!(Mark::read(other), None, "{other}");
        }
    }
}
