//! Fields of a form for a record. An account that may not write sees their values only.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::model::directory::columns::Columns;

/// What was typed into the fields of a form, by column.
pub(super) type Typed = BTreeMap<String, String>;

/// What is wrong with fields, by column; under the empty name, with the whole.
pub(super) type Wrong = BTreeMap<String, String>;

/// The fields of a record.
pub(in crate::web) struct Form<'a> {
    pub(super) record: &'a dyn Texts,
    /// Takes the place of the texts of the record.
    pub(super) typed: &'a Typed,
    pub(super) wrong: &'a Wrong,
    /// Whether the fields can be changed.
    pub(super) writes: bool,
}

/// The texts of a record, whatever its kind.
pub(in crate::web) trait Texts {
    fn text_of(&self, column: &str) -> String;
}

impl<R: Columns> Texts for R {
    fn text_of(&self, column: &str) -> String {
        self.text(column)
    }
}

/// A field for one line of text.
#[derive(Clone, Copy, Default)]
pub(super) struct Line<'a> {
    pub(super) hint: &'a str,
    /// What an empty field comes to.
    pub(super) placeholder: &'a str,
    /// Texts that are proposed.
    pub(super) proposed: &'a [String],
    pub(super) required: bool,
    /// `tel`, `numeric` or `text`: the keys that a telephone shows.
    pub(super) keys: &'a str,
}

/// The id of a field.
pub(super) fn id(column: &str) -> String {
    format!("f-{}", column.replace(':', "-"))
}

impl Form<'_> {
    fn value(&self, column: &str) -> String {
        self.typed.get(column).cloned().unwrap_or_else(|| self.record.text_of(column))
    }

    /// A field with its label, hint and error around `input`, which gets the ids that describe it.
    fn field(
        &self,
        column: &str,
        label: &str,
        hint: &str,
        input: impl FnOnce(&str, Option<String>) -> Markup,
    ) -> Markup {
        let (id, wrong) = (id(column), self.wrong.get(column));
        let described: Vec<String> =
            [wrong.map(|_| format!("{id}-wrong")), (!hint.is_empty()).then(|| format!("{id}-hint"))]
                .into_iter()
                .flatten()
                .collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        html! {
            div.field {
                label for=(id) { (label) }
                (input(&id, described))
                @if let Some(wrong) = wrong { p.error id={ (id) "-wrong" } { (wrong) } }
                @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } }
            }
        }
    }

    fn shown(label: &str, value: &str) -> Markup {
        html! {
            div.field {
                span.label { (label) }
                span { @if value.is_empty() { span.muted { "–" } } @else { (value) } }
            }
        }
    }

    fn is_wrong(&self, column: &str) -> Option<&'static str> {
        self.wrong.contains_key(column).then_some("true")
    }

    /// One line of text.
    pub(super) fn line(&self, column: &str, label: &str, of: Line<'_>) -> Markup {
        let value = self.value(column);
        if !self.writes {
            return Self::shown(label, &value);
        }
        let list = (!of.proposed.is_empty()).then(|| format!("{}-list", id(column)));
        let keys = if of.keys.is_empty() { None } else { Some(of.keys) };
        self.field(column, label, of.hint, |id, described| {
            html! {
                input type="text" id=(id) name=(column) value=(value) autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="400"
                    placeholder=(of.placeholder) required[of.required] inputmode=[keys] list=[list.as_ref()]
                    aria-describedby=[described] aria-invalid=[self.is_wrong(column)];
                @if let Some(list) = &list {
                    datalist id=(list) { @for text in of.proposed { option value=(text) {} } }
                }
            }
        })
    }

    /// One of these: values, each with what it is called. A value of the record that is none of them is one more.
    pub(super) fn choice(&self, column: &str, label: &str, of: &[(&str, &str)], hint: &str) -> Markup {
        let value = self.value(column);
        let called = of.iter().find(|(is, _)| *is == value).map(|(_, called)| *called);
        if !self.writes {
            return Self::shown(label, called.unwrap_or(&value));
        }
        self.field(column, label, hint, |id, described| {
            html! {
                select id=(id) name=(column) aria-describedby=[described] aria-invalid=[self.is_wrong(column)] {
                    @for (is, called) in of { option value=(is) selected[*is == value] { (called) } }
                    @if called.is_none() { option value=(value) selected { (value) } }
                }
            }
        })
    }

    /// A field that is on or off, in the words of the column.
    pub(super) fn switch(&self, column: &str, label: &str, hint: &str, [off, on]: [&str; 2]) -> Markup {
        let (id, is_on) = (id(column), self.value(column) == on);
        if !self.writes {
            return html! {
                div.set { span.grow { span.t { (label) } span.hint { (hint) } } b { @if is_on { "On" } @else { "Off" } } }
            };
        }
        html! {
            div.set {
                span.grow {
                    label.t for=(id) { (label) }
                    @if let Some(wrong) = self.wrong.get(column) { span.error id={ (id) "-wrong" } { (wrong) " " } }
                    span.hint id={ (id) "-hint" } { (hint) }
                }
                // A browser sends only what is on; of two values the last one counts.
                input type="hidden" name=(column) value=(off);
                input.switch type="checkbox" role="switch" id=(id) name=(column) value=(on) checked[is_on]
                    aria-describedby={ (id) "-hint" } aria-invalid=[self.is_wrong(column)];
            }
        }
    }

    /// The fields of automatic logout.
    pub(super) fn auto_logout(&self, wider: &str) -> Markup {
        let fields = [
            ("auto-logout-at", "At a time of day", "23:00, or never"),
            ("auto-logout-days", "On these days", "mon-fri, or sat,sun"),
            ("auto-logout-after", "This long after the login", "8h, or never"),
            ("auto-logout-idle", "This long without a call", "45m, or never"),
            ("auto-logout-unregistered", "Phone away for", "15m, or never"),
        ];
        let section = html! {
            div.form.three {
                @for (column, label, hint) in fields { (self.line(column, label, Line { hint, ..Line::default() })) }
            }
        };
        card("auto-logout", "Automatic logout", &format!("empty: as {wider} has it"), &section)
    }
}

