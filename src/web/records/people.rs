//! The pages of people.

use maud::{Markup, html};

use super::form::{Form, Line, card};
use super::{Around, Record, Seen, pin};
use crate::model::directory::change::{DirectoryChange, Edit};
use crate::model::directory::profile::Recording;
use crate::model::directory::{Device, Snapshot, User};
use crate::model::id::{Extension, InvalidId};
use crate::model::login::refusal::{Refusal, Subject};
use crate::store::StoreError;
use crate::web::frame::Place;
use crate::web::signed::Signed;
use crate::web::{Tenant, Web};

impl Record for User {
    const PLACE: Place = Place::People;
    const ONE: &'static str = "person";
    const PARTS: &'static [(&'static str, &'static str)] = &[
        ("person", "Person"),
        ("calls", "Numbers and calls"),
        ("rings", "Ring targets"),
        ("voicemail", "Voicemail and recording"),
        ("groups", "Groups and queues"),
        ("auto-logout", "Automatic logout"),
        ("pin", "PIN"),
    ];
    const HEADS: &'static [&'static str] = &["Extension", "Logged in at", "Hotdesking", "PIN"];
    const FILTERS: &'static [(&'static str, &'static str)] =
        &[("logged-in", "Logged in"), ("no-pin", "No PIN"), ("no-hotdesking", "No hotdesking")];

    fn name(&self) -> String {
        self.extension.to_string()
    }

    fn title(&self) -> String {
        self.name.as_ref().map_or_else(|| self.name(), ToString::to_string)
    }

    fn subject(&self) -> Subject {
        Subject::User(self.extension.clone())
    }

    fn blank(signed: &Signed, _: &Tenant, name: &str) -> Result<Self, InvalidId> {
        Ok(Self::new(signed.tenant.clone(), Extension::new(name)?))
    }

    fn all(snapshot: &Snapshot) -> impl Iterator<Item = &Self> + Send {
        snapshot.users.values()
    }

    fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Self> {
        snapshot.users.get(name)
    }

    fn alone(&self) -> Snapshot {
        Snapshot { users: [(self.extension.clone(), self.clone())].into(), ..Snapshot::default() }
    }

    fn put_it(edit: Edit<Self>) -> DirectoryChange {
        DirectoryChange::User(edit)
    }

    fn remove_it(&self) -> DirectoryChange {
        DirectoryChange::RemoveUser(self.extension.clone())
    }

    fn goes(&self, snapshot: &Snapshot) -> Vec<String> {
        let mut goes = vec!["The PIN and all settings of this person are removed.".to_owned()];
        let sessions = snapshot.sessions_of(&self.extension);
        goes.extend(sessions.map(|session| format!("The login at {} ends.", session.device)));
        goes.extend(owned(self, snapshot).map(|device| {
            format!("{} keeps {} as its owner: give it another one, or none.", device.name, self.extension)
        }));
        goes
    }

    fn blamed(refusal: &Refusal) -> &'static str {
        match refusal {
            Refusal::EmergencyExtension(_) => "extension",
            _ => "",
        }
    }

    fn fields(&self, form: &Form<'_>, around: &Around<'_>, is_new: bool) -> Markup {
        html! {
            (card("person", "Person", "", &person(form, is_new)))
            (card("calls", "Numbers and calls", "", &calls(self, form)))
            (card("rings", "Ring targets", "", &rings(self, form, around)))
            (card("voicemail", "Voicemail and recording", "", &voicemail(form)))
            (card("groups", "Groups and queues", "", &groups(self, form, around)))
            (form.auto_logout("the device, the location or the configuration"))
        }
    }

    fn why(&self) -> Option<String> {
        Some(format!("/c/why/{}", self.extension))
    }

    async fn beside(&self, web: &Web, signed: &Signed, around: &Around<'_>) -> Result<Markup, StoreError> {
        let record = web.controller.store.pin(&signed.tenant, &self.extension).await?;
        let sessions = around.snapshot.sessions_of(&self.extension);
        let at: Vec<String> = sessions.map(|session| session.device.to_string()).collect();
        Ok(pin::card(signed, &self.extension, record.as_ref(), &at))
    }

    fn is(&self, filter: &str, snapshot: &Snapshot, seen: &Seen) -> bool {
        match filter {
            "logged-in" => snapshot.is_logged_in(&self.extension),
            "no-pin" => !seen.contains(&self.extension),
            _ => !self.hotdesk,
        }
    }

    fn has(&self, sought: &str, _: &Snapshot) -> bool {
        self.extension.as_str().contains(sought)
            || self.name.as_ref().is_some_and(|name| name.as_str().to_lowercase().contains(sought))
            || self.profile.groups.keys().any(|group| group.as_str().to_lowercase().contains(sought))
    }

    fn cells(&self, snapshot: &Snapshot, seen: &Seen) -> Vec<Markup> {
        let at: Vec<&str> =
            snapshot.sessions_of(&self.extension).map(|session| session.device.as_str()).collect();
        let pin = seen.contains(&self.extension);
        vec![
            html! { span.num { (self.extension) } },
            html! { @if at.is_empty() { span.muted { "–" } } @else { (at.join(", ")) } },
            html! { @if self.hotdesk { "yes" } @else { span.muted { "no" } } },
            html! { @if pin { "set" } @else { span.pill.warn { "not set" } } },
        ]
    }
}

