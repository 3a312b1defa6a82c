//! What an emergency call from each phone of a switch would show now, by the rows that the switch itself holds.

use crate::desk::finding::Finding;
use crate::desk::id::{EmergencyNumber, Number, SwitchName};
use crate::desk::model::{Device, Office};
use crate::desk::reach::Reach;
use crate::desk::table::{self, DeviceRow, Key, Row, Scope};
use crate::switch::{Switch, SwitchError};

/// One finding for each phone of the switch `name` in `office`; its dialplan takes `numbers` for emergency calls. Wrong is
/// what would send another number than it should, or none though users may log in there; what somebody forced is remarked.
///
/// # Errors
/// What the switch could not be asked.
pub async fn calls(
    switch: &dyn Switch,
    office: &Office,
    name: &SwitchName,
    reach: &Reach,
    numbers: &[EmergencyNumber],
) -> Result<Vec<Finding>, SwitchError> {
    let wanted = table::wanted(office, name, reach);
    let seen = switch.read(&Scope::All, &wanted).await?;
    let devices = office.devices.values().filter(|device| device.switch == *name);
    Ok(devices
        .map(|device| call(office, device, seen.get(&Key::Device(device.name.clone())), numbers))
        .collect())
}

fn call(office: &Office, device: &Device, row: Option<&Row>, numbers: &[EmergencyNumber]) -> Finding {
    let name = &device.name;
    let check = format!("emergency call from {name}");
    let place = place(office, device);
    let should = office.emergency_caller_id(device);
    let Some(Row::Device(DeviceRow { emergency, emergency_numbers, .. })) = row else {
        let how = if row.is_none() { "no row of it" } else { "a row of it that cannot be read" };
        let found =
            format!("{place}: the switch has {how}, so it would show what the switch itself knows of it");
        return Finding::wrong(
            check,
            found,
            "`hotdesk serve` writes it within a minute; if not, see its log",
        );
    };
    let here = if emergency_numbers.is_empty() { numbers } else { emergency_numbers };
    let here: Vec<&str> = here.iter().map(EmergencyNumber::as_str).collect();
    let would = format!("{place}: {} would show {}", here.join(", "), shown(emergency.as_ref()));
    if emergency.as_ref() != should {
        let found = format!("{would}, and should show {}", shown(should));
        return Finding::wrong(
            check,
            found,
            "`hotdesk serve` writes it within a minute; if not, see its log",
        );
    }
    if let Some(unknown) = emergency_numbers.iter().find(|number| !numbers.contains(number)) {
        let found =
            format!("{would}, but {unknown} is none of [emergency] numbers, and no call for help there");
        let location = device.location.as_ref().map_or("NAME", |location| location.as_str());
        return Finding::wrong(
            check,
            found,
            format!("hotdesk location set {location} --emergency-numbers NUMS"),
        );
    }
    match (should, device.location.as_ref()) {
        (Some(_), _) => Finding::fine(check, would),
        (None, _) if !device.hotdesk => Finding::fine(check, would),
        (None, Some(location)) => Finding::remark(
            check,
            format!("{would}, as somebody forced"),
            format!("hotdesk location set {location} --emergency-caller-id NUM"),
        ),
        (None, None) => Finding::remark(
            check,
            format!("{would}, as somebody forced"),
            format!("hotdesk device set {name} --location NAME"),
        ),
    }
}

fn place(office: &Office, device: &Device) -> String {
    match (office.location_of(device), &device.location) {
        (Some(location), Some(name)) => match &location.address {
            Some(address) => format!("{name}, {address}"),
            None => format!("{name}, no address"),
        },
        _ => "no location".into(),
    }
}

fn shown(number: Option<&Number>) -> String {
    number.map_or_else(|| "no number of that place".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::id::{DeviceName, DialTarget, LocationName, TenantId};
    use crate::desk::location::{Location, Zone};

    /// desk1 in Amsterdam, which shows `shown`.
    fn office(shown: Option<&str>, hotdesk: bool) -> Office {
        let (name, ams) = (DeviceName::new("desk1").unwrap(), LocationName::new("ams").unwrap());
        let mut location = Location::new(TenantId::default(), ams.clone(), Zone::default());
        location.emergency.caller_id = shown.and_then(|number| Number::new(number).ok());
        location.emergency.numbers = vec![EmergencyNumber::new("112").unwrap()];
        location.address = "Damrak 1".parse().ok();
        let dial = DialTarget::new("PJSIP/desk1").unwrap();
        let device = Device::new(TenantId::default(), name.clone(), SwitchName::default(), dial);
        let device = Device { hotdesk, location: Some(ams.clone()), ..device };
        let mut office = Office::default();
        office.devices.insert(name, device);
        office.locations.insert(ams, location);
        office
    }

    fn found(office: &Office, row: Option<&Row>) -> Finding {
        let numbers = ["110", "112"].map(|number| EmergencyNumber::new(number).unwrap());
        call(office, office.devices.values().next().unwrap(), row, &numbers)
    }

    #[test]
    fn what_the_switch_would_show_is_told_with_what_is_missing() {
        let (well, bare) = (office(Some("0205"), true), office(None, true));
        let row = |office: &Office| {
            let wanted = table::wanted(office, &SwitchName::default(), &Reach::default());
            wanted.into_values().next().unwrap()
        };
        let fine = found(&well, Some(&row(&well)));
        assert_eq!((fine.ok, fine.found.as_str()), (true, "ams, Damrak 1: 112 would show 0205"));
        let behind = found(&well, Some(&row(&bare)));
        assert!(
            !behind.ok && behind.found.contains("no number of that place, and should show 0205"),
            "{behind:?}"
        );
        let forced = found(&bare, Some(&row(&bare)));
        assert!(forced.ok && forced.remedy.unwrap().starts_with("hotdesk location set ams"));
        let lift = office(None, false);
        assert_eq!(found(&lift, Some(&row(&lift))).remedy, None);
        let no_longer = [EmergencyNumber::new("999").unwrap()];
        let lost =
            call(&well, &well.devices[&DeviceName::new("desk1").unwrap()], Some(&row(&well)), &no_longer);
        assert!(!lost.ok && lost.found.contains("112 is none of [emergency] numbers"), "{lost:?}");
        for row in [None, Some(Row::Unreadable("x".into()))] {
            assert!(!found(&well, row.as_ref()).ok && !found(&bare, row.as_ref()).ok);
        }
    }
}
