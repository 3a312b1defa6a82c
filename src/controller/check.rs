//! What `hotdesk check` checks in a switch of any kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::hold::{self, Fit};
use super::pepper::Peppers;
use super::reconcile::NotReconciled;
use crate::model::check::Finding;
use crate::model::command::Reads;
use crate::model::desired::{About, Desired, Edit, Key, Reading, Records, Scope, difference};
use crate::model::directory::{Device, Snapshot};
use crate::model::hold::Hold;
use crate::model::id::{Context, DeviceName, Extension, SwitchName, TenantId};
use crate::model::journal::{Entry, Event};
use crate::model::login::token::Token;
use crate::model::mark::Mark;
use crate::model::routes::Routes;
use crate::model::row_codec::describe;
use crate::store::Store;
use crate::switch::connection::state::State;
use crate::switch::{Switch, SwitchError};

/// How long our login to a switch may take. Asterisk answers a wrong secret after 1 s, FreeSWITCH a wrong password at once.
const LOGIN: Duration = Duration::from_secs(5);
/// How long a login may take to reach the switch table.
const UNDER_WAY: Duration = Duration::from_millis(700);
/// How many differences are named one by one.
const ROWS: usize = 10;

/// Waits for the login to a switch of this kind. The remedies are for one that takes too long, that is refused, and that cannot
/// be tried.
///
/// # Errors
/// The finding if there is no login.
pub async fn reached<U: Clone>(
    check: String,
    kind: &str,
    mut states: watch::Receiver<State<U>>,
    [late, refused, down]: [&str; 3],
) -> Result<U, Box<Finding>> {
    // The first state after "connecting".
    let changed = timeout(LOGIN, states.changed()).await;
    let (found, remedy) = match &*states.borrow() {
        _ if changed.is_err() => {
            (format!("{kind} did not accept the login within {} s", LOGIN.as_secs()), late)
        }
        State::Up(up) => return Ok(up.clone()),
        State::Refused(why) => (why.clone(), refused),
        State::Down(why) => (why.clone(), down),
    };
    Err(Box::new(Finding::wrong(check, found, remedy)))
}

/// What was found. The last finding names the error if the rest could not be checked; the switch's `log` has more.
pub(crate) fn with_what_failed(
    mut findings: Vec<Finding>,
    asked: Result<(), SwitchError>,
    check: String,
    log: &str,
) -> Vec<Finding> {
    let unknown = |e: SwitchError| {
        Finding::unknown(
            check,
            e.to_string(),
            format!("the rest could not be checked: read {log}, and check again"),
        )
    };
    findings.extend(asked.err().map(unknown));
    findings
}

/// The findings, or that the switch refused to tell them.
pub(crate) fn or_unknown(
    findings: Result<Vec<Finding>, SwitchError>,
    check: String,
) -> Result<Vec<Finding>, SwitchError> {
    match findings {
        Err(error @ SwitchError::Refused(..)) => Ok(vec![not_readable(check, &error.to_string())]),
        findings => findings,
    }
}

/// What is wrong with the token that the loaded dialplan has, if anything, in words that continue "the dialplan"; and whether
/// its calls are refused.
pub(crate) fn token(
    loaded: Option<&str>,
    printed: &Token,
    peppers: Option<&Peppers>,
) -> Option<(bool, String)> {
    let refused = "Hotdesk refuses its calls, and callers hear \"not available\"";
    let Some(loaded) = loaded.filter(|loaded| !loaded.is_empty()) else {
        return Some((true, format!("it has no token: {refused}")));
    };
    match peppers.and_then(|peppers| peppers.of_token(loaded)) {
        Some(_) if printed.is(loaded) => None,
        Some(older) => Some((false, format!("it has the token of the older pepper {}", older.name()))),
        None => Some((true, format!("it has another token: {refused}"))),
    }
}

/// The name of the checks of the store.
pub(crate) const STORE: &str = "store";

