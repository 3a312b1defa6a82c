//! The event socket (ESL): a block of `Name: value` lines and an empty line, then as many bytes of body as the block's
//! `Content-Length` says. Nothing else tells frames apart: a body may end without a line break, or hold empty lines.
//!
//! Seen on FreeSWITCH 1.10.12; its bytes are in `tests/fixtures/freeswitch`. Events carry what people dial, so no `Debug`
//! and no error shows a value.
//!
//! The codec does no I/O and is bounded. No input makes it panic, and a frame in single bytes costs no more than a whole one.
//!
//! ```
//! use bytes::BytesMut;
//! use hotdesk::freeswitch::esl::codec::{Decoder, Frame, Said};
//! use tokio_util::codec::Decoder as _;
//!
//! let parked = "Event-Name: CHANNEL_PARK\nvariable_hd_dialled: *35%23\n\n";
//! let sent = format!(
//!     "Content-Type: api/response\nContent-Length: 14\n\n-ERR no reply\n\
//!      Content-Length: {}\nContent-Type: text/event-plain\n\n{parked}",
//!     parked.len()
//! );
//! let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::from(&sent[..]));
//! let Some(Frame::Response(answer)) = decoder.decode(&mut buffer)? else { panic!() };
//! assert_eq!(answer.said(), Said::Nothing);
//! let Some(Frame::Event(event)) = decoder.decode(&mut buffer)? else { panic!() };
//! assert_eq!(event.name().as_deref(), Some("CHANNEL_PARK"));
//! assert_eq!(event.get("variable_hd_dialled").as_deref(), Some("*35#"));
//! # Ok::<(), hotdesk::freeswitch::esl::codec::EslError>(())
//! ```

use std::borrow::Cow;
use std::{fmt, io};

use bytes::{Bytes, BytesMut};
use memchr::memmem::find;
use tokio_util::codec;

use super::event::{Event, Headers};

/// Bytes that the headers of a frame may take; the reply to `connect`, the largest, has 177 of them in 7 KB.
pub const HEAD_LIMIT: usize = 256 * 1024;
/// Bytes that a body may take: as many as FreeSWITCH 1.11 itself takes. Room is made for what has come, not for what
/// is announced.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// One message of FreeSWITCH.
#[derive(Debug)]
pub enum Frame {
    /// It asks for the login; first on a connection that Hotdesk made, and once.
    AuthRequest,
    /// The reply to a command: one each, in order with the responses.
    Reply(Reply),
    /// The answer to `api`.
    Response(Response),
    /// The reply to `connect` on a connection that FreeSWITCH made: what the call is.
    Connected(Event),
    /// Something happened.
    Event(Event),
    /// It says goodbye. With a linger time there is more to come.
    Disconnect(Notice),
    /// Our address is not in its access list.
    Rejected,
    /// Nothing that we asked for, such as a log line.
    Other,
    /// A whole frame whose inside cannot be read; says why. The next one is not affected.
    Unreadable(&'static str),
}

/// Bytes that are not ESL. The stream is lost: the start of the next frame is unknown.
#[derive(Debug, thiserror::Error)]
pub enum EslError {
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Not what the protocol says; the text names what, and never repeats what was sent.
    #[error("what answers there sent {0}, which is not FreeSWITCH's event socket")]
    Malformed(&'static str),
    /// More than anything that FreeSWITCH sends.
    #[error("FreeSWITCH sent {0} of more than {1} bytes")]
    TooLong(&'static str, usize),
}

/// The reply to a command. To `sendmsg`, `+OK` says that it is queued and no more.
#[derive(Debug)]
pub struct Reply(Headers);

impl Reply {
    /// `+OK accepted`, `-ERR invalid`; of `getvar` the value.
    pub fn text(&self) -> Cow<'_, str> {
        self.0.get("Reply-Text").unwrap_or_default()
    }

    /// Whether it says that it was done.
    pub fn is_ok(&self) -> bool {
        self.text().starts_with("+OK")
    }

    pub(crate) fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name)
    }
}

/// The answer of an API command. What it looks like is up to the command.
#[derive(Clone, Eq, PartialEq)]
pub struct Response(Bytes);

/// What an API command's answer means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Said<'a> {
    /// A value, or `+OK`, without the line break at its end.
    Value(&'a str),
    /// `-ERR no reply`: there was nothing to say. A missing key of `db` or `hash`; an empty value looks the same.
    Nothing,
    /// One of the shapes in which commands refuse; its text without what marks it.
    Error(&'a str),
}

impl Response {
    pub(crate) const fn new(text: Bytes) -> Self {
        Self(text)
    }

    /// All of it, as it came.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Its meaning, by its shape alone: a value that begins like an error looks like an error.
    pub fn said(&self) -> Said<'_> {
        let Ok(text) = std::str::from_utf8(&self.0) else { return Said::Error("(not UTF-8)") };
        let text = text.strip_suffix('\n').unwrap_or(text);
        match text {
            "-ERR no reply" => return Said::Nothing,
            "!err!" | "-ERROR" | "Invalid Profile!" => return Said::Error(text),
            _ => {}
        }
        let marked = ["-ERR", "-USAGE", "error/"].iter().find_map(|mark| text.strip_prefix(mark));
        marked.map_or(Said::Value(text), |reason| Said::Error(reason.trim_start_matches([':', ' '])))
    }

    pub(crate) fn value(&self) -> Option<&str> {
        if let Said::Value(value) = self.said() { Some(value) } else { None }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} bytes)", self.0.len())
    }
}

