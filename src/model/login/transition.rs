//! Transitions: how commands begin and end sessions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::limits::LoginRules;
use super::refusal::Refusal;
use crate::model::desired::Scope;
use crate::model::directory::{Device, Session, Snapshot, User};
use crate::model::id::{DeviceName, Extension, Revision};

/// What a [`SessionCommand`] does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SessionCommand {
    /// Logs out the user of this device.
    LogOutDevice(DeviceName),
    /// Ends this session automatically, unless it has ended or changed since.
    Expire(Session),
    /// Logs out this user at this device. Another user there stays logged in.
    LogOut(Extension, DeviceName),
    /// Logs out this user everywhere.
    LogOutEverywhere(Extension),
    /// Logs in the user at the device. Ends the session of another user there, and the user's other sessions as far
    /// as the rules require. Changes nothing if the user is logged in there already.
    LogIn(Extension, DeviceName, LoginRules),
    /// Moves this session to the device. Ends the session of another user there, and keeps the user's other sessions.
    Move(Session, DeviceName, LoginRules),
    /// Undoes a transition: [`Transition::inverse`].
    Undo {
        /// Sessions to end, unless they have changed since.
        begun: Vec<Session>,
        /// Sessions to begin again, unless the device has one now, or the user has too many.
        ended: Vec<Session>,
        /// How many sessions a user may have: [`MultipleLogins::most`](super::limits::MultipleLogins::most).
        most: usize,
        /// Whether it is refused if any part of it cannot be done any more.
        whole: bool,
    },
}

impl SessionCommand {
    /// The users and devices that a [`Snapshot`] must contain to carry it out.
    pub fn scope(&self) -> Scope {
        match self {
            Self::LogOutDevice(device) => Scope::device(device),
            Self::LogOut(user, device) | Self::LogIn(user, device, _) => {
                Scope::user(user).and(Scope::device(device))
            }
            Self::Expire(session) => Scope::of(std::iter::once(session)),
            Self::Move(session, device, _) => Scope::of(std::iter::once(session)).and(Scope::device(device)),
            Self::LogOutEverywhere(user) => Scope::user(user),
            Self::Undo { begun, ended, .. } => Scope::of(begun.iter().chain(ended)),
        }
    }

    /// The transition that it makes in `snapshot`, which contains its [`scope`](SessionCommand::scope).
    ///
    /// # Errors
    /// [`Refusal`] when the user or device does not exist, or the user may not log in there, or what a move or a whole undo
    /// is about has changed since.
    pub fn transition(&self, snapshot: &Snapshot, at: Timestamp) -> Result<Transition, Refusal> {
        let next = Revision(snapshot.revision.0 + 1);
        let (mut ended, mut begun) = (vec![], vec![]);
        match self {
            Self::LogOutDevice(device) => {
                snapshot.device(device)?;
                ended.extend(snapshot.sessions.get(device).cloned());
            }
            Self::Expire(session) => {
                let here = snapshot.sessions.get(&session.device);
                ended.extend(here.filter(|_| same(here, session)).cloned());
            }
            Self::LogOut(user, device) => {
                snapshot.user(user)?;
                snapshot.device(device)?;
                ended.extend(snapshot.sessions.get(device).filter(|session| session.user == *user).cloned());
            }
            Self::LogOutEverywhere(user) => {
                snapshot.user(user)?;
                ended.extend(snapshot.sessions_of(user).cloned());
            }
            Self::LogIn(user, device, rules) => {
                let (who, what) = (snapshot.user(user)?, snapshot.device(device)?);
                let here = snapshot.sessions.get(device);
                if here.is_none_or(|session| session.user != *user) {
                    admit(who, what, here, *rules)?;
                    let over = rules.multiple_logins.leaves(snapshot.sessions_of(user))?;
                    ended.extend(over.into_iter().chain(here).cloned());
                    let (user, device) = (user.clone(), device.clone());
                    begun.push(Session { user, device, since: at, revision: next });
                }
            }
            Self::Move(session, device, rules) => {
                let (who, what) = (snapshot.user(&session.user)?, snapshot.device(device)?);
                let was = snapshot.sessions.get(&session.device).filter(|is| same(Some(is), session));
                let was = was.ok_or_else(|| Refusal::Overtaken(session.device.clone()))?;
                if session.device != *device {
                    let here = snapshot.sessions.get(device);
                    admit(who, what, here, *rules)?;
                    ended.extend(std::iter::once(was).chain(here).cloned());
                    let (user, device) = (session.user.clone(), device.clone());
                    begun.push(Session { user, device, since: at, revision: next });
                }
            }
            Self::Undo { begun: end, ended: begin, most, whole } => {
                let mut now = snapshot.clone();
                for session in end {
                    if same(snapshot.sessions.get(&session.device), session) {
                        ended.extend(now.sessions.remove(&session.device));
                    }
                }
                for session in begin {
                    if may_log_in(&now, session, *most) {
                        let session = Session { revision: next, ..session.clone() };
                        now.sessions.insert(session.device.clone(), session.clone());
                        begun.push(session);
                    }
                }
                let is_done =
                    |wanted: &Session, done: &[Session]| done.iter().any(|it| it.device == wanted.device);
                let left = end.iter().find(|session| !is_done(session, &ended));
                let left = left.or_else(|| begin.iter().find(|session| !is_done(session, &begun)));
                if let Some(left) = left.filter(|_| *whole) {
                    return Err(Refusal::Overtaken(left.device.clone()));
                }
            }
        }
        let revision = if ended.is_empty() && begun.is_empty() { snapshot.revision } else { next };
        Ok(Transition { revision, ended, begun })
    }
}

