//! The manager interface (AMI): a banner, then messages of `Name: value` lines, each ended by an empty line.
//!
//! Seen on Asterisk 22.10.1 (AMI 11.0.0) and 16.28 (5.0.4); their bytes are in `tests/fixtures/asterisk`. A line ends
//! with CR LF and nothing else: a value can hold a lone LF (the refusal of `PJSIPNotify` ends with one). Events carry what
//! people dial, so no `Debug` and no error shows a value.
//!
//! ```
//! use bytes::BytesMut;
//! use hotdesk::asterisk::ami::codec::{Action, Decoder, Frame, InvalidAction};
//! use tokio_util::codec::Decoder as _;
//!
//! let mut out = BytesMut::new();
//! Action::new("DBPut").with("Family", "hotdesk").with("Key", "a").with("Val", "1").encode(7, &mut out)?;
//! assert_eq!(&out[..], b"Action: DBPut\r\nActionID: 7\r\nFamily: hotdesk\r\nKey: a\r\nVal: 1\r\n\r\n");
//! let injected = Action::new("DBPut").with("Val", "1\r\nAction: Originate");
//! assert_eq!(injected.encode(8, &mut out), Err(InvalidAction::ControlCharacter("Val".into())));
//!
//! let sent = "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 7\r\n\r\n";
//! let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::from(sent));
//! let Ok(Some(Frame::Banner(version))) = decoder.decode(&mut buffer) else { panic!() };
//! assert_eq!(version, "11.0.0");
//! let Ok(Some(Frame::Message(response))) = decoder.decode(&mut buffer) else { panic!() };
//! assert!(response.is_success());
//! assert_eq!(response.header("ActionID"), Some("7"));
//! # Ok::<(), InvalidAction>(())
//! ```

use std::borrow::Cow;
use std::{fmt, io};

use bytes::{Buf, BufMut, BytesMut};
use memchr::memchr;
use memchr::memmem::{find, find_iter};
use tokio_util::codec;

/// Bytes that the banner may take.
pub const BANNER_LIMIT: usize = 256;
/// Bytes that a message may take; `ListCommands`, the largest seen, has 6,500.
pub const MESSAGE_LIMIT: usize = 256 * 1024;
/// Headers that a message may have; `EndpointDetail` has 144.
pub const HEADERS_LIMIT: usize = 2048;
/// Bytes that a line of an action may take. Asterisk refuses the whole action from about 1020 on.
pub const ACTION_LINE_LIMIT: usize = 1000;
/// Headers that an action may have, its name and id counted along. Asterisk refuses more than 128.
pub const ACTION_HEADERS_LIMIT: usize = 100;

/// One message of Asterisk.
#[derive(Debug)]
pub enum Frame {
    /// The version of the interface, `11.0.0`; first, and once.
    Banner(String),
    /// A response or an event.
    Message(Message),
}

/// Bytes that are not AMI. The stream is lost.
#[derive(Debug, thiserror::Error)]
pub enum AmiError {
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Something else listens there.
    #[error("what answers there is not Asterisk's manager interface")]
    NotAmi,
    /// More than anything that Asterisk sends.
    #[error("Asterisk sent a message of more than {MESSAGE_LIMIT} bytes or {HEADERS_LIMIT} headers")]
    TooLong,
}

/// A response or an event: headers in the order they came, some of them repeated.
#[derive(Clone, Eq, PartialEq)]
pub struct Message {
    text: String,
    /// Of each line: where it starts, its colon, its end.
    lines: Vec<(u32, u32, u32)>,
}

impl Message {
    fn parse(bytes: &[u8]) -> Result<Self, AmiError> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut lines = Vec::with_capacity(16);
        let mut start = 0;
        for end in find_iter(text.as_bytes(), b"\r\n").chain([text.len()]).take(HEADERS_LIMIT + 1) {
            let line = text.as_bytes().get(start..end).unwrap_or_default();
            // A site's UserEvent may have a body without a colon: a name then, without a value.
            let colon = memchr(b':', line).unwrap_or(line.len());
            lines.push((to_u32(start)?, to_u32(start + colon)?, to_u32(end)?));
            start = end + 2;
        }
        if lines.len() > HEADERS_LIMIT { Err(AmiError::TooLong) } else { Ok(Self { text, lines }) }
    }

    /// All headers in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().map(|line| (self.slice(line.0, line.1), self.value(line)))
    }

    /// A header's value; the first, if it is repeated. Case does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// The values of a header that is repeated, such as `Output`.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let length = name.len();
        let named = move |&(start, colon, _): &(u32, u32, u32)| {
            // The length first: most names differ in it, and looking at the text costs ten times as much.
            (colon - start) as usize == length && self.slice(start, colon).eq_ignore_ascii_case(name)
        };
        self.lines.iter().filter(move |line| named(line)).map(|line| self.value(line))
    }

    fn value(&self, &(_, colon, end): &(u32, u32, u32)) -> &str {
        let value = self.slice((colon + 1).min(end), end);
        value.strip_prefix(' ').unwrap_or(value)
    }

    fn slice(&self, from: u32, to: u32) -> &str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    /// An event's name; `None`, if it is a response.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        self.iter().next().and_then(|(key, value)| key.eq_ignore_ascii_case("Event").then_some(value))
    }

    /// Whether a response says that it was done. `Goodbye`, too, is no `Error`.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.header("Response").is_some_and(|response| !response.eq_ignore_ascii_case("Error"))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({}, {} headers)", self.event().unwrap_or("a response"), self.lines.len())
    }
}

