//! The API with real phones: what a program does, the phones do.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::Program;
use crate::harness::company::{Company, call};
use crate::harness::debian::Version;
use crate::web::ON;

#[test]
fn a_session_that_a_program_puts_makes_the_phone_the_users_and_its_end_frees_it() {
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let company = Company::open_with(&program, Version::Current, "sqlite:hotdesk.db", ON).unwrap();
    let mut crm = Program::new(&company.hotdesk, "crm", "operator");
    let [first, second] = ["desk1", "desk2"].map(|desk| company.pbx.phone(desk).unwrap());
    for (desk, user) in [("desk1", "101"), ("desk2", "102")] {
        let put = crm.send("PUT", &format!("/sessions/{desk}"), &[], &json!({"user": user}).to_string());
        assert_eq!((put.status, &super::json(&put)["waiting"]), (201, &json!([])), "{}", put.text());
    }
    assert_eq!(company.agreed(Duration::from_secs(5)).unwrap(), ["101@desk1", "102@desk2"]);
    // The phone rings for calls to the user, and its own calls show the user.
    call(&first, "102", &second, "101").unwrap();
    let listed = super::json(&crm.get("/sessions"));
    assert_eq!((&listed[0]["user"], &listed[1]["user"]), (&json!("101"), &json!("102")), "{listed}");
    let compared = super::json(&crm.send("POST", "/switches/pbx/compare", &[], ""));
    assert_eq!(compared[0]["ok"], true, "{compared}");
    assert_eq!(super::json(&crm.get("/switches"))[0]["state"], "up");
    let out = crm.send("DELETE", "/sessions/desk1", &[], "");
    assert_eq!(
        (out.status, &super::json(&out)["ended"]),
        (200, &json!([{"user": "101", "device": "desk1"}]))
    );
    assert_eq!(company.rows().unwrap().len(), 1, "the switch has acknowledged it");
    assert_eq!(company.agreed(Duration::from_secs(5)).unwrap(), ["102@desk2"]);
}
