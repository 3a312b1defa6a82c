//! `hotdesk.toml` and the environment over it, checked whole: what the operator says.
//!
//! Every scalar key outside `[[switch]]` can be given by the environment as `HOTDESK_<SECTION>_<KEY>`, for example
//! `HOTDESK_STORE_URL`. `HOTDESK_LOG` is short for `HOTDESK_LOG_LEVEL`. Relative paths are relative to the file.

mod address;
mod error;
mod group;
mod leave;
mod login;
mod secret;
mod switch;
mod tenant;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::desk::code::Wanted;
use crate::desk::emergency;
use crate::desk::id::{Context, EmergencyNumber, InvalidId, SwitchName, TenantId};
use crate::desk::pattern::NumberPattern;
use crate::telemetry::{Format, Level};

pub use address::{BadAddress, HostPort};
pub use error::ConfigError;
pub use group::Group;
pub use leave::Leave;
pub use login::{Login, Multiple, Pin};
pub use secret::Secret;
pub use switch::{Kind, Layout, Switch};
pub use tenant::{Of, Tenant};

/// The file that is looked for in the current folder when none is named.
pub const FILE: &str = "hotdesk.toml";

/// What the operator says.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder of the file; relative paths in it were made relative to this.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Where the truth lives.
    pub store: Store,
    /// What people dial, unless their tenant says otherwise: [`Config::of`].
    pub codes: Wanted,
    /// Who may sit where.
    pub login: Login,
    /// How old a PIN may be.
    pub pin: Pin,
    /// What the dialplan must know of the site.
    pub dialplan: Dialplan,
    /// Emergency calls.
    pub emergency: Emergency,
    /// When users are logged out by themselves.
    pub leave: Leave,
    /// The switches; at least one.
    #[serde(rename = "switch")]
    pub switches: Vec<Switch>,
    /// The groups that users sign in to and out of.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
    /// What differs for some tenants.
    #[serde(rename = "tenant")]
    pub tenants: Vec<Tenant>,
    /// How long the journal is kept.
    pub journal: Journal,
    /// What is logged, and how.
    pub log: Log,
    /// What is counted.
    pub metrics: Metrics,
}

/// `[store]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// `sqlite:hotdesk.db`, `redis://127.0.0.1:6379/0`.
    pub url: StoreUrl,
    /// The key that PINs are hashed with; made at the first start.
    pub pepper_file: PathBuf,
}

/// `[dialplan]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Dialplan {
    /// Which numbers may be users' extensions.
    pub users: Vec<NumberPattern>,
    /// The site's context for a number that is nobody's.
    #[serde(deserialize_with = "unless_empty")]
    pub otherwise: Option<Context>,
    /// The site's context that records a call; none: no call is recorded.
    #[serde(deserialize_with = "unless_empty")]
    pub recording: Option<Context>,
    /// Whether a user is asked for the password of his own voicemail box at the phone where he sits.
    pub voicemail_password: bool,
}

/// `[emergency]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Emergency {
    /// What is dialled; a country's preset (`eu`, `de`) stands for its numbers.
    #[serde(deserialize_with = "emergency_numbers")]
    pub numbers: Vec<EmergencyNumber>,
    /// The site's context where such a call goes, with the location's number set.
    pub context: Context,
}

/// `[journal]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// Days after which an entry is counted and dropped; zero: never.
    pub keep_days: u16,
}

/// `[log]`
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// For people or for machines.
    pub format: Format,
    /// How much.
    pub level: Level,
}

/// `[metrics]`
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Where they can be read; none: nowhere.
    #[serde(deserialize_with = "address_unless_empty")]
    pub listen: Option<SocketAddr>,
}

/// Where a store is. May hold a password, so it is not shown.
#[derive(Clone, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct StoreUrl(String);

