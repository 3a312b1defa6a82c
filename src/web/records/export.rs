//! A kind of record as a CSV file, in the columns of `hotdesk export`.

use std::sync::Arc;

use axum::Extension as Given;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use csv::WriterBuilder;
use tracing::info;

use super::Record;
use crate::model::desired::Scope;
use crate::model::directory::Snapshot;
use crate::web::origin::Origin;
use crate::web::signed::Signed;
use crate::web::{Web, page};

/// `GET` of the file.
pub(in crate::web) async fn export<R: Record>(
    State(web): State<Arc<Web>>,
    Given(origin): Given<Origin>,
    Given(signed): Given<Signed>,
) -> Response {
    let snapshot = match web.controller.store.snapshot(&signed.tenant, &Scope::All).await {
        Ok(snapshot) => snapshot,
        Err(error) => return page::store(&origin, &error),
    };
    info!(event = "web.exported", account = %signed.account, of = R::PLACE.title(), "records were exported");
    let name = R::PLACE.title().to_lowercase();
    let head = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    (head, sheet::<R>(&snapshot)).into_response()
}

fn sheet<R: Record>(snapshot: &Snapshot) -> Vec<u8> {
    let mut sheet = WriterBuilder::new().from_writer(vec![]);
    let rows = R::all(snapshot)
        .map(|record| R::COLUMNS.iter().map(|column| harmless(record.text(column))).collect::<Vec<_>>());
    let head = R::COLUMNS.iter().map(|column| (*column).to_owned()).collect();
    for row in std::iter::once(head).chain(rows) {
        // Nothing fails when it is written into memory.
        let _ = sheet.write_record(row);
    }
    sheet.into_inner().unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}
