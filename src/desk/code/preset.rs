//! Named lists of codes that people know from elsewhere.

use std::fmt;

use super::Action;

/// A named list of codes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// As on an Avaya IP Office: log in and log out.
    Avaya,
    /// Who sits here, log me out wherever I am, change my PIN.
    Extras,
    /// As on a `FreePBX`: log in, log out, toggle.
    Freepbx,
    /// As on a Kazoo: the same.
    Kazoo,
    /// What a user changes himself, mostly as on a `FreePBX`: do not disturb, forwarding, what rings, groups, numbers.
    Personal,
    /// One code that logs in and out, alone, with the extension, and with the PIN: one key on a phone.
    Simmpl,
    /// As on a 3CX: log in, log out.
    #[serde(rename = "3cx")]
    ThreeCx,
    /// As on a Xelion: one code that logs in and out, without a PIN.
    Xelion,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Avaya,
        Self::Extras,
        Self::Freepbx,
        Self::Kazoo,
        Self::Personal,
        Self::Simmpl,
        Self::ThreeCx,
        Self::Xelion,
    ];

    /// Its codes as they are written, with what each does.
    #[must_use]
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

    /// Whether its codes take no PIN.
    #[must_use]
    pub const fn pinless(self) -> bool {
        matches!(self, Self::Xelion)
    }

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avaya => "avaya",
            Self::Extras => "extras",
            Self::Freepbx => "freepbx",
            Self::Kazoo => "kazoo",
            Self::Personal => "personal",
            Self::Simmpl => "simmpl",
            Self::ThreeCx => "3cx",
            Self::Xelion => "xelion",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
