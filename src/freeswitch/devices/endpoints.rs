//! The users of a FreeSWITCH's directory: its phones. Only reads; seen on 1.10.12. Users that exist only when `mod_xml_curl`
//! is asked for them by name are in no list.

use crate::freeswitch::dialplan::HOTDESK_CONTEXT;
use crate::freeswitch::esl::client::Client;
use crate::model::id::TenantId;
use crate::switch::SwitchError;
use crate::switch::endpoint::{Endpoint, Endpoints};

/// What an answer begins with; a later FreeSWITCH may have more columns.
const COLUMNS: &str = "userid|context|domain|group|contact|";

/// The devices in a tenant's domain; for the default tenant those of all domains.
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
    // A user in several groups is listed as often.
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
