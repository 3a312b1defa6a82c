//! FastAGI, what Asterisk sends: the call's environment, then a reply to each command, and `HANGUP` out of band.
//!
//! Seen on Asterisk 22.10.1 and 16.28; their bytes are in `tests/fixtures/asterisk`. What callers enter and dial
//! comes this way: texts are wiped when dropped, decoded bytes are wiped from the buffer, and no `Debug` and no
//! error shows any of them.
//!
//! ```
//! use bytes::BytesMut;
//! use hotdesk::asterisk::agi::codec::{Decoder, Frame, Reply};
//! use tokio_util::codec::Decoder as _;
//!
//! let sent = "agi_network_script: hotdesk\nagi_threadid: 1\nagi_arg_1: desk1\n\n200 result=1 (*35*101)\nHANGUP\n";
//! let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::from(sent));
//! let Some(Frame::Environment(call)) = decoder.decode(&mut buffer)? else { panic!() };
//! assert_eq!((call.var("network_script"), call.args().next()), (Some("hotdesk"), Some("desk1")));
//! let Some(Frame::Reply(Reply::Done(answer))) = decoder.decode(&mut buffer)? else { panic!() };
//! assert_eq!((answer.number(), answer.value()), (Some(1), Some("*35*101")));
//! assert!(matches!(decoder.decode(&mut buffer)?, Some(Frame::Hangup)));
//! assert!(decoder.decode(&mut buffer)?.is_none(), "no more has come");
//! # Ok::<(), hotdesk::asterisk::agi::codec::AgiError>(())
//! ```

use std::{fmt, io};

use bytes::{Buf, BytesMut};
use memchr::memchr;
use memchr::memmem::find;
use tokio_util::codec;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that an environment may take. Asterisk sends about 600 and the arguments, which come to 2048 at the most.
pub const ENVIRONMENT_LIMIT: usize = 16 * 1024;
/// Bytes that a line of a reply may take.
pub const LINE_LIMIT: usize = 4 * 1024;
/// Lines that the usage text of a 520 may take. `CONTROL STREAM FILE` has the longest, about 30.
pub const USAGE_LIMIT: usize = 256;

/// One message of Asterisk.
#[derive(Debug)]
pub enum Frame {
    /// What the call is; first, and once.
    Environment(Environment),
    /// The caller hung up. Comes once, *before* the reply to the next command; with `AGIEXITONHANGUP` twice.
    Hangup,
    /// The reply to a command: one each, in order.
    Reply(Reply),
}

/// The reply to a command.
#[derive(Debug)]
pub enum Reply {
    /// 200: it was carried out; with what result depends on the command.
    Done(Answer),
    /// 510: there is no such command; an empty line and a CR before the LF are none either.
    Unknown,
    /// 511: not on a channel that is hung up.
    Dead,
    /// 520: the command's syntax was wrong. Its usage text is dropped.
    Usage,
}

