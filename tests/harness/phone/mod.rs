//! A SIP desk phone for tests and the demo: one account, one call at a time, real UDP and real audio.
//!
//! Its functions block, with a deadline, and fail with everything the phone saw until then; call them from a thread
//! of their own when there is a runtime. What a call or a lamp does is waited for in the order it happened.
//!
//! ```ignore
//! let (alice, bob) = (pbx.phone("desk1")?, pbx.phone("desk2")?);
//! alice.dial("102")?;
//! assert_eq!(bob.wait_ringing()?.from.number, "101");
//! bob.answer()?;
//! alice.wait_answered()?;
//! alice.press("12#")?;
//! alice.hang_up()?;
//! ```

mod call;
pub mod digest;
mod event;
mod line;
mod media;
pub mod message;
mod notify;
mod rtp;
mod transfer;

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

pub use event::{Caller, Ended, Event, Events, Lamp, Mailbox};
use line::Line;
use media::Media;
pub use message::{Identity, Message};

use super::wait;

/// How long is waited for what should come at once, on a machine that may be busy.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The account of a phone.
#[derive(Clone, Debug)]
pub struct Account {
    /// The switch's SIP address, UDP.
    pub server: SocketAddr,
    /// The domain of its addresses, where that is not the switch's own address.
    pub domain: Option<String>,
    /// The auth user: the device's name.
    pub user: String,
    /// Its password.
    pub password: String,
}

/// What a phone writes into its requests that is only shown; `U+E0xx` goes over the wire as the one byte `xx`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Labels<'a> {
    /// The end of its `Call-ID`.
    pub call_id: &'a str,
    /// The display name; none, if empty.
    pub name: &'a str,
    /// The `User-Agent`; none, if empty.
    pub agent: &'a str,
}

/// A phone. Dropped, it hangs up; its registration stays, as if it was unplugged.
pub struct Phone {
    line: Arc<Mutex<Line>>,
    media: Arc<Media>,
    events: Arc<Events>,
    name: String,
}

