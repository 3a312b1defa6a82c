//! A switch that accepted our login, and what can be asked of it with the settings of its dialplan.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::connected::Connected;
use super::dialplan::printed;
use crate::asterisk::ami::client::Manager;
use crate::asterisk::{self, dialplan::reload};
use crate::config::{Config, Kind, Switch};
use crate::controller::pepper::Peppers;
use crate::freeswitch::{self, esl::client::Client};
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::id::{Extension, TenantId};
use crate::model::login::token::Token;
use crate::switch::SwitchError;

/// A switch of the configuration, connected.
pub(super) struct Inspected<'a> {
    config: &'a Config,
    switch: &'a Switch,
    /// Those with whose tokens calls are taken; none if they cannot be read.
    peppers: Option<&'a Peppers>,
    to: To,
}

enum To {
    Asterisk(Connected<Manager>),
    FreeSwitch(Connected<Client>),
}

impl<'a> Inspected<'a> {
    /// Connects and logs in, within a few seconds.
    pub(super) async fn new(
        config: &'a Config,
        switch: &'a Switch,
        peppers: Option<&'a Peppers>,
    ) -> Result<Self> {
        let to = match switch.kind {
            Kind::Asterisk => To::Asterisk(Connected::asterisk(switch).await?),
            Kind::FreeSwitch => To::FreeSwitch(Connected::freeswitch(switch).await?),
        };
        Ok(Self { config, switch, peppers, to })
    }

    /// An error if Hotdesk could not have the dialplan reloaded, or could not tell whether that was done.
    pub(super) async fn can_reload(&self) -> Result<()> {
        let name = &self.switch.name;
        match &self.to {
            To::Asterisk(it) => {
                let tenant = TenantId::default();
                let settings = self.asterisk(&tenant);
                if let Some(why) = self.of_asterisk(&it.to, &tenant, &settings).cannot_reload().await? {
                    bail!("switch {name}: {why}");
                }
            }
            To::FreeSwitch(it) => match freeswitch::dialplan::reload(&it.to).await {
                Err(SwitchError::Refused(_, why)) if why.contains("permission denied") => bail!(
                    "switch {name}: Hotdesk's user may not reload the dialplan: add `reloadxml` to its esl-allowed-api in the \
                     directory (docs/freeswitch.md says when there is room for it), run `fs_cli -x reloadxml`, and try again"
                ),
                done => done?,
            },
        }
        Ok(())
    }

    /// Has the switch read its dialplan again.
    pub(super) async fn reload(&self) -> Result<(), SwitchError> {
        match &self.to {
            To::Asterisk(it) => reload::reload(&it.to).await,
            To::FreeSwitch(it) => freeswitch::dialplan::reload(&it.to).await,
        }
    }

    /// Whether the dialplan that is loaded is the one that the configuration prints: the first finding that says otherwise.
    pub(super) async fn loaded(&self) -> Result<Finding, SwitchError> {
        let (mut found, mut tenants) = (None, self.switch.tenants.iter());
        while let (Some(tenant), None | Some(Finding { ok: Some(true), .. })) = (tenants.next(), &found) {
            found = Some(match &self.to {
                To::Asterisk(it) => self.of_asterisk(&it.to, tenant, &self.asterisk(tenant)).loaded().await?,
                To::FreeSwitch(it) => self.of_freeswitch(&it.to, tenant, &self.freeswitch()).loaded().await?,
            });
        }
        // A switch has at least one tenant.
        Ok(found.unwrap_or_else(|| Finding::unknown("dialplan", "no tenant", "name one in `tenants`")))
    }

    /// Whether an Asterisk has loaded the modules that the dialplan and these records need.
    pub(super) async fn modules(
        &self,
        tenant: &TenantId,
        snapshot: &Snapshot,
    ) -> Result<Option<Finding>, SwitchError> {
        let To::Asterisk(it) = &self.to else { return Ok(None) };
        self.of_asterisk(&it.to, tenant, &self.asterisk(tenant)).modules(snapshot).await.map(Some)
    }

