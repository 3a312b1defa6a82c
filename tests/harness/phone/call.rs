//! The one call of a phone: made or taken, answered, ended.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};

use super::Labels;
use super::event::{Caller, Ended, Event};
use super::line::{Dialog, Line};
use super::message::{Identity, Message, address};

pub(super) struct Call {
    pub(super) dialog: Dialog,
    /// The sequence number of this phone's last request in it.
    pub(super) sequence: u32,
    /// The INVITE that made it: ours as it was sent last, or theirs.
    pub(super) invite: Message,
    pub(super) target: String,
    outgoing: bool,
    pub(super) up: bool,
    /// We hung up before it was answered: what still comes in is to be undone.
    cancelled: bool,
    /// A CANCEL may only be sent when something came back (RFC 3261, 9.1).
    progress: bool,
    /// What we last answered to their INVITE, should it come again.
    last_response: Option<Message>,
}

impl Line {
    /// Calls `number`, showing `from`, with these labels.
    pub(super) fn dial(&mut self, from: &str, number: &str, labels: &Labels<'_>) -> Result<()> {
        self.ensure_free()?;
        self.media.begin();
        self.events.new_call();
        let target = self.address_of(number);
        let name = match labels.name {
            "" => String::new(),
            name => format!("\"{}\" ", name.replace('\\', "\\\\").replace('"', "\\\"")),
        };
        let local = format!("{name}<{}>;tag={}", self.address_of(from), self.token());
        let id = format!("{}{}", self.token(), labels.call_id);
        let dialog = Dialog { id, local, remote: format!("<{target}>") };
        let mut invite = self.request("INVITE", &target, &dialog, 1);
        if !labels.agent.is_empty() {
            invite = invite.with("User-Agent", labels.agent);
        }
        let invite = invite.with_sdp(&self.sdp());
        let call = Call::new(dialog, 1, invite.clone(), target, true);
        self.call = Some(call);
        self.start(invite);
        Ok(())
    }

    /// Takes the call that rings.
    pub(super) fn answer(&mut self) -> Result<()> {
        let sdp = self.sdp();
        let contact = self.contact();
        let call =
            self.call.as_mut().filter(|call| call.rings()).context("no call rings here to be answered")?;
        call.up = true;
        let response = call.response(200, "OK").with("Contact", contact).with_sdp(&sdp);
        call.last_response = Some(response.clone());
        let invite = call.invite.clone();
        self.send(&response);
        self.listen_to(&invite);
        Ok(())
    }

    /// Refuses the call that rings.
    pub(super) fn reject(&mut self, code: u16, reason: &str) -> Result<()> {
        let call =
            self.call.as_ref().filter(|call| call.rings()).context("no call rings here to be refused")?;
        self.send(&call.response(code, reason));
        self.end(code, reason, None);
        Ok(())
    }

    /// Forwards the ringing call to `number`.
    pub(super) fn forward(&mut self, number: &str) -> Result<()> {
        let to = self.address_of(number);
        let call =
            self.call.as_ref().filter(|call| call.rings()).context("no call rings here to be forwarded")?;
        let moved = call.response(302, "Moved Temporarily").with("Contact", format!("<{to}>"));
        self.send(&moved);
        self.end(302, "forwarded here", None);
        Ok(())
    }

    /// Hangs up, cancels or declines, as the call stands.
    pub(super) fn hang_up(&mut self) -> Result<()> {
        let call = self.call.as_mut().context("there is no call to hang up")?;
        if call.up {
            self.send_bye();
            self.end(200, "hung up here", None);
        } else if call.outgoing {
            ensure!(!call.cancelled, "the call is being cancelled already");
            call.cancelled = true;
            if call.progress {
                self.send_cancel();
            }
        } else {
            self.reject(603, "Decline")?;
        }
        Ok(())
    }

    pub(super) fn on_progress(&mut self, response: &Message, code: u16) {
        let Some(call) = self.call.as_mut().filter(|call| call.is_of(response)) else { return };
        let first = !call.progress;
        call.progress = true;
        if call.cancelled && first {
            self.send_cancel();
        }
        self.listen_to(response);
        if code > 100 {
            self.events.push(Event::Progress(code));
            self.connected(response);
        }
    }

    pub(super) fn on_answer(&mut self, response: &Message) {
        let Some(mut call) = self.call.take_if(|call| call.is_of(response)) else { return };
        let first = !call.up;
        call.up = true;
        call.dialog.remote = response.header("To").to_owned();
        call.target = address(response.header("Contact")).to_owned();
        let ack = self.request("ACK", &call.target, &call.dialog, response.sequence());
        self.send(&ack);
        self.listen_to(response);
        let cancelled = call.cancelled;
        self.call = Some(call);
        if cancelled {
            // The answer crossed our CANCEL: the call is up all the same, and has to be ended.
            self.send_bye();
            self.end(487, "cancelled", None);
        } else if first {
            self.events.push(Event::Answered);
            self.connected(response);
        }
    }

    pub(super) fn on_failure(&mut self, response: &Message, code: u16) {
        if self.call.as_ref().is_some_and(|call| call.is_of(response)) {
            self.end(code, response.reason(), response.cause());
        }
    }

