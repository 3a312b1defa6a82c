//! A store and a switch in memory, so that only what is between them is measured.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hotdesk::controller::Controller;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::controller::reconcile::{Kept, Reconciler};
use hotdesk::desk::code::Codes;
use hotdesk::desk::id::{DeviceName, DialTarget, Extension, Revision, SwitchName, TenantId};
use hotdesk::desk::journal::Entry;
use hotdesk::desk::leave::Seen;
use hotdesk::desk::lock::Attempt;
use hotdesk::desk::model::{Device, Office, User};
use hotdesk::desk::pin::{Cost, Pepper, Pin, PinRecord};
use hotdesk::desk::reach::Reach;
use hotdesk::desk::seat::{Move, Transition};
use hotdesk::desk::table::{Edit, Key, Scope, Table};
use hotdesk::store::{Change, Guess, Import, Note, Store, StoreError, Tried, Trim, Trimmed};
use hotdesk::switch::activity::{Doing, Look, Stir};
use hotdesk::switch::{Switch, SwitchError};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

/// What answers the calls of so many users, each at a desk of his own, until the token is cancelled.
pub fn controller(users: usize) -> (Arc<Controller>, CancellationToken) {
    let store: Arc<dyn Store> = Arc::new(Memory::furnished(users, &pepper()));
    let (name, stop) = (SwitchName::default(), CancellationToken::new());
    let kept = Kept { name: name.clone(), tenant: TenantId::default(), reach: Reach::default() };
    let (reconciler, _) =
        Reconciler::start(kept, store.clone(), Arc::new(ToySwitch::default()), stop.clone());
    let controller = Controller {
        store,
        pins: Pins::new(pepper()),
        codes: watch::channel(Arc::new(Codes::default().into())).1,
        rules: watch::channel(Arc::default()).1,
        switches: BTreeMap::from([((name, TenantId::default()), reconciler)]),
        clock: Clock::Wall,
    };
    (Arc::new(controller), stop)
}

/// What the PINs were hashed with.
pub fn pepper() -> Pepper {
    Pepper::new([42; 64])
}

/// An office that is never changed but by who sits where.
pub struct Memory {
    office: Mutex<Office>,
    pins: Vec<PinRecord>,
}

impl Memory {
    /// Users from 10000 on, each with the PIN 729154, and as many desks.
    pub fn furnished(count: usize, pepper: &Pepper) -> Self {
        let (mut office, mut pins) = (Office::default(), vec![]);
        let tenant = TenantId::default();
        for n in 0..count {
            let user = Extension::new(format!("{}", 10_000 + n)).unwrap();
            let cost = Cost { memory_kib: 8, passes: 1 };
            pins.push(PinRecord::make_at(
                cost,
                &Pin::new("729154").unwrap(),
                pepper,
                &tenant,
                &user,
                [9; 16],
            ));
            office.users.insert(user.clone(), User::new(tenant.clone(), user));
            let dial = DialTarget::new(format!("PJSIP/desk{n}")).unwrap();
            let name = DeviceName::new(format!("desk{n}")).unwrap();
            let device = Device::new(TenantId::default(), name, SwitchName::default(), dial);
            office.devices.insert(device.name.clone(), device);
        }
        Self { office: Mutex::new(office), pins }
    }
}

#[async_trait]
impl Store for Memory {
    async fn office(&self, _: &TenantId, scope: &Scope) -> Result<Office, StoreError> {
        let all = self.office.lock().unwrap();
        let Scope::Some { users, devices } = scope else {
            return Ok(Office { revision: all.revision, ..Office::default() });
        };
        let mut office = Office { revision: all.revision, ..Office::default() };
        // Each user logs in once, at a desk of his own: nobody owns one, nobody sits elsewhere.
        let mut users = users.clone();
        users.extend(devices.iter().filter_map(|device| Some(all.bindings.get(device)?.user.clone())));
        office
            .users
            .extend(users.iter().filter_map(|user| Some((user.clone(), all.users.get(user)?.clone()))));
        for device in devices.clone() {
            office
                .bindings
                .extend(all.bindings.get(&device).map(|binding| (device.clone(), binding.clone())));
            office.devices.extend(all.devices.get(&device).map(|known| (device.clone(), known.clone())));
        }
        Ok(office)
    }

