//! A store and a switch in memory, so that the benchmarks measure only the work between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use hotdesk::asterisk::namespace::Namespace;
use hotdesk::asterisk::table::rows;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::controller::reconcile::{Kept, PATIENCE, Reconciler};
use hotdesk::controller::{Controller, commands};
use hotdesk::model::codes::{CodeSettings, Preset};
use hotdesk::model::command::Change;
use hotdesk::model::desired::{self, About, Desired, Reading, Records, Subjects};
use hotdesk::model::directory::change::{DirectoryChange, DirectoryCommand, DirectoryRules, Edit};
use hotdesk::model::directory::{Device, User};
use hotdesk::model::id::{DeviceName, DialTarget, Extension, SwitchName, TenantId};
use hotdesk::model::journal::Actor;
use hotdesk::model::login::pin::{Cost, Pepper, Pin, PinRecord};
use hotdesk::model::number_pattern::NumberPattern;
use hotdesk::model::routes::Routes;
use hotdesk::store::{Memory, Store};
use hotdesk::switch::device_state::{DeviceEvent, DeviceState, DeviceStates};
use hotdesk::switch::{Switch, SwitchError};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

/// A controller for so many users and devices, until the token is cancelled. The switch has their records.
pub async fn controller(users: usize) -> (Arc<Controller>, CancellationToken) {
    let store: Arc<dyn Store> = Arc::new(furnished(users, &pepper()));
    let (name, stop) = (SwitchName::default(), CancellationToken::new());
    let kept = Kept {
        name: name.clone(),
        tenant: TenantId::default(),
        routes: Routes::default(),
        patience: PATIENCE,
    };
    let switch = Arc::new(ToySwitch::default());
    let (reconciler, _) = Reconciler::start(kept, store.clone(), switch.clone(), stop.clone());
    while switch.table.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let wanted = CodeSettings { presets: vec![Preset::Simmpl], ..CodeSettings::default() };
    let codes = wanted.codes(&[NumberPattern::new("XXXXX").unwrap()], &[]).unwrap();
    let controller = Controller {
        store,
        pins: Pins::at(COST, pepper()),
        codes: watch::channel(Arc::new(codes.into())).1,
        rules: watch::channel(Arc::default()).1,
        switches: BTreeMap::from([((name, TenantId::default()), reconciler)]),
        clock: Clock::machine(),
    };
    (Arc::new(controller), stop)
}

/// Next to nothing.
const COST: Cost = Cost { memory_kib: 8, passes: 1 };

/// The pepper that the PINs were hashed with.
pub fn pepper() -> Pepper {
    Pepper::new([42; 64])
}

/// A store with users from 10000 on, each with the PIN 729154, and as many devices.
fn furnished(count: usize, pepper: &Pepper) -> Memory {
    let tenant = TenantId::default();
    let mut changes = vec![];
    for n in 0..count {
        let user = Extension::new(format!("{}", 10_000 + n)).unwrap();
        let pin = Pin::new("729154").unwrap();
        let record = PinRecord::make_at(COST, &pin, pepper, &tenant, &user, [9; 16]);
        let dial = DialTarget::new(format!("PJSIP/desk{n}")).unwrap();
        let name = DeviceName::new(format!("desk{n}")).unwrap();
        let device = Device::new(tenant.clone(), name, SwitchName::default(), dial);
        changes.push(DirectoryChange::User(Edit::put(User::new(tenant.clone(), user.clone()))));
        changes.push(DirectoryChange::Pin(user, record));
        changes.push(DirectoryChange::Device(Edit::put(device)));
    }
    let change = Change::Directory(DirectoryCommand { changes, rules: DirectoryRules::default() });
    let by = (Actor::Controller, Timestamp::now());
    let store = Memory::default();
    // A store in memory never waits.
    commands::change(&store, &tenant, by, change).now_or_never().unwrap().unwrap();
    store
}

/// A switch that keeps the records it is given.
pub struct ToySwitch {
    table: Mutex<Records>,
    in_doubt: watch::Sender<u64>,
}

impl Default for ToySwitch {
    fn default() -> Self {
        Self { table: Mutex::default(), in_doubt: watch::Sender::new(0) }
    }
}

fn space() -> Namespace {
    Namespace::of(&TenantId::default())
}

#[async_trait]
impl Switch for ToySwitch {
    async fn read(&self, subjects: &Subjects) -> Result<Reading, SwitchError> {
        if subjects.others {
            return Ok(Reading { records: self.table.lock().unwrap().clone(), ..Reading::default() });
        }
        let table = self.table.lock().unwrap();
        let users = subjects.users.iter().map(|user| About::User(user.clone()));
        let about = users.chain(subjects.devices.iter().map(|device| About::Device(device.clone())));
        let keys = about.filter_map(|about| rows::key_of(&space(), about));
        let records = keys.filter_map(|key| Some((key.clone(), table.get(&key)?.clone()))).collect();
        Ok(Reading { records, ..Reading::default() })
    }

    fn project(&self, desired: &Desired, found: &Records) -> Records {
        rows::project(&space(), desired, found)
    }

    async fn apply(&self, edits: &[desired::Edit]) -> Result<(), SwitchError> {
        let mut table = self.table.lock().unwrap();
        for desired::Edit { key, is, .. } in edits {
            match is {
                Some(row) => table.insert(key.clone(), row.clone()),
                None => table.remove(key),
            };
        }
        Ok(())
    }

    async fn device_states(&self, devices: &[Device]) -> Result<DeviceStates, SwitchError> {
        Ok(DeviceStates { up: Duration::from_secs(3600), states: vec![DeviceState::Free; devices.len()] })
    }

    async fn ring(&self, _: &Device, _: Timestamp) -> Result<(), SwitchError> {
        Ok(())
    }

    fn device_events(&self) -> broadcast::Receiver<DeviceEvent> {
        broadcast::Sender::new(1).subscribe()
    }

    fn in_doubt(&self) -> watch::Receiver<u64> {
        self.in_doubt.subscribe()
    }
}
