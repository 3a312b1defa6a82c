//! A blocking event-socket client for the tests. It shares no code with the client of hotdesk.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use percent_encoding::percent_decode_str;

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection.
#[derive(Debug)]
pub struct Esl {
    stream: BufReader<TcpStream>,
    events: VecDeque<Event>,
}

/// An event's headers, decoded.
pub type Event = BTreeMap<String, String>;

struct Frame {
    headers: Event,
    body: String,
}

impl Esl {
    /// Connects, and gives the password.
    pub fn login(address: SocketAddr, password: &str) -> Result<Self> {
        Self::enter(address, &format!("auth {password}"))
    }

    /// Connects as a user of the directory, `name@domain`.
    pub fn login_as(address: SocketAddr, user: &str, password: &str) -> Result<Self> {
        Self::enter(address, &format!("userauth {user}:{password}"))
    }

    fn enter(address: SocketAddr, command: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("no event socket at {address}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut esl = Self { stream: BufReader::new(stream), events: VecDeque::new() };
        ensure!(esl.frame()?.is("auth/request"), "the event socket did not ask for a password");
        let reply = esl.command(command)?;
        ensure!(reply.starts_with("+OK"), "the event socket's answer to the password: {reply}");
        Ok(esl)
    }

    /// A command of the socket's own, such as `event plain CHANNEL_PARK`; its Reply-Text.
    pub fn command(&mut self, command: &str) -> Result<String> {
        self.send(command)?;
        Ok(self.reply("command/reply")?.headers.remove("Reply-Text").unwrap_or_default())
    }

    /// What an API command answers, without the line's end.
    pub fn api(&mut self, command: &str) -> Result<String> {
        self.send(&format!("api {command}"))?;
        Ok(self.reply("api/response")?.body.trim_end_matches('\n').to_owned())
    }

    /// Executes an application on a channel; returns when it is queued.
    pub fn execute(&mut self, uuid: &str, application: &str, argument: &str) -> Result<()> {
        let reply = self.command(&format!(
            "sendmsg {uuid}\ncall-command: execute\nexecute-app-name: {application}\nexecute-app-arg: {argument}\n\
             event-lock: true"
        ))?;
        ensure!(reply.starts_with("+OK"), "{application}: {reply}");
        Ok(())
    }

    /// The same command so often, without waiting for each answer.
    pub fn repeat(&mut self, command: &str, times: usize) -> Result<()> {
        let mut out = self.stream.get_ref().try_clone()?;
        let all = format!("{command}\n\n").repeat(times);
        let writing = std::thread::spawn(move || out.write_all(all.as_bytes()));
        for _ in 0..times {
            self.reply("command/reply")?;
        }
        Ok(writing.join().map_err(|_| anyhow::anyhow!("writing {command}"))??)
    }

    /// Waits for an event, within 10 s; those before it that are not wanted are dropped.
    pub fn wait(&mut self, wanted: impl Fn(&Event) -> bool) -> Result<Event> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let event = match self.events.pop_front() {
                Some(event) => event,
                None => read_event(&self.frame()?)?,
            };
            if wanted(&event) {
                return Ok(event);
            }
            ensure!(Instant::now() < deadline, "the event did not come within {PATIENCE:?}");
        }
    }

    /// All events of a call until it is no more.
    pub fn until_destroyed(&mut self, uuid: &str) -> Result<Vec<Event>> {
        let mut events = vec![];
        loop {
            let event = self.wait(|event| event.get("Unique-ID").is_some_and(|id| id == uuid))?;
            let over = event.get("Event-Name").is_some_and(|name| name == "CHANNEL_DESTROY");
            events.push(event);
            if over {
                return Ok(events);
            }
        }
    }

    /// Waits for an event of this name.
    pub fn wait_for(&mut self, name: &str) -> Result<Event> {
        self.wait(|event| event.get("Event-Name").is_some_and(|n| n == name)).with_context(|| name.to_owned())
    }

    fn send(&mut self, command: &str) -> Result<()> {
        Ok(self.stream.get_mut().write_all(format!("{command}\n\n").as_bytes())?)
    }

    fn reply(&mut self, kind: &str) -> Result<Frame> {
        loop {
            let frame = self.frame()?;
            if frame.is(kind) {
                return Ok(frame);
            }
            self.events.push_back(read_event(&frame)?);
        }
    }

    fn frame(&mut self) -> Result<Frame> {
        let mut head = String::new();
        while !head.ends_with("\n\n") {
            ensure!(self.stream.read_line(&mut head)? > 0, "the event socket closed");
        }
        let headers = headers(&head);
        let length = headers.get("Content-Length").map_or(Ok(0), |length| length.parse())?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Frame { headers, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

impl Frame {
    fn is(&self, kind: &str) -> bool {
        self.headers.get("Content-Type").is_some_and(|k| k == kind)
    }
}

fn read_event(frame: &Frame) -> Result<Event> {
    if !frame.is("text/event-plain") {
        bail!("the event socket sent {:?}: {}", frame.headers.get("Content-Type"), frame.body);
    }
    Ok(headers(&frame.body))
}

fn headers(text: &str) -> Event {
    let decoded = |value: &str| percent_decode_str(value.trim()).decode_utf8_lossy().into_owned();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect()
}
