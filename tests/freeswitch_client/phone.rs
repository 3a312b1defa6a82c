//! A caller, spoken to on a scripted FreeSWITCH.

use std::time::Duration;

use hotdesk::freeswitch::calls::caller::{self, FsPhone, NoCall};
use hotdesk::freeswitch::esl::event::Event;
use hotdesk::model::id::{Extension, Language, SwitchName, TenantId};
use hotdesk::model::login::prompt::Prompt;
use hotdesk::switch::{Call, Caller, Digits, Gone, Outcome, Utterance};
use tokio::sync::Semaphore;

use super::line::Line;

const DIGITS: Digits = Digits { first: Duration::from_secs(7), next: Duration::from_secs(4), most: 10 };
const ENTER_PIN: &str = "${sounds_dir}/hotdesk/en/enter-pin.wav";
const CALL: &str = "7";

fn event(headers: &[(String, String)]) -> Event {
    // As `uuid_dump` shows a call, which is what a park shows.
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let body = serde_json::Value::Object(headers).to_string();
    let frame = format!("Content-Length: {}\nContent-Type: text/event-json\n\n{body}", body.len());
    let mut decoder = hotdesk::freeswitch::esl::codec::Decoder::default();
    let frame = tokio_util::codec::Decoder::decode(&mut decoder, &mut frame.as_str().into());
    match frame.unwrap() {
        Some(hotdesk::freeswitch::esl::codec::Frame::Event(event)) => event,
        other => panic!("{other:?}"),
    }
}

fn over<'a>(Line { client, .. }: &'a Line, turns: &'a Semaphore) -> caller::Line<'a> {
    caller::Line { client, waiting: client, turns, pins: None }
}

async fn take(line: &Line, does: &str, headers: &[(&str, &str)]) -> Result<(FsPhone, Call), NoCall> {
    let parked = event(&line.dials(CALL, does, headers));
    let (switch, tenant) = (SwitchName::new("fs").unwrap(), TenantId::default());
    FsPhone::take(over(line, &Semaphore::new(1)), &parked, switch, tenant, "us").await
}

/// A caller whose call is taken. The commands so far are dropped.
async fn caller(line: &Line, does: &str, headers: &[(&str, &str)]) -> FsPhone {
    let (phone, _) = take(line, does, headers).await.unwrap();
    line.commands();
    phone
}

#[tokio::test(start_paused = true)]
async fn a_parked_call_is_taken_by_lifting_its_time_out_and_hides_what_is_keyed_before_it_is_answered() {
    let line = Line::up(&[]).await;
    let dialled = "*35*101*4711";
    let (_, call) = take(&line, "", &[("variable_hd_dialled", dialled), ("Caller-Caller-ID-Number", "102")])
        .await
        .unwrap();
    assert_eq!(
        line.commands(),
        [
            "sched_del 7",
            "push hd_controller=us",
            "uuid_setvar 7 sensitive_dtmf true",
            "uuid_setvar 7 hd_dialled",
            "answer",
            "endless_playback silence_stream://-1",
        ]
    );
    assert_eq!(
        (call.id.to_string().as_str(), call.device.as_str(), call.dialled.0.as_str()),
        (CALL, "desk1", dialled)
    );
    assert_eq!((call.switch.as_str(), call.from), ("fs", "192.0.2.7".parse().ok()));
    assert!(!format!("{call:?}").contains("4711"));
}

