//! The journal.

use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::context::Context;
use super::json::Json;
use super::page::{self, limit};
use super::problem::Problem;
use super::sent::Asked;
use crate::controller::journal_search::Sought;
use crate::model::access::Role;
use crate::model::id::{DeviceName, Extension, InvalidId, Revision};
use crate::model::journal::Entry;

/// How far back an operator sees.
const OPERATOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many entries are read at once, and for one answer.
const STEP: usize = 500;
const MOST: usize = 10_000;

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Which {
    /// Entries after this revision. Without it, from the oldest on.
    after: Option<u64>,
    /// The most entries, 1 to 500; without it, 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// Only entries about this user.
    user: Option<String>,
    /// Only entries about this device.
    device: Option<String>,
    /// Only events of this name: sessions_changed, refused …
    kind: Option<String>,
}

/// Reads the journal, the oldest entry first. Operators see the last 7 days.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/journal", tag = "journal", params(Which),
    responses((status = 200, description = "Entries, as `hotdesk journal --json` prints them.", body = Vec<super::document::Entry>)))]
pub(in crate::web) async fn list(context: Context, Asked(which): Asked<Which>) -> Result<Response, Problem> {
    let limit = limit(which.limit)?;
    let wrong = |name: &str, wrong: InvalidId| Problem::field("", format_args!("{name}: {wrong}"));
    let user = which.user.as_ref().map(Extension::new).transpose().map_err(|it| wrong("user", it))?;
    let device = which.device.as_ref().map(DeviceName::new).transpose().map_err(|it| wrong("device", it))?;
    let sought = Sought { user, device, ..Sought::default() };
    let is_sought = |entry: &Entry| {
        sought.is(entry) && which.kind.as_deref().is_none_or(|kind| entry.event.name() == kind)
    };
    let mut after = Revision(which.after.unwrap_or_default());
    if context.role() < Role::Administrator {
        let since = Timestamp::now().saturating_sub(OPERATOR).unwrap_or(Timestamp::MIN);
        let first = context.store().revision_at(context.id(), since).await?;
        after = after.max(Revision(first.0.saturating_sub(1)));
    }
    let (mut found, mut read, mut more) = (vec![], 0, true);
    while more && found.len() < limit && read < MOST {
        let entries = context.store().journal(context.id(), after, STEP).await?;
        more = entries.len() == STEP;
        for entry in entries {
            if found.len() == limit {
                more = true;
                break;
            }
            (after, read) = (entry.revision, read + 1);
            if is_sought(&entry) {
                found.push(entry);
            }
        }
    }
    let mut answer = Json(found).into_response();
    if more {
        let filter = [("user", &which.user), ("device", &which.device), ("kind", &which.kind)];
        let filter = filter.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let filter = filter.map(|(name, value)| page::parameter(name, value)).collect::<String>();
        page::next(&mut answer, (context.id(), "journal"), &format!("after={after}&limit={limit}{filter}"));
    }
    Ok(answer)
}
