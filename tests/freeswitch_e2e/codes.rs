use std::time::{Duration, Instant};

use super::Switch;

/// The PIN to look for.
const CANARY: &str = "80246197";
const LONG: Duration = Duration::from_secs(20);

#[test]
fn without_a_controller_the_caller_hears_not_available_and_the_call_ends() {
    let Some(switch) = Switch::start() else { return };
    let desk = switch.fs.phone("desk1").unwrap();
    for dialled in ["*35", "*35#", "*35*101", &format!("*35*101*{CANARY}#")] {
        desk.dial(dialled).unwrap();
        let since = Instant::now();
        desk.wait_audio().unwrap();
        let waited = since.elapsed();
        assert!(waited < Duration::from_secs(3), "{dialled}: heard after {waited:?}");
        let ended = desk.wait_ended_within(LONG).unwrap();
        assert!(ended.heard > Duration::from_secs(1), "{ended:?}");
        assert_eq!((ended.code, ended.cause), (503, Some(41)), "{ended:?}");
    }
}

#[test]
fn a_code_parks_the_call_with_the_authenticated_device() {
    let Some(mut switch) = Switch::start() else { return };
    let desk = switch.fs.phone("desk1").unwrap();
    switch.esl.command("event plain CHANNEL_PARK CHANNEL_HANGUP_COMPLETE").unwrap();
    let dialled = format!("*35*101*{CANARY}");
    desk.dial_as("desk2", &format!("{dialled}#")).unwrap();
    let parked = switch.esl.wait_for("CHANNEL_PARK").unwrap();
    let has = |name: &str| parked.get(name).map(String::as_str);
    assert_eq!(has("variable_sip_auth_username"), Some("desk1"));
    assert_eq!(has("variable_domain_name"), Some("hotdesk.test"));
    assert_eq!(has("variable_hd_dialled"), Some(format!("{dialled}#").as_str()));
    assert_eq!(has("variable_sip_network_ip"), Some("127.0.0.1"));
    assert_eq!(
        (has("Caller-Context"), has("Caller-Destination-Number")),
        (Some("hotdesk@code"), Some("*35"))
    );
    let leaks: Vec<_> = parked
        .iter()
        .filter(|(name, value)| value.contains(CANARY) && *name != "variable_hd_dialled")
        .collect();
    assert!(leaks.is_empty(), "{leaks:?}");

    // taken: the time-out is lifted
    let (uuid, id) = (has("Unique-ID").unwrap(), has("variable_last_sched_id").unwrap());
    assert_eq!(switch.esl.api(&format!("sched_del {id}")).unwrap(), "+OK Deleted: 1");
    switch.esl.api(&format!("uuid_setvar {uuid} hd_dialled")).unwrap();
    // Longer than the time-out.
    std::thread::sleep(Duration::from_secs(3));
    assert!(desk.in_call());
    switch.esl.execute(uuid, "answer", "").unwrap();
    desk.wait_answered().unwrap();
    switch.esl.execute(uuid, "playback", "${sounds_dir}/hotdesk/en/logged-out.wav").unwrap();
    desk.wait_audio().unwrap();
    // an answer brought it back
    switch.esl.api(&format!("uuid_setvar {uuid} sip_full_to")).unwrap();
    switch.esl.execute(uuid, "hangup", "NORMAL_CLEARING").unwrap();
    assert!(desk.wait_ended_within(LONG).unwrap().heard > Duration::from_millis(500));
    let done = switch.esl.wait_for("CHANNEL_HANGUP_COMPLETE").unwrap();
    let leaks: Vec<_> = done.iter().filter(|(_, value)| value.contains(CANARY)).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    // A later call has its records, and the code has none.
    for (form, records) in switch.fs.cdrs_after_a_refused_call(&desk).unwrap() {
        assert!(!records.contains(CANARY) && !records.contains("*35"), "{form}: {records}");
    }
    let info = switch.fs.log();
    // What was dialled is in the log at INFO before the dialplan can do anything about it, and nowhere above.
    let known = |line: &&str| line.contains("EXECUTE [depth=0]") || line.contains("[INFO] mod_dialplan_xml");
    let leaks: Vec<_> = info.lines().filter(|line| line.contains(CANARY) && !known(line)).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}
