//! The FastAGI codec in a call on a real Asterisk: what is written is what arrives.

use std::time::Duration;

use bytes::BytesMut;
use hotdesk::asterisk::agi::codec::{Answer, Decoder, Frame, Reply};
use hotdesk::asterisk::agi::command::{COMMAND_LIMIT, Command};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::codec::Decoder as _;

use crate::harness::asterisk::Site;
use crate::harness::debian::Version;

struct Call {
    stream: TcpStream,
    decoder: Decoder,
    buffer: BytesMut,
}

impl Call {
    async fn next(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.buffer).unwrap() {
                return frame;
            }
            let read = timeout(Duration::from_secs(10), self.stream.read_buf(&mut self.buffer));
            assert_ne!(
                read.await.expect("Asterisk says nothing").unwrap(),
                0,
                "Asterisk closed the connection"
            );
        }
    }

    async fn ask(&mut self, command: Command) -> Reply {
        self.stream.write_all(command.as_bytes()).await.unwrap();
        loop {
            match self.next().await {
                Frame::Reply(reply) => return reply,
                Frame::Hangup => {}
                Frame::Environment(_) => panic!("a second environment"),
            }
        }
    }

    async fn done(&mut self, command: Command) -> Answer {
        let name = command.name();
        match self.ask(command).await {
            Reply::Done(answer) => answer,
            other => panic!("{name}: {other:?}"),
        }
    }
}

async fn a_written_value_arrives_unchanged(version: Version) {
    let site = Site::new().unwrap();
    let dialplan = "[code]\nexten => s,1,AGI(agi://${AGI}/hotdesk?a=%2a1,one arg,*35*101)\n";
    let pbx = site.dialplan(dialplan).start(version).unwrap();
    let listener = TcpListener::bind(pbx.agi()).await.unwrap();
    let mut admin = pbx.ami().unwrap();
    let agi = format!("AGI={}", pbx.agi());
    let originate = [
        ("Channel", "Local/s@code"),
        ("Application", "Wait"),
        ("Data", "20"),
        ("Async", "yes"),
        ("Variable", agi.as_str()),
    ];
    assert_eq!(admin.act("Originate", &originate).unwrap().get("Response"), "Success");
    let (stream, _) = timeout(Duration::from_secs(10), listener.accept()).await.expect("no call").unwrap();
    let mut call = Call { stream, decoder: Decoder::default(), buffer: BytesMut::new() };

    let Frame::Environment(env) = call.next().await else { panic!() };
    assert_eq!(env.var("network_script"), Some("hotdesk?a=%2a1"));
    assert_eq!(env.args().collect::<Vec<_>>(), ["one arg", "*35*101"]);
    assert_eq!(env.var("context"), Some("code"));

    assert_eq!(call.done(Command::answer()).await.number(), Some(0));
    assert_eq!(call.done(Command::channel_status()).await.number(), Some(6));
    let longest = "x".repeat(COMMAND_LIMIT - "SET VARIABLE \"X\" \"\"\n".len());
    for value in
        ["a \"b\" \\c\\", "(one) (two", "", " spaces  ", "Zoë, O'Neill; 100%", "0042", "endpos=3)", &longest]
    {
        assert_eq!(call.done(Command::set_variable("X", value).unwrap()).await.number(), Some(1));
        let answer = call.done(Command::get_full_variable("${X}").unwrap()).await;
        assert_eq!(answer.value(), Some(value));
    }
    assert_eq!(call.done(Command::exec("Set", "Y=a b,c").unwrap()).await.number(), Some(0));
    assert_eq!(call.done(Command::get_full_variable("${Y}").unwrap()).await.value(), Some("a b,c"));
    assert_eq!(call.done(Command::exec("NoSuchApplication", "").unwrap()).await.number(), Some(-2));
    let played = call.done(Command::stream_file("beep", "#").unwrap()).await;
    assert_eq!(played.number(), Some(0));
    assert!(played.endpos().is_some_and(|samples| samples > 1000));
    let missing = call.done(Command::stream_file("no such sound", "").unwrap()).await;
    assert_eq!((missing.number(), missing.endpos()), (Some(-1), Some(0)));
    assert_eq!(call.done(Command::say_digits("1", "").unwrap()).await.number(), Some(0));
    let nothing = call.done(Command::get_data("beep", Duration::from_millis(300), 4).unwrap()).await;
    assert_eq!((nothing.result(), nothing.timed_out()), ("", true));
    assert_eq!(call.done(Command::hangup()).await.number(), Some(1));
    assert!(matches!(call.ask(Command::channel_status()).await, Reply::Dead));
    assert_eq!(call.done(Command::set_variable("HD_RESULT", "x").unwrap()).await.number(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_written_value_arrives_unchanged_on_22() {
    a_written_value_arrives_unchanged(Version::Current).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_written_value_arrives_unchanged_on_16() {
    a_written_value_arrives_unchanged(Version::V16).await;
}
