//! What a handler of the API works on: the tenant and the role of the client, and the store.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::client::Client;
use super::problem::Problem;
use crate::controller::commands;
use crate::model::access::Role;
use crate::model::command::Change;
use crate::model::desired::Scope;
use crate::model::directory::Snapshot;
use crate::model::directory::change::{DirectoryChange, DirectoryCommand, DirectoryRules, NoCallerId};
use crate::model::id::{EmergencyNumber, TenantId};
use crate::model::journal::Actor;
use crate::store::{Store, StoreError};
use crate::web::{Tenant, Web};

/// What a handler works on.
pub(in crate::web) struct Context {
    pub(super) web: Arc<Web>,
    client: Client,
}

impl FromRequestParts<Arc<Web>> for Context {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        match parts.extensions.get::<Client>().cloned() {
            Some(client) => Ok(Self { web: web.clone(), client }),
            None => Err(Problem::signed_out(false).into_response()),
        }
    }
}

impl Context {
    pub(super) fn id(&self) -> &TenantId {
        &self.client.tenant
    }

    pub(super) const fn role(&self) -> Role {
        self.client.role
    }

    pub(super) fn actor(&self) -> Actor {
        self.client.actor.clone()
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.web.controller.store
    }

    /// The tenant as it is served.
    pub(super) fn tenant(&self) -> Result<&Tenant, Problem> {
        self.web.tenants.get(self.id()).ok_or_else(|| Problem::missing("such tenant"))
    }

    pub(super) async fn snapshot(&self, scope: &Scope) -> Result<Snapshot, StoreError> {
        self.store().snapshot(self.id(), scope).await
    }

    pub(super) fn emergency_numbers(&self) -> Vec<EmergencyNumber> {
        self.web.controller.codes.borrow().of(self.id()).emergency_numbers().to_vec()
    }

    pub(super) async fn commit(&self, change: Change) -> Result<(), StoreError> {
        commands::change(self.store(), self.id(), (self.actor(), commands::now()), change).await.map(drop)
    }

    /// Makes a change of the directory by the rules of the tenant.
    pub(super) async fn change(&self, change: DirectoryChange) -> Result<(), StoreError> {
        let rules =
            DirectoryRules { emergency_numbers: self.emergency_numbers(), no_caller_id: NoCallerId::Refuse };
        self.commit(Change::Directory(DirectoryCommand { changes: vec![change], rules })).await
    }
}
