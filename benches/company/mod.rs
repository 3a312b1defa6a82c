//! A large company as a table of 10,000 rows.

use hotdesk::desk::id::{Context, DeviceName, DialTarget, Extension, Number, Revision};
use hotdesk::desk::model::{Away, ShortList};
use hotdesk::desk::table::{DeviceRow, Key, Lamp, Row, Table, UserRow};

/// So many users, and so many devices.
pub const HALF: usize = 5_000;

/// 5,000 devices and 5,000 users; each user at a desk, which is dialled like that, or all nowhere.
pub fn table(seated: Option<&dyn Fn(usize) -> String>) -> Table {
    let mut table = Table::new();
    for n in 0..HALF {
        let user = Extension::new(format!("{}", 10_000 + n)).unwrap();
        let dial = seated.map(|dial| DialTarget::new(dial(n)).unwrap());
        let revision = Revision(if seated.is_some() { 7 } else { 0 });
        let device = DeviceRow {
            user: seated.map(|_| user.clone()),
            revision,
            emergency: Some(Number::new("0205550100").unwrap()),
            emergency_numbers: vec![],
            dial: DialTarget::new(format!("PJSIP/desk{n}")).unwrap(),
            may_dial: ShortList::default(),
            mailbox: None,
            language: None,
        };
        table.insert(Key::Device(DeviceName::new(format!("desk{n}")).unwrap()), Row::Device(device));
        if let Some(dial) = &dial {
            table.insert(Key::Lamp(user.clone()), Row::Lamp(Lamp::of(dial.clone())));
        }
        let row = UserRow {
            dial,
            revision,
            number: user.clone().into(),
            name: None,
            anonymous: false,
            language: None,
            class: Some(Context::new("from-internal").unwrap()),
            mailbox: None,
            away: Away::Voicemail,
        };
        table.insert(Key::User(user), Row::User(row));
    }
    table
}