fn owned<'a>(user: &'a User, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a Device> {
    snapshot.devices.values().filter(|device| device.owner.as_ref() == Some(&user.extension))
}

fn person(form: &Form<'_>, is_new: bool) -> Markup {
    let extension =
        Line { hint: "Digits; leading zeros count", required: true, keys: "numeric", ..Line::default() };
    let languages =
        [("", "as the location has it"), ("en", "English"), ("nl", "Nederlands"), ("de", "Deutsch")];
    html! {
        div.form {
            @if is_new { (form.line("extension", "Extension", extension)) }
            (form.line("name", "Name", Line { hint: "Called phones show it", ..Line::default() }))
            (form.choice("language", "Language of prompts", &languages, ""))
        }
        (form.switch("hotdesk", "Hotdesking", "May log in at desks that are for hotdesking. Off ends the login at once.", ["no", "yes"]))
    }
}

fn calls(user: &User, form: &Form<'_>) -> Markup {
    let mut shown: Vec<String> = vec!["anonymous".into()];
    shown.extend(user.profile.numbers.iter().map(ToString::to_string));
    let away = ["voicemail".to_owned(), "busy".to_owned()];
    let own = user.extension.as_str();
    let own = if own == "0" { "the extension" } else { own };
    html! {
        div.form.three {
            (form.line("caller-id", "Caller ID", Line { hint: "A number, or anonymous", placeholder: own, proposed: &shown, ..Line::default() }))
            (form.line("numbers", "Numbers to choose from", Line { hint: "As caller ID, in the order of their keys, with commas", ..Line::default() }))
            (form.line("class", "Class of service", Line { hint: "The dialplan context of the calls", ..Line::default() }))
            (form.line("account", "Account", Line { hint: "In call records", placeholder: own, ..Line::default() }))
            (form.line("pickup", "Pickup group", Line { hint: "Its members pick up each other's calls", ..Line::default() }))
            (form.line("when-logged-out", "Calls while logged out", Line { hint: "voicemail, busy, or a number", proposed: &away, ..Line::default() }))
        }
    }
}

fn rings(user: &User, form: &Form<'_>, around: &Around<'_>) -> Markup {
    let choices = [("", "by default"), ("on", "always"), ("off", "never")];
    let to = |column: &str, label: &str| form.line(column, label, Line { keys: "tel", ..Line::default() });
    html! {
        @if owned(user, around.snapshot).next().is_some() { div.form.three {
            @for device in owned(user, around.snapshot) {
                (form.choice(&format!("ring:{}", device.name), &format!("{} {} rings", device.kind, device.name), &choices, ""))
            }
        } }
        (form.switch("in-turn", "One after the other", "Else all ring targets ring at once", ["off", "on"]))
        (form.switch("dnd", "Do not disturb", "Nothing rings; colleagues see it on their lamps", ["off", "on"]))
        div.form.three {
            (to("forward-always", "Forward all calls to"))
            (to("forward-busy", "Forward when busy to"))
            (to("forward-unanswered", "Forward when unanswered to"))
        }
    }
}

fn voicemail(form: &Form<'_>) -> Markup {
    let which: Vec<(&str, &str)> = Recording::ALL.iter().map(|which| (which.name(), which.name())).collect();
    html! {
        div.form {
            (form.line("mailbox", "Mailbox", Line { hint: "101 or 101@default; empty: no voicemail", ..Line::default() }))
            (form.choice("recording", "Recording", &which, "The switch records; tell people that you do"))
        }
    }
}

fn groups(user: &User, form: &Form<'_>, around: &Around<'_>) -> Markup {
    let known = around.tenant.known.groups.iter();
    let mut all: Vec<&str> = known.chain(user.profile.groups.keys()).map(|group| group.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    let choices =
        [("", "may not join"), ("out", "signed out"), ("in", "signed in"), ("pause", "signed in, paused")];
    html! {
        @if all.is_empty() { p.muted { "The configuration has no groups." } }
        div.form.three { @for group in all { (form.choice(&format!("group:{group}"), group, &choices, "")) } }
    }
}
