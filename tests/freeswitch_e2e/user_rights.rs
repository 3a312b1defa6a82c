//! The rights in the directory are those of the user, never those of the phone.

use hotdesk::freeswitch::dialplan::files;

use super::{contact, settings};
use crate::harness::freeswitch::company::installed_at;
use crate::harness::freeswitch::{Esl, Site, User, installed};
use crate::harness::phone::Phone;

/// A context like vanilla's: only who has the right may call abroad.
const TOLL: &str = r#"
<context name="toll">
  <X-PRE-PROCESS cmd="include" data="dialplan/default/*.xml"/>
  <extension name="abroad"><condition field="${toll_allow}" expression="international"/>
    <condition field="destination_number" expression="^00\d+$">
    <action application="bridge" data="{sip_h_X-Rights=${callgroup}/${user_name}/${outbound_caller_id_number}}user/trunk@hotdesk.test"/>
  </condition></extension>
  <extension name="no"><condition><action application="respond" data="404"/></condition></extension>
</context>
"#;

/// Logs a user in at a device, or out with none. Calls to a logged-out user go abroad.
fn row(esl: &mut Esl, user: &str, number: &str, device: Option<&str>) {
    let dial = device.map(contact).unwrap_or_default();
    let mut insert = |row: &str| assert_eq!(esl.api(&format!("db insert/hotdesk-{row}")).unwrap(), "+OK");
    insert(&format!("user-default/{user}/{dial}|1|{number}|Name|0||toll||0031|"));
    if let Some(device) = device {
        insert(&format!("device-default/{device}/{user}|1|0205550101"));
    }
}

/// Calls abroad: the rights of the call.
fn abroad(phone: &Phone, dialled: &str, trunk: &Phone) -> String {
    phone.dial(dialled).unwrap();
    trunk.wait_ringing().unwrap();
    let rights = trunk.last_invite().unwrap().header("X-Rights").to_owned();
    phone.hang_up().unwrap();
    trunk.wait_ended().unwrap();
    rights
}

fn refused(phone: &Phone, dialled: &str) {
    phone.dial(dialled).unwrap();
    assert_eq!(phone.wait_ended().unwrap().code, 404);
}

#[test]
fn rights_in_the_directory_follow_the_user_and_not_the_phone() {
    let Some(install) = installed() else { return };
    let with_rights =
        |user: User| user.with("toll_allow", "domestic,international").with("callgroup", "board");
    let site = Site::new()
        .unwrap()
        .user(with_rights(User::new("desk1")))
        .user(User::new("desk2").with("callgroup", "hall"))
        .user(User::new("trunk"))
        .user(with_rights(User::new("101").context("toll")).with("outbound_caller_id_number", "0205550199"))
        .user(User::new("102").context("toll"))
        .dialplan(TOLL);
    let files = files::files(&settings()).into_iter();
    let switch = files.fold(site, |site, (path, bytes)| site.file(installed_at(&path), bytes));
    let switch = switch.start(&install).unwrap();
    let mut esl = switch.esl().unwrap();
    let [desk1, desk2, trunk] = ["desk1", "desk2", "trunk"].map(|name| switch.phone(name).unwrap());
    // 103 has no entry.
    for (at_1, at_2) in [("102", "101"), ("103", "101"), ("101", "102"), ("101", "103")] {
        row(&mut esl, at_1, at_1, Some("desk1"));
        row(&mut esl, at_2, at_2, Some("desk2"));
        let (may, may_not) = if at_1 == "101" { (&desk1, &desk2) } else { (&desk2, &desk1) };
        assert_eq!(abroad(may, "0031", &trunk), "board/101/0205550199");
        refused(may_not, "0031");
    }
    // The caller ID of the user in Hotdesk goes before that of the directory.
    row(&mut esl, "101", "0205550100", Some("desk1"));
    assert_eq!(abroad(&desk1, "0031", &trunk), "board/101/0205550100");
    // A forwarded call has the rights of the user who forwards.
    row(&mut esl, "102", "102", None);
    refused(&desk1, "102");
    row(&mut esl, "103", "103", Some("desk2"));
    row(&mut esl, "101", "101", None);
    abroad(&desk2, "101", &trunk);
}
