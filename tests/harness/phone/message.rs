//! SIP messages as text (RFC 3261), as far as a desk phone on loopback meets them.

use std::fmt;

/// A request or a response: its first line, its headers in order, its body.
#[derive(Clone, Eq, PartialEq)]
pub struct Message {
    /// `INVITE sip:101@host SIP/2.0` or `SIP/2.0 200 OK`.
    pub start: String,
    /// In order, compact names spelled out.
    pub headers: Vec<(String, String)>,
    /// The body, often empty.
    pub body: String,
}

/// A name and a number, as From and P-Asserted-Identity carry them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    /// `Alice`; may be empty.
    pub name: String,
    /// `101`: the user part of the address.
    pub number: String,
}

impl Identity {
    /// Of `"Alice" <sip:101@host>;tag=…`.
    pub fn parse(header: &str) -> Self {
        let (name, rest) = match header.trim_start().strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => header.split_once('<').map_or((String::new(), header), |(name, _)| (name.into(), header)),
        };
        let address = address(rest);
        let user = address.split_once(':').map_or(address, |(_, rest)| rest).split('@').next().unwrap_or("");
        Self { name: name.trim().to_owned(), number: user.to_owned() }
    }
}

/// What stands before the closing quote, without the backslashes before what is quoted (RFC 3261, 25.1), and what after.
fn unquoted(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => name.extend(characters.next()),
            _ => name.push(c),
        }
    }
    (name, characters.as_str())
}

impl Message {
    /// A request without headers.
    pub fn request(method: &str, address: &str) -> Self {
        Self { start: format!("{method} {address} SIP/2.0"), headers: vec![], body: String::new() }
    }

    /// The response to `request`: what must be copied from it is.
    pub fn response(request: &Self, code: u16, reason: &str) -> Self {
        let copied = ["via", "record-route", "from", "to", "call-id", "cseq"];
        let headers =
            request.headers.iter().filter(|(n, _)| copied.contains(&n.to_ascii_lowercase().as_str()));
        Self {
            start: format!("SIP/2.0 {code} {reason}"),
            headers: headers.cloned().collect(),
            body: String::new(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// With a header in place of the one of that name.
    #[must_use]
    pub fn replacing(mut self, name: &str, value: impl fmt::Display) -> Self {
        match self.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value.to_string(),
            None => self.headers.push((name.to_owned(), value.to_string())),
        }
        self
    }

    /// With an SDP body.
    #[must_use]
    pub fn with_sdp(mut self, sdp: &str) -> Self {
        self.body = sdp.to_owned();
        self.with("Content-Type", "application/sdp")
    }

    /// Reads one datagram; nothing when it is not SIP (keep-alives).
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(datagram);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let start = lines.next()?.to_owned();
        let mut headers: Vec<(String, String)> = vec![];
        for line in lines {
            if line.starts_with([' ', '\t']) {
                headers.last_mut()?.1.push_str(&format!(" {}", line.trim()));
                continue;
            }
            let (name, value) = line.split_once(':')?;
            headers.push((full_name(name.trim()).to_owned(), value.trim().to_owned()));
        }
        Some(Self { start, headers, body: body.to_owned() })
    }

    /// The first header of that name, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// Its code, when it is a response.
    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }

    /// What a response says after its code: `Busy Here`.
    pub fn reason(&self) -> &str {
        self.start.splitn(3, ' ').nth(2).unwrap_or("")
    }

    /// The request's method; for a response, that of the request it answers.
    pub fn method(&self) -> &str {
        self.header("CSeq").split_whitespace().nth(1).unwrap_or("")
    }

    /// The address that a request goes to.
    pub fn request_address(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or("")
    }

    /// The number of a request within its dialog.
    pub fn sequence(&self) -> u32 {
        self.header("CSeq").split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    /// Names the transaction: a response has the branch of its request.
    pub fn branch(&self) -> &str {
        self.header("Via").split(';').find_map(|p| p.trim().strip_prefix("branch=")).unwrap_or("")
    }

    /// The Q.850 cause in its Reason header, when there is one.
    pub fn cause(&self) -> Option<u16> {
        let reasons =
            self.headers.iter().filter(|(n, v)| n.eq_ignore_ascii_case("Reason") && v.contains("Q.850"));
        reasons.flat_map(|(_, v)| v.split(';')).find_map(|p| p.trim().strip_prefix("cause=")?.parse().ok())
    }

    /// The identity by P-Asserted-Identity or, in answers of FreeSWITCH, by Remote-Party-ID.
    pub fn asserted(&self) -> Option<Identity> {
        let headers = ["P-Asserted-Identity", "Remote-Party-ID"].map(|name| self.header(name));
        headers.into_iter().find(|header| !header.is_empty()).map(Identity::parse)
    }
}

/// `sip:101@host` of `"Alice" <sip:101@host>;tag=…`.
pub fn address(header: &str) -> &str {
    match header.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(""),
        None => header.split(';').next().unwrap_or("").trim(),
    }
}

fn full_name(name: &str) -> &str {
    match name {
        "v" => "Via",
        "f" => "From",
        "t" => "To",
        "i" => "Call-ID",
        "m" => "Contact",
        "l" => "Content-Length",
        "c" => "Content-Type",
        "o" => "Event",
        "k" => "Supported",
        _ => name,
    }
}

/// As it goes over the wire.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\r\n", self.start)?;
        for (name, value) in &self.headers {
            write!(f, "{name}: {value}\r\n")?;
        }
        write!(f, "Content-Length: {}\r\n\r\n{}", self.body.len(), self.body)
    }
}

/// Short, because events carry messages and are printed when a test fails.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.start)
    }
}
