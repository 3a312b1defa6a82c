//! Checks that an emergency call leaves for the trunk, and with which number; and that it passes through Hotdesk at all.

use futures_util::StreamExt;
use futures_util::stream;

use super::route::{Context, Known, Leaves, Line, Need, Stop};
use super::{AT_ONCE, Inspection};
use crate::asterisk::ami::codec::{Action, Message};
use crate::asterisk::devices::endpoints::endpoint;
use crate::asterisk::dialplan::Settings;
use crate::controller::emergency::{self, Route};
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::switch::{SwitchError, unless_refused};

/// The most contexts and variables to read.
const READ: usize = 200;

impl Inspection<'_> {
    /// Follows each emergency number through the context of the site. `ShowDialPlan` needs the right `reporting`.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk does not answer.
    pub async fn emergency_numbers(&self) -> Result<Vec<Finding>, SwitchError> {
        let Settings { emergency_numbers, emergency_context: context, .. } = self.dialplan;
        let all: Vec<&str> = emergency_numbers.iter().map(|number| number.as_str()).collect();
        let check = self.of("emergency numbers");
        let exist = self.exist(all.iter().map(|number| format!("{context},{number},1"))).await?;
        let (known, unknown): (Vec<_>, Vec<_>) = all.iter().zip(exist).partition(|(_, there)| *there);
        let mut findings = vec![];
        if !unknown.is_empty() {
            let unknown = unknown.iter().map(|(number, _)| **number).collect::<Vec<_>>().join(", ");
            let add = format!(
                "add them to [{context}] in extensions.conf, or name another context in [emergency] here"
            );
            let found = format!("the context {context} does not know {unknown}: such calls fail");
            findings.push(Finding::wrong(check.clone(), found, add));
        }
        if known.is_empty() {
            return Ok(findings);
        }
        if !self.may("ShowDialPlan").await? {
            findings.push(Finding::unknown(
                check,
                "cannot tell where emergency calls go: Hotdesk's user may not read the dialplan",
                super::MAY_READ,
            ));
            return Ok(findings);
        }
        let (mut read, mut routes) = (Known::default(), vec![]);
        for (number, _) in known {
            routes.push((*number, self.route(&mut read, context.as_str(), number).await?));
        }
        let remedy = format!("correct [{context}] in extensions.conf, and `dialplan reload`");
        findings.extend(emergency::routes(&check, routes, &remedy));
        Ok(findings)
    }

    async fn route(&self, read: &mut Known, context: &str, number: &str) -> Result<Route, SwitchError> {
        let follow = |read: &Known| read.follow(self.space().name(), context, number);
        Ok(match self.reading(read, follow).await? {
            Ok(Leaves { place, target, peer, .. })
                if target.starts_with("PJSIP/") && endpoint(self.manager, &peer).await?.is_none() =>
            {
                Route::Ends(format!("there is no endpoint {peer}, at {place}"))
            }
            Ok(Leaves { place, target, number, .. }) => Route::Leaves { place, target, number },
            Err(Stop::Ends(why)) => Route::Ends(why),
            Err(Stop::Own(context)) => {
                Route::Ends(format!("it leads back to Hotdesk's own context {context}"))
            }
            Err(Stop::Unknown(why)) => Route::Unknown(why),
            Err(Stop::Needs(_)) => Route::Unknown("takes too many contexts to follow".into()),
        })
    }

    /// What `follow` finds; reads what that needs.
    pub(super) async fn reading<T>(
        &self,
        read: &mut Known,
        follow: impl Fn(&Known) -> Result<T, Stop>,
    ) -> Result<Result<T, Stop>, SwitchError> {
        for _ in 0..READ {
            match follow(read) {
                Err(Stop::Needs(Need::Context(name))) => {
                    let show = Action::new("ShowDialPlan").with("Context", name.as_str());
                    let listed = unless_refused(self.manager.list(show).await)?;
                    read.contexts.insert(name, listed.as_deref().map(context_of));
                }
                Err(Stop::Needs(Need::Variable(name))) => {
                    let get = Action::new("Getvar").with("Variable", name.as_str());
                    let answer = unless_refused(self.manager.act(get).await)?;
                    let value = answer.and_then(|answer| answer.header("Value").map(str::to_owned));
                    read.variables.insert(name, value.unwrap_or_default());
                }
                followed => return Ok(followed),
            }
        }
        Ok(follow(read))
    }

    /// What an emergency call from each device shows. A device that is no endpoint in our context does not get there.
    pub(super) async fn emergency_shown(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let (known, reach) = (&self.dialplan.emergency_numbers, &self.dialplan.routes);
        let mut findings = emergency::calls(&self.rows(), snapshot, self.name, reach, known).await?;
        let devices = snapshot.devices.values().filter(|device| device.switch == *self.name);
        let asked = devices.map(async |device| endpoint(self.manager, device.name.as_str()).await);
        let endpoints: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let space = self.space();
        for (finding, endpoint) in findings.iter_mut().zip(endpoints) {
            let check = finding.check.clone();
            match endpoint?.map(|endpoint| endpoint.context.unwrap_or_default()) {
                Some(context) if context == space.name() => {}
                Some(context) => {
                    *finding = Finding::unknown(
                        check,
                        format!(
                            "its endpoint has context = {context}: whatever that does, Hotdesk's dialplan does not"
                        ),
                        format!("pjsip.conf must say context = {space} in it, or test a call from there"),
                    );
                }
                None => {
                    *finding = Finding::wrong(
                        check,
                        "there is no PJSIP endpoint of this name, so a call from this device reads no row and shows what \
                         its channel has",
                        "add the endpoint to pjsip.conf, or remove the device",
                    );
                }
            }
        }
        Ok(findings)
    }
}

fn context_of(listed: &[Message]) -> Context {
    let mut context = Context::default();
    for event in listed {
        let header = |name: &str| event.header(name).unwrap_or_default().to_owned();
        if let Some(include) = event.header("IncludeContext") {
            context.includes.push(include.into());
        } else if event.header("Switch").is_some() {
            context.switches = true;
        } else if let Ok(priority) = header("Priority").parse() {
            context.lines.push(Line {
                extension: header("Extension"),
                priority,
                label: header("ExtensionLabel"),
                application: header("Application"),
                data: header("AppData"),
            });
        }
    }
    context
}
