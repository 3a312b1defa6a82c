//! A browser without scripts: it sends requests to the console as browsers do, and keeps cookies.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::hotdesk::Hotdesk;
use super::wait;

const PATIENCE: Duration = Duration::from_secs(20);

/// A browser at the console of one hotdesk.
#[derive(Clone, Debug)]
pub struct Browser {
    pub at: SocketAddr,
    pub cookies: BTreeMap<String, String>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// In their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a hidden field.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let text = self.text();
        let after = text.split(&format!("name=\"{name}\" value=\"")).nth(1);
        after
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_else(|| panic!("no {name} in {text}"))
            .to_owned()
    }
}

impl Browser {
    /// At the console of a hotdesk that serves, or starts to.
    pub fn of(hotdesk: &Hotdesk) -> Self {
        let address = || {
            let log = hotdesk.log();
            let line = log.lines().rfind(|line| line.contains("event=\"web.listening\""));
            let address =
                line.and_then(|line| line.split("address=").nth(1)?.split(' ').next()?.parse().ok());
            Ok(address)
        };
        let at = wait::find(PATIENCE, address, || format!("no console in {}", hotdesk.log())).unwrap();
        Self { at, cookies: BTreeMap::new() }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "").unwrap()
    }

    /// Sends a form from a page of the console.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let origin = format!("http://{}", self.at);
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", &origin),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send("POST", path, &headers, &form.join("&")).unwrap()
    }

    /// Sends a request as it is. `host` among the headers takes the place of the usual one.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        let mut stream = self.open(method, path, headers, body)?;
        let mut answer = head(&mut stream)?;
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        match (answer.header("transfer-encoding"), length) {
            (Some("chunked"), _) => {
                while let Some(chunk) = chunk(&mut stream)? {
                    answer.body.extend(chunk);
                }
            }
            (_, Some(length)) if method != "HEAD" => {
                answer.body.resize(length, 0);
                stream.read_exact(&mut answer.body)?;
            }
            _ => drop(stream.read_to_end(&mut answer.body)?),
        }
        self.keep(&answer);
        Ok(answer)
    }

    /// Sends a request, and returns the stream of its answer.
    pub fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<BufReader<TcpStream>> {
        let mut stream = TcpStream::connect(self.at)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request += &format!("host: {}\r\n", self.at);
        }
        if !body.is_empty() || method != "GET" {
            request += &format!("content-length: {}\r\n", body.len());
        }
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request += &format!("cookie: {}\r\n", cookies.join("; "));
        }
        headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
        stream.write_all(format!("{request}\r\n{body}").as_bytes())?;
        Ok(BufReader::new(stream))
    }

    fn keep(&mut self, answer: &Answer) {
        for (_, set) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, rest) = set.split_once(';').unwrap_or((set, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            match rest.contains("Max-Age=0") {
                true => drop(self.cookies.remove(name)),
                false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
    }
}

/// The head of an answer.
pub fn head(stream: &mut BufReader<TcpStream>) -> Result<Answer> {
    let first = line(stream)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("not an answer: {first:?}"))?;
    let mut headers = vec![];
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            return Ok(Answer { status, headers, body: vec![] });
        }
        let (name, value) = line.split_once(':').with_context(|| format!("not a header: {line:?}"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// The next part of a body in chunks; none at its end.
pub fn chunk(stream: &mut BufReader<TcpStream>) -> Result<Option<Vec<u8>>> {
    let size = line(stream)?;
    let size = usize::from_str_radix(size.trim(), 16).with_context(|| format!("not a size: {size:?}"))?;
    let mut chunk = vec![0; size + 2];
    stream.read_exact(&mut chunk)?;
    chunk.truncate(size);
    Ok((size > 0).then_some(chunk))
}

fn line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        bail!("the connection ended");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
