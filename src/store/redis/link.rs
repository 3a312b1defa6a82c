//! The connection for commands: made when it is needed, and made again when it broke.
//!
//! redis' own `ConnectionManager` (1.8.1) is not used, for three reasons. While it reconnects, it does not report
//! why: a wrong password gives no error. After a late answer it keeps the dead connection. Without RESP3 the first
//! command after an outage fails on a connection that was lost long ago.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, IntoConnectionInfo, ProtocolVersion, PushInfo,
    PushKind, RedisError, ScriptInvocation, ServerErrorKind,
};
use tokio::sync::Mutex;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::store::StoreError;
use crate::store::migration::{OLDEST, VERSION};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_millis(1000);
/// How long a command may take, with connecting.
const MOST: Duration = Duration::from_millis(1800);

/// The error of a Redis.
#[derive(Debug)]
pub(super) enum Fault {
    /// Anything else.
    Store(StoreError),
    /// The data has this other version.
    Version(String),
}

impl Fault {
    /// The error for callers that cannot migrate the data.
    pub(super) fn into_error(self, place: &str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Version(version) => {
                let why = match version.parse::<u32>() {
                    Ok(version) if version < OLDEST => format!(
                        "a Hotdesk from before the first release wrote it (data of version {version}, this one knows {VERSION}); remove its keys, and set up users and devices again"
                    ),
                    Ok(version) if version < VERSION => format!(
                        "its data is of version {version} and was not migrated to version {VERSION}; restart Hotdesk"
                    ),
                    _ => format!(
                        "a newer hotdesk wrote it (data of version {version}, this one knows {VERSION}); run that one, or restore a backup from before it"
                    ),
                };
                StoreError::Broken(place.to_owned(), why)
            }
        }
    }
}

/// A Redis, and the connection to it if there is one.
pub(super) struct Link {
    client: Client,
    /// Its address, without user and password.
    pub(super) place: String,
    /// The user and the password, which a server may repeat in an error: `ERR unknown command 'HELLO', with args beginning with:
    /// '3' 'AUTH' …` (Redis before 6, and proxies).
    login: [Zeroizing<String>; 2],
    live: Mutex<Option<Live>>,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    /// Set when the server closes the connection, even without a command under way.
    gone: Arc<AtomicBool>,
}

impl Link {
    /// Checks `url`; connects later.
    pub(super) fn new(url: &str) -> Result<Self, StoreError> {
        // redis' own error could repeat a part of the URL, and a password with it.
        let unreadable = || {
            let what = "its url cannot be read: write redis://[user:password@]host:6379/0, with special characters as %XX";
            StoreError::Broken("redis://…".into(), what.into())
        };
        let info = url.into_connection_info().map_err(|_| unreadable())?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let place = format!("redis://{}/{}", info.addr(), settings.db());
        let login = [settings.password(), settings.username()];
        let login = login.map(|word| Zeroizing::new(word.unwrap_or_default().to_owned()));
        let client = Client::open(info.set_redis_settings(settings)).map_err(|_| unreadable())?;
        Ok(Self { client, place, login, live: Mutex::default() })
    }

    /// A separate connection, for reads that block up to `answer`.
    pub(super) async fn another(&self, answer: Duration) -> Result<MultiplexedConnection, RedisError> {
        self.client.get_multiplexed_async_connection_with_config(&config(answer)).await
    }

    pub(super) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, Fault> {
        self.within(async |mut connection| script.invoke_async(&mut connection).await).await
    }