    async fn change(&self, _: &Change) -> Result<Revision, StoreError> {
        Err(StoreError::Missing("way to change this office".into()))
    }

    async fn import(&self, _: &Import) -> Result<Revision, StoreError> {
        Err(StoreError::Missing("way to change this office".into()))
    }

    async fn move_people(&self, act: &Move) -> Result<Transition, StoreError> {
        let office = self.office(&act.tenant, &act.act.scope()).await?;
        let done = act.act.transition(&office, act.at)?;
        let mut all = self.office.lock().unwrap();
        all.revision = done.revision;
        for binding in &done.removed {
            all.bindings.remove(&binding.device);
        }
        all.bindings.extend(done.seated.iter().map(|binding| (binding.device.clone(), binding.clone())));
        Ok(done)
    }

    async fn pin(&self, _: &TenantId, user: &Extension) -> Result<Option<PinRecord>, StoreError> {
        let n: usize = user.as_str().parse().unwrap();
        Ok(n.checked_sub(10_000).and_then(|n| self.pins.get(n)).cloned())
    }

    async fn rehash(
        &self,
        _: &TenantId,
        _: &Extension,
        _: &PinRecord,
        _: &PinRecord,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn attempt(&self, _: &Guess) -> Result<Attempt, StoreError> {
        Ok(Attempt { allowed: Ok(()), spray: vec![] })
    }

    async fn tries(&self, _: &TenantId) -> Result<Vec<Tried>, StoreError> {
        Ok(vec![])
    }

    async fn forgive(&self, _: &Guess) -> Result<(), StoreError> {
        Ok(())
    }

    async fn record(&self, _: &[Entry]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn journal(&self, _: &TenantId, _: Revision, _: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(vec![])
    }

    async fn revision_at(&self, _: &TenantId, _: Timestamp) -> Result<Revision, StoreError> {
        Ok(Revision(0))
    }

    async fn trim(&self, _: &Trim) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn trimmed(&self, _: &TenantId) -> Result<Trimmed, StoreError> {
        Ok(Trimmed::default())
    }

    async fn seen(&self, _: &TenantId, _: &Scope) -> Result<BTreeMap<DeviceName, Seen>, StoreError> {
        Ok(BTreeMap::new())
    }

    async fn note(&self, _: &TenantId, notes: &[Note]) -> Result<Vec<bool>, StoreError> {
        Ok(vec![false; notes.len()])
    }

    async fn changed(
        &self,
        _: &TenantId,
        after: Revision,
        patience: Duration,
    ) -> Result<Revision, StoreError> {
        tokio::time::sleep(patience).await;
        Ok(after)
    }
}

/// A switch that holds what it is told.
pub struct ToySwitch {
    table: Mutex<Table>,
    unsettled: watch::Sender<u64>,
}

impl Default for ToySwitch {
    fn default() -> Self {
        Self { table: Mutex::default(), unsettled: watch::Sender::new(0) }
    }
}

#[async_trait]
impl Switch for ToySwitch {
    async fn read(&self, scope: &Scope, _: &Table) -> Result<Table, SwitchError> {
        let Scope::Some { users, devices } = scope else { return Ok(Table::new()) };
        let table = self.table.lock().unwrap();
        let users = users.iter().flat_map(|user| [Key::User(user.clone()), Key::Lamp(user.clone())]);
        let devices =
            devices.iter().flat_map(|device| [Key::Device(device.clone()), Key::Seat(device.clone())]);
        let keys = users.chain(devices);
        Ok(keys.filter_map(|key| Some((key.clone(), table.get(&key)?.clone()))).collect())
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        let mut table = self.table.lock().unwrap();
        for Edit { key, is, .. } in edits {
            match is {
                Some(row) => table.insert(key.clone(), row.clone()),
                None => table.remove(key),
            };
        }
        Ok(())
    }

    async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError> {
        Ok(Look { up: Duration::from_secs(3600), doing: vec![Doing::Free; devices.len()] })
    }

    async fn ring(&self, _: &Device, _: Timestamp) -> Result<(), SwitchError> {
        Ok(())
    }

    fn stirs(&self) -> broadcast::Receiver<Stir> {
        broadcast::Sender::new(1).subscribe()
    }

    fn unsettled(&self) -> watch::Receiver<u64> {
        self.unsettled.subscribe()
    }
}
