//! What `hotdesk check` asks of a switch whatever its kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::sleep;

use crate::desk::finding::Finding;
use crate::desk::id::{Context, DeviceName, Extension, SwitchName, TenantId};
use crate::desk::journal::{Entry, Event};
use crate::desk::model::{Device, Office};
use crate::desk::reach::Reach;
use crate::desk::table::{self, Edit, Scope};
use crate::store::Store;
use crate::switch::{Switch, SwitchError};

/// How long a login that is under way may take to reach the table.
const SETTLE: Duration = Duration::from_millis(700);
/// Rows that are named one by one.
const ROWS: usize = 10;

/// What was found, and last, if the rest could not be asked, why; the switch's `log` tells more.
#[must_use]
pub fn with_what_failed(
    mut findings: Vec<Finding>,
    asked: Result<(), SwitchError>,
    check: String,
    log: &str,
) -> Vec<Finding> {
    let wrong = |error: SwitchError| {
        Finding::wrong(check, error.to_string(), format!("look into {log}, and check again"))
    };
    findings.extend(asked.err().map(wrong));
    findings
}

/// Compares what the switch holds with the truth, twice if they differ: a login may be under way.
///
/// # Errors
/// What the switch could not be asked.
pub async fn table(
    check: String,
    store: &dyn Store,
    tenant: &TenantId,
    name: &SwitchName,
    reach: &Reach,
    switch: &dyn Switch,
) -> Result<Finding, SwitchError> {
    let mut edits = vec![];
    for pause in [Duration::ZERO, SETTLE] {
        sleep(pause).await;
        let office = match store.office(tenant, &Scope::All).await {
            Ok(office) => office,
            Err(error) => return Ok(Finding::wrong(check, error.to_string(), "see to the store first")),
        };
        let wanted = table::wanted(&office, name, reach);
        edits = table::difference(&wanted, &switch.read(&Scope::All, &wanted).await?);
        if edits.is_empty() {
            return Ok(Finding::fine(check, format!("in step, {} rows", wanted.len())));
        }
    }
    Ok(Finding::wrong(
        check,
        differing(&edits),
        "`hotdesk serve` puts it right within a minute; if not, see its log",
    ))
}

fn differing(edits: &[Edit]) -> String {
    let text = |row: &Option<table::Row>| row.as_ref().map_or("missing".into(), ToString::to_string);
    let named = edits.iter().take(ROWS).map(|edit| match (text(&edit.was), text(&edit.is)) {
        // What differs is not what people read of a row.
        (was, is) if was == is => format!("{} differs", edit.key),
        (was, is) => format!("{} is {was} and should be {is}", edit.key),
    });
    let named = named.collect::<Vec<_>>().join("; ");
    match edits.len().saturating_sub(ROWS) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

/// Whether an entry of the journal is about one of these.
#[must_use]
pub fn is_about(entry: &Entry, users: &BTreeSet<Extension>, devices: &BTreeSet<DeviceName>) -> bool {
    let named = |user: &Option<Extension>, device: &DeviceName| {
        devices.contains(device) || user.as_ref().is_some_and(|user| users.contains(user))
    };
    match &entry.event {
        Event::Refused { device, user, .. } | Event::Spray { device, user, .. } => named(user, device),
        Event::PinChanged { user } => users.contains(user),
        Event::Repaired { row, .. } => {
            let about = |kind: &str, name: &str| *row == format!("{kind} {name}");
            users.iter().any(|user| ["user", "lamp", "profile"].iter().any(|kind| about(kind, user.as_str())))
                || users.iter().any(|user| row.starts_with(&format!("member {user} ")))
                || devices.iter().any(|device| about("device", device.as_str()))
        }
        _ => match entry.touches() {
            Scope::All => true,
            Scope::Some { users: touched, devices: seen } => {
                !touched.is_disjoint(users) || !seen.is_disjoint(devices)
            }
        },
    }
}

/// The classes of service, each with how many users have it.
#[must_use]
pub fn classes(office: &Office) -> BTreeMap<&Context, usize> {
    let mut classes = BTreeMap::new();
    for class in office.users.values().filter_map(|user| user.class.as_ref()) {
        *classes.entry(class).or_default() += 1;
    }
    classes
}

/// The phones of a switch at which users may log in.
pub fn phones<'a>(office: &'a Office, switch: &'a SwitchName) -> impl Iterator<Item = &'a Device> {
    office.devices.values().filter(move |device| device.switch == *switch && device.hotdesk)
}
