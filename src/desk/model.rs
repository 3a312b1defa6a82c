//! Who and what there is: users, devices, where devices stand, and who sits where.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{
    Context, DeviceName, DialTarget, DisplayName, Extension, InvalidId, Language, LocationName, Mailbox,
    Number, Revision, SwitchName, TenantId,
};
use super::leave::Rules;
use super::location::Location;
use super::profile::{Profile, Rings};

/// A person with an extension.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct User {
    /// The company he belongs to.
    pub tenant: TenantId,
    /// His number inside.
    pub extension: Extension,
    /// Shown beside his number.
    pub name: Option<DisplayName>,
    /// What the called party sees.
    pub caller_id: CallerId,
    /// Whether he may log in at devices.
    pub hotdesk: bool,
    /// Spoken to him once he is known.
    pub language: Option<Language>,
    /// Class of service: the context of the site that his calls go into.
    pub class: Option<Context>,
    /// His voicemail box.
    pub mailbox: Option<Mailbox>,
    /// Where his calls go when he is nowhere.
    #[serde(default, rename = "when_logged_out", skip_serializing_if = "Away::is_voicemail")]
    pub away: Away,
    /// When he is logged out by himself.
    #[serde(default)]
    pub leave: Rules,
    /// What else follows him, and what he chose himself.
    #[serde(default, skip_serializing_if = "Profile::is_default")]
    pub profile: Profile,
}

impl User {
    /// A user with nothing set: may hotdesk, shows his extension.
    #[must_use]
    pub fn new(tenant: TenantId, extension: Extension) -> Self {
        Self {
            tenant,
            extension,
            name: None,
            caller_id: CallerId::Extension,
            hotdesk: true,
            language: None,
            class: None,
            mailbox: None,
            away: Away::Voicemail,
            leave: Rules::default(),
            profile: Profile::default(),
        }
    }
}

/// What a user's calls show as their number.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerId {
    /// Nothing: the call is anonymous.
    Anonymous,
    /// His extension.
    Extension,
    /// A number of his own.
    Number(Number),
}

/// Where the calls of a user go who is nowhere.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Away {
    /// Into his mailbox, if he has one; else he cannot be reached.
    #[default]
    Voicemail,
    /// He is busy.
    Busy,
    /// To this number, as far as his own class of service may call it.
    Number(Number),
}

impl Away {
    /// Whether it is the default.
    const fn is_voicemail(&self) -> bool {
        matches!(self, Self::Voicemail)
    }
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Voicemail => f.write_str("voicemail"),
            Self::Busy => f.write_str("busy"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl std::str::FromStr for Away {
    type Err = InvalidId;
    fn from_str(value: &str) -> Result<Self, InvalidId> {
        Ok(match value {
            "voicemail" => Self::Voicemail,
            "busy" => Self::Busy,
            number => Self::Number(Number::new(number).map_err(|error| InvalidId {
                kind: "a destination",
                rule: "voicemail, busy, or a number: up to 32 digits, if need be with a leading '+'",
                ..error
            })?),
        })
    }
}

/// What may be dialled at a device while nobody sits there, besides emergency numbers and codes: reception, first aid.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ShortList {
    /// These numbers.
    pub numbers: Vec<Number>,
    /// The context of the site that such a call goes into; none: to users alone.
    pub class: Option<Context>,
}

impl ShortList {
    /// How many numbers there may be, so that the device's row stays one that every switch can carry.
    pub const MOST: usize = 10;
}

/// What a device is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A phone that stands somewhere. Its owner has it while he sits nowhere else.
    #[default]
    Desk,
    /// What its owner dials through, but not a device of the switch: a number outside, reached through a trunk. Its owner
    /// always has it, and no lamp watches it.
    Mobile,
    /// A phone on its owner's computer. He always has it.
    Softphone,
}

impl Kind {
    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Mobile => "mobile",
            Self::Softphone => "softphone",
        }
    }

    /// Whether it stands somewhere.
    #[must_use]
    pub const fn is_desk(&self) -> bool {
        matches!(self, Self::Desk)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        [Self::Desk, Self::Mobile, Self::Softphone]
            .into_iter()
            .find(|kind| kind.name() == value)
            .ok_or_else(|| format!("{value:?} is no kind of device: desk, softphone or mobile"))
    }
}

/// A phone as its switch knows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Device {
    /// The company whose phone it is.
    pub tenant: TenantId,
    /// Its name on the switch.
    pub name: DeviceName,
    /// The switch it registers with.
    pub switch: SwitchName,
    /// What that switch dials to ring it.
    pub dial: DialTarget,
    /// What it is.
    #[serde(default, skip_serializing_if = "Kind::is_desk")]
    pub kind: Kind,
    /// Whether users may log in here; a phone in a lift is not for that.
    pub hotdesk: bool,
    /// Where it stands, if that was said.
    pub location: Option<LocationName>,
    /// The user it belongs to while no guest sits there.
    pub owner: Option<Extension>,
    /// The networks it may log users in from; none means any.
    pub allow_from: Vec<IpNet>,
    /// What may be dialled here while nobody sits here.
    #[serde(default)]
    pub may_dial: ShortList,
    /// When whoever sits there is logged out by himself.
    #[serde(default)]
    pub leave: Rules,
}

