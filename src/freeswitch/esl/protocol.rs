//! What is special about ESL: answers come in the order of the commands, without an id. The end of a background job or of an
//! application is an event that carries the id that we gave it.

use std::collections::{HashMap, VecDeque};

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};

use super::codec::{Decoder, Frame, Reply, Response};
use super::command::Command;
use super::event::Event;
use super::login::{self, CORE, Settings, Up, goodbye};
use crate::switch::SwitchError;
use crate::switch::connection::protocol::{Peer, Protocol, Received, Unanswered, WINDOW};
use crate::switch::connection::state::Ended;
use crate::switch::connection::wire::Wire;

/// Replies that are still to come.
const REPLIES: usize = 4 * WINDOW;
/// Commands without an answer, jobs and applications that run included.
const UNANSWERED: usize = 8 * WINDOW;

pub(super) struct Request {
    pub(super) command: Command,
    pub(super) wants: Wants,
}

pub(super) enum Wants {
    Reply,
    /// The `BACKGROUND_JOB` with this id.
    Job(String),
    /// The `CHANNEL_EXECUTE_COMPLETE` with this id, or the end of the call.
    Execution {
        id: String,
        call: String,
    },
}

pub(super) enum Answer {
    Reply(Reply),
    Response(Response),
    Complete(Event),
    Gone,
}

pub(super) struct Esl {
    /// The `Core-UUID` of the FreeSWITCH that was logged in to.
    core: String,
    /// In the order they were sent, which is that of the replies.
    replies: VecDeque<Awaited>,
    /// Jobs and applications by their id: the ticket, and the call of an application.
    running: HashMap<String, (u64, Option<String>)>,
}

enum Awaited {
    /// A question whether the peer is there, and still the same.
    Ping,
    /// This ticket's command, which it completes.
    Final(u64),
    /// A job or an application with this id, which has begun.
    Begun(String),
}

impl Esl {
    pub(super) fn new(core: String) -> Self {
        Self { core, replies: VecDeque::new(), running: HashMap::new() }
    }

    /// Takes the answer to the command that was sent first of those without one.
    fn answered(&mut self, answer: Answer, unanswered: &mut Unanswered<Answer>) -> Result<(), Ended> {
        let unasked = || Ended::Lost("FreeSWITCH answered what it was not asked".into());
        match (self.replies.pop_front().ok_or_else(unasked)?, answer) {
            (Awaited::Final(ticket), answer) => unanswered.answer(ticket, Ok(answer)),
            (Awaited::Begun(id), Answer::Reply(reply)) if !reply.is_ok() => {
                let Some((ticket, call)) = self.running.remove(&id) else { return Ok(()) };
                // A message to a call that is over is refused so; nothing else that is well formed is.
                if call.is_some() && reply.text().starts_with("-ERR invalid session id") {
                    unanswered.answer(ticket, Ok(Answer::Gone));
                } else {
                    unanswered.refuse(ticket, reply.text().into_owned());
                }
            }
            (Awaited::Ping, Answer::Response(response))
                if response.value().unwrap_or_default() != self.core =>
            {
                return Err(Ended::Lost("FreeSWITCH was restarted".into()));
            }
            (Awaited::Begun(_) | Awaited::Ping, _) => {}
        }
        Ok(())
    }

    fn happened(&mut self, event: Event, unanswered: &mut Unanswered<Answer>) -> Received<Event> {
        match event.name().as_deref() {
            Some("SHUTDOWN") => return Received::ShutsDown,
            Some("BACKGROUND_JOB") => {
                let job = event.get("Job-UUID").and_then(|id| self.running.remove(&*id));
                if let Some((ticket, _)) = job {
                    let response = Response::new(event.body().clone());
                    unanswered.answer(ticket, Ok(Answer::Response(response)));
                }
                return Received::Nothing;
            }
            Some("CHANNEL_EXECUTE_COMPLETE") => {
                let execution = event.get("Application-UUID").and_then(|id| self.running.remove(&*id));
                if let Some((ticket, _)) = execution {
                    unanswered.answer(ticket, Ok(Answer::Complete(event)));
                    return Received::Nothing;
                }
            }
            Some("CHANNEL_HANGUP" | "CHANNEL_HANGUP_COMPLETE" | "CHANNEL_DESTROY")
                if !self.running.is_empty() =>
            {
                let over = event.get("Unique-ID").unwrap_or_default();
                for (_, (ticket, _)) in
                    self.running.extract_if(|_, (_, call)| call.as_deref() == Some(&*over))
                {
                    unanswered.answer(ticket, Ok(Answer::Gone));
                }
            }
            _ => {}
        }
        Received::Event(event)
    }
}

impl Protocol for Esl {
    const PEER: &'static str = "FreeSWITCH";
    type Settings = Settings;
    type Decoder = Decoder;
    type Frame = Frame;
    type Command = Request;
    type Answer = Answer;
    type Event = Event;
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
        Ok((Self::new(up.core.clone()), up))
    }

    fn name(request: &Request) -> &'static str {
        request.command.name()
    }

    fn has_room(&self, unanswered: usize) -> bool {
        // A reply is to come even to a command that was forgotten.
        self.replies.len() < REPLIES && unanswered + WINDOW <= UNANSWERED
    }

    fn send(
        &mut self,
        Request { command, wants }: Request,
        ticket: u64,
        out: &mut BytesMut,
    ) -> Result<(), SwitchError> {
        out.put_slice(command.as_bytes());
        let (id, call) = match wants {
            Wants::Reply => {
                self.replies.push_back(Awaited::Final(ticket));
                return Ok(());
            }
            Wants::Job(id) => (id, None),
            Wants::Execution { id, call } => (id, Some(call)),
        };
        self.running.insert(id.clone(), (ticket, call));
        self.replies.push_back(Awaited::Begun(id));
        Ok(())
    }

    fn ping(&mut self, out: &mut BytesMut) -> Result<(), Ended> {
        out.put_slice(Command::api(CORE)?.as_bytes());
        self.replies.push_back(Awaited::Ping);
        Ok(())
    }

    fn receive(
        &mut self,
        frame: Frame,
        unanswered: &mut Unanswered<Answer>,
    ) -> Result<Received<Event>, Ended> {
        match frame {
            Frame::Reply(reply) => self.answered(Answer::Reply(reply), unanswered)?,
            Frame::Response(response) => self.answered(Answer::Response(response), unanswered)?,
            Frame::Event(event) => return Ok(self.happened(event, unanswered)),
            Frame::Unreadable(why) => return Ok(Received::Missed(why)),
            // The call of this connection is over; what is under way is still answered.
            Frame::Disconnect(notice) if notice.lingers() => {}
            Frame::Disconnect(notice) => return Err(goodbye(&notice)),
            Frame::AuthRequest | Frame::Connected(_) | Frame::Rejected | Frame::Other => {}
        }
        Ok(Received::Nothing)
    }

    fn forget(&mut self, unanswered: &Unanswered<Answer>) {
        self.running.retain(|_, (ticket, _)| unanswered.has(*ticket));
    }
}