/// Whether the user may log in at this device with the session `here`. An administrator may have changed that since
/// the PIN was compared.
fn admit(user: &User, device: &Device, here: Option<&Session>, rules: LoginRules) -> Result<(), Refusal> {
    if !user.hotdesk {
        Err(Refusal::UserForbidden)
    } else if !device.hotdesk {
        Err(Refusal::DeviceForbidden)
    } else if here.is_some() && !rules.take_over {
        Err(Refusal::DeviceOccupied)
    } else {
        Ok(())
    }
}

/// Whether `current` is this session, and not a later one of the same user and device.
fn same(current: Option<&Session>, session: &Session) -> bool {
    current.is_some_and(|is| is.user == session.user && is.revision == session.revision)
}

/// Whether both are still for hotdesking, the device is free, and the user has fewer than `most` sessions.
fn may_log_in(snapshot: &Snapshot, Session { user, device, .. }: &Session, most: usize) -> bool {
    snapshot.users.get(user).is_some_and(|user| user.hotdesk)
        && snapshot.devices.get(device).is_some_and(|device| device.hotdesk)
        && snapshot.sessions_of(user).count() < most
        && !snapshot.sessions.contains_key(device)
}

/// What a [`SessionCommand`] changed: the sessions that ended and began.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Transition {
    /// The revision after it; the current one if nothing changed.
    pub revision: Revision,
    /// Ended sessions: of the user at other devices, of another user at the device.
    pub ended: Vec<Session>,
    /// New sessions.
    pub begun: Vec<Session>,
}

impl Transition {
    /// The command that undoes it, with at most `most` sessions for a user, or as many as the user had before: what still
    /// can be undone, or the `whole` of it or nothing.
    #[must_use]
    pub fn inverse(self, most: usize, whole: bool) -> SessionCommand {
        let ended = |user: &Extension| self.ended.iter().filter(|was| was.user == *user).count();
        let before = self.ended.iter().map(|was| ended(&was.user)).max().unwrap_or(0);
        SessionCommand::Undo { most: most.max(before), begun: self.begun, ended: self.ended, whole }
    }

    /// Whether anything changed.
    pub const fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.begun.is_empty()
    }

    /// The users and devices whose rows may differ after it.
    pub fn touches(&self) -> Scope {
        Scope::of(self.ended.iter().chain(&self.begun))
    }

    /// The device where the user was logged in before, if there was one.
    pub fn moved_from(&self) -> Option<&DeviceName> {
        let begun = self.begun.first()?;
        let was = self.ended.iter().find(|was| was.user == begun.user)?;
        Some(&was.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_restores_all_sessions_although_fewer_are_allowed_now() {
        let session = |device: &str| Session {
            user: Extension::new("101").unwrap(),
            device: DeviceName::new(device).unwrap(),
            since: Timestamp::UNIX_EPOCH,
            revision: Revision(1),
        };
        let ended = vec![session("desk1"), session("desk2")];
        let undo = |most| SessionCommand::Undo { begun: vec![], ended: ended.clone(), most, whole: false };
        let logged_out = Transition { ended: ended.clone(), ..Transition::default() };
        assert_eq!(logged_out.clone().inverse(1, false), undo(2));
        assert_eq!(logged_out.inverse(3, false), undo(3));
    }
}