impl Device {
    /// A device for hotdesking of which nothing more is known.
    #[must_use]
    pub fn new(tenant: TenantId, name: DeviceName, switch: SwitchName, dial: DialTarget) -> Self {
        let (may_dial, leave) = (ShortList::default(), Rules::default());
        Self {
            tenant,
            name,
            switch,
            dial,
            kind: Kind::Desk,
            hotdesk: true,
            location: None,
            owner: None,
            allow_from: vec![],
            may_dial,
            leave,
        }
    }
}

impl Device {
    /// Whether it is its owner's while nobody is logged in at it; he may be `seated` elsewhere.
    #[must_use]
    pub fn is_with(&self, owner: &User, seated: bool) -> bool {
        let chosen = owner.profile.rings.devices.get(&self.name) == Some(&true);
        !seated || !self.kind.is_desk() || chosen
    }
}

/// User U sits at device D.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Binding {
    /// Who.
    pub user: Extension,
    /// Where.
    pub device: DeviceName,
    /// Since when he has been there.
    pub since: Timestamp,
    /// The revision of the act that put him there.
    pub revision: Revision,
}

/// A part of one tenant's truth, as of one revision: see [`Office::user_at`] for what is derived from it.
///
/// A store hands out a whole tenant, or what a [`Scope`](super::table::Scope) needs: its users with the
/// owners and guests of its devices, then its devices with all that those users sit at, or own while nobody else sits
/// there, the bindings of any of them, and where these devices stand. That is enough to know every row of any of
/// them, and who sits at any of them is one of its users.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Office {
    /// What had been journalled when this was read.
    pub revision: Revision,
    /// By extension.
    pub users: BTreeMap<Extension, User>,
    /// By name.
    pub devices: BTreeMap<DeviceName, Device>,
    /// By name: where its devices stand; of a whole tenant all there are.
    pub locations: BTreeMap<LocationName, Location>,
    /// By the device that is sat at. A user may sit at several, where his tenant's rules say so.
    pub bindings: BTreeMap<DeviceName, Binding>,
}

impl Office {
    /// Where `user` has logged in, by device.
    pub fn bindings_of(&self, user: &Extension) -> impl Iterator<Item = &Binding> {
        self.bindings.values().filter(move |binding| binding.user == *user)
    }

    /// Whether `user` has logged in somewhere.
    #[must_use]
    pub fn is_seated(&self, user: &Extension) -> bool {
        self.bindings_of(user).next().is_some()
    }

    /// Where `device` stands, if that is known.
    #[must_use]
    pub fn location_of(&self, device: &Device) -> Option<&Location> {
        self.locations.get(device.location.as_ref()?)
    }

    /// The number that an emergency call from `device` shows, whoever sits there.
    #[must_use]
    pub fn emergency_caller_id(&self, device: &Device) -> Option<&Number> {
        self.location_of(device)?.emergency.caller_id.as_ref()
    }

    /// When who sits at a device by `binding` is logged out by himself, as user, device and location have it, in this
    /// order, over the `tenant`'s rules. The owner of a phone is never logged out there.
    #[must_use]
    pub fn leave(&self, binding: &Binding, tenant: Rules) -> Rules {
        let device = self.devices.get(&binding.device);
        if device.is_some_and(|device| device.owner.as_ref() == Some(&binding.user)) {
            return Rules::never();
        }
        let location = device.and_then(|device| self.location_of(device));
        let user = self.users.get(&binding.user);
        let narrower = [location.map(|it| it.leave), device.map(|it| it.leave), user.map(|it| it.leave)];
        narrower.into_iter().flatten().fold(tenant, |wider, rules| rules.over(wider))
    }

    /// Whose phone `device` is now: the one logged in, else its owner. An owner who sits elsewhere leaves his desk phone,
    /// unless he wants it to ring along.
    #[must_use]
    pub fn user_at(&self, device: &DeviceName) -> Option<&Extension> {
        if let Some(binding) = self.bindings.get(device) {
            return Some(&binding.user);
        }
        let device = self.devices.get(device)?;
        let owner = self.users.get(device.owner.as_ref()?)?;
        device.is_with(owner, self.is_seated(&owner.extension)).then_some(&owner.extension)
    }

    /// Whether `device`, which is `user`'s now, rings when he is called.
    #[must_use]
    pub fn rings(&self, device: &DeviceName, user: &User) -> bool {
        let Rings { devices, hotdesk_off, .. } = &user.profile.rings;
        match self.bindings.get(device) {
            Some(login) => hotdesk_off.is_none_or(|off| login.revision > off),
            None => devices.get(device) != Some(&false),
        }
    }
}
