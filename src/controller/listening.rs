//! Whether it is Hotdesk that listens where a switch sends its calls: only a controller of this installation knows the answer
//! to a nonce.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, ToSocketAddrs, lookup_host};
use tokio::time::timeout;
use uuid::Uuid;

use super::pepper::Peppers;
use crate::model::login::token::{self, PROOF};

/// How long connecting may take, and then the answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most bytes of an answer.
const MOST: u64 = 1024;

/// Who listens at an address.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Listening {
    /// A controller of this installation.
    Ours,
    /// A Hotdesk with another pepper.
    OtherHotdesk,
    /// A program that is not Hotdesk, and what it sent: nothing, if it closed the connection.
    Program(String),
    /// Not known, and why.
    Unknown(String),
    /// No program, and why.
    NoProgram(String),
}

/// Connects, sends the question that `question` makes of a nonce, and judges the answer. Hotdesk closes a connection from an
/// address that is not in `allow`, and logs it as that of a stranger: then it is not tried.
pub(crate) async fn at(
    address: impl ToSocketAddrs,
    question: fn(&str) -> String,
    peppers: Option<&Peppers>,
    allow: &[IpNet],
) -> Listening {
    let late = || format!("no answer within {} s", PATIENCE.as_secs());
    let found: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host(address)).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => return Listening::NoProgram(error.to_string()),
        Err(_) => return Listening::NoProgram(late()),
    };
    if let Some(listening) = found.first().and_then(|target| unasked(*target, allow)) {
        return listening;
    }
    let mut stream = match timeout(PATIENCE, TcpStream::connect(found.as_slice())).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Listening::NoProgram(error.to_string()),
        Err(_) => return Listening::NoProgram(late()),
    };
    let own = stream.local_addr().map(|own| own.ip().to_canonical());
    let allowed = own.is_ok_and(|own| allow.iter().any(|net| net.contains(&own)));
    let nonce = Uuid::new_v4().to_string();
    let mut answer = vec![];
    let asked = timeout(PATIENCE, exchange(&mut stream, &question(&nonce), &mut answer)).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    match (answer.is_empty(), asked) {
        (false, _) => judge(&answer, &nonce, peppers),
        (true, Err(_)) => Listening::Unknown(late()),
        (true, Ok(_)) if allowed => Listening::Program(answer),
        (true, Ok(_)) => Listening::Unknown("the connection was closed: this machine is not allowed".into()),
    }
}

/// What is known of a listener that this machine may not connect to; none if it may.
fn unasked(target: SocketAddr, allow: &[IpNet]) -> Option<Listening> {
    let unspecified = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    // No packet is sent: the system only chooses the address that this machine has there.
    let socket = UdpSocket::bind(unspecified).ok()?;
    socket.connect(target).ok()?;
    let own = socket.local_addr().ok()?.ip().to_canonical();
    if allow.iter().any(|net| net.contains(&own)) {
        return None;
    }
    let here = target.ip().is_unspecified() || target.ip().to_canonical() == own;
    let free = || {
        let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(target)
    };
    Some(match here && free().is_ok() {
        true => Listening::NoProgram("the port is free".into()),
        false => Listening::Unknown("this machine is not allowed to connect, so it was not asked".into()),
    })
}

/// Reads until a proof, the end, or [`MOST`] bytes.
async fn exchange(stream: &mut TcpStream, question: &str, answer: &mut Vec<u8>) -> io::Result<()> {
    let (input, mut output) = stream.split();
    // A program that closes at once may have sent something before.
    let _ = output.write_all(question.as_bytes()).await;
    let mut input = input.take(MOST);
    while input.read_buf(answer).await? > 0 {
        let text = String::from_utf8_lossy(answer);
        if text.split_once(PROOF).is_some_and(|(_, proof)| proof.contains(['"', '\n'])) {
            break;
        }
    }
    Ok(())
}

fn judge(answer: &str, nonce: &str, peppers: Option<&Peppers>) -> Listening {
    let ours = |peppers: &Peppers| peppers.all().any(|pepper| answer.contains(&token::proof(pepper, nonce)));
    match peppers {
        Some(peppers) if ours(peppers) => Listening::Ours,
        _ if answer.contains(PROOF) => Listening::OtherHotdesk,
        _ => Listening::Program(answer.lines().next().unwrap_or_default().chars().take(80).collect()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::model::login::pin::Pepper;

    const ALLOWED: &str = "127.0.0.0/8";

    /// What is found of a program that reads the question and then sends `answer`.
    async fn found(answer: impl FnOnce(&str) -> String + Send + 'static, allow: &str) -> Listening {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = [0; 256];
            let read = stream.read(&mut question).await.unwrap();
            let answer = answer(&String::from_utf8_lossy(&question[..read]));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let peppers = Pepper::new([7; 64]).into();
        at(address, |nonce| format!("nonce {nonce}\n"), Some(&peppers), &[allow.parse().unwrap()]).await
    }

    fn proven(by: u8) -> impl FnOnce(&str) -> String {
        move |question| {
            let nonce = question.trim().strip_prefix("nonce ").unwrap();
            format!("NOOP \"{}\"\n", token::proof(&Pepper::new([by; 64]), nonce))
        }
    }

    #[tokio::test]
    async fn only_a_controller_with_our_pepper_is_ours() {
        assert_eq!(found(proven(7), ALLOWED).await, Listening::Ours);
        assert_eq!(found(proven(8), ALLOWED).await, Listening::OtherHotdesk);
        let stale = token::proof(&Pepper::new([7; 64]), "of another question");
        assert_eq!(found(move |_| format!("NOOP \"{stale}\"\n"), ALLOWED).await, Listening::OtherHotdesk);
        let phpagi = |_: &str| "VERBOSE \"hello\" 1\nGET VARIABLE X\n".into();
        assert_eq!(found(phpagi, ALLOWED).await, Listening::Program("VERBOSE \"hello\" 1".into()));
        assert_eq!(found(|_| String::new(), ALLOWED).await, Listening::Program(String::new()));
        let away = found(|_| String::new(), "192.0.2.0/24").await;
        assert!(matches!(away, Listening::Unknown(why) if why.contains("not allowed")));
    }

    #[tokio::test]
    async fn a_listener_that_does_not_allow_this_machine_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let (address, others) = (listener.local_addr().unwrap(), ["192.0.2.0/24".parse().unwrap()]);
        let asked = at(address, |nonce| nonce.into(), None, &others).await;
        assert!(matches!(asked, Listening::Unknown(why) if why.contains("not allowed")));
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(listener);
        let free = at(address, |nonce| nonce.into(), None, &others).await;
        assert_eq!(free, Listening::NoProgram("the port is free".into()));
    }

    #[tokio::test]
    async fn a_port_that_is_closed_or_silent_is_not_taken_for_a_controller() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let allow = [ALLOWED.parse().unwrap()];
        let silent = at(address, |nonce| nonce.into(), None, &allow).await;
        assert!(matches!(silent, Listening::Unknown(why) if why.contains("no answer within 1 s")));
        drop(listener);
        let closed = at(address, |nonce| nonce.into(), None, &allow).await;
        assert!(matches!(closed, Listening::NoProgram(why) if why.contains("refused")));
    }
}
