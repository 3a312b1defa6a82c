//! What a company allows: at how many desks somebody may sit, whether a desk that is taken may be taken over, how old a
//! PIN may be.

use std::collections::BTreeMap;
use std::num::{NonZeroU8, NonZeroU16};

use jiff::Timestamp;

use super::id::TenantId;
use super::model::Binding;
use super::policy::Refusal;

/// The rules of all tenants.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rulebook {
    /// Of who has none of his own.
    pub everybody: Rules,
    /// Of these.
    pub tenants: BTreeMap<TenantId, Rules>,
}

impl Rulebook {
    /// Those of one tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Rules {
        self.tenants.get(tenant).copied().unwrap_or(self.everybody)
    }
}

/// One tenant's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rules {
    /// Who may sit down where.
    pub seating: Seating,
    /// Days after which a PIN is no longer taken; none: never.
    pub pin_days: Option<NonZeroU16>,
}

impl Rules {
    /// Whether a PIN that was set then is too old now. One of which that is not known is not.
    #[must_use]
    pub fn outlived(&self, set: Option<Timestamp>, now: Timestamp) -> bool {
        match (self.pin_days, set) {
            (Some(days), Some(set)) => {
                now.as_second() - set.as_second() >= i64::from(days.get()) * 24 * 60 * 60
            }
            _ => false,
        }
    }
}

/// Who may sit down where: decided in the store's step, so that it holds whoever else sits down at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seating {
    /// When he sits elsewhere already.
    pub multi: Multi,
    /// Whether he may sit down where somebody else sits, who is logged out then.
    pub take_over: bool,
}

impl Default for Seating {
    fn default() -> Self {
        Self { multi: Multi::Move, take_over: true }
    }
}

/// What becomes of somebody's other desks when he sits down at one more.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Multi {
    /// He leaves the one he sits at.
    #[default]
    Move,
    /// He is refused: first he must leave the one he sits at.
    Refuse,
    /// He keeps them, up to this many with the new one; then he leaves the one he has sat at longest.
    Keep(NonZeroU8),
}

impl Multi {
    /// At how many desks somebody may sit.
    #[must_use]
    pub fn most(self) -> usize {
        match self {
            Self::Move | Self::Refuse => 1,
            Self::Keep(most) => most.get().into(),
        }
    }

    /// Which of his `bindings` he leaves to sit down at one more desk, those of longest standing first.
    ///
    /// # Errors
    /// [`Refusal::UserElsewhere`] when he must not have any.
    pub fn leaves<'a>(
        self,
        bindings: impl Iterator<Item = &'a Binding>,
    ) -> Result<Vec<&'a Binding>, Refusal> {
        let mut bindings: Vec<&Binding> = bindings.collect();
        if self == Self::Refuse && !bindings.is_empty() {
            return Err(Refusal::UserElsewhere);
        }
        bindings.sort_by_key(|binding| (binding.since, binding.revision, &binding.device));
        bindings.truncate((bindings.len() + 1).saturating_sub(self.most()));
        Ok(bindings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::id::{DeviceName, Extension, Revision};

    fn at(device: &str, second: i64) -> Binding {
        Binding {
            user: Extension::new("101").unwrap(),
            device: DeviceName::new(device).unwrap(),
            since: Timestamp::from_second(second).unwrap(),
            revision: Revision(1),
        }
    }

    #[test]
    fn who_sits_down_at_one_desk_more_leaves_what_is_too_many_the_oldest_first() {
        let three = [at("desk1", 30), at("desk2", 10), at("desk3", 20)];
        let leaves = |multi: Multi, sits: &[Binding]| {
            multi.leaves(sits.iter()).map(|left| {
                left.iter().map(|binding| binding.device.to_string()).collect::<Vec<_>>().join(" ")
            })
        };
        let keep = |most| Multi::Keep(NonZeroU8::new(most).unwrap());
        for (multi, sits, left) in [
            (Multi::Move, 0, Ok("")),
            (Multi::Move, 1, Ok("desk1")),
            (Multi::Move, 3, Ok("desk2 desk3 desk1")),
            (Multi::Refuse, 0, Ok("")),
            (Multi::Refuse, 1, Err(Refusal::UserElsewhere)),
            (keep(1), 1, Ok("desk1")),
            (keep(4), 3, Ok("")),
            (keep(3), 3, Ok("desk2")),
            (keep(2), 3, Ok("desk2 desk3")),
        ] {
            assert_eq!(leaves(multi, &three[..sits]), left.map(Into::into), "{multi:?} {sits}");
        }
    }

    #[test]
    fn a_tenant_has_its_own_rules_or_everybodys() {
        let (acme, rules) =
            (TenantId::new("acme").unwrap(), Rules { pin_days: NonZeroU16::new(7), ..Rules::default() });
        let book = Rulebook { everybody: Rules::default(), tenants: [(acme.clone(), rules)].into() };
        assert_eq!((book.of(&acme), book.of(&TenantId::default())), (rules, Rules::default()));
    }

    #[test]
    fn a_pin_is_too_old_after_its_days_and_never_where_none_are_set() {
        let (set, day) = (Timestamp::from_second(1_800_000_000).unwrap(), 24 * 60 * 60);
        let after = |seconds: i64| Timestamp::from_second(set.as_second() + seconds).unwrap();
        let rules = Rules { pin_days: NonZeroU16::new(90), ..Rules::default() };
        assert!(!rules.outlived(Some(set), after(90 * day - 1)));
        assert!(rules.outlived(Some(set), after(90 * day)));
        assert!(!rules.outlived(None, after(999 * day)));
        assert!(!Rules::default().outlived(Some(set), after(9999 * day)));
    }
}
