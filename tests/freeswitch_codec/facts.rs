//! What was found out about the wire, each held to the bytes it was found in.

use hotdesk::freeswitch::esl::codec::{Frame, Response, Said};

use super::{events, frames, recorded, replies, value};

/// The responses to `api` with the commands they answer, in order.
fn asked(name: &str) -> Vec<(String, Response)> {
    let path = format!("{}/tests/fixtures/freeswitch/{name}.send.raw", env!("CARGO_MANIFEST_DIR"));
    let sent = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    let commands: Vec<_> =
        sent.split("\n\n").map(str::trim).filter_map(|c| c.strip_prefix("api ")).map(str::to_owned).collect();
    let responses: Vec<_> = frames(name)
        .into_iter()
        .filter_map(|f| if let Frame::Response(r) = f { Some(r) } else { None })
        .collect();
    assert_eq!(commands.len(), responses.len(), "{name}");
    commands.into_iter().zip(responses).collect()
}

fn names(session: &str) -> Vec<String> {
    events(session).iter().map(|event| value(event, "Event-Name")).collect()
}

#[test]
fn event_names_after_custom_are_ignored() {
    let asked_first = names("b0_events_plain_literal_order");
    let asked_last = names("b1_events_plain");
    for name in ["BACKGROUND_JOB", "PRESENCE_IN", "HEARTBEAT"] {
        assert!(!asked_first.iter().any(|n| n == name) && asked_last.iter().any(|n| n == name), "{name}");
    }
    for session in ["b0_events_plain_literal_order", "b1_events_plain"] {
        assert_eq!(replies(session)[1], "+OK event listener enabled plain");
    }
}

#[test]
fn an_event_need_not_begin_with_its_name_nor_have_one() {
    let first = |session: &str, first: &str| {
        events(session).into_iter().filter(|e| e.iter().next().unwrap().0 == first).collect::<Vec<_>>()
    };
    let custom = first("b1_events_plain", "Event-Subclass");
    assert!(!custom.is_empty() && custom.iter().all(|e| e.name().as_deref() == Some("CUSTOM")));
    assert_eq!(value(&custom[0], "Event-Subclass"), "sofia::register", "its colons were encoded");
    let sent = first("g1_presence_mwi", "Command");
    assert!(sent.iter().any(|e| e.name().is_none() && value(e, "Command") == "sendevent PRESENCE_IN"));
}

#[test]
fn a_json_body_ends_without_a_line_break() {
    let bytes = recorded("d1_events_json");
    assert!(bytes.windows(16).any(|w| w == b"\"}Content-Length"), "the next frame follows at once");
    let job =
        events("d1_events_json").into_iter().find(|e| value(e, "Event-Name") == "BACKGROUND_JOB").unwrap();
    assert!(job.body().starts_with(b"UP 0 years"));
    assert_eq!(job.get("_body"), None);
    assert_eq!(value(&job, "Content-Length"), job.body().len().to_string());
}

#[test]
fn each_shape_of_refusal_is_recognised() {
    let said = |session: &str, command: &str| {
        let (_, response) = asked(session).into_iter().find(|(c, _)| c == command).unwrap();
        match response.said() {
            Said::Value(value) => format!("value {value}"),
            Said::Nothing => "nothing".into(),
            Said::Error(why) => format!("error {why}"),
        }
    };
    for (command, meaning) in [
        ("hash select/hotdesk/1005", "value 1001"),
        ("hash select/hotdesk/9999", "nothing"),
        ("hash insert/hotdesk/1005/1001", "value +OK"),
        ("hash delete/hotdesk/1006", "value +OK"),
        ("hash insert_ifempty/hotdesk/1005/1009", "error key already exists"),
        ("hash_dump limit", "nothing"),
        ("db insert/hotdesk/1005/1001", "value +OK"),
        ("db select/hotdesk/9999", "nothing"),
        ("db list/hotdesk", "value 1005,1006"),
        ("db nonsense", "error !err!"),
        ("db select/hotdesk/1007", "value a/b/c"),
        ("db select/hotdesk/1008", "value it's"),
        ("global_getvar nosuch", "nothing"),
        ("sofia status profile nosuch reg", "error Invalid Profile!"),
        ("user_data 7777@hotdesk.test param password", "nothing"),
        ("sofia_contact */1009@hotdesk.test", "error user_not_registered"),
    ] {
        assert_eq!(said("e1_hash_db_sofia", command), meaning, "{command}");
    }
    let dead = "uuid_answer 00000000-0000-0000-0000-000000000000";
    assert_eq!(said("a1_auth_ok", dead), "error -ERROR");
    assert_eq!(said("a1_auth_ok", "nosuchcommand x"), "error nosuchcommand Command not found!");
}

#[test]
fn deleting_what_is_not_there_is_no_error_in_db() {
    let deletes: Vec<_> =
        asked("e1_hash_db_sofia").into_iter().filter(|(c, _)| c == "db delete/hotdesk/1006").collect();
    assert_eq!(deletes.len(), 2);
    assert!(deletes.iter().all(|(_, r)| r.said() == Said::Value("+OK")));
}

