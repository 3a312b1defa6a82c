//! The pages of devices.

use maud::{Markup, html};

use super::form::{Form, Line, card};
use super::{Around, Record, Seen, address};
use crate::model::directory::change::{DirectoryChange, Edit};
use crate::model::directory::{Device, Snapshot};
use crate::model::id::{DeviceName, DialTarget, InvalidId};
use crate::model::login::refusal::{Refusal, Subject};
use crate::store::StoreError;
use crate::web::frame::Place;
use crate::web::signed::Signed;
use crate::web::{Tenant, Web};

impl Record for Device {
    const PLACE: Place = Place::Devices;
    const ONE: &'static str = "device";
    const PARTS: &'static [(&'static str, &'static str)] = &[
        ("device", "Phone"),
        ("use", "Owner and use"),
        ("place", "Location"),
        ("auto-logout", "Automatic logout"),
        ("now", "Now"),
    ];
    const HEADS: &'static [&'static str] =
        &["User", "Location", "Emergency caller ID", "Hotdesking", "Switch"];
    const FILTERS: &'static [(&'static str, &'static str)] =
        &[("taken", "Logged in"), ("no-location", "No location"), ("no-hotdesking", "No hotdesking")];

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn subject(&self) -> Subject {
        Subject::Device(self.name.clone())
    }

    fn blank(signed: &Signed, tenant: &Tenant, name: &str) -> Result<Self, InvalidId> {
        let switch = tenant.switches.keys().next().cloned().unwrap_or_default();
        let name = DeviceName::new(name)?;
        let dial = DialTarget::new(format!("PJSIP/{name}"))?;
        Ok(Self::new(signed.tenant.clone(), name, switch, dial))
    }

    fn all(snapshot: &Snapshot) -> impl Iterator<Item = &Self> + Send {
        snapshot.devices.values()
    }

    fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Self> {
        snapshot.devices.get(name)
    }

    fn alone(&self) -> Snapshot {
        Snapshot { devices: [(self.name.clone(), self.clone())].into(), ..Snapshot::default() }
    }

    fn put_it(edit: Edit<Self>) -> DirectoryChange {
        DirectoryChange::Device(edit)
    }

    fn remove_it(&self) -> DirectoryChange {
        DirectoryChange::RemoveDevice(self.name.clone())
    }

    fn goes(&self, snapshot: &Snapshot) -> Vec<String> {
        let mut goes = vec![
            "Its settings are removed. The phone stays on the switch, without hotdesking and without the emergency caller ID \
             of its location."
                .to_owned(),
        ];
        let session = snapshot.sessions.get(&self.name);
        goes.extend(session.map(|session| format!("User {} is logged out there.", session.user)));
        goes.extend(self.owner.as_ref().map(|owner| format!("{owner} loses it as a ring target.")));
        goes
    }

    fn blamed(refusal: &Refusal) -> &'static str {
        match refusal {
            Refusal::KindForbidsHotdesk(..) => "kind",
            Refusal::KindNeedsOwner(..) | Refusal::Missing(Subject::User(_)) => "owner",
            Refusal::Missing(Subject::Location(_)) | Refusal::NoEmergencyCallerId(..) => "location",
            _ => "",
        }
    }

    fn fields(&self, form: &Form<'_>, around: &Around<'_>, is_new: bool) -> Markup {
        html! {
            (card("device", "Phone", "as its switch knows it", &phone(form, around, is_new)))
            (card("use", "Owner and use", "", &owner_and_use(form, around)))
            (card("place", "Location", "", &place(self, form, around)))
            (form.auto_logout("the location or the configuration"))
        }
    }

    fn why(&self) -> Option<String> {
        Some(address::<Self>(self.name.as_str()).replacen(Self::PLACE.path(), "/c/why/device", 1))
    }

    async fn beside(&self, _: &Web, _: &Signed, around: &Around<'_>) -> Result<Markup, StoreError> {
        let user = around.snapshot.user_at(&self.name);
        let is_owner = !around.snapshot.sessions.contains_key(&self.name);
        let shows = around.snapshot.emergency_caller_id(self);
        let content = html! {
            dl.kv {
                dt { "User" }
                dd {
                    @match user {
                        Some(user) => { (user) @if is_owner { " (owner)" } },
                        None => span.muted { "no user" },
                    }
                }
                dt { "An emergency call should show" }
                dd { @match shows { Some(number) => (number), None => span.pill.warn { "no number of its location" } } }
            }
        };
        Ok(card("now", "Now", "", &content))
    }

    fn is(&self, filter: &str, snapshot: &Snapshot, _: &Seen) -> bool {
        match filter {
            "taken" => snapshot.sessions.contains_key(&self.name),
            "no-location" => self.location.is_none(),
            _ => !self.hotdesk,
        }
    }

    fn has(&self, sought: &str, snapshot: &Snapshot) -> bool {
        let has = |text: &str| text.to_lowercase().contains(sought);
        has(self.name.as_str())
            || has(self.dial.as_str())
            || self.location.as_ref().is_some_and(|location| has(location.as_str()))
            || snapshot.user_at(&self.name).is_some_and(|user| has(user.as_str()))
    }

    fn cells(&self, snapshot: &Snapshot, _: &Seen) -> Vec<Markup> {
        let dash = html! { span.muted { "–" } };
        let user = snapshot.user_at(&self.name);
        vec![
            html! { @if let Some(user) = user { (user) } @else { (dash) } },
            html! { @if let Some(location) = &self.location { (location) } @else { (dash) } },
            html! { @if let Some(number) = snapshot.emergency_caller_id(self) { span.num { (number) } } @else { (dash) } },
            html! { @if self.hotdesk { "yes" } @else { span.muted { "no" } } },
            html! { (self.switch) },
        ]
    }
}