impl Phone {
    /// A phone that is switched on but not registered.
    pub fn new(account: Account) -> Result<Self> {
        let name = account.user.clone();
        let events = Arc::new(Events::new(&name));
        let media = Media::open(Arc::clone(&events))?;
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0")?);
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let line = Line::new(account, Arc::clone(&socket), Arc::clone(&events), Arc::clone(&media))?;
        let line = Arc::new(Mutex::new(line));
        let weak = Arc::downgrade(&line);
        thread::Builder::new().name("phone-sip".to_owned()).spawn(move || run(&weak, &socket))?;
        Ok(Self { line, media, events, name })
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Registers for an hour; longer than any test.
    pub fn register(&self) -> Result<()> {
        self.registration(3600)
    }

    /// Gives the registration up.
    pub fn unregister(&self) -> Result<()> {
        self.registration(0)
    }

    fn registration(&self, seconds: u32) -> Result<()> {
        self.events.new_request();
        self.line().register(seconds);
        let answered = |event: &Event| match event {
            Event::Registered(_) => Some(Ok(())),
            Event::Failed(what, code) if what == "REGISTER" => Some(Err(*code)),
            _ => None,
        };
        match self.events.wait("the registration", PATIENCE, answered)? {
            Ok(()) => Ok(()),
            Err(code) => bail!("{}: the switch refused to register it with {code}", self.name),
        }
    }

    /// Calls a number; returns at once.
    pub fn dial(&self, number: &str) -> Result<()> {
        self.dial_as(&self.name, number)
    }

    /// Calls a number, with a From that may not be its own. It authenticates as itself all the same.
    pub fn dial_as(&self, from: &str, number: &str) -> Result<()> {
        self.line().dial(from, number, &Labels::default())
    }

    /// Calls with these labels.
    pub fn dial_with(&self, labels: &Labels<'_>, number: &str) -> Result<()> {
        self.line().dial(&self.name, number, labels)
    }

    /// Waits until the call that it made is answered; fails when it is refused.
    pub fn wait_answered(&self) -> Result<()> {
        let answered = |event: &Event| match event {
            Event::Answered => Some(Ok(())),
            Event::Ended(ended) => Some(Err(ended.clone())),
            _ => None,
        };
        match self.events.wait("an answer", PATIENCE, answered)? {
            Ok(()) => Ok(()),
            Err(ended) => bail!("{}: the call was not answered but ended: {ended:?}", self.name),
        }
    }

    /// Waits until it rings; returns the caller.
    pub fn wait_ringing(&self) -> Result<Caller> {
        let ringing =
            |event: &Event| if let Event::Ringing(caller) = event { Some(caller.clone()) } else { None };
        self.events.wait("an incoming call", PATIENCE, ringing)
    }

    /// Waits for a call beside the present one, which gets 486 (busy).
    pub fn wait_turned_away(&self) -> Result<()> {
        let turned = |event: &Event| matches!(event, Event::TurnedAway).then_some(());
        self.events.wait("a call beside the present one", PATIENCE, turned)
    }

    /// Waits until the switch names the far end of a call that rings there or is up.
    pub fn wait_connected(&self) -> Result<Identity> {
        let told = |event: &Event| if let Event::Connected(who) = event { Some(who.clone()) } else { None };
        self.events.wait("who the far end is", PATIENCE, told)
    }

    /// Waits until the call is over, within [`PATIENCE`].
    pub fn wait_ended(&self) -> Result<Ended> {
        self.wait_ended_within(PATIENCE)
    }

    /// Waits until the call is over: prompts take their time.
    pub fn wait_ended_within(&self, within: Duration) -> Result<Ended> {
        let ended = |event: &Event| if let Event::Ended(ended) = event { Some(ended.clone()) } else { None };
        self.events.wait("the end of the call", within, ended)
    }

    /// Whether it has a call, ringing or up.
    pub fn in_call(&self) -> bool {
        self.line().call.is_some()
    }

    /// Takes the call that rings.
    pub fn answer(&self) -> Result<()> {
        self.line().answer()
    }

    /// Takes every call at once from now on.
    pub fn auto_answer(&self, on: bool) {
        self.line().auto_answer = on;
    }

    /// Refuses the call that rings, with 486 (busy) or another code.
    pub fn reject(&self, code: u16) -> Result<()> {
        self.line().reject(code, "Rejected")
    }

    /// Hangs up, or cancels the call that still rings at the other end, and waits until that is done.
    pub fn hang_up(&self) -> Result<Ended> {
        self.line().hang_up()?;
        self.wait_ended()
    }

    /// Presses keys in the call, one after the other: 100 ms each with pauses of 60 ms. Returns at once.
    pub fn press(&self, keys: &str) {
        self.media.press(keys, false);
    }

    /// Presses keys as fast as fingers can: one each 100 ms. Returns at once.
    pub fn tap(&self, keys: &str) {
        self.media.press(keys, true);
    }

    /// The keys that the other end pressed in this call.
    pub fn keys_heard(&self) -> String {
        self.media.keys()
    }

    /// Waits until the other end has pressed exactly these keys since the call began.
    pub fn wait_keys(&self, keys: &str) -> Result<()> {
        let heard = || Ok((self.keys_heard() == keys).then_some(()));
        let instead = || format!("{} heard {:?} instead of {keys:?}", self.name, self.keys_heard());
        wait::find(PATIENCE, heard, instead)
    }

    /// Sends a tone of 500 Hz instead of silence, or no longer.
    pub fn tone(&self, on: bool) {
        self.media.tone(on);
    }

    /// Waits until something is heard.
    pub fn wait_audio(&self) -> Result<()> {
        self.events.wait("audio", PATIENCE, |event| matches!(event, Event::AudioStart).then_some(()))
    }

    /// Waits until what is heard has been followed by half a second of silence, or the end of the call; how long it
    /// lasted.
    pub fn wait_silence(&self) -> Result<Duration> {
        let silence = |event: &Event| if let Event::AudioStop(lasted) = event { Some(*lasted) } else { None };
        self.events.wait("silence after audio", PATIENCE, silence)
    }

    /// What was received in this call, or in the last one until the next begins: µ-law, 8 kHz, five minutes at most.
    pub fn recording(&self) -> Vec<u8> {
        self.media.recording()
    }

    /// The INVITE of the last call that rang here, for headers that have no event of their own.
    pub fn last_invite(&self) -> Option<Message> {
        self.line().last_invite.clone()
    }

    /// Watches an extension's lamp (dialog event); waits until the switch has agreed to.
    pub fn watch(&self, extension: &str) -> Result<()> {
        self.subscribe(extension, "dialog", "application/dialog-info+xml")
    }

    /// Subscribes to a mailbox's lamp.
    pub fn watch_mailbox(&self, extension: &str) -> Result<()> {
        self.subscribe(extension, "message-summary", "application/simple-message-summary")
    }

    fn subscribe(&self, extension: &str, event: &str, accept: &str) -> Result<()> {
        self.events.new_request();
        self.line().subscribe(extension, event, accept);
        let answered = |event: &Event| match event {
            Event::Subscribed(to) if to == extension => Some(Ok(())),
            Event::Failed(what, code) if what == "SUBSCRIBE" => Some(Err(*code)),
            _ => None,
        };
        match self.events.wait("the subscription", PATIENCE, answered)? {
            Ok(()) => Ok(()),
            Err(code) => bail!("{}: the switch refused its {event} of {extension} with {code}", self.name),
        }
    }

    /// Waits until a NOTIFY puts a watched extension's lamp into `state`: `terminated`, `early`, `confirmed`.
    pub fn wait_lamp(&self, extension: &str, state: &str) -> Result<Lamp> {
        let lamp = |event: &Event| match event {
            Event::Lamp(lamp) if lamp.extension == extension && lamp.state == state => Some(lamp.clone()),
            _ => None,
        };
        self.events.wait(&format!("the lamp of {extension}, {state},"), PATIENCE, lamp)
    }

    /// Waits until a NOTIFY turns the MWI on, or off.
    pub fn wait_mailbox(&self, waiting: bool) -> Result<Mailbox> {
        let told = |event: &Event| match event {
            Event::Mailbox(mailbox) if mailbox.waiting == waiting => Some(mailbox.clone()),
            _ => None,
        };
        self.events.wait(&format!("the mailbox lamp, {waiting},"), PATIENCE, told)
    }

    /// All it saw and heard, for anything else that is to be waited for.
    pub fn events(&self) -> &Events {
        &self.events
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.line().hang_up();
    }
}

/// Ends when the phone is dropped.
fn run(line: &Weak<Mutex<Line>>, socket: &UdpSocket) {
    let mut datagram = vec![0; 65_536];
    while let Some(line) = line.upgrade() {
        let lock = || line.lock().unwrap_or_else(PoisonError::into_inner);
        lock().tick();
        let Ok((length, _)) = socket.recv_from(&mut datagram) else { continue };
        if let Some(message) = datagram.get(..length).and_then(Message::parse) {
            lock().receive(&message);
        }
    }
}