#[test]
fn the_client_may_choose_the_id_of_a_job() {
    let job = events("b1_events_plain").into_iter().find(|e| value(e, "Job-UUID") == "job-b-1").unwrap();
    assert_eq!(
        (value(&job, "Event-Name"), value(&job, "Job-Command")),
        ("BACKGROUND_JOB".into(), "status".into())
    );
    assert!(String::from_utf8_lossy(job.body()).contains("is ready\n"));
}

#[test]
fn the_id_of_a_message_comes_back_with_what_it_ran() {
    let done: Vec<_> = events("b1_events_plain")
        .into_iter()
        .filter(|e| value(e, "Application-UUID").starts_with("5f0c5d3e-0000-4000-8000-"))
        .map(|e| {
            (value(&e, "Event-Name"), value(&e, "Application"), value(&e, "Application-UUID").pop().unwrap())
        })
        .collect();
    let done: Vec<_> = done.iter().map(|(e, a, id)| (e.as_str(), a.as_str(), *id)).collect();
    let complete = "CHANNEL_EXECUTE_COMPLETE";
    assert_eq!(
        done,
        [
            (complete, "play_and_get_digits", '1'),
            (complete, "playback", '2'),
            (complete, "play_and_get_digits", '3'),
            (complete, "play_and_get_digits", '4'),
        ]
    );
}

/// The events of one application in order: whether each is its end, and its id.
fn runs(session: &str, ids: &[&str]) -> Vec<(bool, String)> {
    let all = events(session).into_iter();
    let of_them = all.filter(|e| {
        value(e, "Event-Name").starts_with("CHANNEL_EXECUTE")
            && ids.contains(&value(e, "Application-UUID").as_str())
    });
    of_them
        .map(|e| (value(&e, "Event-Name") == "CHANNEL_EXECUTE_COMPLETE", value(&e, "Application-UUID")))
        .collect()
}

#[test]
fn applications_run_one_after_the_other_with_event_lock_and_inside_each_other_without() {
    let run = |ends, id: &str| (ends, id.to_owned());
    let locked = runs("c1_outbound_async_full_linger_phone_hangup", &["c-pb0", "c-pb1"]);
    assert_eq!(locked, [run(false, "c-pb0"), run(true, "c-pb0"), run(false, "c-pb1"), run(true, "c-pb1")]);
    let nested = runs("g4_misc", &["q1", "q2"]);
    assert_eq!(nested, [run(false, "q1"), run(false, "q2"), run(true, "q2"), run(true, "q1")]);
}

#[test]
fn digits_have_to_be_read_from_the_variable_and_the_result_together() {
    let digits = |session: &str, id: &str, variable: &str| {
        let done = events(session).into_iter().rev().find(|e| {
            value(e, "Event-Name") == "CHANNEL_EXECUTE_COMPLETE" && value(e, "Application-UUID") == id
        });
        let done = done.unwrap();
        assert_eq!(value(&done, "Application-Response"), "_none_");
        (value(&done, variable), value(&done, "variable_read_result"), value(&done, "Answer-State"))
    };
    let said = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    for (id, entered, result) in [
        ("g0", "4711", "success"),
        ("g1", "", "failure"),
        ("g2", "12", "timeout"),
        ("g3", "9", "failure"),
        ("g4", "", "success"),
        ("g6", "*1", "success"),
        ("g7", "123456", "success"),
    ] {
        assert_eq!(digits("g4_misc", id, "variable_v"), said(entered, result, "answered"), "{id}");
    }
    assert_eq!(digits("g4_misc", "g4", "variable_v_invalid").0, "55");
    let id = |n| format!("5f0c5d3e-0000-4000-8000-00000000000{n}");
    assert_eq!(digits("b1_events_plain", &id(1), "variable_hd_pin"), said("4711", "success", "answered"));
    assert_eq!(digits("b1_events_plain", &id(3), "variable_hd_pin2"), said("", "failure", "answered"));
    // Hung up in the middle: only the state of the call tells it from an entry.
    assert_eq!(digits("b1_events_plain", &id(4), "variable_hd_pin").2, "hangup");
}

#[test]
fn the_caller_number_is_what_the_phone_says_and_the_user_name_is_what_it_proved() {
    let spoofed = events("g4_misc").into_iter().find(|e| {
        value(e, "Event-Name") == "CHANNEL_PARK"
            && value(e, "variable_sip_auth_username") == "1005"
            && value(e, "Caller-Caller-ID-Number") == "1001"
    });
    let spoofed = spoofed.expect("the recorded call with a spoofed From");
    assert!(value(&spoofed, "Channel-Presence-ID").starts_with("1001@"));
    assert_eq!(value(&spoofed, "variable_user_name"), "1005");
    assert_eq!(value(&spoofed, "variable_sip_auth_realm"), "hotdesk.test");
}

