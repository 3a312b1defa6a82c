//! The users of a FreeSWITCH's directory: its phones. Asks only; seen on 1.10.12. Users that only exist while
//! `mod_xml_curl` is asked for them by name are in no list.

use super::client::Client;
use super::dialplan::HOTDESK_CONTEXT;
use crate::desk::id::TenantId;
use crate::switch::SwitchError;
use crate::switch::endpoint::{Endpoint, Endpoints};

/// What an answer begins with; a later FreeSWITCH may have more columns.
const COLUMNS: &str = "userid|context|domain|group|contact|";

/// All of a tenant's: those of his domain, or of all domains if he is the only one.
///
/// # Errors
/// [`SwitchError`] when FreeSWITCH is away, or answers something else.
pub async fn endpoints(client: &Client, tenant: &TenantId) -> Result<Endpoints, SwitchError> {
    let ask = match *tenant == TenantId::default() {
        true => "list_users".to_owned(),
        false => format!("list_users domain {tenant}"),
    };
    let answer = client.api(&ask).await?.unwrap_or_default();
    if !answer.starts_with(COLUMNS) {
        let begins: String = answer.chars().take(80).collect();
        return Err(SwitchError::Refused("list_users".into(), begins));
    }
    // One who is in several groups is there as often.
    let endpoints = answer.lines().skip(1).filter_map(endpoint);
    Ok(endpoints.map(|endpoint| (endpoint.dial.clone(), endpoint)).collect())
}

fn endpoint(line: &str) -> Option<Endpoint> {
    let mut cells = line.split('|');
    let (name, context, domain) = (cells.next()?, cells.next()?, cells.next()?);
    let (_group, contact) = (cells.next()?, cells.next()?);
    Some(Endpoint {
        name: name.to_owned(),
        dial: format!("user/{name}@{domain}"),
        context: Some(context).filter(|context| !context.is_empty() && *context != "n/a").map(str::to_owned),
        hotdesk: context == HOTDESK_CONTEXT,
        registered: !contact.is_empty() && !contact.starts_with("error/"),
    })
}
