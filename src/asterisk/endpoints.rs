//! An Asterisk's PJSIP endpoints. Asks only, with `read = system` and `write = system`; seen on 16.28 and 22.10.

use futures_util::StreamExt;
use futures_util::stream;

use super::ami::{Action, Message};
use super::manager::Manager;
use super::space::Space;
use crate::desk::id::TenantId;
use crate::switch::SwitchError;
use crate::switch::endpoint::{Endpoint, Endpoints};

/// Endpoints that are asked about at a time.
const AT_ONCE: usize = 32;

/// All of them but the phones of other tenants, of `all` whose phones it has: those are in the contexts of these.
///
/// # Errors
/// [`SwitchError`] when Asterisk is away, or our user may not ask.
pub async fn endpoints(
    manager: &Manager,
    tenant: &TenantId,
    all: &[TenantId],
) -> Result<Endpoints, SwitchError> {
    let (own, other) = (Space::of(tenant), all.iter().filter(|other| *other != tenant).map(Space::of));
    let other: Vec<Space> = other.collect();
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
        let context = endpoint.context.as_deref();
        if !other.iter().any(|other| context == Some(other.name())) {
            endpoint.hotdesk = context == Some(own.name());
            endpoints.insert(endpoint.dial.clone(), endpoint);
        }
    }
    Ok(endpoints)
}

/// The list does not say in which context an endpoint is: each is asked for by name. None when it has gone meanwhile.
async fn endpoint(manager: &Manager, name: &str) -> Result<Option<Endpoint>, SwitchError> {
    let shown = match manager.list(Action::new("PJSIPShowEndpoint").with("Endpoint", name)).await {
        Ok(shown) => shown,
        Err(SwitchError::Refused(..)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let detail = shown.iter().find(|shown| shown.event() == Some("EndpointDetail"));
    let context = detail.and_then(|detail| detail.header("Context")).filter(|context| !context.is_empty());
    Ok(Some(Endpoint {
        name: name.to_owned(),
        dial: format!("PJSIP/{name}"),
        context: context.map(str::to_owned),
        hotdesk: false,
        registered: shown.iter().any(is_reachable),
    }))
}

/// A contact, unless it was asked and did not answer. One that is not asked is `NonQualified`.
fn is_reachable(shown: &Message) -> bool {
    shown.event() == Some("ContactStatusDetail") && shown.header("Status") != Some("Unreachable")
}
