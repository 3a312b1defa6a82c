//! Another writer changed a record while a form was open: both values, field by field, so that no change is lost.

use maud::{Markup, html};

use super::Record;
use super::form::{Typed, called};

/// The fields that another writer changed.
#[derive(Clone)]
pub(super) struct Clash(Vec<Field>);

#[derive(Clone)]
struct Field {
    column: String,
    was: String,
    now: String,
    /// What the form has, if it changes the field too.
    typed: Option<String>,
}

impl Clash {
    /// What changed between the record that the form was made from and `now`. The form that `typed` becomes has the values of now,
    /// except where it changes them.
    pub(super) fn of<R: Record>(was: &R, now: &R, typed: &mut Typed) -> Self {
        let mut fields = vec![];
        for (column, text) in std::mem::take(typed) {
            let (before, after) = (was.text(&column), now.text(&column));
            let own = text != before;
            if before != after {
                let typed = own.then(|| text.clone());
                fields.push(Field { column: column.clone(), was: before, now: after.clone(), typed });
            }
            typed.insert(column, if own { text } else { after });
        }
        Self(fields)
    }

    pub(super) fn shown(&self) -> Markup {
        let value = |text: &str| html! { @if text.is_empty() { span.muted { "–" } } @else { (text) } };
        html! {
            div.banner.warn.mb role="alert" {
                div {
                    b { "Not saved yet: someone else changed this meanwhile." }
                    p { "The form below has their values, and yours where you typed another one. Check it, then save again." }
                }
            }
            section.card.mb aria-label="What changed meanwhile" {
                table.table.tight {
                    caption.sr { "Each field that changed, with both values" }
                    thead {
                        tr {
                            th scope="col" { "Field" }
                            th scope="col" { "It was" }
                            th scope="col" { "It is now" }
                            th scope="col" { "You typed" }
                        }
                    }
                    tbody {
                        @for Field { column, was, now, typed } in &self.0 {
                            tr {
                                th scope="row" { (called(column)) }
                                td { (value(was)) }
                                td { b { (value(now)) } }
                                td { @match typed { Some(typed) => b { (value(typed)) }, None => span.muted { "no change" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}
