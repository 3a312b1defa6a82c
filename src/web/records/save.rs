//! Adds a record, or saves the changes of one.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::clash::Clash;
use super::form::{Typed, Wrong};
use super::show::{self, Shown};
use super::{Around, Record, address, rules};
use crate::controller::commands;
use crate::model::command::Change;
use crate::model::desired::Scope;
use crate::model::directory::change::{DirectoryCommand, Edit};
use crate::model::login::refusal::Refusal;
use crate::store::StoreError;
use crate::web::origin::Origin;
use crate::web::signed::{Sent, Signed};
use crate::web::{Tenant, Web, page};

/// Puts what was typed into a record; what is wrong is by field.
fn put_all<R: Record>(record: &mut R, typed: &Typed) -> Wrong {
    let put = |(column, text): (&String, &String)| Some((column.clone(), record.put(column, text).err()?));
    typed.iter().filter_map(put).collect()
}

/// The fields of the form, without what else it holds.
fn fields(mut sent: Typed) -> (Typed, Option<String>, bool) {
    let (was, force) = (sent.remove("was"), sent.remove("force").is_some());
    sent.values_mut().for_each(|text| *text = text.trim().to_owned());
    (sent, was, force)
}

async fn commit<R: Record>(
    web: &Web,
    signed: &Signed,
    tenant: &Tenant,
    edit: Edit<R>,
    force: bool,
) -> Result<(), StoreError> {
    let command = DirectoryCommand { changes: vec![R::put_it(edit)], rules: rules(tenant, force) };
    let by = (signed.actor(), commands::now());
    commands::change(&*web.controller.store, &signed.tenant, by, Change::Directory(command)).await.map(drop)
}

/// The form once more, with why the store refused it.
fn refused<R: Record>(typed: Typed, refusal: &Refusal) -> Shown {
    let may_force =
        matches!(refusal, Refusal::NoEmergencyCallerId(..) | Refusal::EmergencyCallerIdNeeded(..));
    let wrong = [(R::blamed(refusal).to_owned(), refusal.to_string())].into();
    Shown { typed, wrong, may_force, ..Shown::default() }
}

/// `POST` of a record's page: saves it, if it is still the record that the form was made from.
pub(in crate::web) async fn save<R: Record>(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Path(name): Path<String>,
    Sent(sent): Sent<Typed>,
) -> Response {
    let (mut typed, was, force) = fields(sent);
    let was: Option<R> = was.and_then(|was| serde_json::from_str(&was).ok());
    let (Some(was), Some(tenant)) = (was.filter(|was| was.name() == name), web.tenants.get(&signed.tenant))
    else {
        let text = "This form does not say what it was made from, so nothing was done. Load the page again.";
        return page::error(&origin, StatusCode::BAD_REQUEST, text);
    };
    let mut is = was.clone();
    let wrong = put_all(&mut is, &typed);
    let shown = if !wrong.is_empty() {
        Shown { typed, wrong, ..Shown::default() }
    } else if is == was {
        return Redirect::to(&format!("{}?said=unchanged", address::<R>(&name))).into_response();
    } else {
        match commit(&web, &signed, tenant, Edit::of(Some(was.clone()), is), force).await {
            Ok(()) => return Redirect::to(&format!("{}?said=saved", address::<R>(&name))).into_response(),
            Err(StoreError::Refused(Refusal::ChangedMeanwhile(_))) => Shown { typed, ..Shown::default() },
            Err(StoreError::Refused(refusal)) => {
                return again(&web, (&origin, &signed), &was, refused::<R>(typed, &refusal)).await;
            }
            Err(error) => return page::store(&origin, &error),
        }
    };
    if !shown.wrong.is_empty() {
        return again(&web, (&origin, &signed), &was, shown).await;
    }
    typed = shown.typed;
    let snapshot = match web.controller.store.snapshot(&signed.tenant, &Scope::All).await {
        Ok(snapshot) => snapshot,
        Err(error) => return page::store(&origin, &error),
    };
    let Some(now) = R::find(&snapshot, &name) else { return show::missing::<R>(&origin) };
    let clash = Some(Clash::of(&was, now, &mut typed));
    let shown = Shown { typed, clash, ..Shown::default() };
    show::one(&web, (&origin, &signed), now, &Around { tenant, snapshot: &snapshot }, &shown).await
}

/// The page once more, for the record that the form was made from.
async fn again<R: Record>(
    web: &Web,
    (origin, signed): (&Origin, &Signed),
    was: &R,
    shown: Shown,
) -> Response {
    let snapshot = match web.controller.store.snapshot(&signed.tenant, &Scope::All).await {
        Ok(snapshot) => snapshot,
        Err(error) => return page::store(origin, &error),
    };
    let Some(tenant) = web.tenants.get(&signed.tenant) else { return show::missing::<R>(origin) };
    show::one(web, (origin, signed), was, &Around { tenant, snapshot: &snapshot }, &shown).await
}

/// `POST` of the form for a new record.
pub(in crate::web) async fn add<R: Record>(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
    Sent(sent): Sent<Typed>,
) -> Response {
    let (typed, _, force) = fields(sent);
    let Some(tenant) = web.tenants.get(&signed.tenant) else { return show::missing::<R>(&origin) };
    let id = R::COLUMNS.first().copied().unwrap_or_default();
    let name = typed.get(id).cloned().unwrap_or_default();
    let blank = R::blank(&signed, tenant, &name);
    let mut of_fields = typed.clone();
    of_fields.remove(id);
    let (is, mut wrong) = match blank {
        Ok(mut is) => {
            let wrong = put_all(&mut is, &of_fields);
            (Some(is), wrong)
        }
        // Its other fields are checked in a record of another name.
        Err(bad) => {
            let mut wrong = match R::blank(&signed, tenant, "0") {
                Ok(mut other) => put_all(&mut other, &of_fields),
                Err(_) => Wrong::new(),
            };
            wrong.insert(id.to_owned(), bad.to_string());
            (None, wrong)
        }
    };
    if let Some(is) = is.filter(|_| wrong.is_empty()) {
        match commit(&web, &signed, tenant, Edit::of(None, is.clone()), force).await {
            Ok(()) => return Redirect::to(&format!("{}?said=added", address::<R>(&name))).into_response(),
            Err(StoreError::Refused(Refusal::ChangedMeanwhile(_))) => {
                wrong.insert(id.to_owned(), format!("there is a {} {name} already", R::ONE));
            }
            Err(StoreError::Refused(refusal)) => {
                return show::new::<R>(&web, (&origin, &signed), &refused::<R>(typed, &refusal)).await;
            }
            Err(error) => return page::store(&origin, &error),
        }
    }
    show::new::<R>(&web, (&origin, &signed), &Shown { typed, wrong, ..Shown::default() }).await
}
