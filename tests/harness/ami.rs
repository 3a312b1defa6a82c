//! A blocking AMI session for the tests. It shares no code with the client of hotdesk.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long an answer or an event may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A response or an event: its headers in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Message(pub Vec<(String, String)>);

impl Message {
    /// The value of a header, or nothing.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// Whether it is the event of this name.
    pub fn is(&self, event: &str) -> bool {
        self.get("Event") == event
    }
}

/// A logged-in session. Everything it was ever sent is kept, in order.
pub struct Ami {
    stream: TcpStream,
    seen: Arc<Seen>,
    next_action: u64,
}

#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    grew: Condvar,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    closed: bool,
}

impl Ami {
    /// Connects and logs in.
    pub fn login(at: SocketAddr, user: &str, secret: &str) -> Result<Self> {
        let stream = TcpStream::connect(at).with_context(|| format!("no AMI at {at}"))?;
        stream.set_nodelay(true)?;
        let seen = Arc::new(Seen::default());
        let (reader, kept) = (stream.try_clone()?, Arc::clone(&seen));
        thread::spawn(move || kept.read(reader));
        let mut ami = Self { stream, seen, next_action: 1 };
        let answer = ami.act("Login", &[("Username", user), ("Secret", secret)])?;
        ensure!(answer.get("Response") == "Success", "AMI login of {user}: {}", answer.get("Message"));
        Ok(ami)
    }

    /// Sends an action; its response, whatever it says.
    pub fn act(&mut self, action: &str, headers: &[(&str, &str)]) -> Result<Message> {
        let id = self.send(action, headers)?;
        self.wait_from(0, &format!("the response to {action}"), |m| {
            m.get("ActionID") == id && !m.get("Response").is_empty()
        })
    }

    /// Sends an action that must succeed and answers with a list: the list's events.
    pub fn list(&mut self, action: &str, headers: &[(&str, &str)]) -> Result<Vec<Message>> {
        let id = self.send(action, headers)?;
        let first = |m: &Message| m.get("ActionID") == id && !m.get("Response").is_empty();
        let response = self.wait_from(0, &format!("the response to {action}"), first)?;
        ensure!(response.get("Response") == "Success", "{action}: {}", response.get("Message"));
        let last = |m: &Message| m.get("ActionID") == id && m.get("EventList") == "Complete";
        self.wait_from(0, &format!("the end of the list of {action}"), last)?;
        let of_list = |m: &Message| m.get("ActionID") == id && m.get("EventList").is_empty();
        Ok(self.messages().into_iter().filter(of_list).collect())
    }

    /// Everything seen so far, responses and events.
    pub fn messages(&self) -> Vec<Message> {
        self.seen.state.lock().unwrap_or_else(PoisonError::into_inner).messages.clone()
    }

    /// How much has been seen: a mark for [`Self::wait_from`].
    pub fn mark(&self) -> usize {
        self.messages().len()
    }

    /// The first message since the beginning that `is_it`; `what` names it when it doesn't come.
    pub fn wait(&self, what: &str, is_it: impl Fn(&Message) -> bool) -> Result<Message> {
        self.wait_from(0, what, is_it)
    }

    /// The first message after `mark` that `is_it`.
    pub fn wait_from(&self, mark: usize, what: &str, is_it: impl Fn(&Message) -> bool) -> Result<Message> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.seen.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = mark;
        loop {
            if let Some(found) = state.messages.iter().skip(next).find(|m| is_it(m)) {
                return Ok(found.clone());
            }
            next = next.max(state.messages.len());
            let left = deadline.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                let why = if state.closed {
                    "AMI closed the connection before"
                } else {
                    "AMI did not send in time"
                };
                let last: Vec<String> =
                    state.messages.iter().rev().take(10).rev().map(|m| format!("  {:?}", m.0)).collect();
                bail!("{why} {what}; the last it sent:\n{}", last.join("\n"));
            }
            state = self.seen.grew.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn send(&mut self, action: &str, headers: &[(&str, &str)]) -> Result<String> {
        let id = format!("test-{}", self.next_action);
        self.next_action += 1;
        let mut text = format!("Action: {action}\r\nActionID: {id}\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.stream.write_all(text.as_bytes()).with_context(|| format!("sending {action} to AMI"))?;
        Ok(id)
    }
}

impl Drop for Ami {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Seen {
    fn read(&self, stream: TcpStream) {
        let mut lines = BufReader::new(stream);
        let mut message = Message::default();
        loop {
            let mut line = Vec::new();
            match lines.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            }
            let line = String::from_utf8_lossy(&line);
            match line.trim_end().split_once(':') {
                Some((name, value)) => message.0.push((name.to_owned(), value.trim_start().to_owned())),
                None if line.trim_end().is_empty() && !message.0.is_empty() => {
                    self.keep(std::mem::take(&mut message))
                }
                None => {}
            }
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.grew.notify_all();
    }

    fn keep(&self, message: Message) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).messages.push(message);
        self.grew.notify_all();
    }
}
