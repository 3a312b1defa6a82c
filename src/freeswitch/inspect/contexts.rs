//! Whether the dialplan is the one that the configuration prints, and what it needs of the site's own is there.

use super::super::dialplan::{HOTDESK_CONTEXT, Settings, users, version};
use super::Inspection;
use crate::controller::inspect;
use crate::desk::finding::Finding;
use crate::desk::model::Office;
use crate::desk::profile::Recording;
use crate::switch::SwitchError;

const PUT: &str = "print it (`hotdesk dialplan freeswitch --out DIR`), put dialplan/hotdesk.xml and \
                   00_hotdesk.xml in default and public of that among your own, and `reloadxml`";
/// Where `00_hotdesk.xml` sends a call to a user.
const TO_USERS: &str = "XML hotdesk-user";

impl Inspection<'_> {
    /// Of our dialplan, then of the contexts of the site that it goes on to.
    pub(super) async fn contexts(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = self.for_help().await?;
        findings.extend(self.recording(office).await?);
        findings.extend(self.classes(office).await?);
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
        let there = self.context(HOTDESK_CONTEXT).await?.is_some();
        let named = self.context("hotdesk-version").await?.unwrap_or_default();
        Ok(if !there {
            Finding::wrong(check, "hotdesk.xml is not in it", PUT)
        } else if named.contains(&format!("\"hotdesk-version-{}\"", version(self.dialplan))) {
            Finding::fine(check, "is the one that this configuration prints")
        } else {
            Finding::wrong(check, "it is not the one that this configuration prints", PUT)
        })
    }

    async fn emergency(&self) -> Result<Option<Finding>, SwitchError> {
        let Settings { emergency_numbers, emergency_context: context, .. } = self.dialplan;
        let check = self.of("emergency numbers");
        let add =
            format!("add them to the context {context} of the dialplan, or name another in [emergency] here");
        if emergency_numbers.is_empty() {
            return Ok(None);
        }
        let Some(xml) = self.context(context.as_str()).await? else {
            return Ok(Some(Finding::wrong(
                check,
                format!("there is no context {context}: nobody would answer"),
                add,
            )));
        };
        let mut unknown = vec![];
        for number in emergency_numbers {
            if !self.knows(&xml, number.as_str()).await? {
                unknown.push(number.as_str());
            }
        }
        let all: Vec<&str> = emergency_numbers.iter().map(|number| number.as_str()).collect();
        Ok(Some(if unknown.is_empty() {
            Finding::fine(check, format!("the context {context} knows {}", all.join(", ")))
        } else {
            let found =
                format!("the context {context} does not know {}: nobody would answer", unknown.join(", "));
            Finding::wrong(check, found, add)
        }))
    }

    /// Whether an extension of a context takes a number, as far as the number decides it. FreeSWITCH itself matches.
    async fn knows(&self, context: &str, number: &str) -> Result<bool, SwitchError> {
        let mut expressions = vec![];
        for extension in context.split("<extension").skip(1) {
            let tests: Vec<(String, String)> = extension.split('<').filter_map(test).collect();
            if tests.is_empty() && extension.contains("<action") {
                return Ok(true);
            }
            let numbers = tests.into_iter().filter(|(field, _)| is_number(field));
            expressions.extend(numbers.map(|(_, expression)| expression));
        }
        // `regex` takes a backslash for an escape.
        let asked = expressions.iter().map(|it| format!("regex m:~{number}~{}", it.replace('\\', r"\\")));
        Ok(self.ask(asked).await?.iter().any(|answer| answer.as_deref() == Some("true")))
    }

    /// Where there is nobody to record calls, they go on unrecorded.
    async fn recording(&self, office: &Office) -> Result<Option<Finding>, SwitchError> {
        let recorded =
            office.users.values().filter(|user| user.profile.recording != Recording::Never).count();
        let check = self.of("recording");
        Ok(match &self.dialplan.recording {
            None if recorded == 0 => None,
            None => Some(Finding::wrong(
                check,
                format!("{recorded} users are to be recorded, and no context is named that does it"),
                "name one in [dialplan] recording here, and print the dialplan anew",
            )),
            Some(context) if self.context(context.as_str()).await?.is_none() => Some(Finding::wrong(
                check,
                format!("there is no context {context}: no call is recorded"),
                "add it to the dialplan, or name another in [dialplan] recording here",
            )),
            Some(context) => {
                Some(Finding::fine(check, format!("the context {context} records calls of {recorded} users")))
            }
        })
    }

    /// A class of service is a context of the site; one that lets nobody call a colleague is odd.
    async fn classes(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let users = format!("expression=\"{}\"", users(&self.dialplan.users));
        let mut findings = vec![];
        for (class, count) in inspect::classes(office) {
            let check = format!("class {class} on switch {}", self.name);
            findings.push(match self.context(class.as_str()).await? {
                Some(xml) if xml.contains(TO_USERS) && xml.contains(&users) => {
                    Finding::fine(check, format!("{count} users may call what this context lets them"))
                }
                Some(xml) if xml.contains(TO_USERS) => Finding::remark(
                    check,
                    "whoever has it may not reach each user: its hotdesk-user has another pattern than [dialplan] users",
                    PUT,
                ),
                Some(_) => Finding::remark(
                    check,
                    "whoever has it cannot call users",
                    format!("unless that is meant: the extension of 00_hotdesk.xml belongs into the context {class}, too"),
                ),
                None => Finding::wrong(
                    check,
                    format!("there is no such context, so {count} users can call nobody"),
                    format!("add the context {class} to the dialplan, or give them another: hotdesk user set EXT --class CONTEXT"),
                ),
            });
        }
        Ok(findings)
    }

    /// A context's XML, as FreeSWITCH has it: without comments, and with what it includes.
    pub(super) async fn context(&self, name: &str) -> Result<Option<String>, SwitchError> {
        let located = self.client.api(&format!("xml_locate dialplan context name {name}")).await?;
        Ok(located.filter(|xml| xml.contains("<context")))
    }
}

/// What a tag looks at, and what that must be.
pub(super) fn test(tag: &str) -> Option<(String, String)> {
    Some((attribute(tag, "field")?, attribute(tag, "expression").unwrap_or_default()))
}

pub(super) fn is_number(field: &str) -> bool {
    field.trim_start_matches("${").trim_end_matches('}') == "destination_number"
}

pub(super) fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = value.split_once('"')?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    Some(plain.iter().fold(value.into(), |text: String, (written, is)| text.replace(written, is)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_of_the_dialplan_is_read_as_freeswitch_writes_it() {
        let read = |tag| test(tag).map(|(field, expression)| (is_number(&field), expression));
        let tag =
            r#"condition field="destination_number" expression="^(1|9)(?&lt;x&gt;\d&amp;?)$" break="never">"#;
        assert_eq!(read(tag), Some((true, r"^(1|9)(?<x>\d&?)$".into())));
        assert_eq!(
            read(r#"regex field="${destination_number}" expression="112"/>"#),
            Some((true, "112".into()))
        );
        assert_eq!(read(r#"condition field="network_addr" expression="."/>"#), Some((false, ".".into())));
        assert_eq!(read("condition>"), None);
    }
}