/// Bytes that are not FastAGI. The stream is lost: the start of the next frame is unknown.
#[derive(Debug, thiserror::Error)]
pub enum AgiError {
    /// The connection failed.
    #[error("the FastAGI connection failed: {0}")]
    Io(#[from] io::Error),
    /// Not what the protocol says; the text names what, and never repeats what was sent.
    #[error("Asterisk sent {0}, which is not FastAGI")]
    Malformed(&'static str),
    /// More than anything that Asterisk sends.
    #[error("Asterisk sent {0} of more than {1}")]
    TooLong(&'static str, usize),
}

/// The environment of a call, which Asterisk sends when it connects.
pub struct Environment {
    text: Zeroizing<String>,
}

impl Environment {
    /// A variable by its name without the `agi_`: `channel`, `uniqueid`, `extension`. Asterisk says `unknown` for a
    /// caller's number or name that is not set.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All variables in the order they came, names without the `agi_`.
    pub fn vars(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.split('\n').filter_map(|line| variable(line).ok())
    }

    /// The arguments that the dialplan gave to `AGI()` after the address. They follow `agi_threadid`, the last line that
    /// Asterisk itself writes. Such a line before it is not an argument: it comes from a caller ID with line breaks (Asterisk
    /// 22.10.1 passes `%0A` on).
    pub fn args(&self) -> impl Iterator<Item = &str> {
        let end = self.text.rfind("\nagi_threadid: ").unwrap_or(self.text.len());
        let after = self.text.get(end..).unwrap_or_default().lines().filter_map(|line| variable(line).ok());
        after.filter_map(|(name, value)| name.starts_with("arg_").then_some(value))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("uniqueid", &self.var("uniqueid")).finish_non_exhaustive()
    }
}

/// A 200: `200 result=1 (value) endpos=8000`. What of it is there depends on the command.
pub struct Answer {
    text: Zeroizing<String>,
}

impl Answer {
    /// The result as it was written: digits keep their leading zeros, none is an empty text.
    #[must_use]
    pub fn result(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// The result of a command whose result is a number; -1 is mostly a caller who hung up or a missing sound.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.result().parse().ok()
    }

    /// What stands between the first `(` and the last `)`: a variable's value may hold parentheses itself.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once(" (")?;
        Some(rest.rsplit_once(')')?.0)
    }

    /// `GET DATA` ended by its time-out and not by `#` or enough digits. Other commands can have `timeout` as a value.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.value() == Some("timeout")
    }

    /// How far a sound was played, in samples of 1/8000 s; 0 with the result -1 is a sound that is missing.
    #[must_use]
    pub fn endpos(&self) -> Option<i64> {
        let rest = self.text.rsplit_once(')').map_or(self.text.as_str(), |(_, rest)| rest);
        rest.split(' ').find_map(|word| word.strip_prefix("endpos="))?.parse().ok()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(***)")
    }
}

/// Makes [`Frame`]s of the bytes of one connection. Buffers [`ENVIRONMENT_LIMIT`] bytes at the most; an error is final.
#[derive(Debug, Default)]
pub struct Decoder {
    expects: Expects,
    /// No frame ends before this place of the buffer.
    searched: usize,
}

#[derive(Debug, Default)]
enum Expects {
    #[default]
    Environment,
    Line,
    /// Within the usage text of a 520, of which so many lines have come.
    Usage(usize),
}

impl codec::Decoder for Decoder {
    type Item = Frame;
    type Error = AgiError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, AgiError> {
        if matches!(self.expects, Expects::Environment) {
            let Some(text) = self.take(buffer, b"\n\n", "an environment", ENVIRONMENT_LIMIT)? else {
                return Ok(None);
            };
            self.expects = Expects::Line;
            let text = Zeroizing::new(text.strip_suffix("\n\n").unwrap_or_default().to_owned());
            // The first line shows that it is Asterisk. A value of the site's, such as its `systemname`, may hold a line
            // break, and what comes after it is no reason to refuse the call.
            text.split('\n').next().map_or(Ok(()), |line| variable(line).map(drop))?;
            return Ok(Some(Frame::Environment(Environment { text })));
        }
        while let Some(line) = self.take(buffer, b"\n", "a line", LINE_LIMIT)? {
            if let Some(frame) = self.line(line.strip_suffix('\n').unwrap_or_default())? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }
}

impl Decoder {
    /// Cuts off everything up to and with `end`, and leaves no trace of it in the buffer.
    fn take(
        &mut self,
        buffer: &mut BytesMut,
        end: &[u8],
        what: &'static str,
        limit: usize,
    ) -> Result<Option<Zeroizing<String>>, AgiError> {
        let unsearched = buffer.get(self.searched..).unwrap_or_default();
        let found = match end {
            [one] => memchr(*one, unsearched),
            more => find(unsearched, more),
        };
        let length = found.map_or(buffer.len(), |at| self.searched + at + end.len());
        if length > limit {
            return Err(AgiError::TooLong(what, limit));
        }
        if found.is_none() {
            self.searched = length.saturating_sub(end.len() - 1);
            return Ok(None);
        }
        self.searched = 0;
        let taken = buffer.get_mut(..length).unwrap_or_default();
        let text = Zeroizing::new(String::from_utf8_lossy(taken).into_owned());
        taken.zeroize();
        buffer.advance(length);
        Ok(Some(text))
    }

    /// What a line means; nothing yet, if it is one of a usage text.
    fn line(&mut self, line: &str) -> Result<Option<Frame>, AgiError> {
        if let Expects::Usage(lines) = self.expects {
            if line.starts_with("520 ") {
                self.expects = Expects::Line;
                return Ok(Some(Frame::Reply(Reply::Usage)));
            }
            if lines == USAGE_LIMIT {
                return Err(AgiError::TooLong("a usage text", USAGE_LIMIT));
            }
            self.expects = Expects::Usage(lines + 1);
            return Ok(None);
        }
        if let Some(text) = line.strip_prefix("200 result=") {
            return Ok(Some(Frame::Reply(Reply::Done(Answer { text: Zeroizing::new(text.to_owned()) }))));
        }
        if line.starts_with("520-") {
            self.expects = Expects::Usage(0);
            return Ok(None);
        }
        match line.split(' ').next() {
            Some("HANGUP") => Ok(Some(Frame::Hangup)),
            Some("510") => Ok(Some(Frame::Reply(Reply::Unknown))),
            Some("511") => Ok(Some(Frame::Reply(Reply::Dead))),
            Some("520") => Ok(Some(Frame::Reply(Reply::Usage))),
            Some("200") => Err(AgiError::Malformed("a reply without a result")),
            _ => Err(AgiError::Malformed("a line that is neither a reply nor a hang-up")),
        }
    }
}

fn variable(line: &str) -> Result<(&str, &str), AgiError> {
    line.strip_prefix("agi_")
        .and_then(|line| line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, ""))))
        .ok_or(AgiError::Malformed("an environment without 'agi_name: value' in its first line"))
}
