//! The table in a real `mod_db`, more of it than `db list` tells.

use std::time::Duration;

use hotdesk::desk::id::{
    DeviceName, DialTarget, DisplayName, Extension, Number, Revision, SwitchName, TenantId,
};
use hotdesk::desk::model::{Away, ShortList};
use hotdesk::desk::table::{DeviceRow, Key, Lamp, Row, Scope, Table, UserRow, difference};
use hotdesk::freeswitch::client::{Client, Settings, State};
use hotdesk::freeswitch::moddb::ModDb;
use hotdesk::freeswitch::rows::RELATIONS;
use hotdesk::switch::Switch as _;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::support::freeswitch::{FreeSwitch, PASSWORD, Site, installed};

/// Each has a name that takes more than one piece, and stands at a desk of his own.
fn wanted(users: u32) -> Table {
    let mut table = Table::new();
    for n in 0..users {
        let user = Extension::new(format!("{}", 10_000 + n)).unwrap();
        let dial = DialTarget::new(format!("user/desk{n}@hotdesk.test")).unwrap();
        let row = UserRow {
            dial: Some(dial.clone()),
            revision: Revision(1),
            number: Number::from(user.clone()),
            name: DisplayName::new(format!("{} '{n}'", "é/".repeat(n as usize % 36))).ok(),
            anonymous: false,
            language: None,
            class: "default".parse().ok(),
            mailbox: None,
            away: Away::Voicemail,
        };
        let device = DeviceRow {
            user: Some(user.clone()),
            revision: Revision(1),
            emergency: None,
            emergency_numbers: vec![],
            dial: dial.clone(),
            may_dial: ShortList::default(),
            mailbox: None,
            language: None,
        };
        table.insert(Key::Device(DeviceName::new(format!("desk{n}")).unwrap()), Row::Device(device));
        table.insert(Key::Lamp(user.clone()), Row::Lamp(Lamp::of(dial)));
        table.insert(Key::User(user), Row::User(row));
    }
    table
}

async fn moddb(fs: &FreeSwitch, stop: &CancellationToken) -> ModDb {
    let settings = Settings {
        name: SwitchName::new("fs").unwrap(),
        address: fs.esl_address().to_string(),
        user: None,
        password: Zeroizing::new(PASSWORD.into()),
        deadline: Duration::from_secs(10),
        events: vec![],
        filters: vec![],
    };
    let (client, _) = Client::start(settings, stop.clone());
    client.state().wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    ModDb::new(client, TenantId::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_larger_than_a_list_is_read_back_whole_and_what_is_foreign_is_removed() {
    let Some(install) = installed() else { return };
    let fs = Site::new().unwrap().start(&install).unwrap();
    let stop = CancellationToken::new();
    let moddb_1 = moddb(&fs, &stop).await;
    let wanted = wanted(1200);
    moddb_1.apply(&difference(&wanted, &Table::new())).await.unwrap();
    assert!(fs.api("db list/hotdesk-user-default").unwrap().len() < 4096, "the list is cut");
    assert_eq!(
        moddb_1.read(&Scope::All, &wanted).await.unwrap(),
        wanted,
        "what was written is found by its names"
    );

    // One that expects other rows finds them all none the less, and what else stands in our realms: each time the listed
    // ones make room for others.
    for row in
        ["device-default/desk1+/x", "user-default/abc/x", "user-default/10003/garbage", "lamp-default/1/"]
    {
        fs.api(&format!("db insert/hotdesk-{row}")).unwrap();
    }
    let expected: Table = wanted.into_iter().filter(|(key, _)| key.to_string() != "user 10700").collect();
    let moddb_2 = moddb(&fs, &stop).await;
    let mut rounds = 0;
    loop {
        let edits = difference(&expected, &moddb_2.read(&Scope::All, &expected).await.unwrap());
        if edits.is_empty() {
            break;
        }
        rounds += 1;
        assert!(rounds < 10, "{edits:?}");
        moddb_2.apply(&edits).await.unwrap();
    }
    assert!(rounds > 1, "not all were listed at once");
    assert_eq!(fs.api("db count/hotdesk-lamp-default").unwrap(), "1200");

    // So do all, when nothing is expected.
    let count = || RELATIONS.map(|relation| fs.api(&format!("db count/{relation}-default")).unwrap());
    for round in 0.. {
        let edits = difference(&Table::new(), &moddb_2.read(&Scope::All, &Table::new()).await.unwrap());
        if edits.is_empty() {
            break;
        }
        assert!(round < 20, "{:?}", count());
        moddb_2.apply(&edits).await.unwrap();
    }
    assert_eq!(count(), ["0"; 4]);
    stop.cancel();
}
