//! Events of 60 headers decoded per second, with six headers of each looked up: Hotdesk's decoder, other crates, and as the
//! floor a visit of every newline of the same bytes. All in one run, on one thread.
//!
//! `freeswitch-esl-tokio` reads only from a TCP connection, so Hotdesk's decoder is measured over one, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::collections::HashMap;
use std::hint::black_box;

use bytes::{Buf, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eslrs::ESLConnection;
use eslrs::event::{EventFormat, PlainEvent};
use freeswitch_esl_tokio::{EslClient, EslConnectOptions};
use hotdesk::freeswitch::esl::codec::{Decoder, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt, join, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio_util::codec::Decoder as _;

const EVENTS: usize = 2000;
const HEADERS: usize = 60;
const WANTED: [&str; 6] = [
    "Event-Name",
    "Unique-ID",
    "Channel-Name",
    "Caller-Destination-Number",
    "Caller-Context",
    "variable_sip_auth_username",
];

/// Parked calls' events of 60 headers each, made of recorded ones: the six that are looked up and the first 54 others.
fn events() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/freeswitch/g4_misc.recv.raw");
    let recorded = std::fs::read_to_string(path).unwrap();
    let parked: Vec<_> = recorded
        .split("Content-Type: text/event-plain\n\n")
        .filter_map(|event| event.split_once("\n\n").map(|(headers, _)| headers))
        .filter(|headers| headers.starts_with("Event-Name: CHANNEL_PARK"))
        .map(|headers| {
            let wanted = |line: &&str| WANTED.iter().any(|name| line.split(':').next() == Some(name));
            let mut others = HEADERS - headers.lines().filter(wanted).count();
            let keep = |line: &&str| {
                wanted(line)
                    || (others > 0 && {
                        others -= 1;
                        true
                    })
            };
            headers.lines().filter(keep).map(|line| format!("{line}\n")).collect::<String>() + "\n"
        })
        .collect();
    assert!(parked.iter().all(|event| event.lines().count() == HEADERS + 1));
    let frame = |event: &String| {
        format!("Content-Length: {}\nContent-Type: text/event-plain\n\n{event}", event.len())
    };
    parked.iter().cycle().take(EVENTS).map(frame).collect::<String>().into_bytes()
}

/// Decodes what is in the buffer; how many events that were.
fn take(decoder: &mut Decoder, buffer: &mut BytesMut) -> usize {
    let mut events = 0;
    while let Some(frame) = decoder.decode(buffer).unwrap() {
        let Frame::Event(event) = frame else { panic!("{frame:?}") };
        for name in WANTED {
            black_box(event.get(name).unwrap());
        }
        events += 1;
    }
    events
}

fn hotdesk(bytes: &[u8]) {
    let (mut decoder, mut buffer, mut events) = (Decoder::default(), BytesMut::new(), 0);
    for read in bytes.chunks(16 * 1024) {
        buffer.extend_from_slice(read);
        events += take(&mut decoder, &mut buffer);
    }
    assert_eq!(events, EVENTS);
}

async fn eslrs(bytes: &[u8]) {
    let mut connection = ESLConnection::new(join(bytes, sink()));
    for _ in 0..EVENTS {
        let event = connection.recv().await.unwrap();
        let event = PlainEvent::try_from_raw(event.get_body().unwrap()).unwrap();
        for name in WANTED {
            black_box(event.get_header(name).unwrap());
        }
    }
}

/// What `freeswitch-esl` 0.1.0 does to tell frames apart, from its description: a byte-wise search for the empty line, the
/// headers of the frame as a map, the body copied to a `String`. It reads no header of an event.
fn framing(bytes: &[u8]) {
    let (mut buffer, mut events) = (BytesMut::new(), 0);
    for read in bytes.chunks(16 * 1024) {
        buffer.extend_from_slice(read);
        while let Some(end) =
            buffer.iter().zip(buffer.iter().skip(1)).position(|(a, b)| (*a, *b) == (b'\n', b'\n'))
        {
            let text = String::from_utf8_lossy(buffer.get(..end).unwrap()).into_owned();
            let pairs = text.split('\n').filter_map(|line| line.split_once(':'));
            let headers: HashMap<String, serde_json::Value> =
                pairs.map(|(name, value)| (name.trim().into(), value.trim().into())).collect();
            let length: usize = headers.get("Content-Length").unwrap().as_str().unwrap().parse().unwrap();
            if buffer.len() < end + 2 + length {
                break;
            }
            buffer.advance(end + 2);
            black_box(String::from_utf8_lossy(&buffer.split_to(length)).into_owned());
            events += 1;
        }
    }
    assert_eq!(events, EVENTS);
}

async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let out = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (out, listener.accept().await.unwrap().0)
}

async fn hotdesk_over_tcp(bytes: &'static [u8]) {
    let (mut out, mut stream) = connection().await;
    tokio::spawn(async move { out.write_all(bytes).await.unwrap() });
    let (mut decoder, mut buffer, mut events) = (Decoder::default(), BytesMut::new(), 0);
    while events < EVENTS {
        buffer.reserve(16 * 1024);
        assert_ne!(stream.read_buf(&mut buffer).await.unwrap(), 0);
        events += take(&mut decoder, &mut buffer);
    }
}

async fn freeswitch_esl_tokio(bytes: &'static [u8]) {
    let (mut out, stream) = connection().await;
    let options = EslConnectOptions::new().with_event_queue_size(EVENTS + 1);
    let (_client, mut events) = EslClient::accept_outbound_stream_with_options(stream, options);
    let writer = tokio::spawn(async move {
        out.write_all(bytes).await.unwrap();
        out
    });
    for _ in 0..EVENTS {
        let event = events.recv().await.unwrap().unwrap();
        for name in WANTED {
            black_box(event.header_str(name).unwrap());
        }
    }
    drop(writer.await.unwrap());
}

fn esl(c: &mut Criterion) {
    let bytes: &'static [u8] = events().leak();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = c.benchmark_group("esl-events");
    group.throughput(Throughput::Elements(EVENTS as u64)).sample_size(20);
    group.bench_function("hotdesk", |b| b.iter(|| hotdesk(bytes)));
    group.bench_function("floor: newlines", |b| {
        // Not `count()`, which does not visit them.
        b.iter(|| memchr::memchr_iter(b'\n', black_box(bytes)).map(black_box).fold(0, |_, at| at));
    });
    group.bench_function("peer: eslrs", |b| b.iter(|| runtime.block_on(eslrs(bytes))));
    group.bench_function("peer: framing of freeswitch-esl", |b| b.iter(|| framing(bytes)));
    group.bench_function("over TCP: hotdesk", |b| b.iter(|| runtime.block_on(hotdesk_over_tcp(bytes))));
    group.bench_function("over TCP: freeswitch-esl-tokio", |b| {
        b.iter(|| runtime.block_on(freeswitch_esl_tokio(bytes)))
    });
    group.finish();
}

criterion_group!(benches, esl);
criterion_main!(benches);
