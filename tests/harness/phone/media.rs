//! The phone's ear and mouth: one UDP socket, one thread that sends a packet each 20 ms and listens in between.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::event::{Event, Events};
use super::rtp::{self, Heard, Voice};

const TICK: Duration = Duration::from_millis(20);
/// Louder than this is sound: a mean amplitude of 200 of 32768.
const LOUD: u64 = 40_000;
/// So much silence ends what was heard; pauses within speech are shorter.
const SILENCE: Duration = Duration::from_millis(500);
/// Five minutes of µ-law: what is recorded of a call at the most.
const RECORDING: usize = 8_000 * 300;

pub(super) struct Media {
    socket: UdpSocket,
    events: Arc<Events>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The far end, while there is one.
    to: Option<SocketAddr>,
    voice: Voice,
    keys: String,
    last_key: Option<u32>,
    recording: Vec<u8>,
    heard: Duration,
    sound: Option<Sound>,
}

struct Sound {
    began: Instant,
    last_loud: Instant,
}

impl Media {
    pub(super) fn open(events: Arc<Events>) -> Result<Arc<Self>> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let media = Arc::new(Self { socket, events, state: Mutex::default() });
        let weak = Arc::downgrade(&media);
        thread::Builder::new().name("phone-rtp".to_owned()).spawn(move || run(&weak))?;
        Ok(media)
    }

    pub(super) fn port(&self) -> u16 {
        self.socket.local_addr().map_or(0, |address| address.port())
    }

    /// Talks with `to` from now on; the call may move to another address in its middle.
    pub(super) fn connect(&self, to: SocketAddr) {
        self.lock().to = Some(to);
    }

    /// The call is over: keys that were not sent yet are forgotten. How much was heard in it.
    pub(super) fn disconnect(&self) -> Duration {
        let mut state = self.lock();
        state.to = None;
        state.voice.keys.clear();
        state.end_sound(&self.events);
        std::mem::take(&mut state.heard)
    }

    /// A new call: nothing of an earlier one is kept.
    pub(super) fn begin(&self) {
        *self.lock() = State::default();
    }

    pub(super) fn press(&self, keys: &str, hurried: bool) {
        let mut state = self.lock();
        state.voice.hurried = hurried;
        state.voice.keys.extend(keys.bytes());
    }

    pub(super) fn tone(&self, on: bool) {
        self.lock().voice.tone = on;
    }

    pub(super) fn keys(&self) -> String {
        self.lock().keys.clone()
    }

    pub(super) fn recording(&self) -> Vec<u8> {
        self.lock().recording.clone()
    }

    fn send(&self) {
        let mut state = self.lock();
        if let Some(to) = state.to {
            let _ = self.socket.send_to(&state.voice.packet(), to);
        }
        if state.sound.as_ref().is_some_and(|sound| sound.last_loud.elapsed() > SILENCE) {
            state.end_sound(&self.events);
        }
    }

    fn receive(&self, packet: &[u8]) {
        let mut state = self.lock();
        if state.to.is_none() {
            return; // a late packet of a call that is over
        }
        match rtp::read(packet) {
            Some(Heard::Audio(samples)) => state.hear(samples, &self.events),
            Some(Heard::Key { key, timestamp }) if state.last_key != Some(timestamp) => {
                state.last_key = Some(timestamp);
                state.keys.push(key);
            }
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hear(&mut self, samples: &[u8], events: &Events) {
        let room = RECORDING.saturating_sub(self.recording.len());
        self.recording.extend(samples.iter().take(room));
        if rtp::power(samples) <= LOUD {
            return;
        }
        self.heard += Duration::from_micros(samples.len() as u64 * 125);
        let now = Instant::now();
        match &mut self.sound {
            Some(sound) => sound.last_loud = now,
            None => {
                self.sound = Some(Sound { began: now, last_loud: now });
                events.push(Event::AudioStart);
            }
        }
    }

    fn end_sound(&mut self, events: &Events) {
        if let Some(sound) = self.sound.take() {
            events.push(Event::AudioStop(sound.last_loud - sound.began));
        }
    }
}

/// Ends when the phone is dropped.
fn run(media: &Weak<Media>) {
    let mut next = Instant::now();
    let mut packet = [0; 2048];
    while let Some(media) = media.upgrade() {
        let now = Instant::now();
        if now >= next {
            // After a pause of the machine the lost time is not made up for by a burst.
            next = (next + TICK).max(now);
            media.send();
        }
        let pause = next.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let _ = media.socket.set_read_timeout(Some(pause));
        if let Ok((length, _)) = media.socket.recv_from(&mut packet) {
            media.receive(packet.get(..length).unwrap_or_default());
        }
    }
}
