//! What AMI's messages mean, and how its actions are written.

use bytes::BytesMut;
use hotdesk::asterisk::ami::codec::{ACTION_HEADERS_LIMIT, Action, Frame, InvalidAction, Message};

use super::{decode_ami, recorded, show_ami};

fn messages(bytes: &[u8]) -> Vec<Message> {
    let frames = decode_ami([bytes]).unwrap().into_iter();
    frames.filter_map(|frame| if let Frame::Message(m) = frame { Some(m) } else { None }).collect()
}

fn one(text: &str) -> Message {
    messages(format!("Asterisk Call Manager/11.0.0\r\n{text}\r\n\r\n").as_bytes()).remove(0)
}

fn encoded(action: &Action) -> String {
    let mut out = BytesMut::new();
    action.encode(7, &mut out).unwrap();
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn the_banner_tells_the_version_of_the_interface() {
    let banner = |name| show_ami(&decode_ami([recorded(name)]).unwrap()[0]);
    assert_eq!(banner("ami-basic-ast22"), "banner 11.0.0");
    assert_eq!(banner("ami-basic-ast16"), "banner 5.0.4");
}

#[test]
fn a_list_is_a_response_its_events_and_a_last_one() {
    let all = messages(&recorded("ami-actions"));
    let list: Vec<_> = all.iter().filter(|m| m.header("actionid") == Some("DBGetTree-11")).collect();
    assert_eq!(list[0].header("EventList"), Some("start"));
    assert!(list[0].is_success() && list[0].event().is_none());
    assert_eq!(list[1].event(), Some("DBGetTreeResponse"));
    assert_eq!(list[1].header("Key"), Some("/HD/device/desk1/user"));
    assert_eq!(list[3].header("EventList"), Some("Complete"));
    assert_eq!(list[3].header("ListItems"), Some("2"));
    assert_eq!(list.len(), 4);
}

#[test]
fn values_are_kept_as_they_are() {
    let all = messages(&recorded("ami-actions"));
    let find = |id: &str| all.iter().filter(|m| m.header("ActionID") == Some(id)).collect::<Vec<_>>();
    assert_eq!(find("DBGet-26")[1].header("Val"), Some("Müller \"q\" <1>: x"));
    assert_eq!(find("DBGet-22")[1].header("Val"), Some(""));
    let output: Vec<_> = find("Command-107")[0].headers("Output").collect();
    assert_eq!(output.len(), 12);
    assert_eq!(output[1], "/HD/empty                                         :                          ");
    assert!(!find("Command-109")[0].is_success());
}

#[test]
fn a_lone_line_feed_is_part_of_a_value_and_ends_no_message() {
    let all = messages(&recorded("ami-actions"));
    let refused = all.iter().find(|m| m.header("Message").is_some_and(|m| m.contains("nosuch'"))).unwrap();
    assert_eq!(refused.header("Message"), Some("Unable to find notify type 'nosuch'\n"));
    assert_eq!(one("Event: A\r\nX: 1\n2\r\nY: 3").iter().count(), 3);
}

#[test]
fn lines_that_are_not_quite_headers_do_no_harm() {
    let message = one("Event: UserEvent\r\nno colon\r\nempty:\r\nA:b:c\r\nB:  two spaces\r\nB: again");
    let all: Vec<_> = message.iter().skip(1).collect();
    assert_eq!(all, [("no colon", ""), ("empty", ""), ("A", "b:c"), ("B", " two spaces"), ("B", "again")]);
    assert_eq!(message.header("b"), Some(" two spaces"));
}

#[test]
fn bytes_that_are_no_utf8_are_replaced_and_the_rest_stays_in_place() {
    let bytes = b"Asterisk Call Manager/11.0.0\r\nEvent: A\r\nName: Zo\xeb\r\nNext: 1\r\n\r\n";
    let message = messages(bytes).remove(0);
    assert_eq!(message.header("Name"), Some("Zo\u{fffd}"));
    assert_eq!(message.header("Next"), Some("1"));
}

#[test]
fn an_action_is_written_with_its_id() {
    let action = Action::new("DBPut").with("Family", "hotdesk").with("Key", "user/101").with("Val", "");
    assert_eq!(
        encoded(&action),
        "Action: DBPut\r\nActionID: 7\r\nFamily: hotdesk\r\nKey: user/101\r\nVal: \r\n\r\n"
    );
    assert_eq!(encoded(&Action::new("Ping")), "Action: Ping\r\nActionID: 7\r\n\r\n");
}

#[test]
fn an_action_that_would_be_two_or_be_changed_or_refused_is_not_sent() {
    let mut out = BytesMut::new();
    let mut refused = |action: Action| action.encode(7, &mut out).unwrap_err().to_string();
    for bad in ["x\r\nAction: Originate", "x\n", "\r", "\0"] {
        let message = refused(Action::new("DBPut").with("Val", bad));
        assert_eq!(message, "Val of an AMI action cannot carry a CR, LF or NUL, nor its name a colon");
        refused(Action::new("DBPut").with(bad, "1"));
        assert!(refused(Action::new("DBPut").with("A: B", "1")).starts_with("A: B of"));
    }
    assert_eq!(
        refused(Action::new("DBPut").with("Val", " x")),
        "Val of an AMI action cannot begin with a space"
    );
    let long = refused(Action::new("DBPut").with("Val", "x".repeat(996)));
    assert_eq!(long, "Val of an AMI action takes 1001 bytes with its name, at most 1000 are possible");
    let many = (0..ACTION_HEADERS_LIMIT - 1).fold(Action::new("DBPut"), |a, i| a.with(format!("H{i}"), "1"));
    assert_eq!(many.check(), Err(InvalidAction::TooMany(101)));
    assert!(out.is_empty(), "nothing is sent of what is refused");
}

#[test]
fn debug_shows_no_value() {
    let message = one("Event: Newchannel\r\nExten: *35*101*98765");
    let shown = format!("{message:?} {:?}", Action::new("DBPut").with("Val", "98765"));
    assert_eq!(shown, "Message(Newchannel, 2 headers) Action(DBPut)");
}
