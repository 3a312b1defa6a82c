//! All desks of a tenant at one time, and what changed since an earlier time.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::desk::Desk;
use crate::model::id::{DeviceName, Revision, SwitchName};
use crate::model::journal::Entry;

/// How many removed desks are remembered. A reader that missed more gets all desks.
const REMOVED: usize = 256;
/// How many journal entries are kept.
const RECENT: usize = 8;

/// Where a reader of the desks is: the store's revision, and the changes of this process, which also sees phones.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Position {
    /// The revision of the store.
    pub revision: Revision,
    /// The process; its changes have numbers of their own.
    pub process: u64,
    /// The last change.
    pub change: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:x}-{}", self.revision.0, self.process, self.change)
    }
}

impl FromStr for Position {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or(());
        Ok(Self {
            revision: Revision(next()?.parse().map_err(drop)?),
            process: u64::from_str_radix(next()?, 16).map_err(drop)?,
            change: next()?.parse().map_err(drop)?,
        })
    }
}

/// The connection to a switch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Link {
    /// It was not asked yet.
    Unknown,
    /// It answers.
    Up,
    /// It does not, for this reason.
    Down(String),
    /// Nothing is written to it, for this reason.
    Held(String),
}

/// All desks of a tenant at one time.
#[derive(Clone, Debug)]
pub struct Desks {
    /// Where this is.
    pub at: Position,
    /// Whether the store could be read; not yet at the start.
    pub store: bool,
    /// The switches of the tenant.
    pub switches: BTreeMap<SwitchName, Link>,
    /// The newest journal entries, the newest first.
    pub recent: VecDeque<Arc<Entry>>,
    /// When anything but desks changed last.
    others: u64,
    /// Each desk, with the change that made it so.
    all: BTreeMap<DeviceName, (u64, Arc<Desk>)>,
    removed: VecDeque<(u64, DeviceName)>,
    /// Changes up to this one are not remembered one by one.
    forgotten: u64,
}

/// What a reader missed.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Desks that changed.
    pub desks: Vec<Arc<Desk>>,
    /// Desks that were removed.
    pub removed: Vec<DeviceName>,
    /// Whether switches, store or journal changed.
    pub others: bool,
}