/// Makes [`Frame`]s of the bytes of one connection. Buffers [`MESSAGE_LIMIT`] bytes at the most; an error is final.
#[derive(Debug, Default)]
pub struct Decoder {
    greeted: bool,
    /// No frame ends before this place of the buffer.
    searched: usize,
}

impl codec::Decoder for Decoder {
    type Item = Frame;
    type Error = AmiError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, AmiError> {
        if !self.greeted {
            let Some(line) = self.take(buffer, b"\r\n", BANNER_LIMIT, AmiError::NotAmi)? else {
                return Ok(None);
            };
            let line = String::from_utf8_lossy(&line).into_owned();
            let version = line.strip_prefix("Asterisk Call Manager/").ok_or(AmiError::NotAmi)?;
            self.greeted = true;
            return Ok(Some(Frame::Banner(version.to_owned())));
        }
        while self.searched == 0 && buffer.starts_with(b"\r\n") {
            buffer.advance(2);
        }
        let message = self.take(buffer, b"\r\n\r\n", MESSAGE_LIMIT, AmiError::TooLong)?;
        message.map(|bytes| Message::parse(&bytes).map(Frame::Message)).transpose()
    }
}

impl Decoder {
    /// Cuts off what comes before `end`, and `end`.
    fn take(
        &mut self,
        buffer: &mut BytesMut,
        end: &[u8],
        limit: usize,
        too_long: AmiError,
    ) -> Result<Option<BytesMut>, AmiError> {
        let found = find(buffer.get(self.searched..).unwrap_or_default(), end).map(|at| self.searched + at);
        if found.unwrap_or(buffer.len()) > limit {
            return Err(too_long);
        }
        let Some(length) = found else {
            self.searched = buffer.len().saturating_sub(end.len() - 1);
            return Ok(None);
        };
        self.searched = 0;
        let taken = buffer.split_to(length);
        buffer.advance(end.len());
        Ok(Some(taken))
    }
}

/// An action for Asterisk. `Debug` shows its name only.
#[derive(Clone, Eq, PartialEq)]
pub struct Action {
    name: &'static str,
    headers: Vec<(Cow<'static, str>, String)>,
}

/// An action that cannot be sent. Does not repeat the value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidAction {
    /// It would end the header and start another.
    #[error("{0} of an AMI action cannot carry a CR, LF or NUL, nor its name a colon")]
    ControlCharacter(String),
    /// Asterisk would swallow the space.
    #[error("{0} of an AMI action cannot begin with a space")]
    LeadingSpace(String),
    /// Asterisk would refuse the whole action.
    #[error("{0} of an AMI action takes {1} bytes with its name, at most {ACTION_LINE_LIMIT} are possible")]
    TooLong(String, usize),
    /// Asterisk would refuse the whole action.
    #[error("an AMI action has {0} headers, at most {ACTION_HEADERS_LIMIT} are possible")]
    TooMany(usize),
}

impl Action {
    /// An action without headers.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, headers: Vec::new() }
    }

    /// The same with one more header, after those there are.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it can be sent.
    ///
    /// # Errors
    /// [`InvalidAction`] names the header and what is wrong with it.
    pub fn check(&self) -> Result<(), InvalidAction> {
        if self.headers.len() + 2 > ACTION_HEADERS_LIMIT {
            return Err(InvalidAction::TooMany(self.headers.len() + 2));
        }
        for (name, value) in
            self.headers.iter().map(|(n, v)| (n.as_ref(), v.as_str())).chain([(self.name, "")])
        {
            let shown = || name.chars().filter(|c| !c.is_control()).take(40).collect::<String>();
            let control = |text: &str| text.contains(['\r', '\n', '\0']);
            let length = name.len() + 2 + value.len();
            if control(name) || control(value) || name.contains(':') {
                return Err(InvalidAction::ControlCharacter(shown()));
            } else if value.starts_with(' ') {
                return Err(InvalidAction::LeadingSpace(shown()));
            } else if length > ACTION_LINE_LIMIT {
                return Err(InvalidAction::TooLong(shown(), length));
            }
        }
        Ok(())
    }

    /// Appends its bytes to `out`, with `id` as the `ActionID` that the response and its events will carry. Nothing is
    /// appended of one that cannot be sent.
    ///
    /// # Errors
    /// As [`Action::check`].
    pub fn encode(&self, id: u64, out: &mut BytesMut) -> Result<(), InvalidAction> {
        self.check()?;
        let mut line = |name: &str, value: &str| {
            [name, ": ", value, "\r\n"].iter().for_each(|part| out.put_slice(part.as_bytes()));
        };
        line("Action", self.name);
        line("ActionID", &id.to_string());
        self.headers.iter().for_each(|(name, value)| line(name, value));
        out.put_slice(b"\r\n");
        Ok(())
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({})", self.name)
    }
}

fn to_u32(at: usize) -> Result<u32, AmiError> {
    u32::try_from(at).map_err(|_| AmiError::TooLong)
}
