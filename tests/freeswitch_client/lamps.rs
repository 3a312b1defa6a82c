//! The lamp of a device, on a scripted FreeSWITCH.

use hotdesk::freeswitch::presence::publish::clear_after_calls;

use super::up;

#[tokio::test(start_paused = true)]
async fn after_a_users_call_from_a_device_the_devices_blf_is_cleared() {
    let (client, events, _network, mut fs) = up().await;
    tokio::spawn(clear_after_calls(client, events));
    let over = ("Event-Name", "CHANNEL_DESTROY");
    let user = ("variable_hd_caller", "101");
    let phone = [("variable_sip_auth_username", "desk1"), ("variable_domain_name", "a.example")];
    // One that came from no phone, one that no user made, and one that a user made at a phone.
    fs.event(&[over, ("Unique-ID", "5"), user], "").await;
    fs.event(&[&[over, ("Unique-ID", "6")], &phone[..]].concat(), "").await;
    fs.event(&[&[over, ("Unique-ID", "7"), user], &phone[..]].concat(), "").await;
    let asked = fs.asked().await;
    let lines: Vec<_> = asked.lines().collect();
    assert_eq!(lines[..2], ["sendevent PRESENCE_IN", "Event-Name: PRESENCE_IN"]);
    for line in ["from: desk1@a.example", "answer-state: terminated", "unique-id: hotdesk-7"] {
        assert!(lines.contains(&line), "{asked}");
    }
}
