//! A TCP proxy before a Redis. It delays what passes, and notes the commands.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A proxy that takes connections until the process ends.
pub struct Proxy {
    port: u16,
    delay_ms: Arc<AtomicU64>,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Before the Redis at this port. It delays nothing at first.
    pub fn before(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (delay_ms, commands) = (Arc::<AtomicU64>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (delay, heard) = (delay_ms.clone(), commands.clone());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", redis)) else { continue };
                let (mut request, commands) = (Vec::new(), heard.clone());
                pass(&near, &far, &delay, move |bytes| {
                    request.extend_from_slice(bytes);
                    while let Some((command, length)) = command(&request) {
                        commands.lock().unwrap().push(command);
                        request.drain(..length);
                    }
                });
                pass(&far, &near, &delay, |_| ());
            }
        });
        Self { port, delay_ms, commands }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Delays all that passes from now on by this long, in each direction.
    pub fn delay(&self, each_way: Duration) {
        self.delay_ms.store(u64::try_from(each_way.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// The commands that were sent since the last call of this, each with its arguments.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.commands.lock().unwrap())
    }

    /// How many commands of this name with this in an argument were sent since then.
    pub fn count(&self, name: &str, argument: &str) -> usize {
        let commands = self.commands.lock().unwrap();
        commands.iter().filter(|command| command.starts_with(name) && command.contains(argument)).count()
    }
}

/// Passes bytes on, each as late as the delay was when it came.
fn pass(
    from: &TcpStream,
    to: &TcpStream,
    delay_ms: &Arc<AtomicU64>,
    mut note: impl FnMut(&[u8]) + Send + 'static,
) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    to.set_nodelay(true).unwrap();
    let (sender, receiver): (Sender<(Instant, Vec<u8>)>, Receiver<_>) = channel();
    let delay_ms = delay_ms.clone();
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            note(&buffer[..read]);
            let due = Instant::now() + Duration::from_millis(delay_ms.load(Ordering::Relaxed));
            if sender.send((due, buffer[..read].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// The first command in these bytes, its parts separated by blanks, and its length, if it is complete: an array of strings.
fn command(bytes: &[u8]) -> Option<(String, usize)> {
    let mut at = 0;
    let number = |after: u8, at: &mut usize| -> Option<usize> {
        let end = *at + bytes.get(*at..)?.windows(2).position(|pair| pair == b"\r\n")?;
        assert_eq!(bytes[*at], after, "not a command of Redis");
        let number = std::str::from_utf8(&bytes[*at + 1..end]).unwrap().parse().unwrap();
        *at = end + 2;
        Some(number)
    };
    let parts = number(b'*', &mut at)?;
    let mut words = vec![];
    for _ in 0..parts {
        let length = number(b'$', &mut at)?;
        let text = bytes.get(at..at + length)?;
        words.push(String::from_utf8_lossy(text));
        at += length + 2;
    }
    (at <= bytes.len()).then(|| (words.join(" "), at))
}