#[test]
fn with_sensitive_dtmf_and_a_blanked_variable_no_event_after_it_has_the_digits() {
    let all = events("g6_sensitive_dtmf");
    let last_call =
        value(all.iter().rfind(|e| value(e, "Event-Name") == "CHANNEL_PARK").unwrap(), "Unique-ID");
    let of_it: Vec<_> = all.iter().filter(|e| value(e, "Unique-ID") == last_call).collect();
    assert!(!of_it.iter().any(|e| value(e, "Event-Name") == "DTMF"));
    let end = of_it.iter().find(|e| value(e, "Event-Name") == "CHANNEL_HANGUP_COMPLETE").unwrap();
    assert!(
        !end.iter().any(|(_, v)| v.contains("8264")),
        "{:?}",
        end.iter().find(|(_, v)| v.contains("8264"))
    );
}

#[test]
fn an_unknown_application_is_queued_and_ends_the_call() {
    assert!(events("g4_misc").iter().any(|e| {
        value(e, "Event-Name") == "CHANNEL_HANGUP_COMPLETE"
            && value(e, "Hangup-Cause") == "DESTINATION_OUT_OF_ORDER"
    }));
    assert_eq!(runs("g4_misc", &["n1"]), []);
}

#[test]
fn a_refused_connection_gets_the_reason_and_is_closed() {
    for (session, last_reply) in [
        ("a2_auth_fail", Some("-ERR invalid")),
        ("a5_no_auth_timeout", None),
        ("a6_userauth", Some("-ERR invalid")),
    ] {
        let all = frames(session);
        assert!(matches!(all[0], Frame::AuthRequest));
        let Some(Frame::Disconnect(notice)) = all.last() else { panic!("{session}: {all:?}") };
        assert!(notice.text().starts_with("Disconnected, goodbye.") && !notice.lingers());
        assert_eq!(replies(session).last().map(String::as_str), last_reply, "{session}");
    }
    assert_eq!(replies("a3_cmd_before_auth")[..2], ["-ERR command not found", "-ERR command not found"]);
}

#[test]
fn commands_in_one_segment_are_answered_in_their_order() {
    let answers: Vec<_> = asked("a4_crlf").into_iter().map(|(_, r)| r.text().into_owned()).collect();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[1], "hotdesk.test", "and none of them ends with a line break");
}

#[test]
fn with_linger_the_end_is_announced_and_without_it_just_comes() {
    let notices = |session: &str| -> Vec<_> {
        let notice = |f| if let Frame::Disconnect(n) = f { Some(n.lingers()) } else { None };
        frames(session).into_iter().filter_map(notice).collect()
    };
    assert_eq!(notices("c1_outbound_async_full_linger_phone_hangup"), [true, false]);
    assert_eq!(notices("c2_outbound_async_full_nolinger_phone_hangup"), [false]);
}

#[test]
fn without_full_there_is_no_api_on_a_call_s_connection() {
    assert!(replies("c6_outbound_sync_notfull").iter().any(|reply| reply == "-ERR command not found"));
}

#[test]
fn a_shutdown_is_said_and_a_kill_is_not() {
    for session in ["f1b_shutdown", "f2_shutdown_restart", "f4_sigterm"] {
        assert!(names(session).iter().any(|name| name == "SHUTDOWN"), "{session}");
        let all = frames(session);
        let Some(Frame::Disconnect(notice)) = all.last() else { panic!("{session}") };
        assert_eq!(notice.text(), "The system is being shut down.\n", "{session}");
    }
    for session in ["f1_shutdown_now", "f2b_shutdown_restart_now", "f3_kill9"] {
        assert!(!matches!(frames(session).last(), Some(Frame::Disconnect(_))), "{session}");
    }
}

#[test]
fn after_a_restart_the_core_has_another_id() {
    let core = |session: &str| value(&events(session)[0], "Core-UUID");
    let (before, after) = (core("f2_shutdown_restart"), core("f2_shutdown_restart_reconnect"));
    assert!(before.len() == 36 && after.len() == 36 && before != after);
}

#[test]
fn an_expired_registration_names_its_user_otherwise_than_a_registration() {
    let all = events("h1_expire");
    let of = |subclass: &str| all.iter().find(|e| value(e, "Event-Subclass") == subclass).unwrap();
    assert!(!value(of("sofia::register"), "from-user").is_empty());
    let expired = of("sofia::expire");
    assert!(expired.get("from-user").is_none() && !value(expired, "user").is_empty());
}

#[test]
fn events_of_an_unknown_call_are_promised_all_the_same() {
    assert_eq!(replies("g5_filter").last().map(String::as_str), Some("+OK Events Enabled"));
}

#[test]
fn an_empty_value_is_empty_and_an_array_is_one_text() {
    let text = "A: _undef_\nB: ARRAY%3A%3Aone%7C%3Atwo%20\nC:\nD: %zz%4\n\n";
    let frame = format!("Content-Length: {}\nContent-Type: text/event-plain\n\n{text}", text.len());
    let Frame::Event(event) = super::decode([frame]).unwrap().remove(0) else { panic!() };
    let all: Vec<_> = event.iter().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(all, ["A=", "B=ARRAY::one|:two ", "C=", "D=%zz%4"]);
    assert_eq!(event.get("a").as_deref(), Some(""));
    assert_eq!(event.get("E"), None);
}