    /// Runs a script that may take longer than others, on a separate connection.
    pub(super) async fn run_within<T: FromRedisValue>(
        &self,
        patience: Duration,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, Fault> {
        let done = timeout(patience, async { script.invoke_async(&mut self.another(patience).await?).await });
        done.await.map_err(|_| self.late(patience))?.map_err(|error| self.fault(&error))
    }

    pub(super) async fn ask<T: FromRedisValue>(&self, commands: &redis::Pipeline) -> Result<T, Fault> {
        self.within(async |mut connection| commands.query_async(&mut connection).await).await
    }

    /// What the server does when its memory is full; none, if it does not say.
    pub(super) async fn policy(&self) -> Result<Option<String>, StoreError> {
        let refused = |error: Fault| match error.into_error(&self.place) {
            away @ StoreError::Away(..) => Err(away),
            _ => Ok(None),
        };
        let mut config = redis::pipe();
        config.cmd("CONFIG").arg("GET").arg("maxmemory-policy");
        let configured: Result<Vec<HashMap<String, String>>, Fault> = self.ask(&config).await;
        let configured = match configured {
            Ok(answers) => answers.into_iter().find_map(|mut all| all.remove("maxmemory-policy")),
            Err(error) => refused(error)?,
        };
        if configured.is_some() {
            return Ok(configured);
        }
        let mut memory = redis::pipe();
        memory.cmd("INFO").arg("memory");
        let lines: Result<Vec<String>, Fault> = self.ask(&memory).await;
        let lines = match lines {
            Ok(answers) => answers.concat(),
            Err(error) => return refused(error),
        };
        Ok(lines.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")).map(|it| it.trim().into()))
    }

    async fn within<T>(
        &self,
        act: impl AsyncFnOnce(MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Fault> {
        let mut used = None;
        let done = timeout(MOST, async {
            let live = self.live().await?;
            act(used.insert(live).connection.clone()).await
        });
        let error = match done.await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => self.fault(&error),
            Err(_) => self.late(MOST),
        };
        if let (Fault::Store(StoreError::Away(..)), Some(live)) = (&error, used) {
            live.gone.store(true, Ordering::Relaxed);
        }
        Err(error)
    }

    async fn live(&self) -> Result<Live, RedisError> {
        let mut slot = self.live.lock().await;
        if let Some(live) = slot.as_ref().filter(|live| !live.gone.load(Ordering::Relaxed)) {
            return Ok(live.clone());
        }
        *slot = None;
        let gone = Arc::new(AtomicBool::new(false));
        let hung_up = Arc::clone(&gone);
        // Longer than a command may take: the deadline for the whole command is in `within`.
        let config = config(2 * MOST).set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                hung_up.store(true, Ordering::Relaxed);
            }
            Ok::<(), redis::aio::SendError>(())
        });
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(slot.insert(Live { connection, gone }).clone())
    }

    fn late(&self, patience: Duration) -> Fault {
        Fault::Store(StoreError::Away(self.place.clone(), format!("no answer within {patience:?}")))
    }

    /// The error here for an error of redis.
    fn fault(&self, error: &RedisError) -> Fault {
        if error.code() == Some("VERSION") {
            return Fault::Version(error.detail().unwrap_or("unknown").into());
        }
        Fault::Store(self.error(error))
    }

    fn error(&self, error: &RedisError) -> StoreError {
        let place = self.place.clone();
        let said = self.without_login(&error.to_string());
        let refused = || format!("it refused the login ({said}): correct [store] url");
        let why = match error.code() {
            Some("OOM") => {
                "it is out of memory: raise maxmemory, and leave maxmemory-policy at noeviction".into()
            }
            Some("MISCONF") => {
                let detail = self.without_login(error.detail().unwrap_or_default());
                format!("it cannot save ({detail}); check its log and its disk")
            }
            Some("WRONGPASS" | "NOAUTH" | "NOPERM") => refused(),
            _ => said.clone(),
        };
        match error.kind() {
            ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => StoreError::Away(place, why),
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                StoreError::Broken(place, refused())
            }
            // It is up, but not yet, or no longer, the one for writes.
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain,
            ) => StoreError::Away(place, why),
            _ => StoreError::Broken(place, why),
        }
    }

    /// What a server said, without the words of our login.
    fn without_login(&self, said: &str) -> String {
        let words = self.login.iter().filter(|word| !word.is_empty());
        words.fold(said.to_owned(), |said, word| said.replace(word.as_str(), "***"))
    }
}

fn config(answer: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(answer))
}
