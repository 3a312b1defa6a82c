//! A real redis-server on a port of its own. A test can kill it and start it again.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::debian;
use super::process::Process;
use super::wait;

/// Runs until it is dropped. It writes each command to its disk before it acknowledges it.
pub struct RedisServer {
    port: u16,
    folder: tempfile::TempDir,
    child: Option<Process>,
}

impl RedisServer {
    pub fn start() -> Self {
        Self::with(tempfile::tempdir().unwrap())
    }

    /// With its files in memory, where no disk slows it down.
    pub fn in_memory() -> Self {
        Self::with(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap())
    }

    fn with(folder: tempfile::TempDir) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { port, folder, child: None };
        server.restart();
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().map(Process::id).unwrap()
    }

    /// Starts it again with the data on its disk.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new(debian::redis_server().unwrap());
        command.args(["--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        command.arg("--port").arg(self.port.to_string()).arg("--dir").arg(self.folder.path());
        self.child = Some(Process::spawn(command.stdout(Stdio::null()).stderr(Stdio::null())).unwrap());
        let silent = || format!("redis-server does not answer on port {}", self.port);
        wait::until(Duration::from_secs(15), || self.answers(), silent);
    }

    /// Starts it again without the data on its disk, as one that writes none.
    pub fn restart_empty(&mut self) {
        self.kill();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap()
            } else {
                std::fs::remove_file(path).unwrap()
            }
        }
        self.restart();
    }

    /// Runs one command.
    pub fn command(&self, command: &[&str]) -> ::redis::Value {
        let client = ::redis::Client::open(self.url()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (name, args) = command.split_first().unwrap();
        runtime.block_on(async {
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            ::redis::cmd(name).arg(args).query_async(&mut connection).await.unwrap()
        })
    }

    /// All keys, as they can be restored.
    pub fn dump(&self) -> Vec<(String, Vec<u8>)> {
        let keys: Vec<String> = ::redis::from_redis_value(self.command(&["KEYS", "*"])).unwrap();
        let dump =
            |key: String| (key.clone(), ::redis::from_redis_value(self.command(&["DUMP", &key])).unwrap());
        keys.into_iter().map(dump).collect()
    }

    /// Replaces all data by what was dumped, in one step.
    pub fn restore(&self, dump: &[(String, Vec<u8>)]) {
        let client = ::redis::Client::open(self.url()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut all = ::redis::pipe();
        all.atomic().cmd("FLUSHALL");
        for (key, value) in dump {
            all.cmd("RESTORE").arg(key).arg(0).arg(value.as_slice());
        }
        runtime.block_on(async {
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            let _: ::redis::Value = all.query_async(&mut connection).await.unwrap();
        });
    }

    /// kill -9.
    pub fn kill(&mut self) {
        drop(self.child.take());
    }

    fn answers(&self) -> bool {
        let ping = || -> std::io::Result<[u8; 5]> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer)?;
            Ok(answer)
        };
        ping().is_ok_and(|answer| &answer == b"+PONG")
    }
}
