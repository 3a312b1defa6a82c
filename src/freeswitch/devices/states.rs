//! Device states, seen on FreeSWITCH 1.10.12.
//!
//! * A device is registered when it has a contact: `sofia_contact */1005@domain`. `show registrations` lags behind.
//! * A call of a device is a channel that it authenticated for, or one that leads to its contact. Nothing lists the channels
//!   of one device, so each channel is asked. `show channels` lags behind, too: a call that began 0.3 s ago is missing,
//!   while its `CHANNEL_CREATE` came.
//! * Registrations outlive a restart, unless they end meanwhile.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::broadcast;

use super::address;
use crate::freeswitch::calls::caller::{RUNG, UNTIL};
use crate::freeswitch::calls::taker::CONTEXTS;
use crate::freeswitch::esl::client::Client;
use crate::freeswitch::esl::codec::Response;
use crate::freeswitch::esl::command::argument;
use crate::freeswitch::esl::event::Event;
use crate::freeswitch::esl::rights;
use crate::model::directory::Device;
use crate::model::id::{DeviceName, TenantId};
use crate::switch::device_state::{DeviceEvent, DeviceState, DeviceStates, EVENTS_KEPT};
use crate::switch::{RING, SwitchError};

/// The events that device states need. A call makes big ones, two for each of its channels.
pub const EVENTS: [&str; 5] =
    ["CHANNEL_CREATE", "CHANNEL_DESTROY", "sofia::register", "sofia::unregister", "sofia::expire"];
const SIP: &str = "sofia/";
/// The extension of the dialplan where the answered call of a ringing device waits for a controller.
const EXTEND: &str = "hotdesk-extend";
/// The most contacts, and the most channels, that are remembered.
const KNOWN: usize = 50_000;

/// The phones of a tenant on one FreeSWITCH.
#[derive(Clone)]
pub struct Phones {
    client: Client,
    tenant: TenantId,
    /// The device of each contact that was seen: `1005@192.0.2.7:5060`.
    contacts: Arc<Mutex<HashMap<String, DeviceName>>>,
    /// Channels that have begun and not ended, by their events.
    begun: Arc<Mutex<BTreeSet<String>>>,
    changes: broadcast::Sender<DeviceEvent>,
}

/// A channel in the answer to `show channels as json`.
#[derive(Deserialize)]
pub(crate) struct Channel {
    pub(crate) uuid: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    pub(crate) context: String,
}

impl Channel {
    pub(crate) fn listed(answer: &str) -> Result<Vec<Self>, SwitchError> {
        #[derive(Deserialize)]
        struct Listed {
            #[serde(default)]
            rows: Vec<Channel>,
        }
        let listed = serde_json::from_str(answer).map(|Listed { rows }| rows);
        listed.map_err(|error| SwitchError::Refused("show".into(), error.to_string()))
    }
}

/// The devices that have a call: authenticated callers, by user and realm, and contacts that are called.
#[derive(Default)]
struct Calls {
    callers: BTreeSet<(String, String)>,
    called: BTreeSet<String>,
}

impl Phones {
    pub(crate) fn new(client: Client, tenant: TenantId) -> Self {
        Self {
            client,
            tenant,
            contacts: Arc::default(),
            begun: Arc::default(),
            changes: broadcast::Sender::new(EVENTS_KEPT),
        }
    }