fn phone(form: &Form<'_>, around: &Around<'_>, is_new: bool) -> Markup {
    let name = Line { hint: "The PJSIP endpoint or the directory user", required: true, ..Line::default() };
    let dial =
        Line { hint: "What the switch dials to ring it: PJSIP/desk1", required: true, ..Line::default() };
    let kinds = [
        ("desk", "Desk phone"),
        ("softphone", "Softphone of its owner"),
        ("mobile", "Mobile, through a trunk"),
    ];
    let switches: Vec<(&str, &str)> =
        around.tenant.switches.keys().map(|switch| (switch.as_str(), switch.as_str())).collect();
    html! {
        div.form {
            @if is_new { (form.line("device", "Name on the switch", name)) }
            (form.choice("switch", "Switch", &switches, ""))
            (form.line("dial", "Dial target", dial))
            (form.choice("kind", "Kind", &kinds, "A softphone or mobile needs an owner, and has no hotdesking"))
        }
    }
}

fn owner_and_use(form: &Form<'_>, around: &Around<'_>) -> Markup {
    // A browser gets no list of thousands.
    let users: Vec<String> = around.snapshot.users.keys().take(500).map(ToString::to_string).collect();
    let networks = ["any".to_owned()];
    html! {
        (form.switch("hotdesk", "Hotdesking", "Users may log in here. Off ends the login at once.", ["no", "yes"]))
        div.form {
            (form.line("owner", "Owner", Line { hint: "Has it while no guest is logged in; empty: no owner", proposed: &users, ..Line::default() }))
            (form.line("allow-from", "Login networks", Line { hint: "192.0.2.0/24 192.0.2.7, or any", proposed: &networks, ..Line::default() }))
            (form.line("may-dial", "May dial without a user", Line { hint: "Besides emergency numbers and codes: 100,200", ..Line::default() }))
            (form.line("class", "Class of service for those", Line { hint: "Empty: they reach users only", ..Line::default() }))
        }
    }
}

fn place(device: &Device, form: &Form<'_>, around: &Around<'_>) -> Markup {
    let mut locations: Vec<(&str, &str)> = vec![("", "no location")];
    locations.extend(around.snapshot.locations.keys().map(|name| (name.as_str(), name.as_str())));
    html! {
        div.form {
            (form.choice("location", "Location", &locations, "Its emergency caller ID is what emergency calls from here show"))
        }
        @if device.hotdesk && around.snapshot.emergency_caller_id(device).is_none() && device.location.is_some() {
            p.banner.warn { "The location has no emergency caller ID." }
        }
    }
}
