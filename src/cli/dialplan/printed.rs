//! What a switch includes: the files for the codes and numbers of the configuration.

use std::borrow::Cow;
use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};

use crate::asterisk::{self, dialplan::Settings};
use crate::cli::context::switch_named;
use crate::cli::output;
use crate::config::{Config, Kind, Layout, Switch, read_secret};
use crate::controller::pepper;
use crate::freeswitch;
use crate::freeswitch::dialplan::fusionpbx::{EventSocketUser, FusionPbx};
use crate::model::codes::Book;
use crate::model::id::{EmergencyContext, SwitchName, TenantId};
use crate::model::login::pin::Pepper;
use crate::model::login::token::Token;
use crate::store;

/// Seconds that phones ring simultaneously before voicemail answers: six rings.
const RING: u16 = 30;
/// Seconds that each phone rings sequentially: three rings, of which a mobile network takes some.
const RING_EACH: u16 = 15;

/// A file by its path within the tree, and what is in it.
pub(in crate::cli) type File = (String, Cow<'static, [u8]>);

/// The files of a switch, the dialplan first.
pub(in crate::cli) fn files(config: &Config, switch: &Switch, token: &Token) -> Vec<File> {
    match switch.kind {
        Kind::Asterisk => {
            let of_tenants = switch.tenants.iter().map(|tenant| settings(config, switch, tenant, token));
            asterisk::dialplan::files::files(&of_tenants.collect::<Vec<_>>())
        }
        Kind::FreeSwitch => freeswitch::dialplan::files::files(&freeswitch_settings(config, switch, token)),
    }
}

/// The rows for the database of a FusionPBX, and the files that it reads.
///
/// # Errors
/// What FusionPBX could not work with, and the key to change.
pub(super) fn of_fusionpbx(
    config: &Config,
    switch: &Switch,
    token: &Token,
    contexts: bool,
) -> Result<Vec<File>> {
    let settings = freeswitch_settings(config, switch, token);
    let name = &switch.name;
    ensure!(
        settings.tenant != TenantId::default(),
        "a FusionPBX keeps its extensions by domain: set tenants = [\"DOMAIN\"] in [[switch]] {name}"
    );
    ensure!(
        settings.emergency_context.has_domain() || settings.emergency_context.as_str().contains('@'),
        "FusionPBX has a context for each domain, and none named {}: set context = \"{}\" in [emergency]",
        settings.emergency_context,
        EmergencyContext::DOMAIN
    );
    ensure!(
        settings.controllers.is_empty() || !contexts,
        "outbound_listen of switch {name} needs hotdesk.xml, which FusionPBX before 5.3 does not read: remove it"
    );
    let password =
        switch.esl_user.as_ref().map(|_| read_secret(&switch.esl_password_file, "esl_password_file"));
    let password = password.transpose()?;
    let user = switch.esl_user.as_deref().zip(password.as_ref());
    let user = user.map(|(user, password)| EventSocketUser { user, password: password.as_str() });
    let rows = FusionPbx { settings: &settings, domains: &switch.tenants, user, contexts };
    let mut files = vec![("fusionpbx.sql".to_owned(), Cow::Owned(rows.sql().into_bytes()))];
    // Its other contexts are rows of its own.
    let its_own = ["dialplan/hotdesk.xml", "sounds/"];
    let read = freeswitch::dialplan::files::files(&settings).into_iter();
    files.extend(read.filter(|(path, _)| its_own.iter().any(|begins| path.starts_with(begins))));
    Ok(files)
}

/// The pepper, which is made if there is none yet. Only that needs the store.
pub(super) async fn pepper(config: &Config) -> Result<Pepper> {
    let path = &config.store.pepper_file;
    if let Some(pepper) = pepper::load(path)? {
        return Ok(pepper);
    }
    let store = store::open(config.store.url.as_str(), &config.folder).await?;
    Ok(pepper::of_store(path, &*store, config.served_tenants()).await?)
}

pub(in crate::cli) fn settings(
    config: &Config,
    switch: &Switch,
    tenant: &TenantId,
    token: &Token,
) -> Settings {
    Settings {
        tenant: tenant.clone(),
        codes: config.of(tenant).codes(),
        users: config.of(tenant).users().to_vec(),
        fallback_context: config.dialplan.fallback_context.clone(),
        emergency_numbers: config.of(tenant).emergency_numbers(),
        emergency_context: config.of(tenant).emergency_context().clone(),
        agi: switch.agi_advertise().to_string(),
        ring: RING,
        ring_each: RING_EACH,
        recording_context: config.dialplan.recording_context.clone(),
        voicemail_password: config.dialplan.voicemail_password,
        routes: config.routes(switch, tenant),
        freepbx: switch.layout == Layout::FreePbx,
        token: token.clone(),
    }
}

pub(in crate::cli) fn freeswitch_settings(
    config: &Config,
    switch: &Switch,
    token: &Token,
) -> freeswitch::dialplan::Settings {
    // All tenants share one dialplan; only the codes may differ.
    let first = switch.tenants.first().cloned().unwrap_or_default();
    // A number that may be a user of any tenant is looked up among the users of the tenant that is called.
    let users: BTreeSet<_> = switch.tenants.iter().flat_map(|tenant| config.of(tenant).users()).collect();
    freeswitch::dialplan::Settings {
        tenant: first.clone(),
        codes: Book::new(switch.tenants.iter().map(|it| (it.clone(), config.of(it).codes())).collect()),
        users: users.into_iter().cloned().collect(),
        emergency_numbers: config.emergency_numbers_on(switch),
        emergency_context: config.of(&first).emergency_context().clone(),
        ring: RING,
        ring_each: RING_EACH,
        recording_context: config.dialplan.recording_context.clone(),
        voicemail_password: config.dialplan.voicemail_password,
        user_variables: config.dialplan.user_variables.clone(),
        routes: config.routes(switch, &first),
        groups: switch.tenants.iter().map(|it| (it.clone(), config.routes(switch, it).groups)).collect(),
        controllers: switch.outbound_controllers().iter().map(ToString::to_string).collect(),
        token: token.clone(),
    }
}

/// The switch of this name, or the only one; of this kind, if one is given.
pub(super) fn chosen<'a>(
    config: &'a Config,
    kind: Option<Kind>,
    name: Option<&SwitchName>,
) -> Result<&'a Switch> {
    if let Some(name) = name {
        let switch = switch_named(config, name)?;
        if let Some(kind) = kind {
            ensure!(switch.kind == kind, "switch {name} has kind {}, not {kind}", switch.kind);
        }
        return Ok(switch);
    }
    let of_kind = config.switches.iter().filter(|switch| kind.is_none_or(|kind| switch.kind == kind));
    let kind = kind.map(|kind| format!(" of kind {kind}")).unwrap_or_default();
    match of_kind.collect::<Vec<_>>()[..] {
        [only] => Ok(only),
        [] => bail!("the configuration has no [[switch]]{kind}: add one"),
        ref several => {
            let names = output::joined(several.iter().map(|switch| &switch.name), " or ");
            bail!("there are several switches{kind}: choose one with --switch {names}")
        }
    }
}
