use super::project::project;
use super::writes::{put, refusal, writes};
use super::*;
use crate::asterisk::ami::codec::Action;
use crate::asterisk::table::rows::NOWHERE;
use crate::model::desired::{Desired, DesiredDevice, DesiredUser, Edit, Reading, difference};
use crate::model::id::{DialTarget, Revision};

fn ext(extension: &str) -> Extension {
    Extension::new(extension).unwrap()
}

/// A device where a user logged in by this revision, or without a user.
fn desk(name: &str, user: Option<&str>, revision: u64) -> (DeviceName, DesiredDevice) {
    let dial = DialTarget::new(format!("PJSIP/{name}")).unwrap();
    let device =
        DesiredDevice { user: user.map(ext), revision: Revision(revision), ..DesiredDevice::of(dial) };
    (DeviceName::new(name).unwrap(), device)
}

fn desired<const N: usize>(desks: [(DeviceName, DesiredDevice); N], users: &[&str]) -> Desired {
    let users = users.iter().map(|user| (ext(user), Box::new(DesiredUser::of(ext(user))))).collect();
    Desired { devices: desks.into(), users, whole: false }
}

fn edits(found: &Records, desired: &Desired) -> Vec<Edit> {
    let reading = Reading { records: found.clone(), shared: true, ..Reading::default() };
    difference(&project(desired, found), &reading)
}

#[test]
fn a_login_that_freepbx_has_no_room_for_is_refused_and_the_rest_is_written() {
    let mut found = Records::from([
        (user_key(&ext("101"), "voicemail"), "novm".to_owned()),
        (user_key(&ext("101"), "device"), "2001".to_owned()),
        (user_key(&ext("102"), "voicemail"), "novm".to_owned()),
    ]);
    for (device, kind, user) in [
        ("2001", "adhoc", "101"),
        ("2002", "adhoc", "none"),
        ("2003", "fixed", "103"),
        ("2004", "adhoc", "105"),
    ] {
        found.insert(device_key(device, "type"), kind.into());
        found.insert(device_key(device, "user"), user.into());
    }
    let mut lost = desk("2004", Some("105"), 4);
    lost.1.owner = Some(ext("102"));
    let after = desired(
        [
            desk("2001", None, 0),
            desk("2002", Some("105"), 9),
            desk("2003", Some("101"), 8),
            lost,
            desk("2007", Some("101"), 9),
        ],
        &["101", "102", "105"],
    );
    let edits = edits(&found, &after);
    let refused: Vec<String> = edits.iter().filter_map(refusal).map(|why| why.to_string()).collect();
    for (why, refused) in [
        ("device 2003: FreePBX: it is of type fixed there, and 2003 is not its default user", &refused[0]),
        ("device 2007: FreePBX: it has no such device", &refused[1]),
        ("user 105: FreePBX: it has no such user", &refused[2]),
    ] {
        assert!(refused.contains(why), "{refused}");
    }
    assert_eq!(refused.len(), 3, "{refused:?}");
    let hint = |user: &str| {
        Action::new("DialplanExtensionAdd")
            .with("Context", HINTS)
            .with("Extension", user)
            .with("Priority", "hint")
            .with("Application", NOWHERE)
            .with("Replace", "yes")
    };
    let rows = [
        put("DEVICE/2001/user", NO_USER),
        // A user who is not there any more leaves the device to its owner.
        put("DEVICE/2004/user", "102"),
        hint("101"),
        hint("102"),
        put("AMPUSER/101/device", ""),
        put("AMPUSER/102/device", "2004"),
    ];
    let written = writes(&edits).rows;
    assert!(rows.iter().all(|row| written.contains(row)) && written.len() == rows.len(), "{written:?}");
}

/// The rows of a desk 201 after a login there, by who owns it and what FreePBX says of it.
#[test]
fn a_fixed_device_takes_users_where_the_store_says_so_and_it_belongs_to_its_own_extension() {
    let free = |owner: Option<&str>, hotdesk| {
        let (name, mut desk) = desk("201", None, 0);
        desk.owner = owner.map(ext);
        desk.user = desk.owner.clone();
        desk.hotdesk = hotdesk;
        (name, desk)
    };
    let guest = |owner: Option<&str>| {
        let (name, is) = free(owner, true);
        (name, DesiredDevice { user: Some(ext("131")), revision: Revision(9), ..is })
    };
    let elsewhere = |(name, is): (DeviceName, DesiredDevice)| (name, DesiredDevice { user: None, ..is });
    let before = ("201", "131", "201");
    let at_it = ("131", "131&201", "201");
    for (what, (user, list, own), desk, is) in [
        ("a desk without an owner keeps its own number", before, guest(None), at_it),
        ("a phone that is 201's own does not", before, guest(Some("201")), ("131", "131&201", "")),
        ("the guest is gone", at_it, free(None, true), before),
        ("the guest of an owner is gone", ("131", "131&201", ""), free(Some("201"), true), before),
        ("the owner is logged in elsewhere", ("none", "131", ""), elsewhere(free(Some("201"), true)), before),
        ("FreePBX's page of the desk", before, guest(None), at_it),
        ("no desk any more, with a login left", at_it, free(None, false), before),
        ("no desk, and nothing of ours", ("132", "131", "201"), free(None, false), ("132", "131", "201")),
        ("no desk, whose owner is elsewhere", before, elsewhere(free(Some("201"), false)), before),
    ] {
        let row = |(user, list, own): (&str, &str, &str)| {
            let rows = [
                (device_key("201", "user"), user),
                (user_key(&ext("131"), "device"), list),
                (user_key(&ext("201"), "device"), own),
            ];
            rows.map(|(key, value)| (key, value.to_owned()))
        };
        let mut found = Records::from(row((user, list, own)));
        for (field, value) in [("type", "fixed"), ("default_user", "201"), ("dial", "PJSIP/201")] {
            found.insert(device_key("201", field), value.into());
        }
        found.insert(user_key(&ext("131"), "voicemail"), "default".into());
        found.insert(user_key(&ext("201"), "voicemail"), "novm".into());
        // The owner is a user of Hotdesk, and the extension of a desk is not.
        let users = if desk.1.owner.is_some() { &["131", "201"][..] } else { &["131"] };
        let edits = edits(&found, &desired([desk], users));
        for Edit { key, is, .. } in &edits {
            found.insert(key.clone(), is.clone().unwrap_or_default());
        }
        for (key, value) in row(is) {
            assert_eq!(found[&key], value, "{what}: {key}");
        }
        assert!(edits.iter().all(|edit| !edit.key.name.ends_with("/type")), "{what}");
        assert_eq!(edits.iter().find_map(refusal), None, "{what}");
    }
}
