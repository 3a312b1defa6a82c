//! The pages of locations.

use futures_util::future::join_all;
use maud::{Markup, html};

use super::form::{Form, Line, card};
use super::{Around, Record, Seen};
use crate::controller::emergency;
use crate::model::check::Finding;
use crate::model::directory::change::{DirectoryChange, Edit};
use crate::model::directory::location::{Location, Zone};
use crate::model::directory::{Device, Snapshot};
use crate::model::id::{InvalidId, LocationName};
use crate::model::login::refusal::{Refusal, Subject};
use crate::store::StoreError;
use crate::web::frame::Place;
use crate::web::icon::icon;
use crate::web::signed::Signed;
use crate::web::{Tenant, Web};

/// How many devices of a location are tested on its page.
const TESTED: usize = 200;

impl Record for Location {
    const PLACE: Place = Place::Locations;
    const ONE: &'static str = "location";
    const PARTS: &'static [(&'static str, &'static str)] = &[
        ("location", "Location"),
        ("emergency", "Emergency calls"),
        ("auto-logout", "Automatic logout"),
        ("test", "Emergency self test"),
    ];
    const HEADS: &'static [&'static str] =
        &["Emergency caller ID", "Emergency numbers", "Devices", "Time zone"];
    const FILTERS: &'static [(&'static str, &'static str)] = &[("no-number", "No emergency caller ID")];

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn subject(&self) -> Subject {
        Subject::Location(self.name.clone())
    }

    fn blank(signed: &Signed, _: &Tenant, name: &str) -> Result<Self, InvalidId> {
        Ok(Self::new(signed.tenant.clone(), LocationName::new(name)?, Zone::machine()))
    }

    fn all(snapshot: &Snapshot) -> impl Iterator<Item = &Self> + Send {
        snapshot.locations.values()
    }

    fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Self> {
        snapshot.locations.get(name)
    }

    fn alone(&self) -> Snapshot {
        Snapshot { locations: [(self.name.clone(), self.clone())].into(), ..Snapshot::default() }
    }

    fn put_it(edit: Edit<Self>) -> DirectoryChange {
        DirectoryChange::Location(edit)
    }

    fn remove_it(&self) -> DirectoryChange {
        DirectoryChange::RemoveLocation(self.name.clone())
    }

    fn goes(&self, snapshot: &Snapshot) -> Vec<String> {
        let devices = snapshot.devices_at(&self.name).count();
        match devices {
            0 => vec!["Its settings are removed. No device is at it.".to_owned()],
            _ => vec![format!(
                "Devices at it: {devices}. Give them another location first: a location with devices cannot be removed."
            )],
        }
    }

    fn blamed(refusal: &Refusal) -> &'static str {
        match refusal {
            Refusal::EmergencyCallerIdNeeded(..) => "emergency-caller-id",
            Refusal::NotAnEmergencyNumber(_) => "emergency-numbers",
            _ => "",
        }
    }

    fn fields(&self, form: &Form<'_>, around: &Around<'_>, is_new: bool) -> Markup {
        html! {
            (card("location", "Location", "", &location(form, is_new)))
            (card("emergency", "Emergency calls", "", &emergency(form, around)))
            (form.auto_logout("the configuration"))
        }
    }

    fn why(&self) -> Option<String> {
        None
    }

    async fn beside(&self, _: &Web, _: &Signed, around: &Around<'_>) -> Result<Markup, StoreError> {
        let here = here(self, around.snapshot);
        let all = here.devices.len();
        let tests = around.tenant.switches.iter().map(async |(name, switch)| {
            let at = here.devices.values().filter(|device| device.switch == *name);
            let devices: Vec<&Device> = at.take(TESTED).collect();
            if devices.is_empty() {
                return vec![];
            }
            let part = Snapshot {
                devices: devices.iter().map(|device| (device.name.clone(), (*device).clone())).collect(),
                ..here.clone()
            };
            let routes = around.tenant.routes.get(name).cloned().unwrap_or_default();
            let numbers = &around.tenant.known.emergency_numbers;
            match emergency::calls(switch.as_ref(), &part, name, &routes, numbers).await {
                Ok(findings) => findings,
                Err(error) => {
                    vec![Finding::unknown(
                        name.to_string(),
                        format!("not known: {error}"),
                        "ask again when it answers",
                    )]
                }
            }
        });
        let found: Vec<Finding> = join_all(tests).await.concat();
        Ok(card("test", "Emergency self test", "read from the switches now", &tested(&found, all)))
    }

    fn is(&self, _: &str, _: &Snapshot, _: &Seen) -> bool {
        self.emergency.caller_id.is_none()
    }

    fn has(&self, sought: &str, _: &Snapshot) -> bool {
        self.name.as_str().to_lowercase().contains(sought)
            || self.address.as_ref().is_some_and(|address| address.as_str().to_lowercase().contains(sought))
    }

    fn cells(&self, snapshot: &Snapshot, _: &Seen) -> Vec<Markup> {
        let numbers: Vec<&str> = self.emergency.numbers.iter().map(|number| number.as_str()).collect();
        vec![
            html! {
                @if let Some(number) = &self.emergency.caller_id { span.num { (number) } }
                @else { span.pill.warn { "none" } }
            },
            html! { @if numbers.is_empty() { "all configured" } @else { (numbers.join(", ")) } },
            html! { span.num { (snapshot.devices_at(&self.name).count()) } },
            html! { (self.zone) },
        ]
    }
}