impl Desks {
    pub(super) fn new(process: u64, switches: impl Iterator<Item = SwitchName>) -> Self {
        Self {
            at: Position { process, ..Position::default() },
            store: false,
            switches: switches.map(|switch| (switch, Link::Unknown)).collect(),
            recent: VecDeque::new(),
            others: 0,
            all: BTreeMap::new(),
            removed: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Each desk, by name.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Desk>> {
        self.all.values().map(|(_, desk)| desk)
    }

    /// The desk of this name.
    #[must_use]
    pub fn get(&self, name: &DeviceName) -> Option<&Arc<Desk>> {
        self.all.get(name).map(|(_, desk)| desk)
    }

    /// What changed since `at`; none, if that is not known: then all of it may have.
    #[must_use]
    pub fn since(&self, at: Position) -> Option<News> {
        if at.process != self.at.process || at.change < self.forgotten || at.change > self.at.change {
            return None;
        }
        let later = |change: &u64| *change > at.change;
        let desks = self.all.values().filter(|(change, _)| later(change)).map(|(_, desk)| desk.clone());
        let removed =
            self.removed.iter().filter(|(change, name)| later(change) && !self.all.contains_key(name));
        let removed = removed.map(|(_, name)| name.clone());
        Some(News { desks: desks.collect(), removed: removed.collect(), others: later(&self.others) })
    }

    /// Replaces a desk, or removes it. Returns whether that is a change.
    pub(super) fn set(&mut self, name: &DeviceName, desk: Option<Desk>) -> bool {
        let was = self.get(name).map(Arc::as_ref);
        if was == desk.as_ref() {
            return false;
        }
        self.at.change += 1;
        match desk {
            Some(desk) => drop(self.all.insert(name.clone(), (self.at.change, Arc::new(desk)))),
            None => {
                self.all.remove(name);
                self.removed.push_back((self.at.change, name.clone()));
                if self.removed.len() > REMOVED
                    && let Some((change, _)) = self.removed.pop_front()
                {
                    self.forgotten = change;
                }
            }
        }
        true
    }

    /// Says what is known of a switch. Returns whether that is a change.
    pub(super) fn link(&mut self, switch: &SwitchName, link: Link) -> bool {
        let known = self.switches.get_mut(switch).filter(|known| **known != link);
        let changed = known.map(|known| *known = link).is_some();
        if changed {
            self.changed();
        }
        changed
    }

    /// Says whether the store can be read. Returns whether that is a change.
    pub(super) fn readable(&mut self, store: bool) -> bool {
        let changed = self.store != store;
        self.store = store;
        if changed {
            self.changed();
        }
        changed
    }

    pub(super) fn add(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.recent.push_front(Arc::new(entry));
        }
        self.recent.truncate(RECENT);
        self.changed();
    }

    fn changed(&mut self) {
        self.at.change += 1;
        self.others = self.at.change;
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::directory::Device;
    use crate::model::id::{DialTarget, TenantId};
    use crate::switch::device_state::DeviceState;

    fn name(n: usize) -> DeviceName {
        DeviceName::new(format!("desk{n}")).unwrap()
    }

    fn desk(n: usize, state: DeviceState) -> Option<Desk> {
        let dial = DialTarget::new("PJSIP/x").unwrap();
        let device = Device::new(TenantId::default(), name(n), SwitchName::default(), dial);
        Some(Desk { device, occupant: None, state, zone: TimeZone::UTC })
    }

    fn missed(desks: &Desks, at: Position) -> Option<(Vec<String>, Vec<String>)> {
        let news = desks.since(at)?;
        let changed = news.desks.iter().map(|desk| desk.device.name.to_string()).collect();
        Some((changed, news.removed.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn a_reader_gets_what_it_missed_once_and_all_when_that_is_not_known() {
        let mut desks = Desks::new(7, std::iter::once(SwitchName::default()));
        assert!(
            desks.set(&name(1), desk(1, DeviceState::Free))
                && desks.set(&name(2), desk(2, DeviceState::Free))
        );
        let first = desks.at;
        assert!(!desks.set(&name(1), desk(1, DeviceState::Free)), "nothing changed");
        assert!(desks.set(&name(1), desk(1, DeviceState::Busy)) && desks.set(&name(2), None));
        assert_eq!(missed(&desks, first), Some((vec!["desk1".into()], vec!["desk2".into()])));
        assert_eq!(missed(&desks, desks.at), Some((vec![], vec![])));
        // One that came back is not removed.
        desks.set(&name(2), desk(2, DeviceState::Gone));
        assert_eq!(missed(&desks, first), Some((vec!["desk1".into(), "desk2".into()], vec![])));
        assert!(
            desks.link(&SwitchName::default(), Link::Up) && !desks.link(&SwitchName::default(), Link::Up)
        );
        assert!(desks.since(first).unwrap().others && !desks.since(desks.at).unwrap().others);
        for other in [Position { process: 8, ..first }, Position { change: 99, ..first }, Position::default()]
        {
            assert_eq!(missed(&desks, other), None, "{other}");
        }
        for n in 3..3 + REMOVED + 1 {
            desks.set(&name(n), desk(n, DeviceState::Free));
            desks.set(&name(n), None);
        }
        assert_eq!(missed(&desks, first), None, "too much was missed");
    }

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let at = Position { revision: Revision(48_213), process: u64::MAX, change: 7 };
        assert_eq!(at.to_string().parse(), Ok(at));
        for bad in ["", "1", "1-2", "a-b-c", "1-2-3-4", "-1-2-3"] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }
}
