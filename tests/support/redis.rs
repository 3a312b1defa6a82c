//! A real redis-server on a port of its own, that can be stopped, killed and started again.

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

/// The installed one, else Debian's, fetched without root; with the folder of its libraries.
fn program() -> &'static (PathBuf, Option<PathBuf>) {
    static PROGRAM: OnceLock<(PathBuf, Option<PathBuf>)> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed =
            std::env::split_paths(&path).map(|folder| folder.join("redis-server")).find(|file| file.exists());
        match installed {
            Some(file) => (file, None),
            None => fetched(Path::new(env!("CARGO_TARGET_TMPDIR"))),
        }
    })
}

fn fetched(target: &Path) -> (PathBuf, Option<PathBuf>) {
    let root = target.join("redis");
    let (server, libraries) = (root.join("usr/bin/redis-server"), root.join("lib"));
    if !server.exists() {
        std::fs::create_dir_all(&root).unwrap();
        // Unpacked elsewhere and renamed, so that a fetch that was broken off is not taken for one that was not.
        let script = r#"
            set -eu
            work=$(mktemp -d "$1.XXXXXX")
            cd "$work"
            needs=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
                --no-enhances redis-server | grep '^[a-z0-9]' | sort -u)
            for package in redis-server redis-tools $needs; do
                case $package in
                    redis-server | redis-tools) ;;
                    lib*jemalloc* | liblua* | lua-* | liblzf* | libatomic* | libhiredis* | libssl3* | libsystemd0*) ;;
                    *) continue ;;
                esac
                apt-get download "$package"
            done
            mkdir root
            for package in *.deb; do dpkg-deb -x "$package" root; done
            mkdir root/lib-of-it
            find root -name 'lib*.so*' -o -name '*.so' | while read -r library; do
                case $library in root/lib-of-it/*) ;; *) cp -P "$library" root/lib-of-it/ ;; esac
            done
            rm -rf "$1"
            mv root/lib-of-it "$work/lib"
            rm -rf root/lib
            mv "$work/lib" root/lib
            mv root "$1"
            rm -rf "$work"
        "#;
        let status = Command::new("sh").args(["-c", script, "sh"]).arg(&root).status().unwrap();
        assert!(status.success(), "redis-server is not installed, and cannot be fetched by apt-get download");
    }
    (server, Some(libraries))
}
