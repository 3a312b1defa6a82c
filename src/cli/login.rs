//! `hotdesk login` and `hotdesk logout`: move people without their PINs.

use std::io::Write;

use anyhow::bail;

use super::site::Site;
use crate::desk::id::{DeviceName, Extension};
use crate::desk::policy::Refusal;
use crate::desk::seat::{Act, Transition};
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub(super) struct Login {
    /// The extension of who sits down
    user: Extension,
    /// Where; whoever sits there is logged out
    device: DeviceName,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Logout {
    /// This user, wherever he sits
    #[arg(long, value_name = "EXT")]
    user: Option<Extension>,
    /// Whoever sits at this device
    #[arg(long, value_name = "ID")]
    device: Option<DeviceName>,
}

impl Login {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { user, device } = self;
        if !site.user(&user).await?.0.hotdesk {
            bail!("user {user} may not hotdesk; to let him: hotdesk user set {user} --hotdesk");
        }
        if !site.device(&device).await?.0.hotdesk {
            bail!(
                "device {device} is not for hotdesking; to make it so: hotdesk device set {device} --hotdesk"
            );
        }
        let rules = site.config.rules().of(&site.tenant).seating;
        let done = match site.move_people(Act::Seat(user.clone(), device.clone(), rules)).await {
            Err(StoreError::Refused(Refusal::UserElsewhere)) => bail!(
                "{user} sits elsewhere, and [login] multi is \"refuse\"; first: hotdesk logout --user {user}"
            ),
            Err(StoreError::Refused(Refusal::DeviceOccupied)) => bail!(
                "somebody else sits at {device}, and [login] take_over is off; first: hotdesk logout --device {device}"
            ),
            done => done?,
        };
        if done.is_empty() {
            writeln!(out, "{user} sits at {device} already")?;
        } else {
            writeln!(out, "{}", told(&done))?;
        }
        Ok(())
    }
}

impl Logout {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let (act, nothing) = match (self.user, self.device) {
            (Some(user), _) => {
                site.user(&user).await?;
                let nothing = format!("{user} is not logged in");
                (Act::LeaveAll(user), nothing)
            }
            (None, Some(device)) => {
                site.device(&device).await?;
                let nothing = format!("nobody is logged in at {device}");
                (Act::Clear(device), nothing)
            }
            // The arguments' group asks for one of them.
            (None, None) => bail!("say who: --user EXT or --device ID"),
        };
        let done = site.move_people(act).await?;
        writeln!(out, "{}", if done.is_empty() { nothing } else { told(&done) })?;
        Ok(())
    }
}

/// What a move did: who sits where now, what he left, who had to go.
fn told(done: &Transition) -> String {
    let arrived = done.seated.iter().map(|now| format!("{} sits at {} now", now.user, now.device));
    let left = done.removed.iter().map(|was| {
        if done.seated.iter().any(|now| now.user == was.user) {
            format!("left {}", was.device)
        } else if done.seated.is_empty() {
            format!("{} was logged out at {}", was.user, was.device)
        } else {
            format!("{} was logged out", was.user)
        }
    });
    arrived.chain(left).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::id::Revision;
    use crate::desk::model::Binding;

    fn at(user: &str, device: &str) -> Binding {
        Binding {
            user: Extension::new(user).unwrap(),
            device: DeviceName::new(device).unwrap(),
            since: jiff::Timestamp::UNIX_EPOCH,
            revision: Revision(1),
        }
    }

    #[test]
    fn a_move_is_told_from_the_side_of_who_sits_down() {
        let told = |removed: &[Binding], seated: &[Binding]| {
            super::told(&Transition { revision: Revision(2), removed: removed.into(), seated: seated.into() })
        };
        assert_eq!(
            told(&[at("101", "desk1"), at("102", "desk2")], &[at("101", "desk2")]),
            "101 sits at desk2 now; left desk1; 102 was logged out"
        );
        assert_eq!(told(&[], &[at("101", "desk2")]), "101 sits at desk2 now");
        assert_eq!(told(&[at("101", "desk2")], &[]), "101 was logged out at desk2");
    }
}
