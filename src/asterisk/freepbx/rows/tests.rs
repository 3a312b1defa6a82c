use super::*;
use crate::desk::id::{DeviceName, Number, Revision};
use crate::desk::model::Away;
use crate::desk::table::{UserRow, difference};

fn ext(extension: &str) -> Extension {
    Extension::new(extension).unwrap()
}

fn dial(target: &str) -> Option<DialTarget> {
    DialTarget::new(target).ok()
}

/// A device at which somebody logged in, or sits as its owner, or nobody.
fn desk(name: &str, user: Option<&str>, revision: u64) -> (Key, Row) {
    let row = DeviceRow {
        user: user.map(ext),
        revision: Revision(revision),
        ..DeviceRow::of(dial(&format!("PJSIP/{name}")).unwrap())
    };
    (Key::Device(DeviceName::new(name).unwrap()), Row::Device(row))
}

/// A user who is called there, and his lamp.
fn user(extension: &str, target: &str) -> Vec<(Key, Row)> {
    let row = UserRow {
        dial: dial(target),
        revision: Revision(1),
        number: Number::new(extension).unwrap(),
        name: None,
        anonymous: false,
        language: None,
        class: None,
        mailbox: None,
        away: Away::Voicemail,
    };
    let lamp = dial(target).map(|target| (Key::Lamp(ext(extension)), Row::Lamp(Lamp::of(target))));
    [(Key::User(ext(extension)), Row::User(row))].into_iter().chain(lamp).collect()
}

/// 101 is at 2001; 103 has 2003, a phone of his own, and 2009, which hotdesk does not know; nobody is at 2002.
fn expected() -> Table {
    let desks = [desk("2001", Some("101"), 7), desk("2002", None, 0), desk("2003", Some("103"), 0)];
    desks.into_iter().chain(user("101", "PJSIP/2001")).chain(user("103", "PJSIP/2003")).collect()
}

fn seen() -> Seen {
    let station = |kind: &str, user: &str, dial: &str| Station {
        kind: Some(kind.into()),
        user: Some(user.into()),
        dial: Some(dial.into()),
    };
    let person = |devices: &[&str], hint: &str| Person {
        voicemail: Some("novm".into()),
        devices: devices.iter().map(|it| (*it).into()).collect(),
        hint: hint.into(),
    };
    Seen {
        devices: [
            ("2001", station("adhoc", "101", "PJSIP/2001")),
            ("2002", station("adhoc", "none", "PJSIP/2002")),
            ("2003", station("fixed", "103", "PJSIP/2003")),
            ("2009", station("adhoc", "103", "SIP/2009")),
        ]
        .map(|(name, station)| (name.to_owned(), station))
        .into(),
        users: [
            (ext("101"), person(&["2001"], "PJSIP/2001&Custom:DND101,CustomPresence:101")),
            (ext("103"), person(&["2003", "2009"], "SIP/2009&PJSIP/2003&Custom:DND103")),
        ]
        .into(),
    }
}

fn edits(seen: &Seen, expected: &Table) -> Vec<Edit> {
    difference(expected, &seen.table(&Scope::All, expected))
}

/// What is written, as `DBPut DEVICE 2001/user 101`, and then told.
fn written(seen: &Seen, edits: &[Edit]) -> Vec<String> {
    let writes = seen.writes(edits);
    let text = |action: &Action| {
        let mut bytes = bytes::BytesMut::new();
        action.encode(1, &mut bytes).unwrap();
        let sent = String::from_utf8(bytes.to_vec()).unwrap();
        let headers = sent.lines().filter_map(|line| line.split_once(": "));
        let unsaid = ["Action", "ActionID", "Context", "Priority", "Replace"];
        let said = headers.filter(|(name, _)| !unsaid.contains(name)).map(|(_, value)| value);
        [action.name()].into_iter().chain(said).collect::<Vec<_>>().join(" ")
    };
    writes.rows.iter().chain(&writes.events).map(text).collect()
}

#[test]
fn what_agrees_is_as_expected_and_nothing_is_written() {
    assert_eq!(seen().table(&Scope::All, &expected()), expected());
    // The owner of a phone of his own sits elsewhere: there it stays his, and he is called at both.
    let mut expected = expected();
    expected.extend([desk("2002", Some("103"), 8), desk("2003", None, 0)]);
    expected.extend(user("103", "PJSIP/2002"));
    let mut seen = seen();
    seen.devices.get_mut("2002").unwrap().user = Some("103".into());
    let carol = seen.users.get_mut(&ext("103")).unwrap();
    carol.devices.push("2002".into());
    carol.hint = "PJSIP/2003&SIP/2009&PJSIP/2002".into();
    assert_eq!(edits(&seen, &expected), []);
}

