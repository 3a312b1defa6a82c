//! Named lists of codes, as users know them from other systems.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::action::Action;

/// A named list of codes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// As on an Avaya `IP Office`: log in and log out.
    Avaya,
    /// Hear the user of this phone, log out everywhere, change a PIN.
    Extras,
    /// As on a `FreePBX`: log in, log out, toggle.
    Freepbx,
    /// As on a Kazoo: the same.
    Kazoo,
    /// User settings, mostly as on a `FreePBX`: DND, call forwarding, ring targets, groups, numbers.
    Personal,
    /// One code that logs in and out: alone, with the extension, and with the PIN for one key on a phone.
    Simmpl,
    /// As on a 3CX: log in, log out.
    #[serde(rename = "3cx")]
    ThreeCx,
    /// As on a Xelion: one code that logs in and out, without a PIN.
    Xelion,
}

impl Preset {
    /// The codes as they are written, with their actions.
    pub const fn codes(self) -> &'static [(&'static str, Action)] {
        use Action::{
            ChangePin, DoNotDisturb, DoNotDisturbOff, DoNotDisturbOn, ForwardAlways, ForwardBusy,
            ForwardUnanswered, Group, Login, Logout, LogoutEverywhere, Pause, Pickup, RingDesk, RingHotdesk,
            RingInTurn, RingMobile, RingSoftphone, ShowNumber, Toggle, Voicemail, WhoIsHere,
        };
        match self {
            Self::Avaya => &[("*35*{ext}*{pin}#", Login), ("*36", Logout)],
            Self::Extras => &[("*34", WhoIsHere), ("*350", LogoutEverywhere), ("*3500", ChangePin)],
            Self::Freepbx | Self::Kazoo => {
                &[("*11", Login), ("*11{ext}", Login), ("*12", Logout), ("*13", Toggle)]
            }
            Self::Personal => &[
                ("*76", DoNotDisturb),
                ("*78", DoNotDisturbOn),
                ("*79", DoNotDisturbOff),
                ("*72{number}", ForwardAlways),
                ("*73", ForwardAlways),
                ("*90{number}", ForwardBusy),
                ("*91", ForwardBusy),
                ("*52{number}", ForwardUnanswered),
                ("*53", ForwardUnanswered),
                ("*371", RingHotdesk),
                ("*372", RingDesk),
                ("*373", RingSoftphone),
                ("*374", RingMobile),
                ("*375", RingInTurn),
                ("*38", ShowNumber),
                ("*38{choice}", ShowNumber),
                ("*45{group}", Group),
                ("*46", Pause),
                ("*8", Pickup),
                ("*97", Voicemail),
            ],
            Self::Simmpl => &[("*35", Toggle), ("*35*{ext}", Toggle), ("*35*{ext}*{pin}", Toggle)],
            Self::ThreeCx => &[("*77*{ext}*", Login), ("*77*5*", Logout)],
            Self::Xelion => &[("8{ext}", Toggle)],
        }
    }

    /// Whether the codes take no PIN.
    pub const fn pinless(self) -> bool {
        matches!(self, Self::Xelion)
    }
}

impl fmt::Display for Preset {
    /// The name in the configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
