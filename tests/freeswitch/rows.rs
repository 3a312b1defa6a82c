use hotdesk::desk::id::{DialTarget, DisplayName, Extension, Number, Revision, TenantId};
use hotdesk::desk::model::Away;
use hotdesk::desk::table::{Key, Row, UserRow};
use hotdesk::freeswitch::rows;

use super::Switch;

/// The longest names there are, and those with whatever `mod_db` could take for syntax.
#[test]
fn rows_come_back_from_mod_db_as_they_were_written_and_the_dialplan_reads_them_whole() {
    let Some(mut switch) = Switch::start() else { return };
    let (desk, trunk) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("trunk").unwrap());
    let key = Key::User(Extension::new("101").unwrap());
    let emoji = "😀 ".repeat(39) + "😀";
    let odd = [
        ("O'Neill's 'quoted' \"x\"", "O’Neill’s ’quoted’ ”x”"),
        ("x/y ${domain} {a}\\n%41|b", "x／y ＄｛domain｝ ｛a｝＼n％41｜b"),
    ];
    for (name, shown) in [odd[0], odd[1], (&emoji, ""), (&"é, (x) ".repeat(11), ""), ("Ann", "")] {
        let row = Row::User(UserRow {
            dial: DialTarget::new("user/desk1@hotdesk.test").ok(),
            revision: Revision(u64::MAX),
            number: Number::new("101").unwrap(),
            name: DisplayName::new(name.trim()).ok(),
            anonymous: false,
            language: None,
            class: "default".parse().ok(),
            mailbox: None,
            away: Away::Voicemail,
        });
        let (realm, place) = rows::place(&key, &TenantId::default()).unwrap();
        let value = rows::value(&row).unwrap();
        let mut read = String::new();
        for (n, piece) in rows::pieces(&value).iter().enumerate() {
            let place = rows::piece_key(&place, n);
            assert_eq!(switch.esl.api(&format!("db insert/{realm}/{place}/{piece}")).unwrap(), "+OK");
            read += &switch.esl.api(&format!("db select/{realm}/{place}")).unwrap();
        }
        assert_eq!(rows::read(&key, &read), row);
        switch.row("device", "desk1", "101|1|");
        desk.dial("0031").unwrap();
        let caller = trunk.wait_ringing().unwrap();
        assert_eq!(caller.from.number, "101");
        assert!(caller.from.name == name.trim() || caller.from.name == shown, "{caller:?}");
        desk.hang_up().unwrap();
        trunk.wait_ended().unwrap();
    }
}
