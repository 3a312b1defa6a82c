//! Phones that are named as extensions: what becomes of them in the store and in the configuration, on any switch.

use std::collections::BTreeSet;

use anyhow::Result;

use super::answers::Answers;
use super::new_config::{list, switch_name};
use crate::cli::context::CommandContext;
use crate::cli::import::files;
use crate::cli::import::pins::{self, Pins};
use crate::cli::plan::Plan;
use crate::model::directory::location::Location;
use crate::model::directory::{Device, User};

/// The table `[dialplan]`.
pub(super) fn dialplan_table(users: &BTreeSet<String>) -> String {
    if users.is_empty() {
        return String::new();
    }
    format!(
        "[dialplan]\n# The extensions of users. After a change: hotdesk dialplan install\nusers = {}\n",
        list(users)
    )
}

/// The location, these users and those of the CSV file, and the phones, each owned by the user of its name. A user without a class of
/// service gets the usual one.
pub(super) async fn named_as_extensions<'a>(
    context: &'a CommandContext,
    answers: &Answers,
    users: Vec<User>,
    (phones, usual): (&[&str], &str),
    dial: impl Fn(&str) -> String,
) -> Result<(Plan<'a>, Pins)> {
    let (mut plan, mut pins) = (Plan::new(context).await?, Pins::default());
    let tenant = &context.tenant;
    let mut location = Location::new(tenant.clone(), answers.location.clone(), answers.zone.clone());
    location.emergency.caller_id.clone_from(&answers.caller_id);
    plan.put_location(location);
    for user in users {
        pins.want(user.extension.clone(), pins::Wanted::Made);
        plan.put_user(user);
    }
    if let Some(sheet) = &answers.sheet {
        (plan, pins) = files::read(std::slice::from_ref(sheet), context, (plan, pins), false)?;
    }
    for mut user in plan.after.users.values().cloned().collect::<Vec<_>>() {
        user.class = Some(user.class.map_or_else(|| usual.parse(), Ok)?);
        plan.put_user(user);
    }
    for phone in phones {
        let mut device = Device::new(tenant.clone(), phone.parse()?, switch_name()?, dial(phone).parse()?);
        device.location = Some(answers.location.clone());
        device.owner = phone.parse().ok().filter(|owner| plan.after.users.contains_key(owner));
        plan.put_device(device);
    }
    pins.compare(context, &mut plan).await?;
    Ok((plan, pins))
}
