//! Checks that a call gets the dialplan that was printed. Where a module answers for the dialplan (`mod_xml_curl`, `mod_lua`), it
//! may answer a call, which names its context, otherwise than `xml_locate`, which does not (1.10.12). Only a call tells.

use std::time::Duration;

use roxmltree::Document;

use super::Inspection;
use crate::freeswitch::dialplan::{PROBED, version};
use crate::freeswitch::esl::client::Client;
use crate::freeswitch::esl::rights;
use crate::model::check::Finding;
use crate::switch::SwitchError;

/// The modules that can answer for the dialplan, and their configurations.
const BINDINGS: [(&str, &str); 2] = [("mod_xml_curl", "xml_curl.conf"), ("mod_lua", "lua.conf")];
/// What lets a call get the dialplan that was printed.
const REMEDY: &str = "hotdesk dialplan install, and `reloadxml`; on a FusionPBX see docs/fusionpbx.md, and on others make the program \
                      of the module answer \"not found\" for contexts that begin with hotdesk@";
/// How long the call may take. The other end hangs up at once.
const CALL: Duration = Duration::from_secs(5);

impl Inspection<'_> {
    /// The modules that answer for the dialplan, if there are any.
    pub(super) async fn bound(&self) -> Result<Option<String>, SwitchError> {
        bound(self.client).await
    }

    /// Calls the version of our dialplan over loopback, where this module answers for the dialplan. No phone rings.
    pub(super) async fn called(&self, module: &str) -> Result<Vec<Finding>, SwitchError> {
        let check = self.of("dialplan");
        let probe = format!("hotdesk-version-{}", version(self.dialplan));
        let call = format!("{} loopback/{probe}/hotdesk@version/XML &hangup", rights::RING);
        let wrong = |ends: String| {
            let found = format!(
                "{module} answers for the dialplan, and a call does not get the dialplan that this configuration prints: {ends}"
            );
            vec![Finding::wrong(check.clone(), found, REMEDY)]
        };
        Ok(match self.client.bgapi(&call, CALL).await {
            Err(SwitchError::Refused(_, why)) if why.contains("permission denied") => vec![
                self.loaded().await?,
                Finding::unknown(
                    self.of("dialplan of calls"),
                    format!(
                        "{module} answers for the dialplan, so only a call tells what a call gets: {why}"
                    ),
                    "add `originate` to esl-allowed-api of Hotdesk's user in the directory, or test a code at a phone",
                ),
            ],
            Err(SwitchError::Refused(_, why)) if why == PROBED => match self.token().await? {
                Some((true, why)) => vec![Finding::wrong(check, why, REMEDY)],
                Some((false, why)) => vec![Finding::remark(check, why, REMEDY)],
                None => vec![Finding::fine(
                    check,
                    format!(
                        "a call gets the one that this configuration prints, although {module} answers for the dialplan"
                    ),
                )],
            },
            Err(SwitchError::Refused(_, why)) => wrong(format!("it ends with {why}")),
            Ok(answer) => wrong(format!("it is taken ({})", answer.unwrap_or_default())),
            Err(error) => return Err(error),
        })
    }

    /// What cannot be read of the site's contexts where this module answers for the dialplan.
    pub(super) fn unread(&self, module: &str, what: &str) -> Finding {
        Finding::unknown(
            self.of(what),
            format!(
                "{module} answers for the dialplan, and to calls only: the contexts of the site cannot be read"
            ),
            "call from a hotdesk phone, and see where the call goes: docs/freeswitch.md",
        )
    }
}

/// The modules that answer for the dialplan, if there are any: then what is read of it may not be what a call gets.
///
/// # Errors
/// [`SwitchError`] when FreeSWITCH does not answer.
pub async fn bound(client: &Client) -> Result<Option<String>, SwitchError> {
    let mut bound = vec![];
    for (module, configuration) in BINDINGS {
        if client.api(&format!("module_exists {module}")).await?.as_deref() != Some("true") {
            continue;
        }
        let located =
            client.api(&format!("xml_locate configuration configuration name {configuration}")).await;
        match located {
            Ok(xml) => bound.extend(xml.filter(|xml| binds(xml)).map(|_| module)),
            Err(SwitchError::Refused(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((!bound.is_empty()).then(|| bound.join(" and ")))
}

/// Whether a configuration binds its module to the dialplan.
fn binds(xml: &str) -> bool {
    let Ok(read) = Document::parse(xml) else { return false };
    read.descendants().filter(|node| node.has_tag_name("param")).any(|param| {
        let bindings = match param.attribute("name") {
            // Without `bindings` it is bound to all.
            Some("gateway-url") => param.attribute("bindings").unwrap_or("dialplan"),
            Some("xml-handler-bindings") => param.attribute("value").unwrap_or_default(),
            _ => "",
        };
        bindings.split(['|', ',', ' ']).any(|binding| binding == "dialplan")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_module_that_is_bound_to_the_dialplan_answers_for_it() {
        let param = |param: &str| {
            format!("<configuration name=\"x\"><settings><param {param}/></settings></configuration>")
        };
        for (text, is) in [
            (r#"name="gateway-url" value="http://x" bindings="dialplan|directory""#, true),
            (r#"name="gateway-url" value="http://x""#, true),
            (r#"name="gateway-url" value="http://x" bindings="directory""#, false),
            (r#"name="xml-handler-bindings" value="dialplan""#, true),
            (r#"name="xml-handler-bindings" value="directory""#, false),
            (r#"name="script-directory" value="dialplan""#, false),
        ] {
            assert_eq!(binds(&param(text)), is, "{text}");
        }
        assert!(!binds("-ERR no reply") && !binds(""));
    }
}
