//! What an emergency call from each device of a switch would show now, read from the rows in the switch.

use std::collections::BTreeMap;

use crate::model::check::Finding;
use crate::model::desired::{About, Desired, Scope};
use crate::model::directory::{Device, Snapshot};
use crate::model::id::{EmergencyNumber, Number, SwitchName};
use crate::model::routes::Routes;
use crate::model::row_codec;
use crate::switch::{Switch, SwitchError};

/// What to do about a row that is not as it should be.
const REPAIR: &str = "`hotdesk serve` writes it within a minute; if not, see its log";

/// One finding for each device of the switch `name` in `snapshot`; the dialplan knows the emergency `numbers`. A
/// finding is wrong if the call would show another number than it should, or none although users may log in there. A
/// setting that an administrator forced is a remark.
pub async fn calls(
    switch: &dyn Switch,
    snapshot: &Snapshot,
    name: &SwitchName,
    routes: &Routes,
    numbers: &[EmergencyNumber],
) -> Result<Vec<Finding>, SwitchError> {
    let desired = Desired::of(snapshot, &Scope::All, name, routes);
    let reading = switch.read(&Desired::subjects(snapshot, &Scope::All)).await?;
    let wanted = switch.project(&desired, &reading.records);
    let mut records = BTreeMap::new();
    for key in wanted.keys() {
        if let Some(unread) = reading.not_read(key).filter(|_| key.about.device().is_some()) {
            return Err(SwitchError::Refused(unread.part.name.into(), unread.why.clone()));
        }
        if let About::Device(device) = &key.about {
            records.insert(device, reading.records.get(key).map(String::as_str));
        }
    }
    let devices = snapshot.devices.values().filter(|device| device.switch == *name);
    let record = |device: &Device| records.get(&device.name).copied().flatten();
    Ok(devices.map(|device| call(snapshot, device, record(device), numbers)).collect())
}

/// How an emergency call goes on from the context of the site.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    /// It leaves, at this place, by this target, which has this number.
    Leaves { place: String, target: String, number: Option<String> },
    /// It does not leave.
    Ends(String),
    /// It cannot be followed to its end.
    Unknown(String),
}

/// One finding of each kind about the emergency numbers and their routes.
pub(crate) fn routes(check: &str, routes: Vec<(&str, Route)>, remedy: &str) -> Vec<Finding> {
    let (mut fine, mut wrong, mut open) = (vec![], vec![], vec![]);
    for (number, route) in routes {
        match route {
            Route::Leaves { place, number: Some(leaves), .. } if !leaves.ends_with(number) => {
                wrong.push(format!("{number} leaves as {leaves}, at {place}"));
            }
            Route::Leaves { target, .. } => fine.push(format!("{number} leaves by {target}")),
            Route::Ends(why) => wrong.push(format!("{number} does not leave: {why}")),
            Route::Unknown(why) => open.push(format!("{number} {why}")),
        }
    }
    let mut findings = vec![];
    if !wrong.is_empty() {
        findings.push(Finding::wrong(check, wrong.join("; "), remedy));
    }
    if !open.is_empty() {
        let remedy = "make a test call from each location: docs/emergency.md";
        findings.push(Finding::unknown(check, open.join("; "), remedy));
    }
    if !fine.is_empty() {
        findings.push(Finding::fine(check, fine.join(", ")));
    }
    findings
}

fn call(snapshot: &Snapshot, device: &Device, record: Option<&str>, numbers: &[EmergencyNumber]) -> Finding {
    let name = &device.name;
    let check = format!("emergency call from {name}");
    let place = place(snapshot, device);
    let should = snapshot.emergency_caller_id(device);
    let Some((emergency, emergency_numbers)) = record.and_then(row_codec::emergency) else {
        let how = if record.is_none() { "no row for it" } else { "no readable row for it" };
        let said =
            format!("{place}: the switch has {how}, so the call would show the switch's own caller ID");
        return Finding::wrong(check, said, REPAIR);
    };
    let here = if emergency_numbers.is_empty() { numbers } else { &emergency_numbers };
    let here: Vec<&str> = here.iter().map(EmergencyNumber::as_str).collect();
    let would = format!("{place}: {} would show {}", here.join(", "), shown(emergency.as_ref()));
    if emergency.as_ref() != should {
        let found = format!("{would}, and should show {}", shown(should));
        return Finding::wrong(check, found, REPAIR);
    }
    if let Some(unknown) = emergency_numbers.iter().find(|number| !numbers.contains(number)) {
        let found =
            format!("{would}, but {unknown} is not in [emergency] numbers, so it is no emergency call there");
        let location = device.location.as_ref().map_or("NAME", |location| location.as_str());
        let remedy = format!("hotdesk location set {location} --emergency-numbers NUMS");
        return Finding::wrong(check, found, remedy);
    }
    if should.is_some() || !device.hotdesk {
        return Finding::fine(check, would);
    }
    let remedy = match &device.location {
        Some(location) => format!("hotdesk location set {location} --emergency-caller-id NUM"),
        None => format!("hotdesk device set {name} --location NAME"),
    };
    Finding::remark(check, format!("{would}, as an administrator forced it"), remedy)
}

