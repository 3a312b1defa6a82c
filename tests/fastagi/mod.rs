//! A caller over FastAGI, against an Asterisk that answers by a script; and the server that takes such calls.

mod phone;
mod server;

use hotdesk::model::login::token::Token;
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, ReadHalf, WriteHalf, split,
};

use crate::harness::records::pepper;

/// What Asterisk says of a call from desk1.
const ENVIRONMENT: &str = "agi_network: yes\nagi_network_script: hotdesk\nagi_channel: PJSIP/desk1-00000001\n\
                           agi_uniqueid: 1795283486.1\nagi_threadid: 140291483506368\nagi_arg_1: desk1\n\
                           agi_arg_2: 192.0.2.7:5060\n\n";

/// The token of the dialplan, as its hint.
fn token() -> String {
    format!("Custom:{}", Token::of(&pepper()).reveal())
}

/// Asterisk's end of a connection.
struct Asterisk<S> {
    commands: BufReader<ReadHalf<S>>,
    out: WriteHalf<S>,
}

impl<S: AsyncRead + AsyncWrite> Asterisk<S> {
    fn new(stream: S) -> Self {
        let (input, out) = split(stream);
        Self { commands: BufReader::new(input), out }
    }

    /// The next command, without its LF; `None` when the connection was closed.
    async fn command(&mut self) -> Option<String> {
        let mut line = String::new();
        // A connection that was turned away may be reset.
        let read = self.commands.read_line(&mut line).await.unwrap_or(0);
        (read > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    /// Writes; whether the other end is still there to read it.
    async fn say(&mut self, text: &str) -> bool {
        self.out.write_all(text.as_bytes()).await.is_ok()
    }
}

/// What a healthy Asterisk replies, with a caller who does not hang up and who dialled `*35*001*0042`, and whose PIN is 0042.
fn well(command: &str) -> String {
    let reply = match command.split(" \"").next().unwrap() {
        "GET DATA" => "result=0042",
        "GET FULL VARIABLE" => &format!("result=1 ({}|*35*001*0042)", token()),
        "STREAM FILE" => "result=0 endpos=8000",
        "CHANNEL STATUS" => "result=6",
        "SET VARIABLE" => "result=1",
        _ => "result=0",
    };
    format!("200 {reply}\n")
}