/// Compares the records in the switch with the store, twice if they differ, because a login may be in progress. Says
/// nothing about records that could not be read. A store that does not fit the switch is a fault of both.
pub(crate) async fn table(
    check: String,
    store: &dyn Store,
    tenant: &TenantId,
    name: &SwitchName,
    routes: &Routes,
    switch: &dyn Switch,
) -> Vec<Finding> {
    let mut again = true;
    loop {
        let compared = match compare(store, tenant, name, routes, switch).await {
            Ok(compared) => compared,
            Err(NotReconciled::Switch(error)) => return vec![not_readable(check, &error.to_string())],
            Err(error) => return vec![Finding::wrong(check, error.to_string(), "repair the store first")],
        };
        if let Some(why) = compared.held {
            let found = format!("held, nothing is written to it: {why}");
            let of =
                if *tenant == TenantId::default() { String::new() } else { format!(" --tenant {tenant}") };
            let remedy = format!(
                "put the right store back, or correct [store] url; if this store is right: hotdesk adopt --switch {name}{of}"
            );
            let unfit = format!("does not fit switch {name}: {why}");
            return vec![Finding::wrong(STORE, unfit, &*remedy), Finding::wrong(check, found, &*remedy)];
        }
        if compared.comparison.is_in_sync() || !again {
            return vec![compared.comparison.finding(check)];
        }
        again = false;
        sleep(UNDER_WAY).await;
    }
}

/// A whole table beside the store.
pub(crate) struct Compared {
    pub(crate) comparison: Comparison,
    /// The mark of the store.
    pub(crate) here: Option<Mark>,
    /// Why nothing may be written.
    pub(crate) held: Option<Hold>,
}

/// Compares the whole table of a switch with the store.
///
/// # Errors
/// The error of the store or of the switch.
pub(crate) async fn compare(
    store: &dyn Store,
    tenant: &TenantId,
    name: &SwitchName,
    routes: &Routes,
    switch: &dyn Switch,
) -> Result<Compared, NotReconciled> {
    let mut rounds = 0;
    loop {
        rounds += 1;
        let mut loaded = store.load(tenant, &Reads::snapshot(&Scope::All)).await?;
        let (here, snapshot) = (loaded.mark.take(), loaded.into_snapshot(&Scope::All));
        let desired = Desired::of(&snapshot, &Scope::All, name, routes);
        let mut reading = switch.read(&Desired::subjects(&snapshot, &Scope::All)).await?;
        let there = hold::take_mark(switch, &mut reading);
        let fit = hold::fits(store, tenant, here.as_ref(), (there.as_ref(), None), &reading).await?;
        let comparison = Comparison::of(switch, &desired, reading);
        let held = match fit {
            Fit::Stale if rounds < hold::STALE => continue,
            Fit::Held(why) => Some(why),
            Fit::Stale | Fit::Fits => {
                let (edits, reading) = (&comparison.edits, &comparison.reading);
                hold::empties(store, tenant, edits, reading, &snapshot).await?
            }
        };
        return Ok(Compared { comparison, here, held });
    }
}

/// The records of a switch could not be read, and why.
pub(crate) fn not_readable(check: String, why: &str) -> Finding {
    let remedy = "its records are unknown: remove the cause, and check again";
    Finding::unknown(check, format!("could not be read: {why:?}"), remedy)
}

/// The desired and the actual records of a switch.
pub(crate) struct Comparison {
    pub(crate) wanted: Records,
    pub(crate) reading: Reading,
    pub(crate) edits: Vec<Edit>,
    /// The records that the switch cannot have, with its reason and the remedy.
    pub(crate) refused: Vec<(Key, String)>,
    /// The kinds of subjects of which this switch keeps no records.
    pub(crate) not_kept: BTreeSet<&'static str>,
}

impl Comparison {
    /// Compares what was read of `switch` with the desired state of the same subjects.
    pub(crate) fn of(switch: &dyn Switch, desired: &Desired, mut reading: Reading) -> Self {
        hold::take_mark(switch, &mut reading);
        let wanted = switch.project(desired, &reading.records);
        let refusal = |edit: &Edit| Some((edit.key.clone(), switch.refusal(edit)?.to_string()));
        let (refused, edits): (Vec<Edit>, Vec<Edit>) =
            difference(&wanted, &reading).into_iter().partition(|edit| switch.refusal(edit).is_some());
        let refused = refused.iter().filter_map(refusal).collect();
        let not_kept = desired.abouts().iter().filter(|it| !switch.keeps(it)).map(About::kind).collect();
        Self { wanted, reading, edits, refused, not_kept }
    }

    fn is_in_sync(&self) -> bool {
        self.edits.is_empty() && self.refused.is_empty()
    }

