//! The lamp of a device, on a scripted FreeSWITCH.

use hotdesk::freeswitch::lamps::darken;

use super::up;

#[tokio::test(start_paused = true)]
async fn after_a_call_from_a_device_its_lamp_is_said_to_be_dark() {
    let (client, events, _network, mut fs) = up().await;
    tokio::spawn(darken(client, events));
    let over = ("Event-Name", "CHANNEL_HANGUP_COMPLETE");
    // One that came from no phone, and one from a phone.
    fs.event(&[over, ("Unique-ID", "6"), ("variable_hd_caller", "101")], "").await;
    let phone =
        [("variable_sip_auth_username", "desk1"), ("variable_domain_name", "a.example"), ("Unique-ID", "7")];
    fs.event(&[&[over], &phone[..]].concat(), "").await;
    let asked = fs.asked().await;
    let lines: Vec<_> = asked.lines().collect();
    assert_eq!(lines[..2], ["sendevent PRESENCE_IN", "Event-Name: PRESENCE_IN"]);
    for line in ["from: desk1@a.example", "answer-state: terminated", "unique-id: hotdesk-7"] {
        assert!(lines.contains(&line), "{asked}");
    }
}