#[test]
fn a_login_writes_both_ends_and_the_hints_and_tells_of_it() {
    let mut after = expected();
    after.extend([desk("2001", None, 0), desk("2002", Some("101"), 8)]);
    after.extend(user("101", "PJSIP/2002"));
    assert_eq!(
        written(&seen(), &edits(&seen(), &after)),
        [
            "DBPut DEVICE 2001/user none",
            "DBPut DEVICE 2002/user 101",
            "DBPut AMPUSER 101/device 2002",
            "DialplanExtensionAdd 101 PJSIP/2002&Custom:DND101,CustomPresence:101",
            "UserEvent UserDeviceRemoved 101,2001",
            "UserEvent UserDeviceAdded 101,2002",
        ]
    );
    let mut after = expected();
    after.remove(&Key::Lamp(ext("101")));
    after.extend([desk("2001", None, 0)].into_iter().chain(user("101", "")));
    assert_eq!(
        written(&seen(), &edits(&seen(), &after)),
        [
            "DBPut DEVICE 2001/user none",
            "DBDel AMPUSER 101/device",
            "DialplanExtensionAdd 101 Custom:hotdesk&Custom:DND101,CustomPresence:101",
            "UserEvent UserDeviceRemoved 101,2001",
        ]
    );
}

#[test]
fn what_is_none_of_ours_in_a_list_or_a_hint_stays() {
    let mut seen = seen();
    seen.users.get_mut(&ext("101")).unwrap().devices = ["2009", "2002"].map(str::to_owned).into();
    seen.users.get_mut(&ext("103")).unwrap().devices = ["2001", "2003", "2009"].map(str::to_owned).into();
    let edits = edits(&seen, &expected());
    assert_eq!(
        written(&seen, &edits),
        [
            "DBPut AMPUSER 101/device 2009&2001",
            "DialplanExtensionAdd 101 SIP/2009&PJSIP/2001&Custom:DND101,CustomPresence:101",
            "DBPut AMPUSER 103/device 2003&2009",
            "DialplanExtensionAdd 103 PJSIP/2003&SIP/2009&Custom:DND103",
        ]
    );
    let was: Vec<String> = edits.iter().map(|edit| edit.was.as_ref().unwrap().to_string()).collect();
    assert_eq!(was, ["PJSIP/2002", "PJSIP/2003&PJSIP/2001"]);
}

#[test]
fn who_is_nowhere_can_be_watched_by_the_hint_that_freepbx_made_or_else_by_ours() {
    let mut expected = expected();
    expected.extend(user("104", ""));
    let with = |hint: &str| {
        let mut seen = seen();
        let dave = Person { voicemail: Some(String::new()), devices: vec![], hint: hint.into() };
        seen.users.insert(ext("104"), dave);
        written(&seen, &edits(&seen, &expected))
    };
    assert_eq!(with(""), ["DialplanExtensionAdd 104 Custom:hotdesk"]);
    for hint in ["Custom:hotdesk", ",CustomPresence:104", "&Custom:DND104,CustomPresence:104"] {
        assert_eq!(with(hint), <[&str; 0]>::default());
    }
}

#[test]
fn a_login_that_freepbx_has_no_room_for_is_refused_and_the_rest_is_written() {
    let mut after = expected();
    after.extend([desk("2001", None, 0), desk("2003", Some("101"), 8), desk("2007", Some("105"), 9)]);
    after.extend(user("101", "PJSIP/2003").into_iter().chain(user("105", "PJSIP/2002")));
    let mut seen = seen();
    seen.users.insert(ext("105"), Person::default());
    let edits = edits(&seen, &after);
    let refused = seen.writes(&edits).refused.unwrap().to_string();
    assert!(refused.contains("device 2003") && refused.contains("of type fixed"), "{refused}");
    let written = written(&seen, &edits);
    assert!(written.contains(&"DBPut DEVICE 2001/user none".into()), "{written:?}");
    let foreign = |line: &String| ["2003", "2007", "105"].iter().any(|it| line.contains(it));
    assert!(!written.iter().any(foreign), "{written:?}");
}

#[test]
fn a_device_whose_user_is_no_extension_is_put_right() {
    let mut seen = seen();
    seen.devices.get_mut("2002").unwrap().user = Some("what is this".into());
    let edits = edits(&seen, &expected());
    assert_eq!(edits.len(), 1);
    assert_eq!(edits[0].was, Some(Row::Unreadable("what is this".into())));
    assert_eq!(written(&seen, &edits)[0], "DBPut DEVICE 2002/user none");
}
