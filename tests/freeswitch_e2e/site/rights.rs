//! Hotdesk's user at the event socket may do what it needs to, and nothing else. That it needs no more, every other test
//! of this site shows, as hotdesk has no more there.

use std::fs;

use super::company;
use crate::harness::check::{all_is_well, broken};
use crate::harness::freeswitch::esl::Esl;
use crate::harness::freeswitch::{ESL_USER, ESL_USER_PASSWORD};
use crate::harness::phone::Phone;

#[test]
fn what_hotdesk_does_not_need_is_refused_to_its_user() {
    let Some(company) = company() else { return };
    let mut esl = Esl::login_as(company.pbx.esl_address(), ESL_USER, ESL_USER_PASSWORD).unwrap();
    assert!(esl.api("version").unwrap().starts_with("FreeSWITCH"));
    for command in [
        "api originate null/x 600 XML default",
        "api reloadxml",
        "api fsctl shutdown now",
        "api system id",
        "api eval ${hostname}",
        "api expand file_exists /",
        "api bgapi version",
        "api sched_api +1 none version",
        "bgapi reloadxml",
        "event plain CHANNEL_ANSWER",
        "event plain CUSTOM sofia::gateway_state",
        "log 7",
    ] {
        assert_eq!(esl.command(command).unwrap(), "-ERR permission denied", "{command}");
    }
    // It has no password for phones, so no phone registers as it.
    let stranger = Phone::new(company.pbx.account("hotdesk")).unwrap();
    assert!(stranger.register().is_err());
}

#[test]
fn a_right_that_is_missing_is_named() {
    let Some(company) = company() else { return };
    all_is_well(&company.hotdesk);
    let path = company.pbx.path("conf/freeswitch.xml");
    let right = fs::read_to_string(&path).unwrap();
    let with = |xml: &str| {
        fs::write(&path, xml).unwrap();
        company.pbx.api("reloadxml").unwrap();
        broken(&company.hotdesk)
    };
    let copy = "Copy both whole from directory.xml.example into FreeSWITCH's directory, then 'reloadxml'";
    let lacks = |what: &str| {
        let why = format!("{ESL_USER} may not do all that hotdesk needs: {what}. {copy}");
        format!("login of switch pbx: {why}\n? table of switch pbx: could not be read: \"{why}\"")
    };
    let less = right.replace(" regex ", " ").replace(" xml_locate\"", "\"");
    assert_eq!(with(&less), lacks("esl-allowed-api lacks regex, xml_locate"));
    let less = right.replace(" CHANNEL_CREATE ", " ").replace("\"db ", "\"");
    assert_eq!(with(&less), lacks("esl-allowed-api lacks db, and esl-allowed-events lacks CHANNEL_CREATE"));
    let all = right
        .replace("name=\"esl-allowed-api\"", "name=\"x\"")
        .replace("BACKGROUND_JOB", "ALL BACKGROUND_JOB");
    assert_eq!(with(&all), "", "a user with all rights lacks none");
    let other = format!("esl-password\" value=\"{ESL_USER_PASSWORD}");
    let said = with(&right.replace(&other, "esl-password\" value=\"other"));
    assert!(said.contains("Check esl_user, and the esl-password of hotdesk@hotdesk.test"), "{said}");
    assert_eq!(with(&right), "");
}
