//! The configuration: `hotdesk.toml`, overridden by the environment, and validated as a whole.
//!
//! The environment variable `HOTDESK_<SECTION>_<KEY>` overrides a scalar key outside `[[switch]]`, for example
//! `HOTDESK_STORE_URL`. `HOTDESK_LOG` is short for `HOTDESK_LOG_LEVEL`. Relative paths are relative to the file.

mod address;
mod auto_logout;
mod contexts;
mod environment;
mod error;
mod group;
mod login;
mod secret;
mod switch;
mod tenant;
mod text_file;
mod web;
mod wording;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::model::codes::CodeSettings;
use crate::model::emergency;
use crate::model::id::{
    Context, EmergencyContext, EmergencyNumber, InvalidId, SwitchName, TenantId, VariableName,
};
use crate::model::number_pattern::NumberPattern;
use crate::telemetry::{Format, Level};
use address::{address_or_empty, parse_optional_address};
use environment::Environment;
use error::refuse_if;
use text_file::with_line_feeds;

pub use address::HostPort;
pub use auto_logout::AutoLogout;
pub use error::ConfigError;
pub use group::Group;
pub use login::{Login, Multiple, Pin};
pub use secret::read_secret;
pub use switch::{Kind, Layout, Switch};
pub use tenant::{Of, Tenant};
pub use text_file::{NotText, TextFile};
pub use web::{Web, WebUrl};

/// Where the file is looked for when none is named, in this order.
const PLACES: [&str; 2] = ["hotdesk.toml", "/etc/hotdesk/hotdesk.toml"];
/// The largest file in bytes.
const MOST: u64 = 1024 * 1024;

/// The whole configuration.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder of the file; relative paths in the file are relative to it.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The store of users, devices and sessions.
    pub store: Store,
    /// The feature codes; a tenant may have others: [`Config::of`].
    pub codes: CodeSettings,
    /// The login rules.
    pub login: Login,
    /// When PINs expire.
    pub pin: Pin,
    /// What the generated dialplan depends on.
    pub dialplan: Dialplan,
    /// Emergency calls.
    pub emergency: Emergency,
    /// When sessions end by automatic logout.
    pub auto_logout: AutoLogout,
    /// The switches; at least one.
    #[serde(rename = "switch")]
    pub switches: Vec<Switch>,
    /// The groups that users sign in to and out of.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
    /// Settings that differ for a tenant.
    #[serde(rename = "tenant")]
    pub tenants: Vec<Tenant>,
    /// How long the journal is kept.
    pub journal: Journal,
    /// What is logged, and how.
    pub log: Log,
    /// Where metrics are served.
    pub metrics: Metrics,
    /// Where the console is served.
    pub web: Web,
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
    /// The numbers that may be extensions of users.
    pub users: Vec<NumberPattern>,
    /// The context for calls to such a number that no user has; none: the caller hears that it is invalid.
    #[serde(deserialize_with = "context_or_empty")]
    pub fallback_context: Option<Context>,
    /// The context that records a call; none: no call is recorded.
    #[serde(deserialize_with = "context_or_empty")]
    pub recording_context: Option<Context>,
    /// Whether voicemail asks for the password at the device where the box's user is logged in.
    pub voicemail_password: bool,
    /// The variables of FreeSWITCH's directory that a call has from the entry of its user, and not from that of the device.
    pub user_variables: Vec<VariableName>,
}

/// `[emergency]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Emergency {
    /// The emergency numbers; a preset (`eu`, `de`) stands for the numbers of a country.
    #[serde(deserialize_with = "emergency_numbers")]
    pub numbers: Vec<EmergencyNumber>,
    /// The context for emergency calls; the caller ID is that of the location.
    pub context: EmergencyContext,
}

/// `[journal]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// Days until an entry is deleted and only counted; zero: never.
    pub keep_days: u16,
}

/// `[log]`
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Text or JSON.
    pub format: Format,
    /// The least level that is logged.
    pub level: Level,
}

/// `[metrics]`
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// The address that serves metrics; none: they are not served.
    #[serde(deserialize_with = "address_or_empty")]
    pub listen: Option<SocketAddr>,
}

