//! The versions of the data: a newer one is refused, an older one is migrated with everything in it.

use std::time::Duration;

use hotdesk::model::id::Revision;
use hotdesk::model::journal::Event;
use hotdesk::model::login::refusal::Refusal;

use super::*;

const MARK: &str = "hotdesk:{default}:version";

async fn redis<T: ::redis::FromRedisValue>(place: &Place, command: &[&str]) -> T {
    let client = ::redis::Client::open(place.url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let (name, args) = command.split_first().unwrap();
    ::redis::cmd(name).arg(args).query_async(&mut connection).await.unwrap()
}

fn refused<T>(of: &str, result: Result<T, StoreError>) {
    let error = result.err().expect(of);
    assert!(matches!(&error, StoreError::Broken(..)), "{of}: {error:?}");
    let text = error.to_string();
    assert!(text.contains("a newer hotdesk wrote it (data of version 7, this one knows 6)"), "{of}: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_hotdesks_data_is_refused_and_left_alone() {
    let place = Place::redis();
    let (running, other) = (place.snapshot(1, 1).await, TenantId::new("other").unwrap());
    let before: String = redis(&place, &["GET", "hotdesk:{default}:revision"]).await;
    // Also for a store that is connected during the upgrade.
    let _: String = redis(&place, &["SET", MARK, "7"]).await;
    for store in [running, place.open().await] {
        let none = Duration::ZERO;
        refused("snapshot", store.snapshot(&tenant(), &Scope::All).await);
        refused("change", store.change(&change(What::User(user("102")))).await);
        refused("move", execute(&store, log_in_command(ext("101"), name("desk1"))).await);
        refused("attempt", store.attempt(&guess("101", "desk1", 0)).await);
        refused("journal", store.journal(&tenant(), Revision(0), 9).await);
        refused("pin", store.pin(&tenant(), &ext("101")).await);
        refused("tries", store.tries(&tenant()).await);
        refused("trimmed", store.trimmed(&tenant()).await);
        refused("changed", store.changed(&tenant(), Revision(99), none).await);
        assert!(
            store.snapshot(&other, &Scope::All).await.unwrap().users.is_empty(),
            "another tenant is not touched"
        );
    }
    let after: String = redis(&place, &["GET", "hotdesk:{default}:revision"]).await;
    assert_eq!(after, before);
    let _: String = redis(&place, &["SET", MARK, "6"]).await;
    assert_eq!(all(&place.open().await).await.sessions.len(), 0, "no login came through meanwhile");
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store").join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_an_older_version_is_migrated_with_everything_in_it() {
    for version in ["version-2.db", "version-3.db", "version-4.db", "version-5.db"] {
        let place = Place::sqlite();
        std::fs::copy(fixture(version), place.base.join("hotdesk.db")).unwrap();
        everything_is_there(&place).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_of_an_older_version_is_migrated_with_everything_in_it() {
    for version in
        ["version-2.redis.jsonl", "version-3.redis.jsonl", "version-4.redis.jsonl", "version-5.redis.jsonl"]
    {
        let place = Place::redis();
        for line in std::fs::read_to_string(fixture(version)).unwrap().lines() {
            let command: Vec<String> = serde_json::from_str(line).unwrap();
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            let _: ::redis::Value = redis(&place, &words).await;
        }
        everything_is_there(&place).await;
        assert_eq!(redis::<String>(&place, &["GET", MARK]).await, "6");
        for old in ["users", "devices", "locations", "pins", "seats", "tries", "tried"] {
            assert!(
                !redis::<bool>(&place, &["EXISTS", &format!("hotdesk:{{default}}:{old}")]).await,
                "{old}"
            );
        }
    }
}

/// The fixtures of version 2 were written by the same commands of a program of that version, those of versions 3 to 5 by
/// migrations of these. The failures, the end of a call, the counts, and
/// the session of 103 with its device's journal entry and lost registration were added by hand.
async fn everything_is_there(place: &Place) {
    // Several controllers start at once.
    let stores = [place.open().await, place.open().await, place.open().await];
    let [one, two, three] = [&stores[0], &stores[1], &stores[2]];
    let (tenant, whole) = (tenant(), Scope::All);
    let (store, other, last) = tokio::join!(
        one.snapshot(&tenant, &whole),
        two.snapshot(&tenant, &whole),
        three.snapshot(&tenant, &whole)
    );
    let snapshot = store.unwrap();
    assert_eq!((&snapshot, &snapshot), (&other.unwrap(), &last.unwrap()));
    assert_eq!(sessions_of(&snapshot), ["103@desk1", "102@desk2", "101@desk3"]);
    assert_eq!(snapshot.revision, Revision(27));
    // One identity, whichever of them made it.
    let marks = [one.mark(&tenant).await, two.mark(&tenant).await, place.open().await.mark(&tenant).await];
    let marks = marks.map(|mark| mark.unwrap().unwrap());
    assert!(marks.iter().all(|mark| *mark == marks[0] && mark.revision == snapshot.revision), "{marks:?}");
    let (users, devices) = (&snapshot.users, &snapshot.devices);
    assert_eq!(users.keys().map(Extension::as_str).collect::<Vec<_>>(), ["101", "102", "103"]);
    assert_eq!(
        devices.keys().map(DeviceName::as_str).collect::<Vec<_>>(),
        ["desk1", "desk2", "desk3", "soft1"]
    );
    let ann = &users[&ext("101")];
    assert_eq!(ann.name.as_ref().unwrap().to_string(), "Ann");
    assert!(ann.auto_logout.after.is_some() && devices[&name("desk3")].auto_logout.idle.is_some());
    assert!(snapshot.locations[&at("ams")].auto_logout.at.is_some());
    assert_eq!(ann.profile.forward.busy.as_ref().unwrap().as_str(), "102");
    assert!(
        ann.profile.groups.values().all(|membership| membership.signed_in) && !ann.profile.groups.is_empty()
    );
    assert_eq!(devices[&name("desk3")].owner, Some(ext("103")));
    assert!(one.pin(&tenant, &ext("101")).await.unwrap().is_some());
    assert!(one.pin(&tenant, &ext("103")).await.unwrap().is_none());

    let failures = one.failures(&tenant).await.unwrap();
    let (_, failures) = failures.first_key_value().unwrap();
    assert_eq!((failures.recent.len(), failures.in_a_row, failures.last), (2, 2, 1_795_000_009));
    let observed = one.observations(&tenant, &Scope::All).await.unwrap();
    let (lost, called) = (observed[&name("desk1")], observed[&name("desk3")]);
    assert!(lost.unregistered.is_some() && called.unregistered.is_none());
    assert!(called.last_call.is_some() && called.extended.is_some());

    let entries = one.journal(&tenant, Revision(0), 100).await.unwrap();
    assert_eq!(entries.len(), 27);
    assert_eq!(entries[26].by, Actor::Device(name("desk1")));
    let kinds = |of: fn(&Event) -> bool| entries.iter().filter(|entry| of(&entry.event)).count();
    assert_eq!(kinds(|event| matches!(event, Event::SessionsChanged { .. })), 6);
    assert_eq!(kinds(|event| matches!(event, Event::Extended { .. })), 1);
    let trimmed = one.trimmed(&tenant).await.unwrap();
    let counted: u64 = trimmed.counts.days().flat_map(|(_, counts)| counts.values()).sum();
    assert_eq!(counted, 4);

    // It goes on from there: a login moves the session, and the owner's index knows the device.
    let moved = log_in(one, "101", "desk1").await;
    assert_eq!((moved.revision, moved.moved_from()), (Revision(28), Some(&name("desk3"))));
    let of_owner = one.snapshot(&tenant, &Scope::user(&ext("103"))).await.unwrap();
    assert!(of_owner.devices.contains_key(&name("desk3")));
    let refused = one.change(&change(What::RemoveLocation(at("ams")))).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::LocationInUse(..)))), "{refused:?}");
}
