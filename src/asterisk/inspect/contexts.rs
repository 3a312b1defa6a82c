//! Whether the dialplan is the one that the configuration prints, and what it needs of the site's own is there.
//!
//! `ShowDialPlan` needs rights that we don't have, and `hotdesk.conf` defines no variable to ask for; but
//! `DIALPLAN_EXISTS` can be read without a channel.

use super::super::ami::Action;
use super::super::dialplan::{Settings, callable, version};
use super::super::space::Space;
use super::Inspection;
use crate::controller::inspect;
use crate::desk::finding::Finding;
use crate::desk::id::Context;
use crate::desk::model::Office;
use crate::desk::pattern::NumberPattern;
use crate::desk::profile::Recording;
use crate::switch::SwitchError;

const INCLUDE: &str = "print it (`hotdesk dialplan asterisk`) into hotdesk.conf beside extensions.conf, with \
                       #include \"hotdesk.conf\" there, and `dialplan reload`";

impl Inspection<'_> {
    /// Of our dialplan, then of the contexts of the site that it goes on to.
    pub(super) async fn contexts(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = self.for_help().await?;
        findings.extend(self.otherwise().await?);
        findings.extend(self.classes(office).await?);
        findings.extend(self.recording(office).await?);
        Ok(findings)
    }

    /// Of all that an emergency call goes through.
    pub(super) async fn for_help(&self) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = vec![self.ours().await?];
        findings.extend(self.emergency().await?);
        Ok(findings)
    }

    async fn ours(&self) -> Result<Finding, SwitchError> {
        let check = self.of("dialplan");
        let version = format!("{}-version,{},1", Space::of(self.tenant), version(self.dialplan));
        let [there, same] = self.exist([Space::of(self.tenant).to_string(), version]).await?[..] else {
            return Ok(Finding::wrong(
                check,
                "Asterisk does not say what is in it",
                "look into Asterisk's log",
            ));
        };
        if !there {
            return Ok(Finding::wrong(check, "hotdesk.conf is not in it", INCLUDE));
        }
        let lacks = self.lacks().await?.join(", ");
        let lacks = if lacks.is_empty() { lacks } else { format!("; it lacks {lacks}") };
        Ok(if !same {
            Finding::wrong(check, format!("it is not the one that this configuration prints{lacks}"), INCLUDE)
        } else if !lacks.is_empty() {
            Finding::wrong(
                check,
                format!("it is loaded in part{lacks}"),
                "look into Asterisk's log, and `dialplan reload`",
            )
        } else {
            Finding::fine(check, "is the one that this configuration prints")
        })
    }

    /// The users that cannot be called or watched. Codes and emergency numbers cannot be asked for: in `hotdesk`
    /// whatever is dialled exists, and only the version tells what is done with it.
    async fn lacks(&self) -> Result<Vec<String>, SwitchError> {
        let users = callable(self.dialplan);
        let exist = self
            .exist(users.iter().map(|users| format!("{}-users,{},1", Space::of(self.tenant), users.first())))
            .await?;
        let lacks = users.iter().zip(exist).filter(|(_, there)| !there);
        let mut lacks: Vec<String> = lacks.map(|(users, _)| format!("the users {users}")).collect();
        for users in &users {
            let state = Action::new("ExtensionState")
                .with("Exten", users.first())
                .with("Context", Space::of(self.tenant).hints());
            if self.manager.act(state).await?.header("Hint").is_none_or(str::is_empty) {
                lacks.push(format!("the lamps of {users}"));
            }
        }
        Ok(lacks)
    }

    async fn emergency(&self) -> Result<Option<Finding>, SwitchError> {
        let Settings { emergency_numbers, emergency_context: context, .. } = self.dialplan;
        let exist =
            self.exist(emergency_numbers.iter().map(|number| format!("{context},{number},1"))).await?;
        let unknown: Vec<&str> = emergency_numbers
            .iter()
            .zip(exist)
            .filter_map(|(number, there)| (!there).then_some(number.as_str()))
            .collect();
        let all: Vec<&str> = emergency_numbers.iter().map(|number| number.as_str()).collect();
        let check = self.of("emergency numbers");
        Ok(if !unknown.is_empty() {
            Some(Finding::wrong(
                check,
                format!("the context {context} does not know {}: nobody would answer", unknown.join(", ")),
                format!(
                    "add them to [{context}] in extensions.conf, or name another context in [emergency] here"
                ),
            ))
        } else if !all.is_empty() {
            Some(Finding::fine(check, format!("the context {context} knows {}", all.join(", "))))
        } else {
            None
        })
    }

    async fn otherwise(&self) -> Result<Option<Finding>, SwitchError> {
        let Some(context) = &self.dialplan.otherwise else { return Ok(None) };
        let missing = self.exist([context.to_string()]).await? == [false];
        Ok(missing.then(|| {
            Finding::wrong(
                self.of("numbers that are nobody's"),
                format!("there is no context {context}"),
                "correct [dialplan] otherwise here, print the dialplan anew and `dialplan reload`",
            )
        }))
    }

    /// A class of service is a context of the site; one that lets nobody call a colleague is odd.
    async fn classes(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let colleague = callable(self.dialplan).first().map(NumberPattern::first).unwrap_or_default();
        let mut findings = vec![];
        for (class, users) in inspect::classes(office) {
            let check = format!("class {class} on switch {}", self.name);
            let places = [class.to_string(), format!("{class},{colleague},1")];
            findings.push(match self.exist(places).await?[..] {
                [true, true] => Finding::fine(check, format!("{users} users may call what this context lets them")),
                [true, false] => Finding::remark(
                    check,
                    "whoever has it cannot call users",
                    format!("unless that is meant: include => hotdesk-users in [{class}] of extensions.conf"),
                ),
                _ => Finding::wrong(
                    check,
                    format!("there is no such context, so {users} users can call nobody"),
                    format!("add [{class}] to extensions.conf, or give them another: hotdesk user set EXT --class CONTEXT"),
                ),
            });
        }
        Ok(findings)
    }

    /// Of the context that records calls, where somebody's are to be.
    async fn recording(&self, office: &Office) -> Result<Option<Finding>, SwitchError> {
        let wanting = office.users.values().filter(|user| user.profile.recording != Recording::Never).count();
        let context = self.dialplan.recording.as_ref();
        let there = match context {
            Some(context) => self.exist([format!("{context},s,1")]).await? == [true],
            None => false,
        };
        Ok(recording(self.of("recording"), context, there, wanting))
    }

    /// Of each place, a context or `context,extension,priority`, whether it is in the dialplan.
    pub(super) async fn exist(
        &self,
        places: impl IntoIterator<Item = String>,
    ) -> Result<Vec<bool>, SwitchError> {
        let ask = |place| Action::new("Getvar").with("Variable", format!("DIALPLAN_EXISTS({place})"));
        let answers = self.manager.act_all(places.into_iter().map(ask).collect()).await?;
        Ok(answers.iter().map(|answer| answer.header("Value") == Some("1")).collect())
    }
}

fn recording(check: String, context: Option<&Context>, there: bool, wanting: usize) -> Option<Finding> {
    match context {
        None if wanting == 0 => None,
        None => Some(Finding::wrong(
            check,
            format!("{wanting} users want calls of theirs recorded, and no context does that: none is"),
            "name a context of yours in [dialplan] recording here, print the dialplan anew and `dialplan reload`: \
             docs/following.md has an example",
        )),
        Some(context) if !there => Some(Finding::wrong(
            check,
            format!(
                "the context {context} has no extension s, so no call is recorded; {wanting} users want it"
            ),
            format!("add [{context}] to extensions.conf: docs/following.md has an example"),
        )),
        Some(context) => {
            Some(Finding::fine(check, format!("the context {context} is there; {wanting} users want it")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_calls_recorded_that_nobody_records_is_told() {
        let context = Context::new("recording").ok();
        let well = |context: Option<&Context>, there, wanting| {
            recording("recording".into(), context, there, wanting).map(|finding| finding.ok)
        };
        assert_eq!(well(None, false, 0), None);
        assert_eq!(well(None, false, 1), Some(false));
        assert_eq!(well(context.as_ref(), false, 0), Some(false));
        assert_eq!(well(context.as_ref(), true, 1), Some(true));
    }
}
