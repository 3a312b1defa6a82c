//! The headers of a frame, and events made of them.
//!
//! An event is one reference-counted buffer and the places of its lines; a value is decoded when it is looked up.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use memchr::{memchr, memchr_iter};
use percent_encoding::percent_decode;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// Headers that an event may have; those of a call have about 180, and each variable of it makes one more.
pub const HEADERS_LIMIT: usize = 8192;

/// `Name: value` lines in the order they came.
#[derive(Clone)]
pub struct Headers {
    text: Bytes,
    /// Where each line ends; the next one starts behind its line break.
    ends: Vec<u32>,
    /// Values are percent-encoded, and an empty one is `_undef_`.
    encoded: bool,
}

impl Headers {
    /// Headers that mean what they say: those of replies and notices.
    pub(crate) fn raw(text: Bytes) -> Result<Self, &'static str> {
        Self::parse(text, false).map(|(headers, _)| headers)
    }

    /// Reads lines up to an empty one. Returns where that ends, too.
    fn parse(text: Bytes, encoded: bool) -> Result<(Self, usize), &'static str> {
        let mut ends = Vec::with_capacity((text.len() / 32).min(256));
        let mut start = 0;
        for end in line_breaks(&text) {
            if end == start {
                break;
            } else if ends.len() == HEADERS_LIMIT {
                return Err("more headers than an event may have");
            }
            ends.push(place(end)?);
            start = end + 1;
        }
        if text.get(start) != Some(&b'\n') {
            return Err("headers that do not end");
        }
        // The colons of values are encoded: there is one for each line, or one line has none. A sum is much cheaper than
        // a look into each line.
        let colons = memchr_iter(b':', text.get(..start).unwrap_or_default()).count();
        if colons < ends.len() {
            return Err("a header without a colon");
        }
        Ok((Self { text, ends, encoded }, start + 1))
    }

    /// A header's value; the first, if it is repeated. Case does not matter.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let (text, name) = (&*self.text, name.as_bytes());
        let mut start = 0;
        for end in self.ends.iter().map(|end| *end as usize) {
            let colon = start + name.len();
            if text.get(colon) == Some(&b':')
                && text.get(start..colon).is_some_and(|n| n == name || n.eq_ignore_ascii_case(name))
            {
                return Some(self.value(text.get(colon + 1..end).unwrap_or_default()));
            }
            start = end + 1;
        }
        None
    }

    /// All of them in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let end = *end as usize;
            let line = self.text.get(start..end).unwrap_or_default();
            start = end + 1;
            let (name, value) = line.split_at(memchr(b':', line).unwrap_or(line.len()));
            (String::from_utf8_lossy(name), self.value(value.get(1..).unwrap_or_default()))
        })
    }

    fn value<'a>(&self, value: &'a [u8]) -> Cow<'a, str> {
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match value {
            b"_undef_" if self.encoded => Cow::Borrowed(""),
            _ if self.encoded && memchr(b'%', value).is_some() => percent_decode(value).decode_utf8_lossy(),
            _ => String::from_utf8_lossy(value),
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.ends.len())
    }
}

/// Something that happened. `Debug` shows its name only.
///
/// A `%` and two upper-case hexadecimal digits in a value are not encoded again by FreeSWITCH 1.10 and 1.11 in a *plain*
/// event (read from its source): what was `%41` reads `A`, and `%0A` a line break.
#[derive(Clone)]
pub struct Event {
    headers: Headers,
    body: Bytes,
}

impl Event {
    /// Reads a `text/event-plain`. What comes after its headers is its body, whatever its own `Content-Length` is.
    pub(crate) fn plain(text: Bytes) -> Result<Self, &'static str> {
        let (headers, end) = Headers::parse(text, true)?;
        let body = headers.text.slice(end..);
        Ok(Self { headers, body })
    }

    pub(crate) fn json(text: &[u8]) -> Result<Self, &'static str> {
        let fields: Fields = serde_json::from_str(&String::from_utf8_lossy(text))
            .map_err(|_| "an event that is not JSON of texts")?;
        let (mut text, mut ends, mut body) = (String::new(), Vec::new(), Bytes::new());
        for (name, value) in fields.0 {
            let value = match value {
                Value::One(value) => value,
                Value::Many(values) => format!("ARRAY::{}", values.join("|:")),
            };
            if name == "_body" {
                body = value.into();
                continue;
            }
            if ends.len() == HEADERS_LIMIT {
                return Err("more headers than an event may have");
            }
            text.extend([&name, ": ", &value]);
            ends.push(place(text.len())?);
            text.push('\n');
        }
        Ok(Self { headers: Headers { text: text.into(), ends, encoded: false }, body })
    }

    /// A header's value; the first, if it is repeated. Case does not matter. An array is `ARRAY::one|:two`.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers.get(name)
    }

    /// All headers in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.headers.iter()
    }

    /// `CHANNEL_PARK`. Need not be the first header, and one made by `sendevent` may have none.
    pub fn name(&self) -> Option<Cow<'_, str>> {
        self.get("Event-Name")
    }

    /// What comes after the headers: the answer of a background job.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name().unwrap_or(Cow::Borrowed("without a name"));
        write!(f, "Event({name}, {} headers)", self.headers.ends.len())
    }
}

/// Where line breaks are, eight bytes at a time: lines are too short for a vector search to pay off.
fn line_breaks(text: &[u8]) -> impl Iterator<Item = usize> {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const BREAKS: u64 = 0x0a0a_0a0a_0a0a_0a0a;
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let mut words = words.iter().copied().chain([last]);
    let (mut same, mut next) = (0_u64, 0);
    std::iter::from_fn(move || {
        while same == 0 {
            let differs = u64::from_le_bytes(words.next()?) ^ BREAKS;
            // The high bit of each byte that does not differ.
            same = !(((differs & LOW) + LOW) | differs | LOW);
            next += 8;
        }
        let at = next - 8 + same.trailing_zeros() as usize / 8;
        same &= same - 1;
        Some(at)
    })
}

fn place(at: usize) -> Result<u32, &'static str> {
    u32::try_from(at).map_err(|_| "an event of more than 4 GB")
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