/// The location with its devices, and who has them.
fn here(location: &Location, snapshot: &Snapshot) -> Snapshot {
    let mut here = snapshot.clone();
    here.devices.retain(|_, device| device.location.as_ref() == Some(&location.name));
    here
}

fn location(form: &Form<'_>, is_new: bool) -> Markup {
    let name = Line { hint: "ams, berlin-2", required: true, ..Line::default() };
    let zone = Line { hint: "For example Europe/Amsterdam", required: true, ..Line::default() };
    let languages = [("", "not set"), ("en", "English"), ("nl", "Nederlands"), ("de", "Deutsch")];
    html! {
        div.form {
            @if is_new { (form.line("location", "Name", name)) }
            (form.line("zone", "Time zone", zone))
            (form.choice("language", "Language of prompts", &languages, "Before the user is known"))
            (form.line("address", "Address", Line { hint: "For the emergency services, for people to read", ..Line::default() }))
        }
    }
}

fn emergency(form: &Form<'_>, around: &Around<'_>) -> Markup {
    let known: Vec<&str> =
        around.tenant.known.emergency_numbers.iter().map(|number| number.as_str()).collect();
    let all = known.join(",");
    html! {
        div.form {
            (form.line("emergency-caller-id", "Emergency caller ID", Line { hint: "Emergency calls from here show it, and the emergency services call it back", keys: "tel", ..Line::default() }))
            (form.line("emergency-numbers", "Emergency numbers", Line { hint: "Out of those of the configuration; empty: all of them", placeholder: &all, ..Line::default() }))
        }
    }
}

/// What an emergency call from each device would show.
fn tested(found: &[Finding], all: usize) -> Markup {
    html! {
        @if all == 0 { p.muted { "No device is at this location." } }
        ul.list {
            @for Finding { check, ok, found, remedy, .. } in found {
                @let (class, image) = match ok { Some(true) => ("ok", "check"), Some(false) => ("bad", "warning"), None => ("muted", "unknown") };
                li {
                    span class=(class) { (icon(image)) }
                    span.grow { b { (check) } br; small { (found) } @if let Some(remedy) = remedy { small.muted { "; " (remedy) } } }
                }
            }
        }
        @if all > TESTED { p.muted { "Only the first " (TESTED) " devices of each switch are tested here: hotdesk check tests all." } }
    }
}
