//! What phones are doing, as FreeSWITCH 1.10.12 tells it.
//!
//! * Registered is who has a contact: `sofia_contact */1005@domain`. `show registrations` is written late.
//! * A call of a phone is a channel that it authenticated for, or one that leads to its contact. Nothing lists those of
//!   one phone: each channel is asked. A channel that is over by then says so. `show channels` is written late, too: a
//!   call that began 0.3 s before is not there, but its `CHANNEL_CREATE` is.
//! * After a restart registrations are known again, unless they ended meanwhile.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::broadcast;

use super::address;
use super::calls::CONTEXTS;
use super::client::Client;
use super::esl::{Response, Said};
use super::event::Event;
use super::phone::{RUNG, UNTIL};
use super::rights;
use crate::desk::id::{DeviceName, TenantId};
use crate::desk::model::Device;
use crate::switch::activity::{Doing, Look, STIRS, Stir};
use crate::switch::{RING, SwitchError};

/// The events that tell of phones. Those of calls are big, and there are four for each.
pub const EVENTS: [&str; 5] =
    ["CHANNEL_CREATE", "CHANNEL_DESTROY", "sofia::register", "sofia::unregister", "sofia::expire"];
/// How the names of channels to and from phones begin.
const SIP: &str = "sofia/";
/// The extension of the dialplan where a phone that we had rung waits for us.
const STAY: &str = "hotdesk-stay";
/// Contacts, and channels, that are remembered.
const KNOWN: usize = 50_000;

/// The phones of a tenant on one FreeSWITCH.
#[derive(Clone)]
pub struct Phones {
    client: Client,
    tenant: TenantId,
    /// Whose contacts these are, as far as they were looked at: `1005@192.0.2.7:5060`.
    contacts: Arc<Mutex<HashMap<String, DeviceName>>>,
    /// Channels that were heard to begin, and not to end.
    begun: Arc<Mutex<BTreeSet<String>>>,
    stirs: broadcast::Sender<Stir>,
}

/// What `show channels as json` says.
#[derive(Deserialize)]
struct Channels {
    #[serde(default)]
    rows: Vec<Channel>,
}

#[derive(Deserialize)]
struct Channel {
    uuid: String,
    #[serde(default)]
    name: String,
}

/// Who has a call.
#[derive(Default)]
struct Calls {
    /// Authenticated callers: user and realm.
    callers: BTreeSet<(String, String)>,
    /// Contacts that are called.
    called: BTreeSet<String>,
}

impl Phones {
    pub(super) fn new(client: Client, tenant: TenantId) -> Self {
        Self {
            client,
            tenant,
            contacts: Arc::default(),
            begun: Arc::default(),
            stirs: broadcast::Sender::new(STIRS),
        }
    }

    /// Takes one of [`EVENTS`].
    pub(super) fn hear(&self, event: &Event) {
        if let Some(stir) = self.stir(event) {
            // That nobody hears it is no harm.
            let _ = self.stirs.send(stir);
        }
    }

    pub(super) fn stirs(&self) -> broadcast::Receiver<Stir> {
        self.stirs.subscribe()
    }

    pub(super) async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError> {
        let contact = |device: &Device| format!("sofia_contact */{}", self.address(device));
        let mut commands: Vec<String> = devices.iter().map(contact).collect();
        commands.extend(["uptime s".into(), "show channels as json".into()]);
        let mut answers = self.client.api_all(&commands).await?;
        let channels = answers.pop().map_or(String::new(), |answer| value(&answer).to_owned());
        let up = answers.pop().and_then(|answer| value(&answer).parse().ok()).unwrap_or(0);
        let calls = self.calls(&channels).await?;
        let doing = devices.iter().zip(&answers).map(|(device, answer)| {
            let contacts: Vec<String> = value(answer).split(',').filter_map(bare).collect();
            self.remember(&contacts, &device.name);
            if calls.are_of(&self.address(device)) || contacts.iter().any(|it| calls.called.contains(it)) {
                Doing::Busy
            } else if contacts.is_empty() {
                Doing::Gone
            } else {
                Doing::Free
            }
        });
        Ok(Look { doing: doing.collect(), up: Duration::from_secs(up) })
    }

