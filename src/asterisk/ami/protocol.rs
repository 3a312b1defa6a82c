//! What is special about AMI: each action carries an `ActionID`, by which its response is known, in any order. A response may
//! begin a list of events that ends with one of its own.

use std::collections::BTreeMap;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::codec::{Action, Decoder, Frame, Message};
use super::login::{self, NO_TICKET, Settings, Up};
use crate::switch::SwitchError;
use crate::switch::connection::protocol::{Peer, Protocol, Received, Unanswered, WINDOW};
use crate::switch::connection::state::Ended;
use crate::switch::connection::wire::Wire;

/// Actions without an answer.
const UNANSWERED: usize = 4 * WINDOW;
/// Events that a list may have.
const LIST: usize = 200_000;

/// The response to an action, and the events of its list.
pub(super) struct Answer {
    pub(super) response: Message,
    pub(super) events: Vec<Message>,
}

/// AMI, and the lists that have begun, by ticket.
#[derive(Default)]
pub(super) struct Ami {
    lists: BTreeMap<u64, Answer>,
}

impl Protocol for Ami {
    const PEER: &'static str = "Asterisk";
    type Settings = Settings;
    type Decoder = Decoder;
    type Frame = Frame;
    type Command = Action;
    type Answer = Answer;
    type Event = Message;
    type Up = Up;

    fn peer(settings: &Settings) -> Peer {
        let Settings { name, address, deadline, .. } = settings;
        Peer { name: name.clone(), address: address.clone(), deadline: *deadline }
    }

    async fn log_in<S: AsyncRead + AsyncWrite + Send>(
        wire: &mut Wire<S, Decoder>,
        settings: &Settings,
    ) -> Result<(Self, Up), Ended> {
        let up = login::log_in(wire, settings).await?;
        Ok((Self::default(), up))
    }

    fn name(action: &Action) -> &'static str {
        action.name()
    }

    fn has_room(&self, unanswered: usize) -> bool {
        unanswered < UNANSWERED
    }

    fn send(&mut self, action: Action, ticket: u64, out: &mut BytesMut) -> Result<(), SwitchError> {
        action.encode(ticket, out).map_err(|why| SwitchError::Refused(action.name().into(), why.to_string()))
    }

    fn ping(&mut self, out: &mut BytesMut) -> Result<(), Ended> {
        Ok(Action::new("Ping").encode(NO_TICKET, out)?)
    }

    fn receive(
        &mut self,
        frame: Frame,
        unanswered: &mut Unanswered<Answer>,
    ) -> Result<Received<Message>, Ended> {
        let Frame::Message(message) = frame else { return Ok(Received::Nothing) };
        let event = message.event();
        if event == Some("Shutdown") {
            return Ok(Received::ShutsDown);
        }
        let ticket = if unanswered.is_empty() { None } else { login::action_id(&message) };
        let Some(ticket) = ticket.filter(|ticket| unanswered.has(*ticket)) else {
            return Ok(if event.is_some() { Received::Event(message) } else { Received::Nothing });
        };
        let part = message.header("EventList");
        let is = |what: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(what));
        match self.lists.get_mut(&ticket) {
            // An event that the action itself made, as UserEvent does, is not part of the answer.
            None if event.is_some() => {}
            None if is("start") => {
                self.lists.insert(ticket, Answer { response: message, events: vec![] });
            }
            None => unanswered.answer(ticket, Ok(Answer { response: message, events: vec![] })),
            Some(list) if part.is_none() && list.events.len() < LIST => list.events.push(message),
            Some(_) => {
                let whole = is("Complete");
                match self.lists.remove(&ticket) {
                    Some(list) if whole => unanswered.answer(ticket, Ok(list)),
                    list => {
                        let events = list.map_or(0, |list| list.events.len());
                        let why = format!("Asterisk ended the list early, after {events} entries");
                        unanswered.refuse(ticket, why);
                    }
                }
            }
        }
        Ok(Received::Nothing)
    }

    fn forget(&mut self, unanswered: &Unanswered<Answer>) {
        self.lists.retain(|ticket, _| unanswered.has(*ticket));
    }
}
