//! Checks that a FreePBX has the users and devices of Hotdesk, and that its phones reach the codes.

use std::collections::BTreeMap;

use super::Inspection;
use crate::asterisk::devices::endpoints::endpoint;
use crate::asterisk::dialplan::version;
use crate::asterisk::freepbx::rows::NO_USER;
use crate::asterisk::freepbx::rows::project::without_user;
use crate::asterisk::freepbx::rows::writes::{not_for_users, remedy};
use crate::asterisk::table::database;
use crate::controller::check;
use crate::model::check::Finding;
use crate::model::directory::{Device, Snapshot};
use crate::model::id::{DeviceName, Extension};
use crate::switch::SwitchError;

const INCLUDE: &str = "print it (`hotdesk dialplan asterisk`) into hotdesk.conf beside extensions_custom.conf, with \
                       #include hotdesk.conf there, and `dialplan reload`";
/// The context of the site that FreePBX includes before its own codes.
const CUSTOM: &str = "from-internal-custom";
const NO_CID: &str =
    "FreePBX has no emergency CID of it, so it shows the number of the user who is logged in";
/// The context of FreePBX's own codes to log in and out.
const OWN_CODES: &str = "app-userlogonoff";

impl Inspection<'_> {
    /// Checks the codes, the users, and the phones.
    pub(super) async fn freepbx(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = vec![self.codes().await?];
        findings.extend(self.own_codes().await?);
        findings.extend(self.users(snapshot).await?);
        findings.extend(self.devices(snapshot).await?);
        Ok(findings)
    }

    /// Checks what an emergency call from each phone shows: FreePBX sends these calls. At a hotdesk only the emergency CID is
    /// the phone's number, with any user.
    pub(super) async fn freepbx_emergency(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = vec![];
        for device in snapshot.devices.values().filter(|device| device.switch == *self.name) {
            let shows = self.field("DEVICE", device.name.as_str(), "emergency_cid").await?;
            let shows = shows.filter(|shown| !shown.is_empty());
            let should = snapshot.emergency_caller_id(device).map(ToString::to_string);
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let check = format!("emergency call from {}", device.name);
            let remedy = "set the emergency CID of this device in FreePBX, or of its location here, so that they agree";
            findings.push(match (shows, should) {
                (Some(shows), Some(should)) if !digits(&shows).ends_with(&digits(&should)) => {
                    Finding::wrong(check, format!("FreePBX shows {shows}, and should show {should}"), remedy)
                }
                (Some(shows), _) => Finding::fine(check, format!("FreePBX shows {shows}")),
                (None, Some(should)) => Finding::wrong(check, format!("{NO_CID}, not {should}"), remedy),
                (None, None) if device.hotdesk => Finding::wrong(check, NO_CID, remedy),
                (None, None) => Finding::remark(check, NO_CID, remedy),
            });
        }
        Ok(findings)
    }

    /// Checks the dialplan of Hotdesk.
    pub(super) async fn codes(&self) -> Result<Finding, SwitchError> {
        let (check, codes, marker) = (self.of("dialplan"), format!("{}-codes", self.space()), self.marker());
        let places = [codes.clone(), format!("{codes},{marker},1"), format!("{CUSTOM},{marker},1")];
        let exist = self.exist(places).await?;
        let token = if exist.first() == Some(&true) { self.token().await? } else { None };
        Ok(match exist[..] {
            [true, true, true] => match token {
                None => Finding::fine(check, "is the one that this configuration prints"),
                Some((false, older)) => Finding::remark(check, older, INCLUDE),
                Some((true, refused)) => Finding::wrong(check, refused, INCLUDE),
            },
            [true, true, false] => {
                Finding::wrong(check, format!("{CUSTOM} does not include {codes}"), INCLUDE)
            }
            [true, ..] => Finding::wrong(check, "it is not the one that this configuration prints", INCLUDE),
            _ => Finding::wrong(check, "hotdesk.conf is not in it", INCLUDE),
        })
    }

    /// Checks FreePBX's own codes: within a minute Hotdesk logs out a user who logged in with one.
    async fn own_codes(&self) -> Result<Option<Finding>, SwitchError> {
        let on = self.exist([OWN_CODES.to_owned()]).await? == [true];
        Ok(on.then(|| {
            Finding::remark(
                self.of("FreePBX's own codes"),
                "they are on: within a minute Hotdesk logs out a user who logs in with one of them",
                "switch User Logon and User Logoff off in FreePBX, Admin, Feature Codes",
            )
        }))
    }

    async fn users(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let mut unknown: Vec<&Extension> = vec![];
        for user in snapshot.users.keys() {
            if self.field("AMPUSER", user.as_str(), "voicemail").await?.is_none() {
                unknown.push(user);
            }
        }
        let finding = |user: &Extension| {
            Finding::wrong(
                format!("user {user}"),
                format!("the FreePBX of switch {} has no such user: a login is refused there", self.name),
                format!("add the user in FreePBX, or: hotdesk user remove {user}"),
            )
        };
        Ok(if unknown.is_empty() {
            vec![Finding::fine(self.of("users"), format!("{} are users of FreePBX", snapshot.users.len()))]
        } else {
            unknown.into_iter().map(finding).collect()
        })
    }

    async fn devices(&self, snapshot: &Snapshot) -> Result<Vec<Finding>, SwitchError> {
        let (mut findings, mut reached, mut all) = (vec![], BTreeMap::new(), 0);
        for device in check::phones(snapshot, self.name) {
            all += 1;
            findings.extend(self.device(device, &mut reached).await?);
        }
        if findings.is_empty() {
            let found = format!("{all} are there, let users log in, and reach the codes");
            findings.push(Finding::fine(self.of("phones"), found));
        }
        Ok(findings)
    }

    async fn device(
        &self,
        device: &Device,
        reached: &mut BTreeMap<String, bool>,
    ) -> Result<Option<Finding>, SwitchError> {
        let (name, check) = (&device.name, format!("phone {}", device.name));
        let field = async |field: &str| self.field("DEVICE", name.as_str(), field).await;
        let Some(kind) = field("type").await? else {
            return Ok(Some(Finding::wrong(
                check,
                format!("the FreePBX of switch {} has no device of this name", self.name),
                format!("add it in FreePBX, or: hotdesk device remove {name}"),
            )));
        };
        let default = field("default_user").await?.filter(|default| !default.is_empty());
        let Some(without) = without_user(name.as_str(), Some(&kind), default.as_deref()) else {
            let found = format!("no user can log in there: {}", not_for_users(name, &kind));
            return Ok(Some(Finding::wrong(check, found, remedy(name))));
        };
        let dial = field("dial").await?.unwrap_or_default();
        if dial != format!("PJSIP/{name}") || device.dial.as_str() != dial {
            return Ok(Some(Finding::wrong(
                check,
                format!("FreePBX dials it as {dial:?}, and here it is {}", device.dial),
                format!("FreePBX must dial a hotdesk as PJSIP/{name}; hotdesk import freepbx copies it"),
            )));
        }
        let endpoint = endpoint(self.manager, name.as_str()).await?;
        let Some(context) = endpoint.and_then(|endpoint| endpoint.context) else {
            return Ok(Some(Finding::wrong(
                check,
                format!("switch {} has no PJSIP endpoint of this name", self.name),
                "apply the configuration in FreePBX",
            )));
        };
        let reaches = match reached.get(&context) {
            Some(reaches) => *reaches,
            None => self.exist([format!("{context},{},1", self.marker())]).await? == [true],
        };
        reached.insert(context.clone(), reaches);
        if !reaches {
            return Ok(Some(Finding::wrong(
                check,
                format!("its endpoint has context = {context}, from which it cannot reach the codes"),
                format!("give it the context from-internal in FreePBX, or include {CUSTOM} in [{context}]"),
            )));
        }
        let owner = default.filter(|owner| owner != NO_USER);
        let own = device.owner.as_ref().map(Extension::as_str);
        if own.is_none() && without == name.as_str() {
            return self.desk(name).await;
        }
        Ok((owner.as_deref() != own).then(|| {
            let (ours, theirs) = (own.unwrap_or("no user"), owner.as_deref().unwrap_or("no user"));
            Finding::remark(
                check,
                format!("its owner here is {ours}, and FreePBX's default user is {theirs}"),
                "hotdesk import freepbx copies FreePBX's; Hotdesk follows its own",
            )
        }))
    }

    /// Checks a desk that is an extension of its own. With a mailbox its endpoint has `mailboxes`, and Asterisk itself sends
    /// the phone MWI.
    async fn desk(&self, desk: &DeviceName) -> Result<Option<Finding>, SwitchError> {
        let mailbox = self.field("AMPUSER", desk.as_str(), "voicemail").await?.unwrap_or_default();
        let has = !["", "novm", "disabled"].contains(&mailbox.as_str());
        Ok(has.then(|| {
            Finding::remark(
                format!("phone {desk}"),
                format!(
                    "extension {desk} has a mailbox, whose messages light the phone beside those of the user"
                ),
                format!("disable the voicemail of extension {desk} in FreePBX: it is a desk, not a person"),
            )
        }))
    }

    /// The extension that marks the codes of Hotdesk in every context that includes them.
    fn marker(&self) -> String {
        format!("{}-{}", self.space(), version(self.dialplan))
    }

    async fn field(&self, family: &str, of: &str, field: &str) -> Result<Option<String>, SwitchError> {
        database::get(self.manager, family, &format!("{of}/{field}")).await
    }
}
