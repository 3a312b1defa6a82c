//! Checks that the dialplan is the one that the configuration prints, and that the contexts of the site exist.

use super::Inspection;
use super::context::Context;
use crate::controller::check;
use crate::freeswitch::dialplan::{HOTDESK_CONTEXT, TO_USERS, TOKEN, users, version};
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::directory::profile::Recording;
use crate::switch::SwitchError;

const PUT: &str = "hotdesk dialplan install; FreeSWITCH must include hotdesk.xml, and 00_hotdesk.xml of the folders \
                   default and public, as the vanilla configuration does";

impl Inspection<'_> {
    /// Checks the dialplan of Hotdesk, then the contexts of the site that it goes on to.
    pub(super) async fn contexts(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = self.for_help().await?;
        if let Some(module) = self.bound().await? {
            findings.push(self.unread(&module, "classes and codes"));
            return Ok(findings);
        }
        findings.extend(self.recording(snapshot).await?);
        findings.extend(self.classes(snapshot).await?);
        findings.push(self.hidden(snapshot).await?);
        Ok(findings)
    }

    /// Checks all that an emergency call passes through.
    pub(super) async fn for_help(&self) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = match self.bound().await? {
            Some(module) => self.called(&module).await?,
            None => vec![self.loaded().await?],
        };
        findings.extend(self.emergency_numbers().await?);
        Ok(findings)
    }

    /// Whether the dialplan that is loaded is the one that the configuration prints.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer.
    pub async fn loaded(&self) -> Result<Finding, SwitchError> {
        let check = self.of("dialplan");
        let there = self.context(HOTDESK_CONTEXT).await?.is_some();
        let named = self.context("hotdesk@version").await?;
        let name = format!("hotdesk-version-{}", version(self.dialplan));
        let named = named.is_some_and(|it| it.extensions.iter().any(|extension| extension.name == name));
        let printed = "the one that this configuration prints";
        Ok(match self.token().await? {
            _ if !there => Finding::wrong(check, "hotdesk.xml is not in it", PUT),
            Some((true, refused)) if named => Finding::wrong(check, refused, PUT),
            Some((true, refused)) => Finding::wrong(check, format!("it is not {printed}; {refused}"), PUT),
            _ if !named => Finding::wrong(check, format!("it is not {printed}"), PUT),
            Some((false, older)) => Finding::remark(check, older, PUT),
            None => Finding::fine(check, format!("is {printed}")),
        })
    }

    /// What is wrong with the token that FreeSWITCH knows, if its calls are brought.
    pub(super) async fn token(&self) -> Result<Option<(bool, String)>, SwitchError> {
        if self.dialplan.controllers.is_empty() {
            return Ok(None);
        }
        let loaded = self.client.api(&format!("global_getvar {TOKEN}")).await?;
        Ok(check::token(loaded.as_deref(), &self.dialplan.token, self.peppers))
    }

    /// Checks the context that records calls: without it, calls continue without a recording.
    async fn recording(&self, snapshot: &Snapshot) -> Result<Option<Finding>, SwitchError> {
        let recorded = snapshot.users.values().filter(|it| it.profile.recording != Recording::Never).count();
        let check = self.of("recording");
        let (found, remedy) = match &self.dialplan.recording_context {
            None if recorded == 0 => return Ok(None),
            None => (
                format!("{recorded} users want their calls recorded, and no context does that"),
                "set [dialplan] recording_context to a context of yours, then hotdesk dialplan install",
            ),
            Some(context) if self.context(context.as_str()).await?.is_none() => (
                format!("there is no context {context}: no call is recorded"),
                "add it to the dialplan, or set another [dialplan] recording_context here",
            ),
            Some(context) => {
                let found = format!("the context {context} records calls of {recorded} users");
                return Ok(Some(Finding::fine(check, found)));
            }
        };
        Ok(Some(Finding::wrong(check, found, remedy)))
    }

    /// Checks the classes of service: each is a context of the site, and should let its users call other users.
    async fn classes(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let users = users(&self.dialplan.users);
        let to_users = |context: &Context| context.does(|data| data.ends_with(TO_USERS));
        let mut findings = vec![];
        for (class, count) in check::classes(snapshot) {
            let check = format!("class {class} on switch {}", self.name);
            findings.push(match self.context(class.as_str()).await? {
                Some(it) if to_users(&it) && it.tests().any(|test| test.expression == users) => {
                    Finding::fine(check, format!("{count} users may call what this context lets them"))
                }
                Some(it) if to_users(&it) => Finding::remark(
                    check,
                    "its users cannot call every user: its hotdesk-user has another pattern than [dialplan] users",
                    PUT,
                ),
                Some(_) => Finding::remark(
                    check,
                    "its users cannot call other users",
                    format!("unless you want that: add the extension of 00_hotdesk.xml to the context {class}"),
                ),
                None => Finding::wrong(
                    check,
                    format!("there is no such context, so {count} users cannot make calls"),
                    format!("add the context {class} to the dialplan, or give them another: hotdesk user set EXT --class CONTEXT"),
                ),
            });
        }
        Ok(findings)
    }
}
