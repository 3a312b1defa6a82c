//! The signalling of one phone: its transactions, its one call, its subscriptions. The state is behind one lock, which the
//! methods of the phone and the reader of its socket take in turn.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Account;
use super::call::Call;
use super::digest;
use super::event::{Event, Events};
use super::media::Media;
use super::message::{Identity, Message};
use super::notify;

/// When a request is sent again first; each time after twice that, up to four seconds (RFC 3261, 17.1).
const RETRY: Duration = Duration::from_millis(500);
const RETRY_MOST: Duration = Duration::from_secs(4);
/// When it is given up, as if 408 had come.
const GIVE_UP: Duration = Duration::from_secs(32);
/// How long a finished INVITE is remembered, to acknowledge repeated failures.
const LINGER: Duration = Duration::from_secs(5);

pub(super) struct Line {
    pub(super) account: Account,
    pub(super) events: Arc<Events>,
    pub(super) media: Arc<Media>,
    pub(super) call: Option<Call>,
    pub(super) auto_answer: bool,
    pub(super) last_invite: Option<Message>,
    socket: Arc<UdpSocket>,
    address: SocketAddr,
    transactions: Vec<Transaction>,
    registration: String,
    sequence: u32,
    random: u64,
}

/// A request that waits for its final response.
struct Transaction {
    request: Message,
    /// None once a provisional response has come: then the far end is at it.
    retry: Option<Instant>,
    gap: Duration,
    /// None while it rings.
    give_up: Option<Instant>,
    authorized: bool,
    finished: bool,
}

impl Line {
    pub(super) fn new(
        account: Account,
        socket: Arc<UdpSocket>,
        events: Arc<Events>,
        media: Arc<Media>,
    ) -> Result<Self> {
        let address = socket.local_addr()?;
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(|e| anyhow::anyhow!("no random numbers: {e}"))?;
        let mut line = Self {
            account,
            events,
            media,
            call: None,
            auto_answer: false,
            last_invite: None,
            socket,
            address,
            transactions: vec![],
            registration: String::new(),
            sequence: 0,
            random: u64::from_ne_bytes(seed),
        };
        line.registration = line.token();
        Ok(line)
    }

    /// A new name for a dialog, a branch or a tag.
    pub(super) fn token(&mut self) -> String {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        format!("{:016x}", self.random.wrapping_mul(0xBF58_476D_1CE4_E5B9))
    }

    /// `sip:<user>@<domain>`.
    pub(super) fn address_of(&self, user: &str) -> String {
        format!("sip:{}@{}", user.replace('#', "%23"), self.domain())
    }

    fn domain(&self) -> String {
        self.account.domain.clone().unwrap_or_else(|| self.account.server.to_string())
    }

    /// Where this phone takes requests.
    pub(super) fn contact(&self) -> String {
        format!("<sip:{}@{}>", self.account.user, self.address)
    }

    /// A request of a dialog: from and to with their tags.
    pub(super) fn request(&mut self, method: &str, target: &str, dialog: &Dialog, sequence: u32) -> Message {
        let via = self.via();
        Message::request(method, target)
            .with("Via", via)
            .with("Max-Forwards", 70)
            .with("From", &dialog.local)
            .with("To", &dialog.remote)
            .with("Call-ID", &dialog.id)
            .with("CSeq", format!("{sequence} {method}"))
            .with("Contact", self.contact())
            .with("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, UPDATE")
    }

    pub(super) fn register(&mut self, seconds: u32) {
        let me = self.address_of(&self.account.user);
        let local = format!("<{me}>;tag={}", self.token());
        let dialog = Dialog { id: self.registration.clone(), local, remote: format!("<{me}>") };
        let registrar = format!("sip:{}", self.domain());
        self.sequence += 1;
        let request = self.request("REGISTER", &registrar, &dialog, self.sequence).with("Expires", seconds);
        self.start(request);
    }

    pub(super) fn subscribe(&mut self, extension: &str, event: &str, accept: &str) {
        let target = self.address_of(extension);
        let local = format!("<{}>;tag={}", self.address_of(&self.account.user), self.token());
        let dialog = Dialog { id: self.token(), local, remote: format!("<{target}>") };
        let request = self.request("SUBSCRIBE", &target, &dialog, 1);
        self.start(request.with("Event", event).with("Accept", accept).with("Expires", 3600));
    }

    /// Sends a request, again and again until it is answered.
    pub(super) fn start(&mut self, request: Message) {
        self.start_again(request, false);
    }

    fn start_again(&mut self, request: Message, authorized: bool) {
        let now = Instant::now();
        self.send(&request);
        let (retry, give_up) = (Some(now + RETRY), Some(now + GIVE_UP));
        self.transactions.push(Transaction {
            request,
            retry,
            gap: RETRY,
            give_up,
            authorized,
            finished: false,
        });
    }

    /// A cancelled INVITE is answered in time, or given up (RFC 3261, 9.1).
    pub(super) fn give_up_ringing(&mut self) {
        let at = Instant::now() + GIVE_UP;
        self.transactions.iter_mut().filter(|t| t.give_up.is_none()).for_each(|t| t.give_up = Some(at));
    }