impl Config {
    /// Reads `file`, or [`FILE`] in the current folder, and the environment over it.
    ///
    /// # Errors
    /// [`ConfigError`] says where what is wrong, and what to do.
    pub fn load(file: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => {
                return Err(ConfigError::NoFile);
            }
            Err(error) => return Err(ConfigError::Unreadable(path.into(), error)),
        };
        // An absolute path stays right whatever the current folder becomes.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
        Self::parse(&text, &path, env)
    }

    /// Reads the `text` of the file at `path`, and the environment over it.
    ///
    /// # Errors
    /// [`ConfigError`] says where what is wrong, and what to do.
    pub fn parse(text: &str, path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config: Self =
            toml::from_str(text).map_err(|error| ConfigError::Syntax(path.into(), Box::new(error)))?;
        config.environment(env)?;
        config.folder = path.parent().unwrap_or(Path::new("")).into();
        config.store.pepper_file = config.folder.join(&config.store.pepper_file);
        for switch in &mut config.switches {
            switch.ami_secret_file = config.folder.join(&switch.ami_secret_file);
            switch.esl_password_file = config.folder.join(&switch.esl_password_file);
        }
        config.agrees().map_err(|why| ConfigError::Refused(path.into(), why))?;
        Ok(config)
    }

    /// The switch of that name.
    #[must_use]
    pub fn switch(&self, name: &SwitchName) -> Option<&Switch> {
        self.switches.iter().find(|switch| switch.name == *name)
    }

    /// Whether a switch has phones of this tenant.
    #[must_use]
    pub fn serves(&self, tenant: &TenantId) -> bool {
        self.switches.iter().any(|switch| switch.has(tenant))
    }

    fn environment(&mut self, env: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        over(env, "HOTDESK_STORE_URL", &mut self.store.url, StoreUrl::try_from)?;
        over(env, "HOTDESK_STORE_PEPPER_FILE", &mut self.store.pepper_file, |path| {
            Ok::<_, &str>(path.into())
        })?;
        over(env, "HOTDESK_LOGIN_MULTI", &mut self.login.multi, Multiple::try_from)?;
        over(env, "HOTDESK_LOGIN_KEEP", &mut self.login.keep, |most| most.parse::<NonZeroU8>())?;
        over(env, "HOTDESK_LOGIN_TAKE_OVER", &mut self.login.take_over, |may| may.parse::<bool>())?;
        over(env, "HOTDESK_PIN_EXPIRES_DAYS", &mut self.pin.expires_days, |days| days.parse::<u16>())?;
        over(env, "HOTDESK_DIALPLAN_OTHERWISE", &mut self.dialplan.otherwise, context_unless_empty)?;
        over(env, "HOTDESK_DIALPLAN_RECORDING", &mut self.dialplan.recording, context_unless_empty)?;
        over(env, "HOTDESK_DIALPLAN_VOICEMAIL_PASSWORD", &mut self.dialplan.voicemail_password, |asked| {
            asked.parse::<bool>()
        })?;
        over(env, "HOTDESK_EMERGENCY_CONTEXT", &mut self.emergency.context, Context::new)?;
        self.leave.environment(env)?;
        over(env, "HOTDESK_JOURNAL_KEEP_DAYS", &mut self.journal.keep_days, |days| days.parse::<u16>())?;
        over(env, "HOTDESK_LOG_FORMAT", &mut self.log.format, Format::try_from)?;
        over(env, "HOTDESK_LOG_LEVEL", &mut self.log.level, Level::new)?;
        over(env, "HOTDESK_LOG", &mut self.log.level, Level::new)?;
        over(env, "HOTDESK_METRICS_LISTEN", &mut self.metrics.listen, listening_unless_empty)
    }

    /// What each value alone cannot say: whether they go together.
    fn agrees(&self) -> Result<(), String> {
        if self.switches.is_empty() {
            return Err("it names no switch: add a [[switch]], as hotdesk.example.toml shows".into());
        }
        if self.dialplan.users.is_empty() {
            return Err(
                "[dialplan] users is empty: say which numbers may be users, for example [\"1XX\"]".into()
            );
        }
        if self.emergency.numbers.is_empty() {
            return Err(
                "[emergency] numbers is empty, and nobody could call for help from a phone at which nobody \
                        sits: name them, for example [\"112\"]"
                    .into(),
            );
        }
        self.login.agrees()?;
        for (n, switch) in self.switches.iter().enumerate() {
            switch.agrees()?;
            switch.reaches(&self.switches)?;
            for before in self.switches.iter().take(n) {
                switch.agrees_with(before)?;
            }
        }
        self.groups_agree()?;
        self.tenants_agree()
    }
}

fn emergency_numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<EmergencyNumber>, D::Error> {
    let named = Vec::<String>::deserialize(deserializer)?;
    emergency::numbers(named.iter().map(String::as_str)).map_err(D::Error::custom)
}

impl Default for Store {
    fn default() -> Self {
        Self { url: StoreUrl("sqlite:hotdesk.db".into()), pepper_file: "hotdesk.pepper".into() }
    }
}

impl Default for Dialplan {
    fn default() -> Self {
        Self {
            users: NumberPattern::new("XXX").into_iter().collect(),
            otherwise: None,
            recording: None,
            voicemail_password: true,
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { keep_days: 90 }
    }
}

impl Default for Emergency {
    fn default() -> Self {
        Self { numbers: EmergencyNumber::new("112").into_iter().collect(), context: Context::emergency() }
    }
}

impl StoreUrl {
    /// The address, to open the store with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.0.split(':').next().unwrap_or_default())
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite" | "redis" | "rediss", rest)) if !rest.is_empty() => Ok(Self(url)),
            // What was given is not repeated: it may hold a password.
            _ => Err("a store's url is sqlite:FILE, redis://HOST:PORT/DB or rediss://HOST:PORT/DB".into()),
        }
    }
}

/// Replaces `value` by what the environment says, if it says something.
fn over<T, E: fmt::Display>(
    env: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
    value: &mut T,
    read: impl FnOnce(String) -> Result<T, E>,
) -> Result<(), ConfigError> {
    if let Some(given) = env(name) {
        *value = read(given).map_err(|why| ConfigError::Environment(name, why.to_string()))?;
    }
    Ok(())
}

fn unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Context>, D::Error> {
    context_unless_empty(String::deserialize(from)?).map_err(D::Error::custom)
}

fn context_unless_empty(name: String) -> Result<Option<Context>, InvalidId> {
    if name.is_empty() { Ok(None) } else { Context::new(name).map(Some) }
}

fn address_unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    listening_unless_empty(String::deserialize(from)?).map_err(D::Error::custom)
}

fn listening_unless_empty(address: String) -> Result<Option<SocketAddr>, String> {
    if address.is_empty() {
        return Ok(None);
    }
    let parsed =
        address.parse().map_err(|_| format!("{address:?} is no address to listen on: 127.0.0.1:9464 is one"));
    parsed.map(Some)
}

#[cfg(test)]
mod tests;