    pub(crate) fn hear(&self, event: &Event) {
        if let Some(change) = self.change(event) {
            let _ = self.changes.send(change);
        }
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<DeviceEvent> {
        self.changes.subscribe()
    }

    pub(crate) async fn look_at(&self, devices: &[Device]) -> Result<DeviceStates, SwitchError> {
        let contact = |device: &Device| format!("sofia_contact */{}", self.address(device));
        let mut commands: Vec<String> = devices.iter().map(contact).collect();
        commands.extend(["uptime s".into(), "show channels as json".into()]);
        let mut answers = self.client.api_all(&commands).await?;
        let channels = answers.pop().map_or(String::new(), |answer| value(&answer).to_owned());
        let up = answers.pop().and_then(|answer| value(&answer).parse().ok()).unwrap_or(0);
        let calls = self.calls(&channels).await?;
        let states = devices.iter().zip(&answers).map(|(device, answer)| {
            let contacts: Vec<String> = value(answer).split(',').filter_map(bare).collect();
            self.remember(&contacts, &device.name);
            if calls.are_of(&self.address(device)) || contacts.iter().any(|it| calls.called.contains(it)) {
                DeviceState::Busy
            } else if contacts.is_empty() {
                DeviceState::Gone
            } else {
                DeviceState::Free
            }
        });
        Ok(DeviceStates { states: states.collect(), up: Duration::from_secs(up) })
    }

    /// Rings the contact of a device for [`RING`]; an answered call waits in `hotdesk@code`. The directory's `dial-string` is
    /// not used, as it may lead elsewhere. Early media is no answer, and a redirect by the device ends the call. FreeSWITCH
    /// transfers no call that has one leg (1.10.12).
    pub(crate) async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
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
             {contact} {EXTEND} XML {CODES} Hotdesk Hotdesk {seconds}",
            CODES = CONTEXTS[0],
        );
        self.client.launch(&originate).await
    }

    async fn calls(&self, listed: &str) -> Result<Calls, SwitchError> {
        let listed = Channel::listed(listed)?.into_iter().filter(|channel| channel.name.starts_with(SIP));
        let mut channels: BTreeSet<String> = listed.map(|channel| channel.uuid).collect();
        channels.extend(lock(&self.begun).iter().cloned());
        let ask = |uuid: &String| {
            let call = argument(uuid);
            ["direction", "sip_req_uri", "sip_auth_username", "sip_auth_realm"]
                .map(|variable| format!("uuid_getvar {call} {variable}"))
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

    fn change(&self, event: &Event) -> Option<DeviceEvent> {
        let part = |name| event.get(name).filter(|value| !value.is_empty());
        self.follow(event);
        if event.name().as_deref() == Some("CHANNEL_CREATE") {
            return None;
        }
        let call = event.name().as_deref() == Some("CHANNEL_DESTROY");
        if call && part("Call-Direction").as_deref() == Some("outbound") {
            let device = lock(&self.contacts).get(&*part("variable_sip_req_uri")?).cloned()?;
            return Some(DeviceEvent { device, call });
        }
        // An unregistration and an expiry carry the address of record only.
        let (user, domain) = match call {
            true => (part("variable_sip_auth_username")?, part("variable_sip_auth_realm")),
            false => (
                part("username").or_else(|| part("from-user")).or_else(|| part("user"))?,
                part("realm").or_else(|| part("from-host")).or_else(|| part("host")),
            ),
        };
        let own = self.tenant == TenantId::default()
            || domain.is_some_and(|domain| domain.eq_ignore_ascii_case(self.tenant.as_str()));
        if own { Some(DeviceEvent { device: DeviceName::new(user).ok()?, call }) } else { None }
    }
}

impl Calls {
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

fn value(answer: &Response) -> &str {
    answer.value().unwrap_or_default().trim_end()
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
        assert_eq!(bare("sofia/internal/sip:1005@10.0.0.7:5060;transport=tcp"), "1005@10.0.0.7:5060");
        assert_eq!(bare("error/user_not_registered"), "");
    }

    #[test]
    fn a_call_is_of_who_authenticated_for_it() {
        let callers = BTreeSet::from([("1005".to_owned(), "hotdesk.test".to_owned())]);
        let calls = Calls { callers, called: BTreeSet::new() };
        assert!(calls.are_of("1005") && calls.are_of("1005@Hotdesk.test"));
        assert!(!calls.are_of("1006@hotdesk.test") && !calls.are_of("1005@other.test"));
        assert!(!calls.are_of("100"));
    }
}
