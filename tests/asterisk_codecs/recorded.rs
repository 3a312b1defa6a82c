//! Every recorded session, however its bytes arrive, means the same.

use super::{decode_agi, decode_ami, show_agi, show_ami};

fn each_recording(prefix: &str, decode: impl Fn(&[&[u8]]) -> Vec<String>) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/asterisk");
    let names =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names
        .filter_map(|n| n.strip_suffix(".in").filter(|n| n.starts_with(prefix)).map(str::to_owned))
        .collect();
    assert!(names.len() >= 10, "the recordings are missing");
    for name in names {
        let bytes = super::recorded(&name);
        let whole = decode(&[&bytes]);
        assert!(whole.len() >= 2, "{name}: {whole:?}");
        assert_eq!(decode(&bytes.chunks(1).collect::<Vec<_>>()), whole, "{name} byte by byte");
        for section in sections(&bytes) {
            let whole = decode(&[&section]);
            for at in 1..section.len() {
                let (head, tail) = section.split_at(at);
                assert_eq!(decode(&[head, tail]), whole, "{name} split at {at} of {section:?}");
            }
        }
    }
}

/// A long AMI session in parts of a message or two, each with the banner: to split the whole of it at each byte would take
/// minutes, and a decoder starts afresh with each message anyway.
fn sections(bytes: &[u8]) -> Vec<Vec<u8>> {
    if bytes.len() < 4_000 {
        return vec![bytes.to_vec()];
    }
    let banner = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
    let mut sections = vec![bytes[..banner].to_vec()];
    for message in String::from_utf8_lossy(&bytes[banner..]).split_inclusive("\r\n\r\n") {
        if sections.last().is_some_and(|section| section.len() > 200) {
            sections.push(bytes[..banner].to_vec());
        }
        sections.last_mut().unwrap().extend_from_slice(message.as_bytes());
    }
    sections
}

#[test]
fn a_fastagi_session_means_the_same_however_its_bytes_arrive() {
    each_recording("agi-", |pieces| decode_agi(pieces).unwrap().iter().map(show_agi).collect());
}

#[test]
fn an_ami_session_means_the_same_however_its_bytes_arrive() {
    each_recording("ami-", |pieces| decode_ami(pieces).unwrap().iter().map(show_ami).collect());
}
