//! The pages of people, devices and locations: one way to show, add, change and remove a record, with the condition that it is
//! still the record that the form was made from.

mod clash;
mod devices;
mod export;
mod form;
mod list;
mod locations;
mod people;
mod pin;
mod remove;
mod save;
mod show;

use maud::Markup;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use export::export;
pub(super) use list::list;
pub(super) use pin::set_pin;
pub(super) use remove::{ask_remove, remove};
pub(super) use save::{add, save};
pub(super) use show::{ask_add, show};

use self::form::Form;
use super::frame::Place;
use super::signed::Signed;
use super::{Tenant, Web};
use crate::model::directory::Snapshot;
use crate::model::directory::change::{DirectoryChange, DirectoryRules, Edit, NoCallerId};
use crate::model::directory::columns::Columns;
use crate::model::id::InvalidId;
use crate::model::login::refusal::{Refusal, Subject};
use crate::store::StoreError;

/// A kind of record that has pages.
pub(super) trait Record:
    Columns + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + Sized + 'static
{
    /// Where its pages are.
    const PLACE: Place;
    /// What one is called: `person`.
    const ONE: &'static str;

    /// Its name among its kind.
    fn name(&self) -> String;

    /// What a reader knows it by.
    fn title(&self) -> String {
        self.name()
    }

    /// The record, for what names records.
    fn subject(&self) -> Subject;

    /// A new record with this name, as it would be without any choice.
    ///
    /// # Errors
    /// [`InvalidId`] when it cannot have that name.
    fn blank(signed: &Signed, tenant: &Tenant, name: &str) -> Result<Self, InvalidId>;

    /// All records of this kind, by name.
    fn all(snapshot: &Snapshot) -> impl Iterator<Item = &Self> + Send;

    /// The record of this name.
    fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Self>;

    /// A snapshot with this record alone.
    fn alone(&self) -> Snapshot;

    /// The change that adds or replaces one.
    fn put_it(edit: Edit<Self>) -> DirectoryChange;

    /// The change that removes it.
    fn remove_it(&self) -> DirectoryChange;

    /// What goes with it when it is removed, in sentences.
    fn goes(&self, snapshot: &Snapshot) -> Vec<String>;

    /// The field that a refusal is about; empty: none of them.
    fn blamed(refusal: &Refusal) -> &'static str;

    /// The parts of its form, each with its id and its title.
    const PARTS: &'static [(&'static str, &'static str)];

    /// The fields of those parts. A record that is not there yet has no name.
    fn fields(&self, form: &Form<'_>, around: &Around<'_>, is_new: bool) -> Markup;

    /// The page that explains how it behaves now.
    fn why(&self) -> Option<String>;

    /// What its page has beside its form, for this account.
    fn beside(
        &self,
        web: &Web,
        signed: &Signed,
        around: &Around<'_>,
    ) -> impl Future<Output = Result<Markup, StoreError>> + Send;

    /// The headings of the list, besides the first.
    const HEADS: &'static [&'static str];

    /// The filters of the list: names in an address, each with its title.
    const FILTERS: &'static [(&'static str, &'static str)];

    /// Whether a filter shows it.
    fn is(&self, filter: &str, snapshot: &Snapshot, seen: &Seen) -> bool;

    /// Whether it has what is sought, in lower case.
    fn has(&self, sought: &str, snapshot: &Snapshot) -> bool;

    /// The cells under the headings.
    fn cells(&self, snapshot: &Snapshot, seen: &Seen) -> Vec<Markup>;
}

/// What a list knows besides the directory: the users with a PIN.
pub(super) type Seen = std::collections::BTreeSet<crate::model::id::Extension>;

/// What the fields of a record name: other records, and what the configuration has.
pub(super) struct Around<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) snapshot: &'a Snapshot,
}

/// What of a name is written otherwise in an address.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// The address of a record's page.
pub(super) fn address<R: Record>(name: &str) -> String {
    let name = utf8_percent_encode(name, NAME);
    format!("{}/{name}", R::PLACE.path())
}

/// The rules for the records of a tenant. With `force` what lacks an emergency caller ID is journalled instead of refused.
fn rules(tenant: &Tenant, force: bool) -> DirectoryRules {
    let no_caller_id = if force { NoCallerId::Journal } else { NoCallerId::Refuse };
    DirectoryRules { emergency_numbers: tenant.known.emergency_numbers.clone(), no_caller_id }
}
