//! The recorded events through an independent codec: header by header the same.

use std::time::Duration;

use freeswitch_esl_tokio::{EslClient, EslConnectOptions};
use hotdesk::freeswitch::esl::event::Event;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::events;

/// Events as that crate reads them; it takes no stream but a TCP connection.
async fn theirs(bytes: Vec<u8>, count: usize) -> Vec<freeswitch_esl_tokio::EslEvent> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut out = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let options = EslConnectOptions::new().with_event_queue_size(count + 1);
    let (_client, mut events) = EslClient::accept_outbound_stream_with_options(stream, options);
    out.write_all(&bytes).await.unwrap();
    let mut all = Vec::new();
    while all.len() < count {
        all.push(timeout(Duration::from_secs(20), events.recv()).await.unwrap().unwrap().unwrap());
    }
    all
}

/// The frames of a recording that are events, as they came.
fn event_frames(name: &str) -> Vec<u8> {
    let bytes = super::recorded(name);
    let (mut kept, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some(head) = rest.windows(2).position(|w| w == b"\n\n") {
        let text = String::from_utf8_lossy(&rest[..head]);
        let body: usize =
            text.lines().find_map(|l| l.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
        let (frame, after) = rest.split_at(head + 2 + body);
        if text.contains("Content-Type: text/event-") {
            kept.extend_from_slice(frame);
        }
        rest = after;
    }
    kept
}

fn ours(event: &Event) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        event.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect();
    // Theirs writes some names otherwise and keeps each once.
    all.sort();
    all.dedup_by(|a, b| a.0 == b.0);
    all
}

/// Of an array in JSON theirs gives the JSON; in plain events both give what FreeSWITCH writes there.
fn array(value: &str) -> String {
    let array: Option<Vec<String>> = serde_json::from_str(value).ok();
    array.map_or_else(|| value.to_owned(), |values| format!("ARRAY::{}", values.join("|:")))
}

#[tokio::test]
async fn the_same_events_read_by_another_crate_have_the_same_headers_and_bodies() {
    let mut compared = 0;
    for name in [
        "b1_events_plain",
        "d1_events_json",
        "e2_sofia_reg",
        "g1_presence_mwi",
        "f3_kill9_reconnect",
        "g4_misc",
    ] {
        let ours_all = events(name);
        let theirs_all = theirs(event_frames(name), ours_all.len()).await;
        for (mine, other) in ours_all.iter().zip(&theirs_all) {
            let mut headers: Vec<(String, String)> =
                other.headers().iter().map(|(n, v)| (n.to_ascii_lowercase(), array(v))).collect();
            headers.sort();
            let (same, headers) = (ours(mine), headers);
            let differ: Vec<_> = same.iter().zip(&headers).find(|(a, b)| a != b).into_iter().collect();
            assert!(differ.is_empty() && same.len() == headers.len(), "{name}: {mine:?}: {differ:?}");
            assert_eq!(
                String::from_utf8_lossy(mine.body()),
                other.body().unwrap_or_default(),
                "{name}: {mine:?}"
            );
            compared += headers.len();
        }
    }
    assert!(compared > 30_000, "{compared}");
}
