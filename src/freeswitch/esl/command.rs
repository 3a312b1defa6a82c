//! Commands of the event socket: a line, maybe headers, and an empty line. FreeSWITCH answers each by one
//! [`Reply`](super::codec::Reply) or [`Response`](super::codec::Response), in order.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

/// Bytes that a command may take.
pub const COMMAND_LIMIT: usize = 64 * 1024;

/// A command that cannot be sent. Does not repeat it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidCommand {
    /// It would end early and start another.
    #[error("a command of the event socket cannot carry a CR, LF or NUL: {0} has one")]
    ControlCharacter(&'static str),
    /// It would be taken for two, or for none.
    #[error("{0} takes names of one word each")]
    NotAWord(&'static str),
    /// More than anything needs.
    #[error("the command {0} takes more than {COMMAND_LIMIT} bytes")]
    TooLong(&'static str),
}

/// A word as an argument of an API command: FreeSWITCH takes quotation marks and backslashes as its own (1.10.12).
pub(in crate::freeswitch) fn argument(word: &str) -> Cow<'_, str> {
    if word.contains(['\'', '\\']) {
        word.replace('\\', "\\\\").replace('\'', "\\'").into()
    } else {
        word.into()
    }
}

/// A command, ready to be sent. May hold the password: wiped when dropped, `Debug` shows its name only.
///
/// One that cannot be sent as one command is an [`InvalidCommand`].
pub struct Command {
    name: &'static str,
    text: Zeroizing<String>,
}

impl Command {
    /// Logs in. `-ERR invalid` and a disconnect, if the password is wrong.
    pub fn auth(password: &str) -> Result<Self, InvalidCommand> {
        Draft::new("auth", password.len()).rest(password)?.end()
    }

    /// Logs in as a user of the directory, `name@domain`, with the rights of their entry there.
    pub fn userauth(user: &str, password: &str) -> Result<Self, InvalidCommand> {
        let draft = Draft::new("userauth", user.len() + password.len() + 1);
        draft.word(user)?.push(&[":", password])?.end()
    }

    /// Asks for events in addition to those asked for before: by name (`CHANNEL_PARK`) or, with `::`, by subclass
    /// (`sofia::register`). FreeSWITCH takes every word after `CUSTOM` for a subclass, whatever it is, so they come last.
    pub fn events(names: &[&str]) -> Result<Self, InvalidCommand> {
        let (subclasses, names): (Vec<&str>, Vec<&str>) =
            names.iter().filter(|name| **name != "CUSTOM").partition(|name| name.contains("::"));
        if names.is_empty() && subclasses.is_empty() {
            return Err(InvalidCommand::NotAWord("event"));
        }
        let custom: &[&str] = if subclasses.is_empty() { &[] } else { &["CUSTOM"] };
        let mut words = names.iter().chain(custom).chain(&subclasses);
        words.try_fold(Draft::new("event", 0).word("plain")?, |draft, name| draft.word(name))?.end()
    }

    /// Lets only those events come whose header has this value, or one that another filter names. Of *all* events: also
    /// `BACKGROUND_JOB` needs one. The value is compared without case; between slashes it is a regular expression.
    pub fn filter(header: &str, value: &str) -> Result<Self, InvalidCommand> {
        Draft::new("filter", 0).word(header)?.rest(value)?.end()
    }

    /// Runs an API command and waits: the connection's other commands and its events do, too.
    pub fn api(command: &str) -> Result<Self, InvalidCommand> {
        Draft::new("api", 0).rest(command)?.end()
    }

    /// Runs an API command beside the connection. Its answer is the body of a `BACKGROUND_JOB` with this `Job-UUID`.
    pub fn bgapi(command: &str, job: &str) -> Result<Self, InvalidCommand> {
        Draft::new("bgapi", 0).rest(command)?.header("Job-UUID", job)?.end()
    }

    /// Queues a dialplan application for `call`, behind those queued before (`event-lock`; without it, it would run
    /// *inside* the one that runs). Variables in `argument` are substituted. `CHANNEL_EXECUTE_COMPLETE` will have `id` as
    /// its `Application-UUID`. An unknown application hangs the call up. On a connection that FreeSWITCH made, the call
    /// is the connection's own.
    pub fn execute(
        call: Option<&str>,
        application: &str,
        argument: &str,
        id: &str,
    ) -> Result<Self, InvalidCommand> {
        let draft = Draft::application(call, application, argument)?;
        draft.header("event-lock", "true")?.header("Event-UUID", id)?.end()
    }

    /// Queues a dialplan application for `call` that lets others run inside it while it runs: those of [`Command::execute`]
    /// that come after it.
    pub fn begin(call: Option<&str>, application: &str, argument: &str) -> Result<Self, InvalidCommand> {
        Draft::application(call, application, argument)?.end()
    }

    /// Makes an event for all connections that ask for its name, with these headers alone. All events need an `Event-Name`
    /// among them but `CUSTOM`: FreeSWITCH adds its name, and with a second one no connection gets it (1.10.12).
    pub fn event(name: &str, headers: &[(&'static str, &str)]) -> Result<Self, InvalidCommand> {
        let draft = Draft::new("sendevent", 0).word(name)?;
        let draft = if name == "CUSTOM" { draft } else { draft.header("Event-Name", name)? };
        headers.iter().try_fold(draft, |draft, (name, value)| draft.header(name, value))?.end()
    }

    /// Hangs `call` up, in the middle of whatever it does.
    pub fn hangup(call: Option<&str>, cause: &str) -> Result<Self, InvalidCommand> {
        Draft::sendmsg(call)?.header("call-command", "hangup")?.header("hangup-cause", cause)?.end()
    }

    /// On a connection that FreeSWITCH made: asks what the call is. The first command there.
    pub fn connect() -> Result<Self, InvalidCommand> {
        Draft::new("connect", 0).end()
    }

    /// On a connection that FreeSWITCH made: asks for the events of its call.
    pub fn my_events() -> Result<Self, InvalidCommand> {
        Draft::new("myevents", 0).word("plain")?.end()
    }

    /// On a connection that FreeSWITCH made: keeps it for so long after the call's end, in whole seconds, for its last
    /// events. Needs `full` in the dialplan.
    pub fn linger(time: Duration) -> Result<Self, InvalidCommand> {
        Draft::new("linger", 0).word(&time.as_secs().to_string())?.end()
    }

    /// Its name: `sendmsg`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its bytes, as they are sent.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.name)
    }
}

/// A command being written; the end of its first line is written with the first header, or with the end.
struct Draft {
    name: &'static str,
    text: Zeroizing<String>,
}

impl Draft {
    /// `secret`: room for what must leave no copies behind by growing.
    fn new(name: &'static str, secret: usize) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(name.len() + secret + 8));
        text.push_str(name);
        Self { name, text }
    }

    fn sendmsg(call: Option<&str>) -> Result<Self, InvalidCommand> {
        let draft = Self::new("sendmsg", 0);
        match call {
            Some(call) => draft.word(call),
            None => Ok(draft),
        }
    }

    fn application(call: Option<&str>, name: &str, argument: &str) -> Result<Self, InvalidCommand> {
        let draft =
            Self::sendmsg(call)?.header("call-command", "execute")?.header("execute-app-name", name)?;
        if argument.is_empty() { Ok(draft) } else { draft.header("execute-app-arg", argument) }
    }

    fn word(self, word: &str) -> Result<Self, InvalidCommand> {
        if word.is_empty() || word.contains(char::is_whitespace) {
            return Err(InvalidCommand::NotAWord(self.name));
        }
        self.rest(word)
    }

    fn rest(self, text: &str) -> Result<Self, InvalidCommand> {
        if text.is_empty() {
            return Err(InvalidCommand::NotAWord(self.name));
        }
        self.push(&[" ", text])
    }

    fn header(self, name: &'static str, value: &str) -> Result<Self, InvalidCommand> {
        let mut draft = self;
        draft.text.push('\n');
        draft.push(&[name, ": ", value])
    }

    fn push(mut self, parts: &[&str]) -> Result<Self, InvalidCommand> {
        if parts.iter().any(|part| part.contains(['\r', '\n', '\0'])) {
            return Err(InvalidCommand::ControlCharacter(self.name));
        }
        self.text.extend(parts.iter().copied());
        if self.text.len() + 2 > COMMAND_LIMIT { Err(InvalidCommand::TooLong(self.name)) } else { Ok(self) }
    }

    fn end(mut self) -> Result<Command, InvalidCommand> {
        self.text.push_str("\n\n");
        Ok(Command { name: self.name, text: self.text })
    }
}
