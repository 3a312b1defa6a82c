//! Checks that calls to users reach Hotdesk from every context in which extensions are called. Asterisk takes an extension of the
//! context itself before an included one, so a pattern of the site can take the calls to users.

use std::collections::{BTreeMap, BTreeSet};

use super::Inspection;
use super::codes::shape;
use super::route::{Known, Leaves, Stop, is_of_any};
use crate::asterisk::devices::endpoints::endpoints;
use crate::controller::check;
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::id::Extension;
use crate::switch::SwitchError;

/// The page with the steps for a site that has such a pattern.
const PAGE: &str = "docs/existing-extensions.md has the steps";

impl Inspection<'_> {
    /// Where calls to the users go from each context, all users or one. `ShowDialPlan` needs the right `reporting`.
    ///
    /// # Errors
    /// [`SwitchError`] when Asterisk does not answer.
    pub async fn past_hotdesk(
        &self,
        snapshot: &Snapshot,
        only: Option<&Extension>,
    ) -> Result<Vec<Finding>, SwitchError> {
        let check = self.of("calls to users");
        if snapshot.users.is_empty() || self.dialplan.freepbx {
            return Ok(vec![]);
        }
        if !self.may("ShowDialPlan").await? {
            let found = "cannot tell whether they reach Hotdesk: Hotdesk's user may not read the dialplan";
            return Ok(vec![Finding::unknown(check, found, super::MAY_READ)]);
        }
        let contexts = self.calling(snapshot).await?;
        let (mut read, mut findings) = (Known::default(), vec![]);
        for context in &contexts {
            let users = snapshot.users.keys().filter(|user| only.is_none_or(|only| only == *user));
            findings.extend(self.past_from(&mut read, context, users).await?);
        }
        if findings.is_empty() && !contexts.is_empty() {
            let from = contexts.into_iter().collect::<Vec<_>>().join(", ");
            findings.push(Finding::fine(check, format!("reach Hotdesk from every context: {from}")));
        }
        Ok(findings)
    }

    /// The contexts of the site in which extensions are called: those of phones and trunks, and the classes of service. On a
    /// switch of several tenants only the classes are known to be the tenant's.
    async fn calling(&self, snapshot: &Snapshot) -> Result<BTreeSet<String>, SwitchError> {
        let logged_out = snapshot.devices.values().filter_map(|device| device.may_dial.class.as_ref());
        let classes = check::classes(snapshot).into_keys().chain(logged_out);
        let mut contexts: BTreeSet<String> = classes.map(ToString::to_string).collect();
        if self.tenants.len() == 1 {
            let known = endpoints(self.manager, self.tenant, self.tenants).await?;
            contexts.extend(known.into_values().filter_map(|endpoint| endpoint.context));
        }
        contexts.retain(|context| !is_of_any(context));
        Ok(contexts)
    }

    async fn past_from<'u>(
        &self,
        read: &mut Known,
        context: &str,
        users: impl Iterator<Item = &'u Extension>,
    ) -> Result<Vec<Finding>, SwitchError> {
        let mut taken: BTreeMap<Result<(String, String), String>, Vec<&str>> = BTreeMap::new();
        for user in users.map(Extension::as_str) {
            let by = match self.reading(read, |read| read.matched(context, user)).await? {
                Ok(Some((within, _))) if is_of_any(&within) => continue,
                Ok(Some(by)) => Ok(by),
                Ok(None) => continue,
                Err(Stop::Unknown(why)) => Err(why),
                Err(_) => Err("takes too many contexts to follow".into()),
            };
            taken.entry(by).or_default().push(user);
        }
        let mut findings = vec![];
        for (by, users) in taken {
            let calls = Calls { context, users: &users };
            let leads = match (&by, users.first()) {
                (Ok(_), Some(user)) => {
                    let follow = |read: &Known| read.follow_user(self.space().name(), context, user);
                    self.reading(read, follow).await?
                }
                (Err(why), _) => Err(Stop::Unknown(why.clone())),
                (Ok(_), None) => continue,
            };
            let (within, extension) = by.unwrap_or_default();
            findings.extend(calls.finding(self, &within, &extension, leads));
        }
        Ok(findings)
    }
}

/// Calls to users from a context of the site.
struct Calls<'a> {
    context: &'a str,
    users: &'a [&'a str],
}

impl Calls<'_> {
    /// What is wrong if the extension `extension` of the context `within` takes them, and a call to the first leads there. An
    /// extension for whatever is left takes them only if it dials their number.
    fn finding(
        &self,
        at: &Inspection<'_>,
        within: &str,
        extension: &str,
        leads: Result<Leaves, Stop>,
    ) -> Option<Finding> {
        let Self { context, users } = self;
        let (users, first) = (check::named(users), users.first().copied().unwrap_or_default());
        let of_them = within.is_empty() || shape(extension).is_some();
        let check = format!("calls to users from {context} on switch {}", at.name);
        let include = format!("`include => {}-users`", at.space());
        let remedy = match within == *context {
            true => format!(
                "move {extension} from [{context}] into a context that [{context}] includes after {include}, and \
                 `dialplan reload`: {PAGE}"
            ),
            false => format!(
                "in [{context}] put {include} before the include that leads to [{within}], and `dialplan reload`: {PAGE}"
            ),
        };
        match leads {
            Ok(Leaves { place, target, .. }) if of_them || target.contains(first) => {
                Some(Finding::wrong(check, format!("{users} are reached past Hotdesk: {place}"), remedy))
            }
            Err(Stop::Ends(why)) if of_them => {
                let remedy = format!("unless you want that: {remedy}");
                Some(Finding::remark(check, format!("{users} cannot be called: {why}"), remedy))
            }
            Err(Stop::Unknown(why)) if of_them => {
                let remedy = format!(
                    "call one of them from a phone there, and see whether their login is reached: {PAGE}"
                );
                Some(Finding::unknown(check, format!("{users}: {why}"), remedy))
            }
            Ok(_) | Err(_) => None,
        }
    }
}