/// A part of a form.
pub(super) fn card(id: &str, title: &str, note: &str, content: &Markup) -> Markup {
    html! {
        section.card id=(id) aria-labelledby={ (id) "-title" } {
            header { h2 id={ (id) "-title" } { (title) } @if !note.is_empty() { p { (note) } } }
            div.body.stack { (content) }
        }
    }
}

/// What a column is called on the pages, for lists of changes and errors.
pub(super) fn called(column: &str) -> String {
    let known = match column {
        "account" => "Account",
        "address" => "Address",
        "allow-from" => "Login networks",
        "auto-logout-after" => "Automatic logout after the login",
        "auto-logout-at" => "Automatic logout at a time",
        "auto-logout-days" => "Automatic logout on days",
        "auto-logout-idle" => "Automatic logout without a call",
        "auto-logout-unregistered" => "Automatic logout of an absent phone",
        "caller-id" => "Caller ID",
        "class" => "Class of service",
        "device" => "Name on the switch",
        "dial" => "Dial target",
        "dnd" => "Do not disturb",
        "emergency-caller-id" => "Emergency caller ID",
        "emergency-numbers" => "Emergency numbers",
        "extension" => "Extension",
        "forward-always" => "Forward all calls to",
        "forward-busy" => "Forward when busy to",
        "forward-unanswered" => "Forward when unanswered to",
        "hotdesk" => "Hotdesking",
        "in-turn" => "Ring one after the other",
        "kind" => "Kind",
        "language" => "Language of prompts",
        "location" => "Location",
        "mailbox" => "Mailbox",
        "may-dial" => "May dial without a user",
        "name" => "Name",
        "numbers" => "Numbers to choose from",
        "owner" => "Owner",
        "pickup" => "Pickup group",
        "recording" => "Recording",
        "switch" => "Switch",
        "when-logged-out" => "Calls while logged out",
        "zone" => "Time zone",
        other => {
            return match other.split_once(':') {
                Some(("group", group)) => format!("Group {group}"),
                Some(("ring", device)) => format!("Ringing of {device}"),
                _ => other.to_owned(),
            };
        }
    };
    known.to_owned()
}
