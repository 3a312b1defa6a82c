//! The few images of the pages, drawn here: lines of a square of 24.

use maud::{Markup, html};

/// An image that a word beside it explains.
pub(super) fn icon(name: &str) -> Markup {
    let path = match name {
        "bell-off" => "M4 4l16 16M9 6a4 4 0 0 1 7 3v4M7 10v4l-2 3h12M10 20a2 2 0 0 0 4 0",
        "call" => "M6 4h3l2 5-2 1a9 9 0 0 0 5 5l1-2 5 2v3a2 2 0 0 1-2 2A15 15 0 0 1 4 6a2 2 0 0 1 2-2",
        "check" => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8 12l3 3 5-6",
        "database" => "M5 6c0-4 14-4 14 0s-14 4-14 0v12c0 4 14 4 14 0V6M5 12c0 4 14 4 14 0",
        "dots" => "M5 12h.1M12 12h.1M19 12h.1",
        "free" => {
            "M12 4a8 8 0 0 1 4 1M19 8a8 8 0 0 1 1 4M19 16a8 8 0 0 1-3 3M12 20a8 8 0 0 1-4-1M5 16a8 8 0 0 1-1-4M5 8a8 8 0 0 1 3-3"
        }
        "history" => "M12 8v4l3 2M4 12a8 8 0 1 0 3-6M4 4v4h4",
        "home" => "M4 12l8-8 8 8M6 10v10h12V10M10 20v-6h4v6",
        "left" => "M15 5l-7 7 7 7",
        "lock" => "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
        "moon" => "M12 4a8 8 0 1 0 8 9 6 6 0 0 1-8-9",
        "more" => "M5 7h14M5 12h14M5 17h14",
        "people" => {
            "M9 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M3 20v-1a5 5 0 0 1 5-5h2a5 5 0 0 1 5 5v1M16 5a3 3 0 0 1 0 6M18 14a5 5 0 0 1 3 5v1"
        }
        "phone" => "M5 4h5v16H5zM13 6h6v5h-6zM14 15v.1M18 15v.1M14 19v.1M18 19v.1",
        "place" => "M12 21s7-6 7-11a7 7 0 1 0-14 0c0 5 7 11 7 11M12 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
        "plus" => "M12 5v14M5 12h14",
        "search" => "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12M15 15l5 5",
        "switch" => "M5 5h14v5H5zM5 14h14v5H5zM8 7.5v.1M8 16.5v.1",
        "taken" => {
            "M6 12V7a3 3 0 0 1 3-3h6a3 3 0 0 1 3 3v5M4 11a2 2 0 0 1 4 0v3h8v-3a2 2 0 0 1 4 0v7H4zM6 18v2M18 18v2"
        }
        "undo" => "M9 7l-5 5 5 5M4 12h11a5 5 0 0 1 0 8h-3",
        "unplugged" => "M4 4l16 16M8 8l-2 2a4 4 0 0 0 6 6l2-2M16 16l2-2a4 4 0 0 0-6-6M4 20l3-3M17 7l3-3",
        "warning" => "M12 4L3 20h18zM12 10v4M12 17v.1",
        _ => "M12 17v.1M9 9a3 3 0 1 1 4 3q-1 .5-1 2",
    };
    html! { svg.i viewBox="0 0 24 24" aria-hidden="true" { path d=(path) {} } }
}