    /// Where the emergency numbers of a tenant go from the context of the site that the configuration names.
    pub(super) async fn emergency_numbers(&self, tenant: &TenantId) -> Result<Vec<Finding>, SwitchError> {
        match &self.to {
            To::Asterisk(it) => {
                self.of_asterisk(&it.to, tenant, &self.asterisk(tenant)).emergency_numbers().await
            }
            To::FreeSwitch(it) => {
                self.of_freeswitch(&it.to, tenant, &self.freeswitch()).emergency_numbers().await
            }
        }
    }

    /// Where calls to the users of a tenant go from each context, all users or one.
    pub(super) async fn past_hotdesk(
        &self,
        tenant: &TenantId,
        snapshot: &Snapshot,
        only: Option<&Extension>,
    ) -> Result<Vec<Finding>, SwitchError> {
        match &self.to {
            To::Asterisk(it) => {
                self.of_asterisk(&it.to, tenant, &self.asterisk(tenant)).past_hotdesk(snapshot, only).await
            }
            To::FreeSwitch(it) => {
                self.of_freeswitch(&it.to, tenant, &self.freeswitch()).past_hotdesk(snapshot, only).await
            }
        }
    }

    /// The names of the entries that users and mailboxes of a tenant lack in the directory of a FreeSWITCH.
    pub(super) async fn without_entry(
        &self,
        tenant: &TenantId,
        snapshot: &Snapshot,
    ) -> Result<BTreeSet<String>, SwitchError> {
        match &self.to {
            To::Asterisk(_) => Ok(BTreeSet::new()),
            To::FreeSwitch(it) => {
                self.of_freeswitch(&it.to, tenant, &self.freeswitch()).without_entry(snapshot).await
            }
        }
    }

    /// What the devices and users of a tenant name that the switch does not have. A hotdesk phone needs an endpoint, too.
    pub(super) async fn missing(
        &self,
        tenant: &TenantId,
        snapshot: &Snapshot,
    ) -> Result<Vec<Finding>, SwitchError> {
        let (mut findings, phones) = match &self.to {
            To::Asterisk(it) => {
                let settings = self.asterisk(tenant);
                let inspection = self.of_asterisk(&it.to, tenant, &settings);
                (inspection.missing(snapshot).await?, inspection.phones(snapshot).await?)
            }
            To::FreeSwitch(it) => {
                let settings = self.freeswitch();
                let inspection = self.of_freeswitch(&it.to, tenant, &settings);
                (inspection.missing(snapshot).await?, inspection.phones(snapshot).await?)
            }
        };
        findings.extend(phones.into_iter().filter(|finding| finding.ok == Some(false)));
        Ok(findings)
    }

    fn token(&self) -> Token {
        self.peppers.map_or_else(Token::sample, |peppers| Token::of(&peppers.current))
    }

    fn asterisk(&self, tenant: &TenantId) -> asterisk::dialplan::Settings {
        printed::settings(self.config, self.switch, tenant, &self.token())
    }

    fn freeswitch(&self) -> freeswitch::dialplan::Settings {
        printed::freeswitch_settings(self.config, self.switch, &self.token())
    }

    fn of_asterisk<'s>(
        &'s self,
        manager: &'s Manager,
        tenant: &'s TenantId,
        dialplan: &'s asterisk::dialplan::Settings,
    ) -> asterisk::check::Inspection<'s> {
        let Self { switch, peppers, .. } = self;
        let (name, tenants) = (&switch.name, &switch.tenants);
        asterisk::check::Inspection {
            name,
            tenant,
            tenants,
            manager,
            dialplan,
            peppers: *peppers,
            rings: false,
        }
    }

    fn of_freeswitch<'s>(
        &'s self,
        client: &'s Client,
        tenant: &'s TenantId,
        dialplan: &'s freeswitch::dialplan::Settings,
    ) -> freeswitch::check::Inspection<'s> {
        let Self { switch, peppers, .. } = self;
        let (name, calls) = (&switch.name, None);
        freeswitch::check::Inspection {
            name,
            tenant,
            client,
            calls,
            rings: false,
            dialplan,
            peppers: *peppers,
        }
    }
}