/// The address of a store. It may hold a password, so `Debug` hides it.
#[derive(Clone, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct StoreUrl(String);

impl Config {
    /// The file to read: the one that is `named`, else `hotdesk.toml` in the current folder, else the one in `/etc/hotdesk`.
    ///
    /// # Errors
    /// [`ConfigError::NoFile`] when none is named, and neither of the two is there.
    pub fn find(named: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
        named.or_else(|| first_of(PLACES.iter().map(Path::new))).ok_or(ConfigError::NoFile)
    }

    /// Reads the file at `path`, and applies the environment.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong, where, and what to do.
    pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let text = match TextFile::read(path, MOST) {
            Ok(file) => file.text,
            Err(why) => return Err(ConfigError::Unreadable(path.into(), why)),
        };
        // An absolute path stays valid when the current folder changes.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
        Self::parse(&text, &path, env)
    }

    /// Reads the `text` of the file at `path`, and applies the environment.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong, where, and what to do.
    pub fn parse(
        text: &str,
        path: &Path,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let text = with_line_feeds(text);
        let mut config: Self =
            toml::from_str(&text).map_err(|error| ConfigError::syntax(path, &text, &error))?;
        config.read(&Environment(env))?;
        config.folder = path.parent().unwrap_or(Path::new("")).into();
        config.store.pepper_file = config.folder.join(&config.store.pepper_file);
        for path in [&mut config.web.certificate, &mut config.web.key].into_iter().flatten() {
            *path = config.folder.join(&*path);
        }
        for switch in &mut config.switches {
            let Switch { ami_secret_file, esl_password_file, dialplan_dir, sounds_dir, .. } = switch;
            for path in [ami_secret_file, esl_password_file, dialplan_dir, sounds_dir] {
                *path = config.folder.join(&*path);
            }
        }
        config.validate().map_err(|why| ConfigError::Refused(path.into(), why))?;
        Ok(config)
    }

    /// The switch of that name.
    #[must_use]
    pub fn switch(&self, name: &SwitchName) -> Option<&Switch> {
        self.switches.iter().find(|switch| switch.name == *name)
    }

    /// Whether a switch serves this tenant.
    #[must_use]
    pub fn serves(&self, tenant: &TenantId) -> bool {
        self.switches.iter().any(|switch| switch.has(tenant))
    }

    /// The tenants that the switches serve; one may come several times.
    pub fn served_tenants(&self) -> impl Iterator<Item = &TenantId> {
        self.switches.iter().flat_map(|switch| &switch.tenants)
    }

    fn read(&mut self, env: &Environment<'_>) -> Result<(), ConfigError> {
        let Dialplan { fallback_context, recording_context, voicemail_password, .. } = &mut self.dialplan;
        env.read("HOTDESK_STORE_URL", &mut self.store.url, StoreUrl::try_from)?;
        env.parse("HOTDESK_STORE_PEPPER_FILE", &mut self.store.pepper_file)?;
        env.read("HOTDESK_LOGIN_MULTIPLE_LOGINS", &mut self.login.multiple_logins, Multiple::try_from)?;
        env.number("HOTDESK_LOGIN_KEEP", &mut self.login.keep, "1 to 16")?;
        env.flag("HOTDESK_LOGIN_TAKE_OVER", &mut self.login.take_over)?;
        env.number("HOTDESK_PIN_EXPIRES_DAYS", &mut self.pin.expires_days, "0 to 65535")?;
        env.read("HOTDESK_DIALPLAN_FALLBACK_CONTEXT", fallback_context, parse_optional_context)?;
        env.read("HOTDESK_DIALPLAN_RECORDING_CONTEXT", recording_context, parse_optional_context)?;
        env.flag("HOTDESK_DIALPLAN_VOICEMAIL_PASSWORD", voicemail_password)?;
        env.parse("HOTDESK_EMERGENCY_CONTEXT", &mut self.emergency.context)?;
        self.auto_logout.read(env)?;
        env.number("HOTDESK_JOURNAL_KEEP_DAYS", &mut self.journal.keep_days, "0 to 65535")?;
        env.read("HOTDESK_LOG_FORMAT", &mut self.log.format, Format::try_from)?;
        env.read("HOTDESK_LOG_LEVEL", &mut self.log.level, Level::try_from)?;
        env.read("HOTDESK_LOG", &mut self.log.level, Level::try_from)?;
        env.read("HOTDESK_METRICS_LISTEN", &mut self.metrics.listen, parse_optional_address)?;
        env.read("HOTDESK_WEB_LISTEN", &mut self.web.listen, parse_optional_address)?;
        env.read("HOTDESK_WEB_URL", &mut self.web.url, |url| WebUrl::try_from(url).map(Some))?;
        env.read("HOTDESK_WEB_CERTIFICATE", &mut self.web.certificate, web::parse_optional_path)?;
        env.read("HOTDESK_WEB_KEY", &mut self.web.key, web::parse_optional_path)?;
        env.flag("HOTDESK_WEB_INSECURE_HTTP", &mut self.web.insecure_http)
    }

    fn validate(&self) -> Result<(), String> {
        refuse_if(
            self.switches.is_empty(),
            "there is no [[switch]]: add one, as hotdesk.example.toml shows",
        )?;
        refuse_if(
            self.dialplan.users.is_empty(),
            "[dialplan] users is empty: name the numbers that may be extensions, for example [\"1XX\"]",
        )?;
        refuse_if(
            self.emergency.numbers.is_empty(),
            "[emergency] numbers is empty, so no emergency call would be possible from a device without a \
                    user: name the numbers, for example [\"112\"]",
        )?;
        self.login.validate()?;
        self.web.validate()?;
        for (n, switch) in self.switches.iter().enumerate() {
            switch.validate(&self.switches)?;
            for before in self.switches.iter().take(n) {
                switch.validate_against(before)?;
            }
        }
        self.validate_groups()?;
        self.validate_contexts()?;
        self.validate_tenants()
    }
}