    fn finding(self, check: String) -> Finding {
        let read = self.wanted.keys().filter(|key| self.reading.not_read(key).is_none()).count();
        let mut found: Vec<String> = self.refused.iter().map(|(_, why)| why.clone()).collect();
        match (self.edits.is_empty(), read) {
            (false, _) => found.push(differing(&self.edits)),
            (true, _) if !found.is_empty() => {}
            (true, 0) if !self.reading.not_readable.is_empty() => {}
            (true, _) => found.push(format!("in sync, {read} records")),
        }
        found.extend(self.reading.not_readable.iter().map(|unread| format!("could not be read: {unread}")));
        if !self.not_kept.is_empty() {
            let kinds = self.not_kept.iter().copied().collect::<Vec<_>>().join(", ");
            found.push(format!("not kept by this switch: {kinds}"));
        }
        let found = found.join("; ");
        if !self.refused.is_empty() {
            let remedy = "do that: `hotdesk serve` does not repair what the switch refuses";
            return Finding::wrong(check, found, remedy);
        }
        let remedy = match (self.edits.is_empty(), self.reading.not_readable.is_empty()) {
            (true, true) => return Finding::fine(check, found),
            (true, false) => {
                let remedy = "the records of that part are unknown: do what the switch's answer asks for, and check again";
                return Finding::unknown(check, found, remedy);
            }
            (false, _) => "`hotdesk serve` repairs it within a minute; if it does not, see its log",
        };
        Finding::wrong(check, found, remedy)
    }
}

fn differing(edits: &[Edit]) -> String {
    let named = edits.iter().take(ROWS).map(difference_in_words).collect::<Vec<_>>().join("; ");
    match edits.len().saturating_sub(ROWS) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

/// A difference in one sentence: only the fields that differ, and nothing private.
pub(crate) fn difference_in_words(Edit { key, was, is }: &Edit) -> String {
    let of = |record: &Option<String>, other: &Option<String>| {
        describe(&key.about, record.as_deref(), other.as_deref())
    };
    match (&key.about, was) {
        (About::Unlisted, Some(text)) => format!("{} could not be read whole: {text}", key.name),
        _ => format!("{key} is {} and should be {}", of(was, is), of(is, was)),
    }
}

/// Whether a journal entry is about one of these.
pub(crate) fn is_about(entry: &Entry, users: &BTreeSet<Extension>, devices: &BTreeSet<DeviceName>) -> bool {
    let named = |user: &Option<Extension>, device: &DeviceName| {
        devices.contains(device) || user.as_ref().is_some_and(|user| users.contains(user))
    };
    match &entry.event {
        Event::Refused { device, user, .. } | Event::Spray { device, user, .. } => named(user, device),
        Event::PinChanged { user } => users.contains(user),
        Event::Repaired { row, .. } => {
            // `BLF of user 101 (hint 101@hotdesk-hints)`
            let about = row.split(" (").next().unwrap_or_default();
            let is = |kind: &str, name: &str| {
                about.strip_suffix(name).is_some_and(|it| it.trim_end().ends_with(kind) && it.ends_with(' '))
            };
            users.iter().any(|user| is("user", user.as_str()))
                || devices.iter().any(|device| is("device", device.as_str()))
        }
        _ => match entry.touches() {
            Scope::All => true,
            Scope::Some { users: touched, devices: seen } => {
                !touched.is_disjoint(users) || !seen.is_disjoint(devices)
            }
        },
    }
}

/// The first of these names, and how many more there are.
pub(crate) fn named(names: &[&str]) -> String {
    let shown = names.iter().take(ROWS).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(ROWS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The classes of service with the number of their users.
pub(crate) fn classes(snapshot: &Snapshot) -> BTreeMap<&Context, usize> {
    let mut classes = BTreeMap::new();
    for class in snapshot.users.values().filter_map(|user| user.class.as_ref()) {
        *classes.entry(class).or_default() += 1;
    }
    classes
}

/// The devices of a switch at which users may log in.
pub(crate) fn phones<'a>(snapshot: &'a Snapshot, switch: &'a SwitchName) -> impl Iterator<Item = &'a Device> {
    snapshot.devices.values().filter(move |device| device.switch == *switch && device.hotdesk)
}
