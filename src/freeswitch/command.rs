//! The event socket, what FreeSWITCH is told: a line, maybe headers, and an empty line. Each is answered by one
//! [`Reply`](super::esl::Reply) or [`Response`](super::esl::Response), in order.

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

/// A command, ready to be sent. May hold the password: wiped when dropped, `Debug` shows its name only.
pub struct Command {
    name: &'static str,
    text: Zeroizing<String>,
}

impl Command {
    /// Logs in. `-ERR invalid` and a disconnect, if the password is wrong.
    ///
    /// # Errors
    /// [`InvalidCommand`] when it cannot be sent as one line.
    pub fn auth(password: &str) -> Result<Self, InvalidCommand> {
        Draft::new("auth", password.len()).rest(password)?.end()
    }

    /// Asks for events in addition to those asked for before: by name (`CHANNEL_PARK`) or, with `::`, by subclass
    /// (`sofia::register`). FreeSWITCH takes every word after `CUSTOM` for a subclass, whatever it is, so they come last.
    ///
    /// # Errors
    /// [`InvalidCommand`] when one is not a word, and when there is none.
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
    ///
    /// # Errors
    /// [`InvalidCommand`] when it cannot be sent as one line.
    pub fn filter(header: &str, value: &str) -> Result<Self, InvalidCommand> {
        Draft::new("filter", 0).word(header)?.rest(value)?.end()
    }

    /// Runs an API command and waits: the connection's other commands and its events do, too.
    ///
    /// # Errors
    /// [`InvalidCommand`] when it cannot be sent as one line.
    pub fn api(command: &str) -> Result<Self, InvalidCommand> {
        Draft::new("api", 0).rest(command)?.end()
    }

    /// Runs an API command beside the connection. Its answer is the body of a `BACKGROUND_JOB` with this `Job-UUID`.
    ///
    /// # Errors
    /// [`InvalidCommand`] when it cannot be sent as one line.
    pub fn bgapi(command: &str, job: &str) -> Result<Self, InvalidCommand> {
        Draft::new("bgapi", 0).rest(command)?.header("Job-UUID", job)?.end()
    }

    /// Queues a dialplan application for `call`, behind those queued before (`event-lock`; without it, it would run
    /// *inside* the one that runs). Variables in `argument` are substituted. `CHANNEL_EXECUTE_COMPLETE` will have `id` as
    /// its `Application-UUID`. An unknown application hangs the call up. On a connection that FreeSWITCH made, the call
    /// is the connection's own.
    ///
    /// # Errors
    /// [`InvalidCommand`] when it cannot be sent as lines.
    pub fn execute(
        call: Option<&str>,
        application: &str,
        argument: &str,
        id: &str,
    ) -> Result<Self, InvalidCommand> {
        let draft = Draft::sendmsg(call)?
            .header("call-command", "execute")?
            .header("execute-app-name", application)?;
        let draft = if argument.is_empty() { draft } else { draft.header("execute-app-arg", argument)? };
        draft.header("event-lock", "true")?.header("Event-UUID", id)?.end()
    }

    /// Queues a dialplan application for `call` that lets others run inside it while it runs: those of [`Command::execute`]
    /// that come after it.
    ///
    /// # Errors
    /// [`InvalidCommand`] when it cannot be sent as lines.
    pub fn begin(call: Option<&str>, application: &str, argument: &str) -> Result<Self, InvalidCommand> {
        Draft::sendmsg(call)?
            .header("call-command", "execute")?
            .header("execute-app-name", application)?
            .header("execute-app-arg", argument)?
            .end()
    }

    /// Makes an event, for all who want events of that name. It has what is given here alone, and no `Event-Name` but by
    /// that.
    ///
    /// # Errors
    /// [`InvalidCommand`] when it cannot be sent as lines.
    pub fn event(name: &str, headers: &[(&'static str, &str)]) -> Result<Self, InvalidCommand> {
        let draft = Draft::new("sendevent", 0).word(name)?.header("Event-Name", name)?;
        headers.iter().try_fold(draft, |draft, (name, value)| draft.header(name, value))?.end()
    }

    /// Hangs `call` up, in the middle of whatever it does.
    ///
    /// # Errors
    /// [`InvalidCommand`] when it cannot be sent as lines.
    pub fn hangup(call: Option<&str>, cause: &str) -> Result<Self, InvalidCommand> {
        Draft::sendmsg(call)?.header("call-command", "hangup")?.header("hangup-cause", cause)?.end()
    }

    /// On a connection that FreeSWITCH made: asks what the call is. The first command there.
    ///
    /// # Errors
    /// None in fact.
    pub fn connect() -> Result<Self, InvalidCommand> {
        Draft::new("connect", 0).end()
    }

    /// On a connection that FreeSWITCH made: asks for the events of its call.
    ///
    /// # Errors
    /// None in fact.
    pub fn my_events() -> Result<Self, InvalidCommand> {
        Draft::new("myevents", 0).word("plain")?.end()
    }

    /// On a connection that FreeSWITCH made: keeps it for so long after the call's end, in whole seconds, for its last
    /// events. Needs `full` in the dialplan.
    ///
    /// # Errors
    /// None in fact.
    pub fn linger(time: Duration) -> Result<Self, InvalidCommand> {
        Draft::new("linger", 0).word(&time.as_secs().to_string())?.end()
    }

    /// Ends the connection; on one that FreeSWITCH made, the call as well.
    ///
    /// # Errors
    /// None in fact.
    pub fn exit() -> Result<Self, InvalidCommand> {
        Draft::new("exit", 0).end()
    }

    /// Its name: `sendmsg`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its bytes, as they are sent.
    #[must_use]
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
