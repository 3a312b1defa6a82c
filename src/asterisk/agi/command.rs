//! FastAGI commands: one line each, with one reply. A second command before the reply to the first stalls the call
//! (Asterisk 22.10.1), so the sender waits for each reply.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

/// Bytes that a command may take with its LF; Asterisk reads it into a buffer of 2048.
pub const COMMAND_LIMIT: usize = 2000;

/// A command that cannot be sent. Does not repeat it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidCommand {
    /// It would end early and start another.
    #[error("an AGI command cannot carry a CR, LF or NUL: {0} has one")]
    ControlCharacter(&'static str),
    /// Asterisk would cut it.
    #[error("the AGI command {0} takes more than {COMMAND_LIMIT} bytes")]
    TooLong(&'static str),
}

/// A command, ready to be sent. May hold what a caller entered: wiped when dropped, `Debug` shows its name only.
pub struct Command {
    name: &'static str,
    line: Zeroizing<String>,
}

/// The commands. One that cannot be sent as one line is an [`InvalidCommand`].
impl Command {
    /// Answers the call. Before that the caller hears no sound, as no early media is announced. Result 0, or -1.
    #[must_use]
    pub fn answer() -> Self {
        Self::bare("ANSWER")
    }

    /// Asks for the channel's state; 6 is up. 511 after a hang-up: the way to find out with `AGISIGHUP=no`.
    #[must_use]
    pub fn channel_status() -> Self {
        Self::bare("CHANNEL STATUS")
    }

    /// Runs a dialplan application; variables in `arguments` are substituted. Result -2 when there is no such one.
    pub fn exec(application: &str, arguments: &str) -> Result<Self, InvalidCommand> {
        Self::quoted("EXEC", &[application, arguments])
    }

    /// Plays `sound` and takes digits, early ones too: at most `most`, with `timeout` both until the first and between them.
    /// Zero is 6 s until the first and 2 s between them, whatever the channel's `TIMEOUT(response)` and `TIMEOUT(digit)`. The
    /// result is the digits; -1 a hang-up, or a missing sound.
    pub fn get_data(sound: &str, timeout: Duration, most: u8) -> Result<Self, InvalidCommand> {
        Self::quoted("GET DATA", &[sound, &timeout.as_millis().to_string(), &most.to_string()])
    }

    /// Asks for an expression's value, such as `${CHANNEL(endpoint)}`. Result 1 with the value, or 0. Works after a hang-up.
    pub fn get_full_variable(expression: &str) -> Result<Self, InvalidCommand> {
        Self::quoted("GET FULL VARIABLE", &[expression])
    }

    /// Hangs up.
    #[must_use]
    pub fn hangup() -> Self {
        Self::bare("HANGUP")
    }

    /// Says `digits` one by one. Result: 0, or the character code of the one of `escape` that was pressed.
    pub fn say_digits(digits: &str, escape: &str) -> Result<Self, InvalidCommand> {
        Self::quoted("SAY DIGITS", &[digits, escape])
    }

    /// Sets a variable of the channel, or a function's value: `CHANNEL(language)`. Works after a hang-up.
    pub fn set_variable(name: &str, value: &str) -> Result<Self, InvalidCommand> {
        Self::quoted("SET VARIABLE", &[name, value])
    }

    /// Plays one sound. Result: 0; the character code of the one of `escape` that was pressed; or -1, see
    /// [`Answer::endpos`](super::codec::Answer::endpos). Other digits pressed meanwhile are lost.
    pub fn stream_file(sound: &str, escape: &str) -> Result<Self, InvalidCommand> {
        Self::quoted("STREAM FILE", &[sound, escape])
    }

    /// Takes one digit. Result: its character code, 0 after `timeout`, -1 after a hang-up.
    pub fn wait_for_digit(timeout: Duration) -> Result<Self, InvalidCommand> {
        Self::quoted("WAIT FOR DIGIT", &[&timeout.as_millis().to_string()])
    }

    /// Its name: `GET DATA`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The line with its LF, as it is sent. A CR before the LF would make it an unknown command.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.line.as_bytes()
    }

    fn bare(name: &'static str) -> Self {
        Self { name, line: Zeroizing::new(format!("{name}\n")) }
    }

    fn quoted(name: &'static str, arguments: &[&str]) -> Result<Self, InvalidCommand> {
        // Room for every character to be escaped: a text that grows would leave copies behind.
        let room = arguments.iter().map(|argument| 2 * argument.len() + 3).sum::<usize>();
        let mut line = Zeroizing::new(String::with_capacity(name.len() + room + 1));
        line.push_str(name);
        for argument in arguments {
            line.push_str(" \"");
            for c in argument.chars() {
                match c {
                    '\r' | '\n' | '\0' => return Err(InvalidCommand::ControlCharacter(name)),
                    '"' | '\\' => line.extend(['\\', c]),
                    _ => line.push(c),
                }
            }
            line.push('"');
        }
        line.push('\n');
        if line.len() > COMMAND_LIMIT { Err(InvalidCommand::TooLong(name)) } else { Ok(Self { name, line }) }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.name)
    }
}
