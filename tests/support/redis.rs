//! A real redis-server on a port of its own, that can be stopped, killed and started again.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Runs until it is dropped; writes each command to its disk before it acknowledges it.
pub struct RedisServer {
    port: u16,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

impl RedisServer {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { port, folder: tempfile::tempdir().unwrap(), child: None };
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
        self.child.as_ref().map(Child::id).unwrap()
    }

    /// Starts it again with what it had on its disk.
    pub fn restart(&mut self) {
        self.kill();
        let (program, libraries) = program();
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        command.arg("--port").arg(self.port.to_string()).arg("--dir").arg(self.folder.path());
        if let Some(libraries) = libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(15);
        while !self.answers() {
            assert!(Instant::now() < until, "redis-server did not come up on port {}", self.port);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
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

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The installed one, else Debian's, fetched without root; and where its libraries are.
fn program() -> &'static (PathBuf, Option<OsString>) {
    static PROGRAM: OnceLock<(PathBuf, Option<OsString>)> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed = std::env::split_paths(&path).map(|folder| folder.join("redis-server"));
        match installed.into_iter().find(|file| file.exists()) {
            Some(file) => (file, None),
            None => fetched(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("redis")),
        }
    })
}

/// Unpacks Debian's packages into `root`, once.
fn fetched(root: &Path) -> (PathBuf, Option<OsString>) {
    if !root.exists() {
        // Unpacked beside it and renamed, so that a fetch that was broken off is not taken for a whole one.
        let script = r#"
            set -eu
            work=$(mktemp -d "$1.XXXXXX")
            cd "$work"
            libraries=$(apt-cache depends redis-tools | sed -n 's/.*Depends: \(lib[^ ]*\)$/\1/p' | grep -vx libc6)
            apt-get -q download redis-server redis-tools $libraries
            for package in *.deb; do dpkg-deb -x "$package" root; done
            mv root "$1"
            rm -r "$work"
        "#;
        let fetch = Command::new("sh").args(["-c", script, "sh"]).arg(root).output().unwrap();
        let said = String::from_utf8_lossy(&fetch.stderr);
        assert!(fetch.status.success(), "redis-server is not installed, and apt-get download failed: {said}");
    }
    let folders = ["usr/lib", "lib"].map(|folder| std::fs::read_dir(root.join(folder)));
    let folders = folders.into_iter().flatten().flatten().flatten().map(|folder| folder.path());
    (root.join("usr/bin/redis-server"), std::env::join_paths(folders).ok())
}