    /// Rings what a phone registered, for as long as it is asked for; who answers waits in `hotdesk-code`. What the
    /// directory's `dial-string` says is not asked: it may lead elsewhere. Early media is no answer, and whom the phone is
    /// forwarded to is not asked; FreeSWITCH transfers no call that has one leg (1.10.12).
    pub(super) async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        let contact = match self.client.api(&format!("sofia_contact */{}", self.address(device))).await {
            Ok(Some(contact)) if contact.starts_with(SIP) => contact,
            Ok(_) | Err(SwitchError::Refused(..)) => {
                let why = format!("{} is not registered", device.name);
                return Err(SwitchError::Refused(rights::RING.into(), why));
            }
            Err(error) => return Err(error),
        };
        let domain = match self.tenant == TenantId::default() {
            true => String::new(),
            false => format!(",domain_name={}", self.tenant),
        };
        let (ring, device, seconds, until) = (rights::RING, &device.name, RING.as_secs(), until.as_second());
        let originate = format!(
            "{ring} {{{UNTIL}={until},{RUNG}={device}{domain},ignore_early_media=true,outbound_redirect_fatal=true}}\
             {contact} {STAY} XML {CODES} Hotdesk Hotdesk {seconds}",
            CODES = CONTEXTS[0],
        );
        self.client.launch(&originate).await
    }

    /// Who has a call, by what `show channels` says.
    async fn calls(&self, listed: &str) -> Result<Calls, SwitchError> {
        let unreadable = |error: serde_json::Error| SwitchError::Refused("show".into(), error.to_string());
        let listed: Channels = serde_json::from_str(listed).map_err(unreadable)?;
        let listed = listed.rows.into_iter().filter(|channel| channel.name.starts_with(SIP));
        let mut channels: BTreeSet<String> = listed.map(|channel| channel.uuid).collect();
        channels.extend(lock(&self.begun).iter().cloned());
        let ask = |uuid: &String| {
            ["direction", "sip_req_uri", "sip_auth_username", "sip_auth_realm"]
                .map(|variable| format!("uuid_getvar {uuid} {variable}"))
        };
        let asked: Vec<String> = channels.iter().flat_map(ask).collect();
        let answers = self.client.api_all(&asked).await?;
        let mut calls = Calls::default();
        for (channel, of_one) in channels.iter().zip(answers.chunks(4)) {
            let [direction, called, user, realm] = of_one else { continue };
            match value(direction) {
                "outbound" => calls.called.extend([value(called).to_owned()]),
                "inbound" => calls.callers.extend([(value(user).into(), value(realm).into())]),
                _ => drop(lock(&self.begun).take(channel)),
            }
        }
        Ok(calls)
    }

    /// As what a phone registers, in the tenant's domain where it has one.
    fn address(&self, device: &Device) -> String {
        address::user(&device.name, &device.dial, &self.tenant)
    }

    fn remember(&self, contacts: &[String], device: &DeviceName) {
        let mut known = lock(&self.contacts);
        if known.len() >= KNOWN {
            known.clear();
        }
        known.extend(contacts.iter().map(|contact| (contact.clone(), device.clone())));
    }

    /// Follows which channels there are.
    fn follow(&self, event: &Event) {
        let mut begun = lock(&self.begun);
        let channel = event.get("Unique-ID").unwrap_or_default();
        let of_phone = event.get("Channel-Name").is_some_and(|name| name.starts_with(SIP));
        match event.name().as_deref() {
            Some("CHANNEL_CREATE") if of_phone && begun.len() < KNOWN => begun.extend([channel.into_owned()]),
            Some("CHANNEL_DESTROY") => drop(begun.take(&*channel)),
            _ => {}
        }
    }

    fn stir(&self, event: &Event) -> Option<Stir> {
        let part = |name| event.get(name).filter(|value| !value.is_empty());
        self.follow(event);
        if event.name().as_deref() == Some("CHANNEL_CREATE") {
            return None;
        }
        let call = event.name().as_deref() == Some("CHANNEL_DESTROY");
        if call && part("Call-Direction").as_deref() == Some("outbound") {
            let device = lock(&self.contacts).get(&*part("variable_sip_req_uri")?).cloned()?;
            return Some(Stir { device, call });
        }
        // Of an unregistration and an expiry only the address of record is told.
        let (user, domain) = match call {
            true => (part("variable_sip_auth_username")?, part("variable_sip_auth_realm")),
            false => (
                part("username").or_else(|| part("from-user")).or_else(|| part("user"))?,
                part("realm").or_else(|| part("from-host")).or_else(|| part("host")),
            ),
        };
        let ours = self.tenant == TenantId::default()
            || domain.is_some_and(|domain| domain.eq_ignore_ascii_case(self.tenant.as_str()));
        if ours { Some(Stir { device: DeviceName::new(user).ok()?, call }) } else { None }
    }
}

impl Calls {
    /// Whether one of them was made by who registers as `address`.
    fn are_of(&self, address: &str) -> bool {
        let (user, domain) = address.split_once('@').unwrap_or((address, ""));
        self.callers.iter().any(|(caller, realm)| {
            caller == user && (domain.is_empty() || realm.eq_ignore_ascii_case(domain))
        })
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an answer says; nothing, if it is an error.
fn value(answer: &Response) -> &str {
    match answer.said() {
        Said::Value(value) => value.trim_end(),
        Said::Nothing | Said::Error(_) => "",
    }
}

/// The address in a contact as `sofia_contact` tells it: `1005@192.0.2.7:5060` of
/// `sofia/internal/sip:1005@192.0.2.7:5060;transport=udp`.
fn bare(contact: &str) -> Option<String> {
    let (_, address) = contact.split_once("sip:").or_else(|| contact.split_once("sips:"))?;
    address.split([';', '>']).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_known_by_its_bare_address() {
        let bare = |contact| bare(contact).unwrap_or_default();
        assert_eq!(bare("sofia/internal/sip:1005@127.0.0.1:32930"), "1005@127.0.0.1:32930");
        assert_eq!(
            bare("sofia/internal/sip:1005@10.0.0.7:5060;transport=tcp;fs_nat=yes"),
            "1005@10.0.0.7:5060"
        );
        assert_eq!(bare("error/user_not_registered"), "");
    }

    #[test]
    fn a_call_is_of_who_authenticated_for_it() {
        let callers = BTreeSet::from([("1005".to_owned(), "hotdesk.test".to_owned())]);
        let calls = Calls { callers, called: BTreeSet::new() };
        assert!(calls.are_of("1005") && calls.are_of("1005@Hotdesk.test"));
        assert!(
            !calls.are_of("1006@hotdesk.test") && !calls.are_of("1005@other.test") && !calls.are_of("100")
        );
    }
}
