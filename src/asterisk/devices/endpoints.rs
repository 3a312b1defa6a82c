//! An Asterisk's PJSIP endpoints. Only reads, with `read = system` and `write = system`; seen on 16.28 and 22.10.

use futures_util::StreamExt;
use futures_util::stream;

use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::{Action, Message};
use crate::asterisk::namespace::Namespace;
use crate::model::id::TenantId;
use crate::switch::endpoint::{Endpoint, Endpoints};
use crate::switch::{SwitchError, unless_refused};

/// Endpoints to ask for at once.
const AT_ONCE: usize = 32;

/// All endpoints of the Asterisk but the devices of other tenants among `all`, which are in those tenants' contexts.
///
/// # Errors
/// [`SwitchError`] when Asterisk cannot be reached, or the AMI user may not ask.
pub async fn endpoints(
    manager: &Manager,
    tenant: &TenantId,
    all: &[TenantId],
) -> Result<Endpoints, SwitchError> {
    let own = Namespace::of(tenant);
    let other: Vec<Namespace> = all.iter().filter(|other| *other != tenant).map(Namespace::of).collect();
    let listed = match manager.list(Action::new("PJSIPShowEndpoints")).await {
        Ok(listed) => listed,
        Err(SwitchError::Refused(_, why)) if why == "No endpoints found" => return Ok(Endpoints::new()),
        Err(error) => return Err(error),
    };
    let names: Vec<&str> = listed
        .iter()
        .filter(|event| event.event() == Some("EndpointList"))
        .filter_map(|event| event.header("ObjectName"))
        .collect();
    let mut asked = stream::iter(names.into_iter().map(|name| endpoint(manager, name))).buffered(AT_ONCE);
    let mut endpoints = Endpoints::new();
    while let Some(endpoint) = asked.next().await {
        let Some(mut endpoint) = endpoint? else { continue };
        endpoint.context = endpoint.context.filter(|context| !context.is_empty());
        let context = endpoint.context.as_deref();
        if !other.iter().any(|other| context == Some(other.name())) {
            endpoint.hotdesk = context == Some(own.name());
            endpoints.insert(endpoint.dial.clone(), endpoint);
        }
    }
    Ok(endpoints)
}

/// Asks for one endpoint by name, as the list has no contexts. `None` if there is none.
pub(in crate::asterisk) async fn endpoint(
    manager: &Manager,
    name: &str,
) -> Result<Option<Endpoint>, SwitchError> {
    let shown = manager.list(Action::new("PJSIPShowEndpoint").with("Endpoint", name)).await;
    let Some(shown) = unless_refused(shown)? else { return Ok(None) };
    let detail = shown.iter().find(|shown| shown.event() == Some("EndpointDetail"));
    let context = detail.and_then(|detail| detail.header("Context"));
    Ok(Some(Endpoint {
        name: name.to_owned(),
        dial: format!("PJSIP/{name}"),
        context: context.map(str::to_owned),
        hotdesk: false,
        registered: shown.iter().any(is_reachable),
    }))
}

/// A contact, unless it was qualified and did not answer. A contact that is never qualified is `NonQualified`.
fn is_reachable(shown: &Message) -> bool {
    shown.event() == Some("ContactStatusDetail") && shown.header("Status") != Some("Unreachable")
}