#[tokio::test(start_paused = true)]
async fn a_user_who_was_rung_is_asked_to_extend_and_a_caller_is_not() {
    let line = Line::up(&[]).await;
    let until = jiff::Timestamp::from_second(1_800_000_000).unwrap();
    let rung = [
        ("Call-Direction", "outbound"),
        ("variable_hd_extend_until", "1800000000"),
        ("variable_hd_rung", "desk1"),
        ("variable_sip_auth_username", ""),
        ("variable_hd_dialled", ""),
    ];
    let (_, call) = take(&line, "", &rung).await.unwrap();
    assert_eq!(
        (call.extend_until, call.device.as_str(), call.dialled.0.as_str()),
        (Some(until), "desk1", "")
    );
    // The next controller that takes the call does not ask again.
    assert!(line.commands().contains(&"uuid_setvar 7 hd_extend_until".into()));
    // A caller, with any variables.
    let forged = [
        ("Call-Direction", "inbound"),
        ("variable_hd_extend_until", "1800000000"),
        ("variable_hd_rung", "desk2"),
    ];
    let (_, call) = take(&line, "", &forged).await.unwrap();
    assert_eq!((call.extend_until, call.device.as_str(), call.dialled.0.as_str()), (None, "desk1", "*99"));
    // No time, or an impossible one.
    for wrong in ["", "soon", "99999999999999999"] {
        let mut headers = rung;
        headers[1].1 = wrong;
        assert!(matches!(take(&line, "", &headers).await, Err(NoCall::Unfit(_))), "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_no_longer_there_or_not_a_phones_is_left_alone() {
    let line = Line::up(&[]).await;
    let parked = event(&line.dials(CALL, "", &[]));
    line.taken_elsewhere(CALL);
    let (switch, tenant) = (SwitchName::new("fs").unwrap(), TenantId::default());
    let taken = FsPhone::take(over(&line, &Semaphore::new(1)), &parked, switch, tenant, "us").await;
    assert!(matches!(taken, Err(NoCall::Ended)));
    assert_eq!(line.commands(), ["sched_del 7"], "another controller has the call now");
    let Err(error) = take(&line, "", &[("variable_sip_auth_username", "")]).await else {
        panic!("no device")
    };
    assert!(
        matches!(error, NoCall::Unfit(_)) && error.to_string().contains("hotdesk dialplan install"),
        "{error}"
    );
    for id in ["", "7 ; rm", "7\tx", "7\u{a0}x"] {
        let taken = take(&line, "", &[("Unique-ID", id)]).await;
        assert!(matches!(taken, Err(NoCall::Unreachable)), "{id:?}");
    }
    assert!(matches!(take(&line, "", &[("variable_last_sched_id", "x")]).await, Err(NoCall::Ended)));
    assert!(line.commands().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_another_controller_was_the_first_to_claim_is_left_to_it() {
    let line = Line::up(&[]).await;
    let taken = take(&line, "", &[("variable_hd_controller", "ARRAY::them|:more")]).await;
    assert!(matches!(taken, Err(NoCall::Ended)));
    assert_eq!(line.commands(), ["sched_del 7", "push hd_controller=us"]);
    // Its own, after a restart.
    assert!(take(&line, "", &[("variable_hd_controller", "us")]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_read_key_by_key_and_ends_with_a_hash_the_time_or_its_length() {
    let line = Line::up(&[ENTER_PIN]).await;
    let mut phone = caller(&line, "12*0#34 # 0123456789", &[]).await;
    let mut entries = vec![];
    for _ in 0..5 {
        entries.push(phone.ask(Prompt::EnterPin, &DIGITS).await.unwrap().0.to_string());
        let commands = line.commands();
        let (cleared, reads) = commands.split_last().unwrap();
        assert_eq!(cleared, "uuid_setvar 7 hd_entry");
        assert_eq!(reads[0], format!("read 1 1 {ENTER_PIN} hd_entry 7000 - 7000"));
        assert!(reads[1..].iter().all(|read| read == "read 1 1 silence hd_entry 4000 - 4000"), "{reads:?}");
        assert_eq!(reads.len(), (entries.last().unwrap().len() + 1).min(10));
    }
    assert_eq!(entries, ["12*0", "34", "", "", "0123456789"]);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_is_played_from_the_best_there_is_down_to_a_tone() {
    let ours = |language: &str| format!("${{sounds_dir}}/hotdesk/{language}/enter-pin.wav");
    let stock = "${sound_prefix}/ivr/8000/ivr-please_enter_pin_followed_by_pound.wav";
    let (flemish, dutch, english) = (ours("nl-BE"), ours("nl"), ours("en"));
    let mut there = vec![flemish.as_str(), &dutch, &english, stock];
    for played in [flemish.as_str(), &dutch, &english, stock, hotdesk::freeswitch::dialplan::sounds::TONE] {
        let line = Line::up(&there).await;
        let mut phone = caller(&line, "", &[("variable_default_language", "nl-BE")]).await;
        phone.say(&[Utterance::Prompt(Prompt::EnterPin)]).await.unwrap();
        assert_eq!(line.commands(), [format!("playback {played}")], "with {there:?}");
        if !there.is_empty() {
            there.remove(0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_hears_their_language_and_the_extension_digit_by_digit() {
    let digits = |digits: &str| -> Vec<String> {
        digits.chars().map(|digit| format!("${{sound_prefix}}/digits/8000/{digit}.wav")).collect()
    };
    let prompts = ["en", "nl"].map(|language| format!("${{sounds_dir}}/hotdesk/{language}/logged-in.wav"));
    let words = [Utterance::Prompt(Prompt::LoggedIn), Utterance::Extension(Extension::new("2012").unwrap())];
    for (spoken, missing) in [("0123456789", false), ("013456789", true)] {
        let files = [digits(spoken), prompts.to_vec()].concat();
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        let line = Line::up(&files).await;
        let mut phone = caller(&line, "", &[]).await;
        phone.speak(&Language::new("nl").unwrap()).await.unwrap();
        assert_eq!(line.commands(), ["uuid_setvar 7 default_language nl"]);
        phone.say(&words).await.unwrap();
        let mut said = vec![format!("playback {}", prompts[1])];
        if !missing {
            said.extend(
                "2012".chars().map(|digit| format!("playback ${{sound_prefix}}/digits/8000/{digit}.wav")),
            );
        }
        assert_eq!(line.commands(), said, "half an extension is worse than none");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_in_a_question_has_entered_nothing_and_hears_nothing_more() {
    let line = Line::up(&[]).await;
    let mut phone = caller(&line, "729!", &[]).await;
    assert_eq!(phone.ask(Prompt::EnterPin, &DIGITS).await, Err(Gone));
    line.commands();
    assert_eq!(phone.say(&[Utterance::Prompt(Prompt::NotAccepted)]).await, Err(Gone));
    assert_eq!(phone.ask(Prompt::EnterPin, &DIGITS).await, Err(Gone));
    assert_eq!(phone.speak(&Language::new("nl").unwrap()).await, Err(Gone));
    phone.end(Outcome::Refused).await;
    let commands = line.commands();
    assert!(commands.iter().all(|command| command.starts_with("uuid_setvar")), "{commands:?}");
}

#[tokio::test(start_paused = true)]
async fn a_conversation_ends_with_its_outcome_and_a_hang_up_and_a_lost_connection_is_a_lost_caller() {
    let line = Line::up(&[]).await;
    caller(&line, "", &[]).await.end(Outcome::LoggedIn).await;
    assert_eq!(
        line.commands(),
        ["uuid_setvar 7 hd_entry", "uuid_setvar 7 hd_result logged-in", "hangup NORMAL_CLEARING"]
    );
    let mut phone = caller(&line, "1~", &[]).await;
    let asked = phone.ask(Prompt::EnterPin, &DIGITS);
    let (asked, ()) = tokio::join!(asked, line.reconnects());
    assert_eq!(asked, Err(Gone));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_never_ends_is_given_up_before_the_dialplan_ends_the_call() {
    let line = Line::up(&[]).await;
    let mut phone = caller(&line, "1~", &[]).await;
    let began = tokio::time::Instant::now();
    assert_eq!(phone.ask(Prompt::EnterPin, &DIGITS).await, Err(Gone));
    let took = began.elapsed();
    assert!(took > Duration::from_secs(100) && took < Duration::from_secs(120), "{took:?}");
}
