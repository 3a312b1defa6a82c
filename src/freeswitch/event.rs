//! The headers of a frame, and events made of them.
//!
//! An event is one reference-counted buffer and the places of its lines; a value is decoded when it is looked up.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use memchr::{memchr, memchr2_iter};
use percent_encoding::percent_decode;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// Headers that an event may have; those of a call have about 180, and each variable of it makes one more.
pub const HEADERS_LIMIT: usize = 8192;

/// `Name: value` lines in the order they came.
#[derive(Clone)]
pub struct Headers {
    text: Bytes,
    lines: Vec<Line>,
    /// Values are percent-encoded, and an empty one is `_undef_`.
    encoded: bool,
}

/// Places in the text.
#[derive(Clone, Copy)]
struct Line {
    start: u32,
    colon: u32,
    end: u32,
}

impl Headers {
    /// Headers that mean what they say: those of replies and notices.
    pub(super) fn raw(text: Bytes) -> Result<Self, &'static str> {
        Self::parse(text, false).map(|(headers, _)| headers)
    }

    /// Reads lines up to an empty one. Returns where that ends, too.
    fn parse(text: Bytes, encoded: bool) -> Result<(Self, usize), &'static str> {
        let mut lines = Vec::with_capacity((text.len() / 32).min(256));
        let (mut start, mut colon) = (0, None);
        for at in memchr2_iter(b':', b'\n', &text) {
            if text.get(at) == Some(&b':') {
                colon.get_or_insert(at);
                continue;
            }
            if at == start {
                return Ok((Self { text, lines, encoded }, at + 1));
            }
            if lines.len() == HEADERS_LIMIT {
                return Err("more headers than an event may have");
            }
            let colon = colon.take().ok_or("a header without a colon")?;
            lines.push(line(start, colon, at)?);
            start = at + 1;
        }
        Err("headers that do not end")
    }

    /// A header's value; the first, if it is repeated. Case does not matter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let is_it = |line: &&Line| {
            (line.colon - line.start) as usize == name.len()
                && self.slice(line.start, line.colon).eq_ignore_ascii_case(name.as_bytes())
        };
        self.lines.iter().find(is_it).map(|line| self.value(line))
    }

    /// All of them in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.lines
            .iter()
            .map(|line| (String::from_utf8_lossy(self.slice(line.start, line.colon)), self.value(line)))
    }

    fn value(&self, line: &Line) -> Cow<'_, str> {
        let value = self.slice(line.colon + 1, line.end);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match value {
            b"_undef_" if self.encoded => Cow::Borrowed(""),
            _ if self.encoded && memchr(b'%', value).is_some() => percent_decode(value).decode_utf8_lossy(),
            _ => String::from_utf8_lossy(value),
        }
    }

    fn slice(&self, from: u32, to: u32) -> &[u8] {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.lines.len())
    }
}

/// Something that happened. `Debug` shows its name only.
///
/// A `%` and two upper-case hexadecimal digits in a value are not encoded again by FreeSWITCH 1.10 and 1.11 in a *plain*
/// event: what was `%41` reads `A`, and `%0A` a line break.
#[derive(Clone)]
pub struct Event {
    headers: Headers,
    body: Bytes,
}

impl Event {
    /// Reads a `text/event-plain`. What comes after its headers is its body, whatever its own `Content-Length` is.
    pub(super) fn plain(text: Bytes) -> Result<Self, &'static str> {
        let (headers, end) = Headers::parse(text, true)?;
        let body = headers.text.slice(end..);
        Ok(Self { headers, body })
    }

    /// Reads a `text/event-json`.
    pub(super) fn json(text: &[u8]) -> Result<Self, &'static str> {
        let fields: Fields = serde_json::from_str(&String::from_utf8_lossy(text))
            .map_err(|_| "an event that is not JSON of texts")?;
        let (mut text, mut lines, mut body) = (String::new(), Vec::new(), Bytes::new());
        for (name, value) in fields.0 {
            let value = match value {
                Value::One(value) => value,
                Value::Many(values) => format!("ARRAY::{}", values.join("|:")),
            };
            if name == "_body" {
                body = value.into();
                continue;
            }
            if lines.len() == HEADERS_LIMIT {
                return Err("more headers than an event may have");
            }
            let start = text.len();
            text.extend([&name, ": ", &value, "\n"]);
            lines.push(line(start, start + name.len(), text.len() - 1)?);
        }
        Ok(Self { headers: Headers { text: text.into(), lines, encoded: false }, body })
    }

    /// A header's value; the first, if it is repeated. Case does not matter. An array is `ARRAY::one|:two`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers.get(name)
    }

    /// All headers in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.headers.iter()
    }

    /// `CHANNEL_PARK`. Need not be the first header, and one made by `sendevent` may have none.
    #[must_use]
    pub fn name(&self) -> Option<Cow<'_, str>> {
        self.get("Event-Name")
    }

    /// What comes after the headers: the answer of a background job.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name().unwrap_or(Cow::Borrowed("without a name"));
        write!(f, "Event({name}, {} headers)", self.headers.lines.len())
    }
}

fn line(start: usize, colon: usize, end: usize) -> Result<Line, &'static str> {
    let place = |at| u32::try_from(at).map_err(|_| "an event of more than 4 GB");
    Ok(Line { start: place(start)?, colon: place(colon)?, end: place(end)? })
}

/// A JSON object with its order and its repeated names.
struct Fields(Vec<(String, Value)>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::with_capacity(64);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
