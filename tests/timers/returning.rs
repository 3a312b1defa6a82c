//! A softphone that was switched off is on again once it signs out and in.

use hotdesk::desk::model::Kind;
use hotdesk::desk::setting::Setting;

use super::*;

impl Day {
    async fn softphone(&self) {
        let (kind, owner) = (Kind::Softphone, Some(ext("102")));
        let softphone = Device { kind, owner, hotdesk: false, location: None, ..device("soft-102") };
        change(&self.store, What::Device(softphone)).await;
    }

    async fn rings(&self, on: bool) {
        change(&self.store, What::Setting(ext("102"), Setting::Ring(name("soft-102"), on))).await;
        self.settled().await;
    }

    /// What is chosen for it.
    async fn chosen(&self) -> Option<bool> {
        let office = self.store.office(&TenantId::default(), &Scope::All).await.unwrap();
        office.users[&ext("102")].profile.rings.devices.get(&name("soft-102")).copied()
    }

    /// How often it was switched on by itself.
    async fn switched_on(&self) -> usize {
        let journal = self.store.journal(&TenantId::default(), Revision(0), 10_000).await.unwrap();
        let by_itself = |entry: &&Entry| {
            entry.by == Actor::Controller && matches!(entry.event, Event::SettingChanged { .. })
        };
        journal.iter().filter(by_itself).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_softphone_that_signs_out_and_in_again_is_on_again_and_stays_as_it_is_chosen_then() {
    let day = Day::begin("").await;
    day.softphone().await;
    day.rings(false).await;
    // That it is there, calls, or is not known means nothing.
    for doing in [Doing::Free, Doing::Busy, Doing::Unknown, Doing::Free] {
        day.does("soft-102", doing).await;
    }
    assert_eq!(day.chosen().await, Some(false));
    day.does("soft-102", Doing::Gone).await;
    assert_eq!(day.chosen().await, Some(false), "as long as it is gone");
    day.does("soft-102", Doing::Free).await;
    assert_eq!((day.chosen().await, day.switched_on().await), (Some(true), 1));
    // Off once more: it is here, and stays off.
    day.rings(false).await;
    day.does("soft-102", Doing::Free).await;
    assert_eq!((day.chosen().await, day.switched_on().await), (Some(false), 1));
    // One that is on is nobody's business.
    day.rings(true).await;
    day.does("soft-102", Doing::Gone).await;
    day.does("soft-102", Doing::Free).await;
    assert_eq!((day.chosen().await, day.switched_on().await), (Some(true), 1));
    assert_eq!(day.seats().await, ["101@desk1", "103@desk3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_switch_is_no_signing_in_but_one_that_was_out_before_comes_back() {
    let day = Day::begin("").await;
    day.softphone().await;
    day.does("soft-102", Doing::Free).await;
    day.rings(false).await;
    *day.floor.started.lock().unwrap() = at("2026-11-18T10:01");
    day.is("2026-11-18T10:02").await;
    day.does("soft-102", Doing::Gone).await;
    day.does("soft-102", Doing::Free).await;
    assert_eq!(day.chosen().await, Some(false), "the switch did not know it yet");
    day.does("soft-102", Doing::Gone).await;
    *day.floor.started.lock().unwrap() = at("2026-11-18T10:03");
    day.is("2026-11-18T10:04").await;
    day.does("soft-102", Doing::Free).await;
    assert_eq!((day.chosen().await, day.switched_on().await), (Some(true), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_several_controllers_it_is_on_as_well() {
    let day = Day::begin("").await;
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    day.controller(stop);
    day.softphone().await;
    day.does("soft-102", Doing::Free).await;
    day.rings(false).await;
    day.does("soft-102", Doing::Gone).await;
    day.does("soft-102", Doing::Free).await;
    assert_eq!(day.chosen().await, Some(true));
    day.rings(false).await;
    assert_eq!(day.chosen().await, Some(false), "it was seen once");
}
