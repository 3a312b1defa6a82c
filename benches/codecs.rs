//! Frames decoded per second, beside two others on the same bytes in the same run: a visit of every newline, and the simplest
//! decoder (`lines`, `split_once`, a `HashMap` of `String`s).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::collections::HashMap;
use std::hint::black_box;

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotdesk::asterisk::agi::codec as agi;
use hotdesk::asterisk::ami::codec as ami;
use tokio_util::codec::Decoder;

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/asterisk/{name}.in", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Decodes `bytes` as they would come in reads of 16 KiB, and looks at each frame.
fn decode<D: Decoder>(mut decoder: D, bytes: &[u8], mut look: impl FnMut(&D::Item)) -> u64
where
    D::Error: std::fmt::Debug,
{
    let mut buffer = BytesMut::with_capacity(32 * 1024);
    let mut frames = 0;
    for read in bytes.chunks(16 * 1024) {
        buffer.extend_from_slice(read);
        while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
            look(&frame);
            frames += 1;
        }
    }
    frames
}

fn decode_ami(bytes: &[u8]) -> u64 {
    decode(ami::Decoder::default(), bytes, |frame| {
        if let ami::Frame::Message(message) = frame {
            black_box((message.event(), message.header("ActionID"), message.header("Uniqueid")));
        }
    })
}

fn decode_agi(bytes: &[u8]) -> u64 {
    decode(agi::Decoder::default(), bytes, |frame| match frame {
        agi::Frame::Environment(env) => {
            black_box((env.var("network_script"), env.var("uniqueid"), env.var("channel")));
        }
        agi::Frame::Reply(agi::Reply::Done(answer)) => {
            black_box((answer.result(), answer.value()));
        }
        other => {
            black_box(other);
        }
    })
}

fn newlines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', black_box(bytes)).count()
}

/// Messages as a `HashMap` each, which loses repeated headers and their order.
fn naive(text: &str) -> usize {
    let mut messages = 0;
    let mut headers = HashMap::new();
    for line in text.lines() {
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_lowercase(), value.trim_start().to_owned());
        } else {
            black_box((headers.get("event"), headers.get("actionid"), headers.get("uniqueid")));
            headers.clear();
            messages += 1;
        }
    }
    messages
}

fn codecs(c: &mut Criterion) {
    for (name, bytes, decode) in [
        ("ami-events", recorded("ami-events"), decode_ami as fn(&[u8]) -> u64),
        ("ami-actions", recorded("ami-actions"), decode_ami),
        ("agi-login", recorded("agi-login-clean-ast22"), decode_agi),
    ] {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let frames = decode(&bytes);
        assert!(frames > 1, "{frames} frames in {name}");
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(frames));
        group.bench_function("hotdesk", |b| b.iter(|| decode(&bytes)));
        group.bench_function("floor: newlines", |b| b.iter(|| newlines(&bytes)));
        group.bench_function("peer: lines and a HashMap", |b| b.iter(|| naive(&text)));
        group.finish();
    }
}

criterion_group!(benches, codecs);
criterion_main!(benches);