/// The first file that is there. One that may not be looked at is there, so that the error names it.
fn first_of<'a>(mut places: impl Iterator<Item = &'a Path>) -> Option<PathBuf> {
    let missing = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    places.find(|place| !place.symlink_metadata().as_ref().is_err_and(missing)).map(Path::to_owned)
}

fn emergency_numbers<'de, D: Deserializer<'de>, T: From<Vec<EmergencyNumber>>>(
    from: D,
) -> Result<T, D::Error> {
    let named = Vec::<String>::deserialize(from)?;
    emergency::numbers(named.iter().map(String::as_str)).map(T::from).map_err(D::Error::custom)
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
            fallback_context: None,
            recording_context: None,
            voicemail_password: true,
            user_variables: VariableName::usual(),
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
        Self {
            numbers: EmergencyNumber::new("112").into_iter().collect(),
            context: EmergencyContext::default(),
        }
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
            Some(("sqlite", file)) if !file.is_empty() && !file.contains("://") => Ok(Self(url)),
            Some(("redis" | "rediss", rest)) if rest.starts_with("//") => {
                // With one of these in the password, a part of it would be the host or the database.
                let host = rest.trim_start_matches('/').rsplit('@').next().unwrap_or_default();
                let login = rest.strip_suffix(host).unwrap_or_default().trim_start_matches('/');
                refuse_if(
                    login.contains(['/', '?', '#', '[', ']']),
                    "url has a password with special characters: write each as %XX, for example / as %2F",
                )?;
                Ok(Self(url))
            }
            _ => Err("url takes sqlite:FILE, redis://HOST:PORT/DB or rediss://HOST:PORT/DB".into()),
        }
    }
}

fn context_or_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Context>, D::Error> {
    parse_optional_context(String::deserialize(from)?).map_err(D::Error::custom)
}

fn parse_optional_context(name: String) -> Result<Option<Context>, InvalidId> {
    if name.is_empty() { Ok(None) } else { Context::new(name).map(Some) }
}

#[cfg(test)]
mod tests;
