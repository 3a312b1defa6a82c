//! User settings by the profile row: real phones, and the dialplan alone.

mod forward;
mod identity;
mod pickup;
mod recording;
mod voicemail;

use super::{Switch, contact};
use crate::harness::phone::{Identity, Phone};

impl Switch {
    /// Writes the rows of a session; `fields` are then, busy, unanswered, recording, account and pickup group.
    fn log_in(&mut self, user: &str, desk: &str, class: &str, fields: [&str; 6]) {
        self.row("device", desk, &format!("{user}|1|||{}|||", contact(desk)));
        self.row("lamp", user, &contact(desk));
        self.row("user", user, &format!("{}|1|{user}|Name of {user}, B.V.|0||{class}|||", contact(desk)));
        self.profile(user, fields);
    }

    fn profile(&mut self, user: &str, fields: [&str; 6]) {
        self.row("profile", user, &format!("{}|", fields.join("|")));
    }

    /// A phone of one of its users.
    fn phone(&self, name: &str) -> Phone {
        self.fs.phone(name).unwrap()
    }
}

/// The user that the phone's call has reached, as the answer shows.
fn reached(phone: &Phone) -> Identity {
    phone.wait_connected().unwrap()
}

/// Each hears the other.
fn talk(one: &Phone, other: &Phone) {
    for (speaks, hears) in [(one, other), (other, one)] {
        speaks.tone(true);
        hears.wait_audio().unwrap();
        speaks.tone(false);
        hears.wait_silence().unwrap();
    }
}