    pub(super) fn on_invite(&mut self, invite: &Message) {
        let (sdp, contact) = (self.sdp(), self.contact());
        if let Some(call) = self.call.as_ref() {
            if !call.is_of(invite) {
                self.send(&Message::response(invite, 486, "Busy Here"));
                self.events.push(Event::TurnedAway);
            } else if !call.up || !call.outgoing && invite.sequence() <= call.invite.sequence() {
                // The same once more: our response was lost.
                call.last_response.iter().for_each(|response| self.send(response));
            } else {
                self.send(&Message::response(invite, 200, "OK").with("Contact", contact).with_sdp(&sdp));
                self.listen_to(invite);
                self.connected(invite);
            }
            return;
        }
        // The port may have been that of another phone, whose contact the switch still has.
        if Identity::parse(invite.request_address()).number != self.account.user {
            self.send(&Message::response(invite, 404, "Not Found"));
            return;
        }
        self.media.begin();
        self.events.new_call();
        let local = format!("{};tag={}", invite.header("To"), self.token());
        let remote = invite.header("From").to_owned();
        let dialog = Dialog { id: invite.header("Call-ID").to_owned(), local, remote };
        let target = address(invite.header("Contact")).to_owned();
        let mut call = Call::new(dialog, 0, invite.clone(), target, false);
        let ringing = call.response(180, "Ringing").with("Contact", contact);
        call.last_response = Some(ringing.clone());
        self.call = Some(call);
        self.last_invite = Some(invite.clone());
        self.send(&ringing);
        let from = Identity::parse(invite.header("From"));
        self.events.push(Event::Ringing(Caller { from, asserted: invite.asserted() }));
        if self.auto_answer {
            let _ = self.answer();
        }
    }

    pub(super) fn on_bye(&mut self, bye: &Message) {
        if self.call.as_ref().is_some_and(|call| call.is_of(bye)) {
            self.send(&Message::response(bye, 200, "OK"));
            self.end(200, "hung up there", bye.cause());
        } else {
            self.send(&Message::response(bye, 481, "Call/Transaction Does Not Exist"));
        }
    }

    pub(super) fn on_cancel(&mut self, cancel: &Message) {
        self.send(&Message::response(cancel, 200, "OK"));
        if let Some(call) = self.call.as_ref().filter(|call| call.rings() && call.is_of(cancel)) {
            self.send(&call.response(487, "Request Terminated"));
            self.end(487, "cancelled there", cancel.cause());
        }
    }

    pub(super) fn on_update(&mut self, update: &Message) {
        let mut response = Message::response(update, 200, "OK").with("Contact", self.contact());
        if !update.body.is_empty() {
            response = response.with_sdp(&self.sdp());
        }
        self.send(&response);
        self.connected(update);
    }

    /// Audio goes where the SDP of `message` says, if it has one.
    fn listen_to(&self, message: &Message) {
        media_address(&message.body).into_iter().for_each(|far| self.media.connect(far));
    }

    /// The switch named the far end.
    fn connected(&self, message: &Message) {
        message.asserted().into_iter().for_each(|who| self.events.push(Event::Connected(who)));
    }

    fn send_bye(&mut self) {
        let Some(call) = self.call.as_mut() else { return };
        call.sequence += 1;
        let (target, dialog, sequence) = (call.target.clone(), call.dialog.clone(), call.sequence);
        let bye = self.request("BYE", &target, &dialog, sequence);
        self.start(bye);
    }

    fn send_cancel(&mut self) {
        let Some(invite) = self.call.as_ref().map(|call| &call.invite) else { return };
        let cancel = Message::request("CANCEL", invite.request_address())
            .with("Via", invite.header("Via"))
            .with("Max-Forwards", 70)
            .with("From", invite.header("From"))
            .with("To", invite.header("To"))
            .with("Call-ID", invite.header("Call-ID"))
            .with("CSeq", format!("{} CANCEL", invite.sequence()));
        self.start(cancel);
        self.give_up_ringing();
    }

    fn end(&mut self, code: u16, text: &str, cause: Option<u16>) {
        self.call = None;
        let heard = self.media.disconnect();
        self.events.push(Event::Ended(Ended { code, text: text.to_owned(), cause, heard }));
    }

    fn sdp(&self) -> String {
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0 101\r\n\
             a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n",
            self.media.port()
        )
    }
}

impl Call {
    fn new(dialog: Dialog, sequence: u32, invite: Message, target: String, outgoing: bool) -> Self {
        let (up, cancelled, progress, last_response) = (false, false, false, None);
        Self { dialog, sequence, invite, target, outgoing, up, cancelled, progress, last_response }
    }

    fn rings(&self) -> bool {
        !self.outgoing && !self.up
    }

    fn is_of(&self, message: &Message) -> bool {
        self.dialog.id == message.header("Call-ID")
    }

    /// An answer to the INVITE that came in, with our tag.
    fn response(&self, code: u16, reason: &str) -> Message {
        Message::response(&self.invite, code, reason).replacing("To", &self.dialog.local)
    }
}

/// Where an SDP wants its audio.
fn media_address(sdp: &str) -> Option<SocketAddr> {
    let host = sdp.lines().find_map(|line| line.strip_prefix("c=IN IP4 "))?.trim();
    let port = sdp.lines().find_map(|line| line.strip_prefix("m=audio "))?.split(' ').next()?;
    format!("{host}:{port}").parse().ok()
}