fn place(snapshot: &Snapshot, device: &Device) -> String {
    match (snapshot.location_of(device), &device.location) {
        (Some(location), Some(name)) => match &location.address {
            Some(address) => format!("{name}, {address}"),
            None => format!("{name}, no address"),
        },
        _ => "no location".into(),
    }
}

fn shown(number: Option<&Number>) -> String {
    number.map_or_else(|| "no number of that location".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::location::{Location, Zone};
    use crate::model::id::{DeviceName, DialTarget, LocationName, TenantId};

    /// desk1 in Amsterdam, where emergency calls show `shown`.
    fn snapshot(shown: Option<&str>, hotdesk: bool) -> Snapshot {
        let (name, ams) = (DeviceName::new("desk1").unwrap(), LocationName::new("ams").unwrap());
        let mut location = Location::new(TenantId::default(), ams.clone(), Zone::default());
        location.emergency.caller_id = shown.and_then(|number| Number::new(number).ok());
        location.emergency.numbers = vec![EmergencyNumber::new("112").unwrap()];
        location.address = "Damrak 1".parse().ok();
        let dial = DialTarget::new("PJSIP/desk1").unwrap();
        let device = Device::new(TenantId::default(), name.clone(), SwitchName::default(), dial);
        let device = Device { hotdesk, location: Some(ams.clone()), ..device };
        let mut snapshot = Snapshot::default();
        snapshot.devices.insert(name, device);
        snapshot.locations.insert(ams, location);
        snapshot
    }

    fn found(snapshot: &Snapshot, record: Option<&str>) -> Finding {
        let numbers = ["110", "112"].map(|number| EmergencyNumber::new(number).unwrap());
        call(snapshot, snapshot.devices.values().next().unwrap(), record, &numbers)
    }

    #[test]
    fn a_finding_names_what_the_call_would_show_and_what_is_missing() {
        let (well, bare) = (snapshot(Some("0205"), true), snapshot(None, true));
        let row = |snapshot: &Snapshot| {
            let desired = Desired::of(snapshot, &Scope::All, &SwitchName::default(), &Routes::default());
            let syntax = row_codec::Syntax { plain: "", dial: DialTarget::to_string };
            syntax.device(&desired.devices[&DeviceName::new("desk1").unwrap()])
        };
        let fine = found(&well, Some(&row(&well)));
        assert_eq!((fine.ok, fine.found.as_str()), (Some(true), "ams, Damrak 1: 112 would show 0205"));
        let old = found(&well, Some(&row(&bare)));
        assert!(
            old.ok == Some(false) && old.found.contains("no number of that location, and should show 0205"),
            "{old:?}"
        );
        let forced = found(&bare, Some(&row(&bare)));
        assert!(forced.ok == Some(true) && forced.remedy.unwrap().starts_with("hotdesk location set ams"));
        let lift = snapshot(None, false);
        assert_eq!(found(&lift, Some(&row(&lift))).remedy, None);
        let no_longer = [EmergencyNumber::new("999").unwrap()];
        let lost = call(&well, well.devices.values().next().unwrap(), Some(&row(&well)), &no_longer);
        assert!(
            lost.ok == Some(false) && lost.found.contains("112 is not in [emergency] numbers"),
            "{lost:?}"
        );
        for row in [None, Some("x")] {
            assert!([&well, &bare].iter().all(|snapshot| found(snapshot, row).ok == Some(false)));
        }
    }
}