/// A `text/disconnect-notice`.
#[derive(Debug)]
pub struct Notice {
    headers: Headers,
    body: Bytes,
}

impl Notice {
    /// Whether the call is over but its last events are still to come, as `linger` asked for; a notice without comes after.
    pub fn lingers(&self) -> bool {
        self.headers.get("Content-Disposition").is_some_and(|how| how == "linger")
    }

    /// `Disconnected, goodbye.` and more, or `The system is being shut down.`
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Makes [`Frame`]s of the bytes of one connection. Buffers [`HEAD_LIMIT`] and [`BODY_LIMIT`] bytes at the most; an error
/// is final.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The header block does not end before this place of the buffer.
    searched: usize,
    /// The block that is complete, whose body is not.
    head: Option<Head>,
}

impl codec::Decoder for Decoder {
    type Item = Frame;
    type Error = EslError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, EslError> {
        let Some(head) = self.head.take().map_or_else(|| self.search(buffer), |head| Ok(Some(head)))? else {
            return Ok(None);
        };
        if buffer.len() < head.length + head.body {
            self.head = Some(head);
            return Ok(None);
        }
        let mut frame = buffer.split_to(head.length + head.body).freeze();
        let body = frame.split_off(head.length);
        head.kind.frame(frame, body).map(Some)
    }
}

impl Decoder {
    fn search(&mut self, buffer: &BytesMut) -> Result<Option<Head>, EslError> {
        let found =
            find(buffer.get(self.searched..).unwrap_or_default(), b"\n\n").map(|at| self.searched + at);
        if found.unwrap_or(buffer.len()) > HEAD_LIMIT {
            return Err(EslError::TooLong("headers", HEAD_LIMIT));
        }
        self.searched = if found.is_some() { 0 } else { buffer.len().saturating_sub(1) };
        found.map(|end| Head::read(buffer.get(..end).unwrap_or_default())).transpose()
    }
}

#[derive(Debug)]
struct Head {
    kind: Kind,
    /// Bytes of the block, with its empty line, and of the body.
    length: usize,
    body: usize,
}

impl Head {
    fn read(block: &[u8]) -> Result<Self, EslError> {
        let (mut kind, mut body, mut is_event) = (None, None, false);
        for (index, line) in block.split(|byte| *byte == b'\n').enumerate() {
            let (name, value) = memchr::memchr(b':', line)
                .and_then(|colon| line.split_at_checked(colon))
                .ok_or(EslError::Malformed("a header without a colon"))?;
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if name.eq_ignore_ascii_case(b"Content-Length") {
                let length = content_length(value)?;
                if body.replace(length).is_some_and(|before| before != length) {
                    return Err(EslError::Malformed("two different Content-Lengths"));
                }
            } else if name.eq_ignore_ascii_case(b"Content-Type") {
                kind = Some(Kind::of(value));
            }
            is_event |= index == 0 && name.eq_ignore_ascii_case(b"Event-Name");
        }
        let kind = match kind.ok_or(EslError::Malformed("a frame without a Content-Type"))? {
            Kind::Reply if is_event => Kind::Connected,
            kind => kind,
        };
        Ok(Self { kind, length: block.len() + 2, body: body.unwrap_or(0) })
    }
}

fn content_length(value: &[u8]) -> Result<usize, EslError> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(EslError::Malformed("a Content-Length that is not a number"));
    }
    let digits = std::str::from_utf8(value).unwrap_or_default();
    digits.parse().ok().filter(|length| *length <= BODY_LIMIT).ok_or(EslError::TooLong("a body", BODY_LIMIT))
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    AuthRequest,
    Reply,
    Connected,
    Response,
    Plain,
    Json,
    Disconnect,
    Rejected,
    Other,
}

impl Kind {
    fn of(content_type: &[u8]) -> Self {
        match content_type {
            b"text/event-plain" => Self::Plain,
            b"text/event-json" => Self::Json,
            b"command/reply" => Self::Reply,
            b"api/response" => Self::Response,
            b"auth/request" => Self::AuthRequest,
            b"text/disconnect-notice" => Self::Disconnect,
            b"text/rude-rejection" => Self::Rejected,
            _ => Self::Other,
        }
    }

    fn frame(self, head: Bytes, body: Bytes) -> Result<Frame, EslError> {
        // What was read of the block once cannot fail now, unless it has more headers than anything needs.
        let raw = |head| Headers::raw(head).map_err(EslError::Malformed);
        Ok(match self {
            Self::AuthRequest => Frame::AuthRequest,
            Self::Reply => Frame::Reply(Reply(raw(head)?)),
            Self::Response => Frame::Response(Response(body)),
            Self::Connected => Event::plain(head).map_or_else(Frame::Unreadable, Frame::Connected),
            Self::Plain => Event::plain(body).map_or_else(Frame::Unreadable, Frame::Event),
            Self::Json => Event::json(&body).map_or_else(Frame::Unreadable, Frame::Event),
            Self::Disconnect => Frame::Disconnect(Notice { headers: raw(head)?, body }),
            Self::Rejected => Frame::Rejected,
            Self::Other => Frame::Other,
        })
    }
}
