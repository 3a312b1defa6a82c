//! The connection that acts go over: made when it is needed, and made anew when it broke.
//!
//! redis' own `ConnectionManager` (1.8.1) is not used, for three reasons: while it reconnects a caller is told nothing
//! of why (a wrong password is silence); an answer that does not come in time leaves the dead connection in place; and
//! without RESP3 the first act after an outage fails on a connection that is long gone.

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

use super::VERSION;
use crate::desk::policy::Refusal;
use crate::store::StoreError;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_millis(1000);
/// How long an act may take, connecting included.
const ACT: Duration = Duration::from_millis(1800);

/// A Redis, and the connection to it if there is one now.
pub(super) struct Link {
    client: Client,
    /// Where it is, without user and password.
    pub(super) place: String,
    live: Mutex<Option<Live>>,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    /// Set when the server hangs up, also when nobody is asking anything.
    gone: Arc<AtomicBool>,
}

impl Link {
    /// Checks `url`; connects later.
    pub(super) fn new(url: &str) -> Result<Self, StoreError> {
        // The error is ours: redis' could repeat a part of the URL, and with it a password.
        let unreadable = || {
            let what = "its url cannot be read; write redis://[user:password@]host:6379/0, special characters as %XX";
            StoreError::Broken("redis://…".into(), what.into())
        };
        let info = url.into_connection_info().map_err(|_| unreadable())?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let place = format!("redis://{}/{}", info.addr(), settings.db());
        let client = Client::open(info.set_redis_settings(settings)).map_err(|_| unreadable())?;
        Ok(Self { client, place, live: Mutex::default() })
    }

    /// A connection of its own, for reads that block up to `answer`.
    pub(super) async fn another(&self, answer: Duration) -> Result<MultiplexedConnection, RedisError> {
        self.client.get_multiplexed_async_connection_with_config(&config(answer)).await
    }

    /// Runs a script.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        self.within(async |mut connection| script.invoke_async(&mut connection).await).await
    }

    /// Runs a script that may take longer than others, on a connection of its own.
    pub(super) async fn run_within<T: FromRedisValue>(
        &self,
        patience: Duration,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let done = timeout(patience, async { script.invoke_async(&mut self.another(patience).await?).await });
        match done.await {
            Ok(done) => done.map_err(|error| self.error(&error)),
            Err(_) => Err(StoreError::Away(self.place.clone(), format!("no answer within {patience:?}"))),
        }
    }

    /// Runs commands.
    pub(super) async fn ask<T: FromRedisValue>(&self, commands: &redis::Pipeline) -> Result<T, StoreError> {
        self.within(async |mut connection| commands.query_async(&mut connection).await).await
    }

    /// The data is of a later version than ours.
    pub(super) fn newer(&self, version: &str) -> StoreError {
        let why = format!(
            "a newer hotdesk wrote it (data of version {version}, this one knows {VERSION}); run that one, or restore a backup from before it"
        );
        StoreError::Broken(self.place.clone(), why)
    }

    async fn within<T>(
        &self,
        act: impl AsyncFnOnce(MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        let mut used = None;
        let done = timeout(ACT, async {
            let live = self.live().await?;
            act(used.insert(live).connection.clone()).await
        });
        let error = match done.await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => self.error(&error),
            Err(_) => StoreError::Away(self.place.clone(), format!("no answer within {ACT:?}")),
        };
        if let (StoreError::Away(..), Some(live)) = (&error, used) {
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
        // Longer than any act may take: the deadline is ours, so that it holds for the act as a whole.
        let config = config(2 * ACT).set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                hung_up.store(true, Ordering::Relaxed);
            }
            Ok::<(), redis::aio::SendError>(())
        });
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(slot.insert(Live { connection, gone }).clone())
    }

    /// What an error of redis means here.
    fn error(&self, error: &RedisError) -> StoreError {
        let place = self.place.clone();
        if error.code() == Some("MISSING") {
            return StoreError::Missing(error.detail().unwrap_or("such user or device").into());
        }
        if error.code() == Some("NEWER") {
            return self.newer(error.detail().unwrap_or("unknown"));
        }
        if error.code() == Some("CHANGED") {
            return StoreError::Contended(error.detail().unwrap_or_default().into());
        }
        if error.code() == Some("INUSE") {
            return StoreError::in_use(error.detail().unwrap_or_default().split(' '));
        }
        if let ("REFUSED", Some(refusal)) =
            (error.code().unwrap_or_default(), error.detail().and_then(Refusal::of_a_move))
        {
            return StoreError::Refused(refusal);
        }
        let why = match error.code() {
            Some("OOM") => {
                "it is out of memory; raise maxmemory, and leave maxmemory-policy at noeviction".into()
            }
            Some("MISCONF") => {
                format!("it cannot save ({}); see its log and its disk", error.detail().unwrap_or(""))
            }
            Some("WRONGPASS" | "NOAUTH" | "NOPERM") => {
                format!("it does not let us in ({error}); see [store] url")
            }
            _ => error.to_string(),
        };
        match error.kind() {
            ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => StoreError::Away(place, why),
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                StoreError::Broken(place, format!("it does not let us in ({error}); see [store] url"))
            }
            // It is up, but not yet or no longer the one to write to.
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain,
            ) => StoreError::Away(place, why),
            _ => StoreError::Broken(place, why),
        }
    }
}

fn config(answer: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(answer))
}
