//! Whether a FreePBX has what we write into it, and its phones come to our codes.

use std::collections::BTreeMap;

use super::super::ami::Action;
use super::super::database;
use super::super::dialplan::version;
use super::super::space::Space;
use super::Inspection;
use crate::controller::inspect;
use crate::desk::finding::Finding;
use crate::desk::id::Extension;
use crate::desk::model::{Device, Office};
use crate::switch::SwitchError;

const INCLUDE: &str = "print it (`hotdesk dialplan asterisk`) into hotdesk.conf beside extensions_custom.conf, with \
                       #include hotdesk.conf there, and `dialplan reload`";
/// Where FreePBX lets a site in before its own codes.
const CUSTOM: &str = "from-internal-custom";
/// Where FreePBX has its own codes to log in and out.
const OWN_CODES: &str = "app-userlogonoff";

impl Inspection<'_> {
    /// Of our codes, the users, and the phones.
    pub(super) async fn freepbx(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = vec![self.codes().await?];
        findings.extend(self.own_codes().await?);
        findings.extend(self.users(office).await?);
        findings.extend(self.devices(office).await?);
        Ok(findings)
    }

    /// What an emergency call from each phone shows, as FreePBX has it: it is FreePBX that sends it.
    pub(super) async fn freepbx_emergency(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let mut findings = vec![];
        for device in office.devices.values().filter(|device| device.switch == *self.name) {
            let shows = self.field("DEVICE", device.name.as_str(), "emergency_cid").await?;
            let shows = shows.filter(|shown| !shown.is_empty());
            let should = office.emergency_caller_id(device).map(ToString::to_string);
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let check = format!("emergency call from {}", device.name);
            let remedy = "set the emergency CID of this device in FreePBX, or of its location here, so that they agree";
            findings.push(match (shows, should) {
                (Some(shows), Some(should)) if digits(&shows).ends_with(&digits(&should)) => {
                    Finding::fine(check, format!("FreePBX shows {shows}"))
                }
                (Some(shows), Some(should)) => {
                    Finding::wrong(check, format!("FreePBX shows {shows}, and should show {should}"), remedy)
                }
                (Some(shows), None) => Finding::fine(check, format!("FreePBX shows {shows}")),
                (None, Some(should)) => Finding::wrong(
                    check,
                    format!("FreePBX has no emergency CID of it, so it shows that of whoever sits there, not {should}"),
                    remedy,
                ),
                (None, None) => Finding::remark(
                    check,
                    "FreePBX has no emergency CID of it, so it shows that of whoever sits there",
                    remedy,
                ),
            });
        }
        Ok(findings)
    }

    async fn codes(&self) -> Result<Finding, SwitchError> {
        let (check, space) = (self.of("dialplan"), Space::of(self.tenant));
        let ours = format!("{space}-codes");
        let places =
            [ours.clone(), format!("{ours},{},1", self.marker()), format!("{CUSTOM},{},1", self.marker())];
        Ok(match self.exist(places).await?[..] {
            [true, true, true] => Finding::fine(check, "is the one that this configuration prints"),
            [true, true, false] => {
                Finding::wrong(check, format!("{CUSTOM} does not include {ours}"), INCLUDE)
            }
            [true, ..] => Finding::wrong(check, "it is not the one that this configuration prints", INCLUDE),
            _ => Finding::wrong(check, "hotdesk.conf is not in it", INCLUDE),
        })
    }

    /// Who logs in by FreePBX's own code is logged out again by us within a minute.
    async fn own_codes(&self) -> Result<Option<Finding>, SwitchError> {
        let on = self.exist([OWN_CODES.to_owned()]).await? == [true];
        Ok(on.then(|| {
            Finding::remark(
                self.of("FreePBX's own codes"),
                "they are on: who gets to them and not to ours is logged out again within a minute",
                "switch User Logon and User Logoff off in FreePBX, Admin, Feature Codes",
            )
        }))
    }

    async fn users(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let mut unknown: Vec<&Extension> = vec![];
        for user in office.users.keys() {
            if self.field("AMPUSER", user.as_str(), "voicemail").await?.is_none() {
                unknown.push(user);
            }
        }
        let finding = |user: &Extension| {
            Finding::wrong(
                format!("user {user}"),
                format!("the FreePBX of switch {} has no such user: a login is refused there", self.name),
                format!("add him in FreePBX, or: hotdesk user remove {user}"),
            )
        };
        Ok(if unknown.is_empty() {
            vec![Finding::fine(self.of("users"), format!("{} are users of FreePBX", office.users.len()))]
        } else {
            unknown.into_iter().map(finding).collect()
        })
    }

    async fn devices(&self, office: &Office) -> Result<Vec<Finding>, SwitchError> {
        let (mut findings, mut reached, mut all) = (vec![], BTreeMap::new(), 0);
        for device in inspect::phones(office, self.name) {
            all += 1;
            findings.extend(self.device(device, &mut reached).await?);
        }
        if findings.is_empty() {
            findings.push(Finding::fine(
                self.of("phones"),
                format!("{all} are there, of type adhoc, and come to the codes"),
            ));
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
        if kind != "adhoc" {
            return Ok(Some(Finding::wrong(
                check,
                format!("FreePBX has it as {kind}: nobody can log in there"),
                format!("make it adhoc in FreePBX, or: hotdesk device set {name} --no-hotdesk"),
            )));
        }
        let dial = field("dial").await?.unwrap_or_default();
        if dial != format!("PJSIP/{name}") || device.dial.as_str() != dial {
            return Ok(Some(Finding::wrong(
                check,
                format!("FreePBX dials it as {dial:?}, and here it is {}", device.dial),
                format!("a FreePBX's hotdesk is dialled PJSIP/{name}: hotdesk import freepbx takes it over"),
            )));
        }
        let context = self.context_of(device).await?;
        let Some(context) = context else {
            return Ok(Some(Finding::wrong(
                check,
                format!("switch {} has no PJSIP endpoint of this name", self.name),
                "apply the configuration in FreePBX",
            )));
        };
        if !reached.contains_key(&context) {
            let there = self.exist([format!("{context},{},1", self.marker())]).await? == [true];
            reached.insert(context.clone(), there);
        }
        if reached.get(&context) != Some(&true) {
            return Ok(Some(Finding::wrong(
                check,
                format!("its endpoint has context = {context}, from which the codes are not reached"),
                format!("give it the context from-internal in FreePBX, or include {CUSTOM} in [{context}]"),
            )));
        }
        let owner = field("default_user").await?.filter(|owner| owner != "none" && !owner.is_empty());
        let own = device.owner.as_ref().map(Extension::as_str);
        Ok((owner.as_deref() != own).then(|| {
            let text = |owner: Option<&str>| owner.unwrap_or("nobody").to_owned();
            Finding::remark(
                check,
                format!(
                    "it is {}'s while no guest is there, and FreePBX's default user is {}",
                    text(own),
                    text(owner.as_deref())
                ),
                "hotdesk import freepbx takes over FreePBX's; what is said here is what is done",
            )
        }))
    }

    async fn context_of(&self, device: &Device) -> Result<Option<String>, SwitchError> {
        let show = Action::new("PJSIPShowEndpoint").with("Endpoint", device.name.as_str());
        let shown = match self.manager.list(show).await {
            Ok(shown) => shown,
            Err(SwitchError::Refused(..)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let endpoint = shown.iter().find(|event| event.event() == Some("EndpointDetail"));
        Ok(endpoint.and_then(|endpoint| endpoint.header("Context")).map(str::to_owned))
    }

    /// The extension by which our codes are found, whatever includes them.
    fn marker(&self) -> String {
        format!("{}-{}", Space::of(self.tenant), version(self.dialplan))
    }

    async fn field(&self, family: &str, of: &str, field: &str) -> Result<Option<String>, SwitchError> {
        database::get(self.manager, family, &format!("{of}/{field}")).await
    }
}
