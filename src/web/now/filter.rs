//! Which desks a page shows. The filter is in its address, so it can be sent to a colleague.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::controller::desks::Desk;
use crate::model::id::{DeviceName, LocationName};
use crate::switch::device_state::DeviceState;

/// How many desks are on a page.
pub(super) const PAGE: usize = 50;

/// A state to filter by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Taken,
    Free,
    Busy,
    Gone,
}

impl State {
    pub(super) const ALL: [Self; 4] = [Self::Taken, Self::Free, Self::Busy, Self::Gone];

    /// Its name in an address.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Free => "free",
            Self::Busy => "busy",
            Self::Gone => "not-registered",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Taken => "Taken",
            Self::Free => "Free",
            Self::Busy => "In a call",
            Self::Gone => "Not registered",
        }
    }

    pub(super) fn is_of(self, desk: &Desk) -> bool {
        match self {
            Self::Taken => desk.occupant.is_some(),
            Self::Free => desk.occupant.is_none(),
            Self::Busy => desk.state == DeviceState::Busy,
            Self::Gone => desk.state == DeviceState::Gone,
        }
    }
}

/// The query of an address. What cannot be a name is as if it was not there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Filter {
    pub(super) q: String,
    state: String,
    location: String,
    after: String,
}

impl Filter {
    pub(super) fn state(&self) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == self.state)
    }

    pub(super) fn location(&self) -> Option<LocationName> {
        LocationName::new(&self.location).ok()
    }

    pub(super) fn after(&self) -> Option<DeviceName> {
        DeviceName::new(&self.after).ok()
    }

    /// Whether a desk is among those that it names, whatever its state.
    pub(super) fn names(&self, desk: &Desk) -> bool {
        let sought = self.q.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&sought);
        let found = sought.is_empty()
            || has(desk.device.name.as_str())
            || desk.device.location.as_ref().is_some_and(|location| has(location.as_str()))
            || desk.occupant.as_ref().is_some_and(|occupant| {
                has(occupant.user.as_str()) || occupant.name.as_ref().is_some_and(|name| has(name.as_str()))
            });
        found && self.location().is_none_or(|location| desk.device.location.as_ref() == Some(&location))
    }

    /// Whether a desk is shown, on this page or on another one.
    pub(super) fn shows(&self, desk: &Desk) -> bool {
        self.names(desk) && self.state().is_none_or(|state| state.is_of(desk))
    }

    /// The desks of this page, and whether there are more.
    pub(super) fn page<'a>(&self, desks: impl Iterator<Item = &'a Arc<Desk>>) -> (Vec<&'a Arc<Desk>>, bool) {
        let after = self.after();
        let later = |desk: &&Arc<Desk>| after.as_ref().is_none_or(|after| desk.device.name > *after);
        let mut page: Vec<_> = desks.filter(|desk| self.shows(desk)).filter(later).take(PAGE + 1).collect();
        let more = page.len() > PAGE;
        page.truncate(PAGE);
        (page, more)
    }

    /// The address of a page with this filter.
    pub(super) fn address(&self, path: &str) -> String {
        let all = [
            ("q", self.q.trim()),
            ("state", &self.state),
            ("location", &self.location),
            ("after", &self.after),
        ];
        let given: Vec<String> = all
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
    }

    /// The same from the first page on, with this state.
    pub(super) fn with_state(&self, state: Option<State>) -> Self {
        let state = state.map_or_else(String::new, |state| state.name().into());
        Self { state, after: String::new(), ..self.clone() }
    }

    /// The page after this desk.
    pub(super) fn from(&self, after: Option<&DeviceName>) -> Self {
        Self { after: after.map_or_else(String::new, ToString::to_string), ..self.clone() }
    }
}