    pub(super) fn send(&self, message: &Message) {
        let mut bytes = vec![];
        for c in message.to_string().chars() {
            match c {
                '\u{E000}'..='\u{E0FF}' => bytes.push(u32::from(c) as u8),
                _ => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        let _ = self.socket.send_to(&bytes, self.account.server);
    }

    /// Sends what is due again, and gives up what was not answered.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        let (late, rest) = std::mem::take(&mut self.transactions)
            .into_iter()
            .partition::<Vec<_>, _>(|t| t.give_up.is_some_and(|at| at <= now));
        self.transactions = rest;
        for transaction in late.into_iter().filter(|t| !t.finished) {
            let timeout = Message::response(&transaction.request, 408, "no answer to our request");
            self.finish(&transaction.request, &timeout);
        }
        let mut due = vec![];
        for transaction in &mut self.transactions {
            if transaction.retry.is_some_and(|at| at <= now) {
                transaction.gap = (transaction.gap * 2).min(RETRY_MOST);
                transaction.retry = Some(now + transaction.gap);
                due.push(transaction.request.clone());
            }
        }
        due.iter().for_each(|request| self.send(request));
    }

    pub(super) fn receive(&mut self, message: &Message) {
        match message.status() {
            Some(code) => self.on_response(message, code),
            None => self.on_request(message),
        }
    }

    fn on_response(&mut self, response: &Message, code: u16) {
        let invite = response.method() == "INVITE";
        let is_of = |t: &Transaction| {
            t.request.branch() == response.branch() && t.request.method() == response.method()
        };
        let Some(at) = self.transactions.iter().position(is_of) else {
            if invite && (200..300).contains(&code) {
                self.on_answer(response); // our ACK was lost
            }
            return;
        };
        let mut transaction = self.transactions.swap_remove(at);
        let (authorized, repeated) = (transaction.authorized, transaction.finished);
        let request = transaction.request.clone();
        if code < 200 {
            transaction.retry = None;
            if !invite {
                self.transactions.push(transaction);
                return;
            }
            // A phone may ring for long; anything else must be answered in time.
            transaction.give_up = None;
            self.transactions.push(transaction);
            self.on_progress(response, code);
            return;
        }
        if invite && code >= 300 {
            self.send(&acknowledge(&request, response));
            let give_up = Some(Instant::now() + LINGER);
            self.transactions.push(Transaction { retry: None, give_up, finished: true, ..transaction });
            if repeated {
                return;
            }
        }
        if matches!(code, 401 | 407)
            && !authorized
            && let Some(signed) = self.sign(&request, response)
        {
            if let Some(call) = self.call.as_mut().filter(|call| call.dialog.id == response.header("Call-ID"))
            {
                call.sequence += 1;
                if invite {
                    call.invite = signed.clone();
                }
            }
            self.sequence = self.sequence.max(signed.sequence());
            self.start_again(signed, true);
            return;
        }
        self.finish(&request, response);
    }

    /// The request once more, with the password.
    fn sign(&mut self, request: &Message, challenge: &Message) -> Option<Message> {
        let cnonce = self.token();
        let Account { user, password, .. } = &self.account;
        let (name, value) = digest::answer(user, password, request, challenge, &cnonce)?;
        let via = self.via();
        let sequence = format!("{} {}", request.sequence() + 1, request.method());
        Some(request.clone().replacing("CSeq", sequence).replacing("Via", via).with(name, value))
    }

    /// A request's final response, or 408 when there was none.
    fn finish(&mut self, request: &Message, response: &Message) {
        let code = response.status().unwrap_or(0);
        let taken = (200..300).contains(&code);
        match request.method() {
            "INVITE" if taken => self.on_answer(response),
            "INVITE" => self.on_failure(response, code),
            "REGISTER" if taken => {
                let asked = request.header("Expires").parse().unwrap_or(0);
                self.events.push(Event::Registered(asked));
            }
            "SUBSCRIBE" if taken => {
                self.events.push(Event::Subscribed(Identity::parse(request.header("To")).number));
            }
            "REFER" => self.events.push(Event::Referred(code)),
            method @ ("REGISTER" | "SUBSCRIBE") => self.events.push(Event::Failed(method.to_owned(), code)),
            _ => {}
        }
    }

    fn on_request(&mut self, request: &Message) {
        match request.start.split(' ').next().unwrap_or("") {
            "INVITE" => self.on_invite(request),
            "ACK" => {}
            "BYE" => self.on_bye(request),
            "CANCEL" => self.on_cancel(request),
            "UPDATE" => self.on_update(request),
            "NOTIFY" => {
                self.send(&Message::response(request, 200, "OK").with("Contact", self.contact()));
                notify::read(request).into_iter().for_each(|event| self.events.push(event));
            }
            _ => self.send(&Message::response(request, 200, "OK").with("Contact", self.contact())),
        }
    }

    pub(super) fn via(&mut self) -> String {
        let branch = self.token();
        format!("SIP/2.0/UDP {};branch=z9hG4bK{branch};rport", self.address)
    }

    /// Only one call at a time.
    pub(super) fn ensure_free(&self) -> Result<()> {
        ensure!(self.call.is_none(), "{} is in a call already", self.account.user);
        Ok(())
    }
}

/// The two ends of a dialog as this phone names them.
#[derive(Clone)]
pub(super) struct Dialog {
    pub(super) id: String,
    pub(super) local: String,
    pub(super) remote: String,
}

/// The ACK of a failed INVITE belongs to the INVITE's own transaction (RFC 3261, 17.1.1.3).
fn acknowledge(invite: &Message, failure: &Message) -> Message {
    Message::request("ACK", invite.request_address())
        .with("Via", invite.header("Via"))
        .with("Max-Forwards", 70)
        .with("From", invite.header("From"))
        .with("To", failure.header("To"))
        .with("Call-ID", invite.header("Call-ID"))
        .with("CSeq", format!("{} ACK", invite.sequence()))
}
