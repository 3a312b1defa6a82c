//! RTP packets (RFC 3550) with µ-law audio, and keys as telephone events (RFC 4733).

use std::collections::VecDeque;

/// Payload types as our SDP offers them.
const ULAW: u8 = 0;
const KEY: u8 = 101;
/// Samples, and bytes of µ-law, in one packet: 20 ms.
const FRAME: u32 = 160;
/// Packets of a key that is held, and how often its end is said, as RFC 4733 asks: 100 ms, then three times.
const HELD: u32 = 5;
const ENDS: u32 = 3;
/// Packets of audio between two keys: 60 ms.
const PAUSE: u32 = 3;
/// Packets of a key in a hurry: with its ends 100 ms from key to key, and no pause.
const TAPPED: u32 = 2;
const KEYS: &[u8] = b"0123456789*#ABCD";

/// What is to be sent: one packet each 20 ms.
#[derive(Default)]
pub(super) struct Voice {
    /// Keys that are still to be pressed.
    pub(super) keys: VecDeque<u8>,
    /// A 500 Hz tone instead of silence.
    pub(super) tone: bool,
    /// Keys follow one another without a pause.
    pub(super) hurried: bool,
    sequence: u16,
    timestamp: u32,
    pressed: Option<Key>,
    pause: u32,
}

struct Key {
    code: u8,
    since: u32,
    packets: u32,
}

impl Voice {
    /// The next packet.
    pub(super) fn packet(&mut self) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME);
        if self.pressed.is_none() {
            if self.pause > 0 {
                self.pause -= 1;
            } else if let Some(key) = self.keys.pop_front() {
                let code =
                    KEYS.iter().position(|k| *k == key).and_then(|i| u8::try_from(i).ok()).unwrap_or(16);
                self.pressed = Some(Key { code, since: self.timestamp, packets: 0 });
            }
        }
        match self.pressed.take() {
            Some(key) => self.key_packet(key),
            None => self.audio_packet(),
        }
    }

    fn key_packet(&mut self, key: Key) -> Vec<u8> {
        let marker = if key.packets == 0 { 0x80 } else { 0 };
        let mut packet = self.header(KEY | marker, key.since);
        let held = if self.hurried { TAPPED } else { HELD };
        let end = if key.packets >= held { 0x80 } else { 0 };
        let duration = (key.packets + 1).min(held) * FRAME;
        packet.extend([key.code, end | 10]);
        packet.extend((duration as u16).to_be_bytes());
        if key.packets + 1 < held + ENDS {
            self.pressed = Some(Key { packets: key.packets + 1, ..key });
        } else if !self.hurried {
            self.pause = PAUSE;
        }
        packet
    }

    fn audio_packet(&mut self) -> Vec<u8> {
        let mut packet = self.header(ULAW, self.timestamp);
        let wave = |sample: u32| if (sample / 8).is_multiple_of(2) { 0x90 } else { 0x10 };
        packet.extend((0..FRAME).map(|sample| if self.tone { wave(sample) } else { 0xff }));
        packet
    }

    fn header(&self, payload: u8, timestamp: u32) -> Vec<u8> {
        let mut header = vec![0x80, payload];
        header.extend(self.sequence.to_be_bytes());
        header.extend(timestamp.to_be_bytes());
        header.extend(0x1234_5678_u32.to_be_bytes());
        header
    }
}

/// What a packet that came in carries.
pub(super) enum Heard<'a> {
    /// µ-law samples.
    Audio(&'a [u8]),
    /// A key is released; the timestamp tells its packets from another key's.
    Key { key: char, timestamp: u32 },
}

/// Reads a packet; nothing when it carries something else.
pub(super) fn read(packet: &[u8]) -> Option<Heard<'_>> {
    // Version and flags, payload type, sequence number, timestamp, source; Asterisk sends no more than these.
    let [_, payload_type, _, _, t0, t1, t2, t3, _, _, _, _, payload @ ..] = packet else { return None };
    match (payload_type & 0x7f, payload) {
        (ULAW, samples) => Some(Heard::Audio(samples)),
        (KEY, [code, flags, ..]) if flags & 0x80 != 0 => {
            let key = KEYS.get(usize::from(*code)).map_or('!', |key| char::from(*key));
            Some(Heard::Key { key, timestamp: u32::from_be_bytes([*t0, *t1, *t2, *t3]) })
        }
        _ => None,
    }
}

/// The mean power of µ-law samples (G.711), as the square of 16-bit amplitudes.
pub(super) fn power(samples: &[u8]) -> u64 {
    let amplitude = |byte: u8| {
        let bits = !byte;
        let magnitude = (((u64::from(bits) & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4);
        magnitude - 0x84
    };
    samples.iter().map(|s| amplitude(*s).pow(2)).sum::<u64>() / (samples.len().max(1) as u64)
}
