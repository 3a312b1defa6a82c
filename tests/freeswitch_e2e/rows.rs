use hotdesk::freeswitch::table::rows;
use hotdesk::model::desired::{Desired, DesiredUser};
use hotdesk::model::id::{DialTarget, DisplayName, Extension, Number, Revision, TenantId};

use super::Switch;

/// The longest names there are, and those with whatever `mod_db` could take for syntax.
#[test]
fn mod_db_and_the_dialplan_read_rows_as_written() {
    let Some(mut switch) = Switch::start() else { return };
    let (desk, trunk) = (switch.fs.phone("desk1").unwrap(), switch.fs.phone("trunk").unwrap());
    let extension = Extension::new("101").unwrap();
    let emoji = "😀 ".repeat(39) + "😀";
    let odd = [
        ("O'Neill's 'quoted' \"x\"", "O’Neill’s ’quoted’ ”x”"),
        ("x/y ${domain} {a}\\n%41|b", "x／y ＄｛domain｝ ｛a｝＼n％41｜b"),
    ];
    for (name, shown) in [odd[0], odd[1], (&emoji, ""), (&"é, (x) ".repeat(11), ""), ("Ann", "")] {
        let user = DesiredUser {
            dial: DialTarget::new("user/desk1@hotdesk.test").ok(),
            revision: Revision(u64::MAX),
            number: Number::new("101").unwrap(),
            name: DisplayName::new(name.trim()).ok(),
            class: "default".parse().ok(),
            ..DesiredUser::of(extension.clone())
        };
        let desired = Desired { users: [(extension.clone(), Box::new(user))].into(), ..Desired::default() };
        let (key, value) = rows::project(&TenantId::default(), &desired).pop_last().unwrap();
        let mut read = String::new();
        for (n, piece) in rows::pieces(&value).iter().enumerate() {
            let place = rows::piece_key(&key.name, n);
            assert_eq!(switch.esl.api(&format!("db insert/{place}/{piece}")).unwrap(), "+OK");
            read += &switch.esl.api(&format!("db select/{place}")).unwrap();
        }
        assert_eq!(read, value);
        switch.row("device", "desk1", "101|1|");
        desk.dial("0031").unwrap();
        let caller = trunk.wait_ringing().unwrap();
        assert_eq!(caller.from.number, "101");
        assert!(caller.from.name == name.trim() || caller.from.name == shown, "{caller:?}");
        desk.hang_up().unwrap();
        trunk.wait_ended().unwrap();
    }
}
