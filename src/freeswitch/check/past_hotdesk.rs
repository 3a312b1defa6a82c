//! Checks that calls to users reach Hotdesk from every context in which extensions are called. FreeSWITCH takes the first
//! extension that matches, so one of the site before `00_hotdesk.xml` can take the calls to users: vanilla's takes 1000 to 1019.

use std::collections::BTreeSet;

use super::Inspection;
use super::context::{Extension, Test, regex};
use super::route::{Call, Led, calls_back, to_users};
use super::users::rings_the_login;
use crate::controller::check;
use crate::controller::emergency::Route;
use crate::freeswitch::devices::endpoints::endpoints;
use crate::model::check::Finding;
use crate::model::contexts::is_of_freeswitch;
use crate::model::directory::Snapshot;
use crate::model::id;
use crate::switch::SwitchError;

/// The most users to look for. Each is compared with each extension of each context.
const USERS: usize = 500;
/// The page with the steps for a site that has such an extension.
const PAGE: &str = "docs/existing-extensions.md";

impl Inspection<'_> {
    /// Where calls to the users go from each context, all users or one.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer.
    pub async fn past_hotdesk(
        &self,
        snapshot: &Snapshot,
        only: Option<&id::Extension>,
    ) -> Result<Vec<Finding>, SwitchError> {
        let check = self.of("calls to users");
        let all = snapshot.users.keys().filter(|user| only.is_none_or(|only| only == *user));
        let users: Vec<&str> = all.clone().map(|user| user.as_str()).take(USERS).collect();
        if users.is_empty() {
            return Ok(vec![]);
        }
        if let Some(module) = self.bound().await? {
            return Ok(vec![self.unread(&module, "calls to users")]);
        }
        let contexts = self.calling(snapshot).await?;
        let mut findings = vec![];
        for context in &contexts {
            findings.extend(self.past_from(context, &users).await?);
        }
        let more = all.count().saturating_sub(USERS);
        if more > 0 {
            let remedy = "hotdesk explain EXTENSION looks for one of them";
            findings.push(Finding::unknown(check, format!("not looked for {more} users: too many"), remedy));
        } else if findings.is_empty() && !contexts.is_empty() {
            let from = contexts.into_iter().collect::<Vec<_>>().join(", ");
            findings.push(Finding::fine(check, format!("reach Hotdesk from every context: {from}")));
        }
        Ok(findings)
    }

    /// The contexts of the site in which extensions are called: those of the directory's users, and the classes of service.
    async fn calling(&self, snapshot: &Snapshot) -> Result<BTreeSet<String>, SwitchError> {
        let logged_out = snapshot.devices.values().filter_map(|device| device.may_dial.class.as_ref());
        let classes = check::classes(snapshot).into_keys().chain(logged_out);
        let mut contexts: BTreeSet<String> = classes.map(ToString::to_string).collect();
        let known = endpoints(self.client, self.tenant).await?;
        contexts.extend(known.into_values().filter_map(|endpoint| endpoint.context));
        contexts.retain(|context| !is_of_freeswitch(context));
        Ok(contexts)
    }

    async fn past_from(&self, context: &str, users: &[&str]) -> Result<Vec<Finding>, SwitchError> {
        let Some(known) = self.context(context).await? else { return Ok(vec![]) };
        let (mut left, mut findings) = (users.to_vec(), vec![]);
        let of_numbers = |it: &&Extension| it.tests.iter().any(Test::is_of_number) && !calls_back(it);
        for extension in known.extensions.iter().filter(of_numbers) {
            let taken = self.matching(extension, &left).await?;
            let Some(first) = taken.first() else { continue };
            let led = match to_users(extension) {
                true => Led::Own(extension.name.clone()),
                false => self.route(Call::User, context, first).await?,
            };
            // A call that such an extension does not end goes on to the next one.
            if !matches!(led, Led::Unknown) {
                left.retain(|user| !taken.contains(user));
            }
            findings.extend(self.past(context, &extension.name, &taken, led).await?);
        }
        Ok(findings)
    }

    /// The users that an extension may take, as FreeSWITCH itself matches them.
    async fn matching<'u>(
        &self,
        extension: &Extension,
        users: &[&'u str],
    ) -> Result<Vec<&'u str>, SwitchError> {
        let tests: Vec<&Test> = extension.tests.iter().filter(|test| test.is_of_number()).collect();
        let asked = users.iter().flat_map(|user| tests.iter().map(move |test| regex(user, &test.expression)));
        let takes = self.are_true(asked).await?;
        let all =
            |takes: &[bool]| if extension.plain { !takes.contains(&false) } else { takes.contains(&true) };
        let taken = users.iter().zip(takes.chunks(tests.len())).filter(|(_, takes)| all(takes));
        Ok(taken.map(|(user, _)| *user).collect())
    }

    async fn past(
        &self,
        context: &str,
        extension: &str,
        users: &[&str],
        led: Led,
    ) -> Result<Option<Finding>, SwitchError> {
        let check = format!("calls to users from {context} on switch {}", self.name);
        let named = check::named(users);
        let remedy = format!(
            "move the extension hotdesk-user of 00_hotdesk.xml before {extension} in the context {context}, or give them other \
             extensions, and `reloadxml`: {PAGE}"
        );
        Ok(Some(match led {
            Led::To(Route::Leaves { place, target, .. }) if self.rings_the_login(&target, users).await? => {
                Finding::remark(
                    check,
                    format!(
                        "{named} are taken by {place}: the dial-string of the directory rings the device of the login, without \
                     DND, call forwarding and voicemail of Hotdesk"
                    ),
                    remedy,
                )
            }
            Led::To(Route::Leaves { place, .. }) => {
                Finding::wrong(check, format!("{named} are reached past Hotdesk: {place}"), remedy)
            }
            Led::To(Route::Ends(why)) => Finding::remark(
                check,
                format!("{named} cannot be called: {why}"),
                format!("unless you want that: {remedy}"),
            ),
            Led::To(Route::Unknown(why)) => {
                let remedy = format!(
                    "call one of them from a phone there, and see whether their login is reached: {PAGE}"
                );
                Finding::unknown(check, format!("{named}: {why}"), remedy)
            }
            Led::Own(_) | Led::Unknown => return Ok(None),
        }))
    }

    /// Whether a target is one of the users in the directory, with a dial-string that reads the row of Hotdesk's user.
    async fn rings_the_login(&self, target: &str, users: &[&str]) -> Result<bool, SwitchError> {
        let Some(entry) = target.strip_prefix("user/") else { return Ok(false) };
        if !users.contains(&entry.split('@').next().unwrap_or_default()) {
            return Ok(false);
        }
        let answers = self.ask([format!("user_data {entry} param dial-string")]).await?;
        Ok(answers.into_iter().flatten().any(|dial| rings_the_login(&dial)))
    }
}
