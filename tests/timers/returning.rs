//! A softphone that its user switched off rings again once it unregisters and registers.

use hotdesk::model::directory::Kind;
use hotdesk::model::settings::Setting;

use super::*;

impl Day {
    async fn softphone(&self) {
        let (kind, owner) = (Kind::Softphone, Some(ext("102")));
        let softphone = Device { kind, owner, hotdesk: false, location: None, ..device("soft-102") };
        change(&self.store, What::Device(softphone)).await;
    }

    async fn rings(&self, on: bool) {
        change(&self.store, What::Setting(ext("102"), Setting::Ring(name("soft-102"), on))).await;
        self.quiet().await;
    }

    /// The user's setting for it.
    async fn chosen(&self) -> Option<bool> {
        let snapshot = self.store.snapshot(&TenantId::default(), &Scope::All).await.unwrap();
        snapshot.users[&ext("102")].profile.rings.devices.get(&name("soft-102")).copied()
    }

    /// How often the controller switched it on.
    async fn switched_on(&self) -> usize {
        let journal = self.store.journal(&TenantId::default(), Revision(0), 10_000).await.unwrap();
        let by_itself = |entry: &&Entry| {
            entry.by == Actor::Controller && matches!(entry.event, Event::SettingChanged { .. })
        };
        journal.iter().filter(by_itself).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_softphone_that_registers_again_rings_again_until_its_user_switches_it_off() {
    let day = Day::begin("").await;
    day.softphone().await;
    day.rings(false).await;
    // These states change no setting.
    for doing in [DeviceState::Free, DeviceState::Busy, DeviceState::Unknown, DeviceState::Free] {
        day.does("soft-102", doing).await;
    }
    assert_eq!(day.chosen().await, Some(false));
    day.does("soft-102", DeviceState::Gone).await;
    assert_eq!(day.chosen().await, Some(false), "as long as it is unregistered");
    day.does("soft-102", DeviceState::Free).await;
    assert_eq!((day.chosen().await, day.switched_on().await), (Some(true), 1));
    // Switched off again while registered: it stays off.
    day.rings(false).await;
    day.does("soft-102", DeviceState::Free).await;
    assert_eq!((day.chosen().await, day.switched_on().await), (Some(false), 1));
    // A softphone that is on stays as it is.
    day.rings(true).await;
    day.does("soft-102", DeviceState::Gone).await;
    day.does("soft-102", DeviceState::Free).await;
    assert_eq!((day.chosen().await, day.switched_on().await), (Some(true), 1));
    assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_switch_switches_no_softphone_on_but_an_earlier_unregistration_does() {
    let day = Day::begin("").await;
    day.softphone().await;
    day.does("soft-102", DeviceState::Free).await;
    day.rings(false).await;
    *day.phones.started.lock().unwrap() = at("2026-11-18T10:01");
    day.is("2026-11-18T10:02").await;
    day.does("soft-102", DeviceState::Gone).await;
    day.does("soft-102", DeviceState::Free).await;
    assert_eq!(day.chosen().await, Some(false), "the switch did not know its contact yet");
    day.does("soft-102", DeviceState::Gone).await;
    *day.phones.started.lock().unwrap() = at("2026-11-18T10:03");
    day.is("2026-11-18T10:04").await;
    day.does("soft-102", DeviceState::Free).await;
    assert_eq!((day.chosen().await, day.switched_on().await), (Some(true), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_several_controllers_a_softphone_is_switched_on_once() {
    let day = Day::begin("").await;
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    day.controller(stop);
    day.softphone().await;
    day.does("soft-102", DeviceState::Free).await;
    day.rings(false).await;
    day.does("soft-102", DeviceState::Gone).await;
    day.does("soft-102", DeviceState::Free).await;
    assert_eq!(day.chosen().await, Some(true));
    day.rings(false).await;
    assert_eq!(day.chosen().await, Some(false), "only one controller switched it on");
}
