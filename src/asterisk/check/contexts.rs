//! Checks that the dialplan is the one that the configuration prints, and that the contexts of the site exist.
//!
//! `ShowDialPlan` needs a right that Hotdesk's user may lack, and `hotdesk.conf` defines no variable to read. `DIALPLAN_EXISTS` needs
//! no channel.

use super::Inspection;
use crate::asterisk::ami::codec::Action;
use crate::asterisk::dialplan::{callable, version};
use crate::asterisk::namespace::TOKEN_HINT;
use crate::controller::check;
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::directory::profile::Recording;
use crate::model::number_pattern::NumberPattern;
use crate::switch::SwitchError;

const INCLUDE: &str = "hotdesk dialplan install; extensions.conf must say #include \"hotdesk.conf\"";

impl Inspection<'_> {
    /// Checks the dialplan of Hotdesk, then the contexts of the site that it goes on to.
    pub(super) async fn contexts(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = self.for_help().await?;
        findings.extend(self.fallback().await?);
        findings.extend(self.classes(snapshot).await?);
        findings.extend(self.recording(snapshot).await?);
        Ok(findings)
    }

    /// Checks all that an emergency call passes through.
    pub(super) async fn for_help(&self) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = vec![self.dialplan().await?];
        findings.extend(self.emergency_numbers().await?);
        Ok(findings)
    }

    pub(super) async fn dialplan(&self) -> Result<Finding, SwitchError> {
        let check = self.of("dialplan");
        let space = self.space();
        let version = format!("{space}-version,{},1", version(self.dialplan));
        let [there, same] = self.exist([space.to_string(), version]).await?[..] else {
            let found = "Asterisk does not say what is in it";
            return Ok(Finding::unknown(check, found, "look into Asterisk's log"));
        };
        if !there {
            return Ok(Finding::wrong(check, "hotdesk.conf is not in it", INCLUDE));
        }
        let lacks = self.lacks().await?.join(", ");
        let mut found = vec![];
        if !same {
            found.push("it is not the one that this configuration prints".to_owned());
        } else if !lacks.is_empty() {
            found.push("it is loaded in part".into());
        }
        if !lacks.is_empty() {
            found.push(format!("it lacks {lacks}"));
        }
        let token = self.token().await?;
        let refused = token.as_ref().is_some_and(|(refused, _)| *refused);
        found.extend(token.map(|(_, found)| found));
        let found_all = found.join("; ");
        Ok(match found.as_slice() {
            [] => Finding::fine(check, "is the one that this configuration prints"),
            [_] if same && lacks.is_empty() && !refused => Finding::remark(check, found_all, INCLUDE),
            _ if same && !refused => {
                Finding::wrong(check, found_all, "look into Asterisk's log, and `dialplan reload`")
            }
            _ => Finding::wrong(check, found_all, INCLUDE),
        })
    }

    /// What is wrong with the token in the loaded dialplan.
    pub(super) async fn token(&self) -> Result<Option<(bool, String)>, SwitchError> {
        let asked = Action::new("Getvar").with("Variable", format!("HINT({})", self.space().token()));
        let answer = self.manager.act(asked).await?;
        let loaded = answer.header("Value").and_then(|hint| hint.strip_prefix(TOKEN_HINT));
        Ok(check::token(loaded, &self.dialplan.token, self.peppers))
    }

    /// The users that cannot be called or watched. Codes and emergency numbers cannot be checked so: in `hotdesk` every
    /// dialled string exists, and only the version says what happens to it.
    async fn lacks(&self) -> Result<Vec<String>, SwitchError> {
        let (users, space) = (callable(self.dialplan), self.space());
        let places = users.iter().map(|users| format!("{space}-users,{},1", users.first()));
        let exist = self.exist(places).await?;
        let lacks = users.iter().zip(exist).filter(|(_, there)| !there);
        let mut lacks: Vec<String> = lacks.map(|(users, _)| format!("the users {users}")).collect();
        for users in &users {
            let state =
                Action::new("ExtensionState").with("Exten", users.first()).with("Context", space.hints());
            if self.manager.act(state).await?.header("Hint").is_none_or(str::is_empty) {
                lacks.push(format!("the BLFs of {users}"));
            }
        }
        Ok(lacks)
    }

    async fn fallback(&self) -> Result<Option<Finding>, SwitchError> {
        let Some(context) = &self.dialplan.fallback_context else { return Ok(None) };
        let missing = self.exist([context.to_string()]).await? == [false];
        Ok(missing.then(|| {
            Finding::wrong(
                self.of("fallback context"),
                format!("there is no context {context}"),
                "correct [dialplan] fallback_context here, then hotdesk dialplan install",
            )
        }))
    }

    /// Checks the classes of service: each is a context of the site, and should let its users call other users.
    async fn classes(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let colleague = callable(self.dialplan).first().map(NumberPattern::first).unwrap_or_default();
        let mut findings = vec![];
        for (class, users) in check::classes(snapshot) {
            let check = format!("class {class} on switch {}", self.name);
            let places = [class.to_string(), format!("{class},{colleague},1")];
            findings.push(match self.exist(places).await?[..] {
                [true, true] => Finding::fine(check, format!("{users} users may call what this context lets them")),
                [true, false] => Finding::remark(
                    check,
                    "its users cannot call other users",
                    format!("unless you want that: include => {}-users in [{class}] of extensions.conf", self.space()),
                ),
                _ => Finding::wrong(
                    check,
                    format!("there is no such context, so {users} users cannot make calls"),
                    format!("add [{class}] to extensions.conf, or give them another: hotdesk user set EXT --class CONTEXT"),
                ),
            });
        }
        Ok(findings)
    }

    /// Checks the context that records calls, if a user wants calls recorded.
    async fn recording(&self, snapshot: &Snapshot) -> Result<Option<Finding>, SwitchError> {
        let wanting =
            snapshot.users.values().filter(|user| user.profile.recording != Recording::Never).count();
        let check = self.of("recording");
        let Some(context) = &self.dialplan.recording_context else {
            let found = format!("{wanting} users want their calls recorded, and no context does that");
            let remedy = "set [dialplan] recording_context to a context of yours, then hotdesk dialplan \
                          install: docs/user-settings.md has an example";
            return Ok((wanting > 0).then(|| Finding::wrong(check, found, remedy)));
        };
        let there = self.exist([format!("{context},s,1")]).await? == [true];
        Ok(Some(if there {
            Finding::fine(check, format!("the context {context} is there; {wanting} users want it"))
        } else {
            Finding::wrong(
                check,
                format!(
                    "the context {context} has no extension s, so no call is recorded; {wanting} users want it"
                ),
                format!("add [{context}] to extensions.conf: docs/user-settings.md has an example"),
            )
        }))
    }

    /// Whether each place, a context or `context,extension,priority`, is in the dialplan.
    pub(super) async fn exist(
        &self,
        places: impl IntoIterator<Item = String>,
    ) -> Result<Vec<bool>, SwitchError> {
        let ask = |place| Action::new("Getvar").with("Variable", format!("DIALPLAN_EXISTS({place})"));
        let answers = self.manager.act_all(places.into_iter().map(ask).collect()).await?;
        Ok(answers.iter().map(|answer| answer.header("Value") == Some("1")).collect())
    }
}
