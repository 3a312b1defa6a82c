//! The table in a real `mod_db`, with more rows than `db list` prints.

use std::time::Duration;

use hotdesk::freeswitch::esl::client::{Client, Settings, State};
use hotdesk::freeswitch::table::mod_db::FreeSwitchSwitch;
use hotdesk::freeswitch::table::rows::RELATIONS;
use hotdesk::model::desired::{
    Blf, Desired, DesiredDevice, DesiredUser, Reading, Records, Subjects, difference,
};
use hotdesk::model::id::{DeviceName, DialTarget, DisplayName, Extension, Revision, SwitchName, TenantId};
use hotdesk::switch::Switch as _;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::harness::freeswitch::{FreeSwitch, PASSWORD, Site, installed};

/// Each has a name that takes more than one piece, and is logged in at a device of their own.
fn desired(users: u32) -> Desired {
    let mut desired = Desired { whole: true, ..Desired::default() };
    for n in 0..users {
        let user = Extension::new(format!("{}", 10_000 + n)).unwrap();
        let dial = DialTarget::new(format!("user/desk{n}@hotdesk.test")).unwrap();
        let blf = Blf { watch: None, rings: Some(dial.clone()), lit: false };
        let device = DesiredDevice {
            user: Some(user.clone()),
            revision: Revision(1),
            ..DesiredDevice::of(dial.clone())
        };
        let is = DesiredUser {
            dial: Some(dial),
            revision: Revision(1),
            name: DisplayName::new(format!("{} '{n}'", "é/".repeat(n as usize % 36))).ok(),
            class: "default".parse().ok(),
            blf,
            ..DesiredUser::of(user.clone())
        };
        desired.devices.insert(DeviceName::new(format!("desk{n}")).unwrap(), device);
        desired.users.insert(user, Box::new(is));
    }
    desired
}

/// The users and devices of these, and all else.
fn all(desired: &Desired) -> Subjects {
    Subjects {
        users: desired.users.keys().cloned().collect(),
        devices: desired.devices.keys().cloned().collect(),
        others: true,
    }
}

async fn moddb(fs: &FreeSwitch, stop: &CancellationToken) -> FreeSwitchSwitch {
    let settings = Settings {
        name: SwitchName::new("fs").unwrap(),
        address: fs.esl_address().to_string(),
        user: None,
        password: Zeroizing::new(PASSWORD.into()),
        deadline: Duration::from_secs(10),
        events: vec![],
        filters: vec![],
    };
    let (client, connection) = Client::new(settings, stop.clone());
    tokio::spawn(connection);
    client.state().wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    FreeSwitchSwitch::new(client, TenantId::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_larger_than_a_list_is_read_whole_and_foreign_rows_are_removed() {
    let Some(install) = installed() else { return };
    let fs = Site::new().unwrap().start(&install).unwrap();
    let stop = CancellationToken::new();
    let moddb_1 = moddb(&fs, &stop).await;
    let mut desired = desired(1200);
    let wanted = moddb_1.project(&desired, &Records::new());
    moddb_1.apply(&difference(&wanted, &Reading::default())).await.unwrap();
    assert!(fs.api("db list/hotdesk-user-default").unwrap().len() < 4096, "the list is cut");
    let read = moddb_1.read(&all(&desired)).await.unwrap();
    assert_eq!(
        read,
        Reading { records: wanted, ..Reading::default() },
        "what was written is found by its names"
    );

    // Rows of a removed user and other rows in hotdesk's realms are found, because each deletion makes room in the list.
    for row in
        ["device-default/desk1+/x", "user-default/abc/x", "user-default/10003/garbage", "lamp-default/1/"]
    {
        fs.api(&format!("db insert/hotdesk-{row}")).unwrap();
    }
    desired.users.remove(&Extension::new("10700").unwrap());
    let expected = moddb_1.project(&desired, &Records::new());
    let moddb_2 = moddb(&fs, &stop).await;
    let mut rounds = 0;
    loop {
        let edits = difference(&expected, &moddb_2.read(&all(&desired)).await.unwrap());
        if edits.is_empty() {
            break;
        }
        rounds += 1;
        assert!(rounds < 10, "{edits:?}");
        moddb_2.apply(&edits).await.unwrap();
    }
    assert!(rounds > 1, "not all were listed at once");
    assert_eq!(fs.api("db count/hotdesk-lamp-default").unwrap(), "1199");

    // So do all, when nothing is expected.
    let count = || RELATIONS.map(|relation| fs.api(&format!("db count/{relation}-default")).unwrap());
    for round in 0.. {
        let edits = difference(&Records::new(), &moddb_2.read(&all(&Desired::default())).await.unwrap());
        if edits.is_empty() {
            break;
        }
        assert!(round < 20, "{:?}", count());
        moddb_2.apply(&edits).await.unwrap();
    }
    assert_eq!(count(), ["0"; 4]);
    stop.cancel();
}
