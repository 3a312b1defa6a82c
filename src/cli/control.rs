//! `hotdesk reload`, and the socket at which `hotdesk serve` hears it.
//!
//! The socket is beside the store, for its owner only, and has the name of the controller, so that several controllers can use one
//! store. A question is a line, and the answer a line of JSON.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::{info, warn};

use super::output;
use super::serve::identity;
use crate::config::Config;
use crate::store::{self, files};

/// What is asked.
const RELOAD: &[u8] = b"reload\n";
/// How long an answer may take; names of hosts are looked up for it.
const ANSWER: Duration = Duration::from_secs(20);
/// How long the asking side may take for a question, and to read the answer.
const QUESTION: Duration = Duration::from_secs(5);
/// The longest answer in bytes.
const MOST: u64 = 64 * 1024;

/// What `hotdesk serve` answers.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Answer {
    /// Whether it has taken over the configuration.
    pub(super) done: bool,
    /// Why not, or what the administrator should know.
    pub(super) notes: Vec<String>,
}

/// A question to `hotdesk serve`: to read the configuration again. It is answered here.
pub(super) type Question = oneshot::Sender<Answer>;

/// Where the controller with this configuration, read from `file`, listens.
fn path(config: &Config, file: &Path) -> PathBuf {
    let store = store::file(config.store.url.as_str(), &config.folder);
    let beside = store.unwrap_or_else(|| config.store.pepper_file.clone());
    beside.with_extension(format!("{}.sock", identity::of(file)))
}

/// Whether a `hotdesk serve` with the configuration of this file runs here.
pub(super) async fn is_running(config: &Config, file: &Path) -> bool {
    UnixStream::connect(path(config, file)).await.is_ok()
}

/// Asks the running `hotdesk serve` to read the configuration again, and prints its answer.
pub(super) async fn reload(config: &Config, file: &Path, out: &mut dyn Write) -> Result<()> {
    let path = path(config, file);
    let mut stream = UnixStream::connect(&path).await.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "{} is closed to this user: run hotdesk reload as the user that runs hotdesk serve, or as root",
            path.display()
        ),
        _ => anyhow::anyhow!(
            "no hotdesk serve with the configuration {} runs here: nothing answers at {}. It reads the configuration when \
             it starts",
            file.display(),
            path.display()
        ),
    })?;
    let mut text = String::new();
    let asked = async {
        stream.write_all(RELOAD).await?;
        stream.take(MOST).read_to_string(&mut text).await
    };
    let asked = timeout(ANSWER + QUESTION, asked).await;
    asked
        .context("hotdesk serve does not answer: see its log")?
        .context("hotdesk serve ended the connection")?;
    ensure!(
        !text.is_empty(),
        "hotdesk serve ended the connection: run hotdesk reload as its user, or as root"
    );
    let Answer { done, notes } =
        serde_json::from_str(&text).context("hotdesk serve is of another version")?;
    if !done {
        bail!("hotdesk serve keeps the old configuration: {}", output::joined(notes, ". "));
    }
    writeln!(out, "hotdesk serve has read the configuration again")?;
    notes.iter().for_each(output::note);
    Ok(())
}

/// The open socket. Its file is removed when this is dropped.
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    async fn open(path: PathBuf) -> io::Result<Self> {
        if UnixStream::connect(&path).await.is_ok() {
            return Err(io::Error::other("another hotdesk serve with this configuration listens there"));
        }
        // One that a process left behind when it was killed.
        files::remove(&path)?;
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens the socket. Without it `hotdesk reload` reaches nothing: the log says so, and SIGHUP does the same.
pub(super) async fn open(config: &Config, file: &Path) -> Option<Socket> {
    let path = path(config, file);
    match Socket::open(path.clone()).await {
        Ok(socket) => {
            info!(event = "control.listening", path = %path.display(), "hotdesk reload is heard");
            Some(socket)
        }
        Err(error) => {
            warn!(event = "control.not_open", path = %path.display(), %error, "hotdesk reload does not work; SIGHUP does");
            None
        }
    }
}

/// Passes on what is asked to `questions`, one after the other.
pub(super) async fn listen(socket: Socket, questions: mpsc::Sender<Question>) {
    loop {
        match socket.listener.accept().await {
            // One that asks nothing, or does not read the answer, is left alone.
            Ok((stream, _)) => drop(timeout(ANSWER + QUESTION, answer(stream, &questions)).await),
            Err(_) => tokio::time::sleep(QUESTION).await,
        }
    }
}

async fn answer(mut stream: UnixStream, questions: &mpsc::Sender<Question>) -> io::Result<()> {
    let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    if peer != own && peer != 0 {
        return Ok(());
    }
    let mut asked = [0; RELOAD.len()];
    timeout(QUESTION, stream.read_exact(&mut asked)).await??;
    if asked != RELOAD {
        return Ok(());
    }
    let (question, answered) = oneshot::channel();
    if questions.send(question).await.is_err() {
        return Ok(());
    }
    let Ok(answer) = answered.await else { return Ok(()) };
    stream.write_all(serde_json::to_string(&answer)?.as_bytes()).await
}
