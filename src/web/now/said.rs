//! What a form did, said on the page that follows, and how to undo it.

use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::controller::administer::Administered;
use crate::model::login::refusal::Refusal;
use crate::web::back::own;
use crate::web::icon::icon;

/// What was done before this page, from its address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Said {
    said: String,
    /// The revision of a change that can be undone.
    undo: Option<u64>,
}

impl Said {
    fn text(&self) -> Option<(&'static str, &'static str)> {
        Some(match self.said.as_str() {
            "logged-in" => ("ok", "The user is logged in."),
            "logged-out" => ("ok", "The user is logged out."),
            "moved" => ("ok", "The user is logged in at the other desk."),
            "extended" => ("ok", "The automatic logout is postponed."),
            "undone" => ("ok", "It is undone."),
            "nothing" => ("warn", "Nothing was changed: that session had ended already."),
            "already" => ("ok", "The user was logged in there already."),
            "overtaken" => ("warn", "Nothing was changed: someone has logged in or out at that desk since."),
            "nothing-to-undo" => {
                ("warn", "Nothing was undone: only your own login or logout of the last minute can be.")
            }
            "waiting" => {
                ("warn", "Done, but not yet on the switch: it gets the change as soon as it answers.")
            }
            _ => return None,
        })
    }

    /// The banner; with a button that undoes it, where `operates`.
    pub(super) fn banner(&self, form_token: &str, back: &str, operates: bool) -> Markup {
        let Some((class, text)) = self.text() else { return html! {} };
        html! {
            div class={ "banner mb " (class) } role="status" {
                p { (text) }
                @if let Some(revision) = self.undo.filter(|_| operates) {
                    form.end method="post" action="/c/undo" data-undo {
                        input type="hidden" name="form" value=(form_token);
                        input type="hidden" name="back" value=(back);
                        input type="hidden" name="revision" value=(revision);
                        button.btn.small { (icon("undo")) "Undo" }
                    }
                }
            }
        }
    }
}

/// Back to the page, which says that this was done: `what`, or that a switch has still to get it. It can be undone.
pub(super) fn finished(back: &str, done: &Administered, what: &str) -> Response {
    let what = if done.waiting.is_empty() { what } else { "waiting" };
    said(back, &format!("{what}&undo={}", done.transition.revision.0))
}

/// Back to the page, which says why nothing was done, if it is for a change since; else the refusal.
pub(super) fn refused(back: &str, refusal: Refusal) -> Result<Response, Refusal> {
    match refusal {
        Refusal::Overtaken(_) => Ok(said(back, "overtaken")),
        Refusal::NothingToUndo => Ok(said(back, "nothing-to-undo")),
        other => Err(other),
    }
}

/// Back to the page, which says what was done.
pub(super) fn said(back: &str, what: &str) -> Response {
    let back = own(back);
    let sign = if back.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{back}{sign}said={what}")).into_response()
}
