//! The mark on a Redis' data: which version it is of.

use std::time::Duration;

use hotdesk::desk::id::Revision;

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
    let told = error.to_string();
    assert!(told.contains("a newer hotdesk wrote it (data of version 3, this one knows 2)"), "{of}: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_is_marked_and_data_from_before_the_mark_is_taken_over() {
    let place = Place::redis();
    let store = place.office(1, 1).await;
    assert_eq!(redis::<String>(&place, &["GET", MARK]).await, "2");
    let _: u8 = redis(&place, &["DEL", MARK]).await;
    assert_eq!(all(&store).await.users.len(), 1);
    assert_eq!(store.journal(&tenant(), Revision(0), 9).await.unwrap().len(), 2);
    seat(&store, "101", "desk1").await;
    assert_eq!(redis::<String>(&place, &["GET", MARK]).await, "2");
    assert_eq!(seated(&all(&store).await), ["101@desk1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_hotdesks_data_is_refused_and_left_alone() {
    let place = Place::redis();
    let (running, other) = (place.office(1, 1).await, TenantId::new("other").unwrap());
    let before: String = redis(&place, &["GET", "hotdesk:{default}:revision"]).await;
    // Also where it was upgraded while we have a connection.
    let _: String = redis(&place, &["SET", MARK, "3"]).await;
    for store in [running, place.open().await] {
        let none = Duration::ZERO;
        refused("office", store.office(&tenant(), &Scope::All).await);
        refused("change", store.change(&change(What::User(user("102")))).await);
        refused("move", doing(&store, sit(ext("101"), name("desk1"))).await);
        refused("attempt", store.attempt(&guess("101", "desk1", 0)).await);
        refused("journal", store.journal(&tenant(), Revision(0), 9).await);
        refused("pin", store.pin(&tenant(), &ext("101")).await);
        refused("tries", store.tries(&tenant()).await);
        refused("trimmed", store.trimmed(&tenant()).await);
        refused("changed", store.changed(&tenant(), Revision(99), none).await);
        assert!(
            store.office(&other, &Scope::All).await.unwrap().users.is_empty(),
            "another company's is its own"
        );
    }
    let after: String = redis(&place, &["GET", "hotdesk:{default}:revision"]).await;
    assert_eq!(after, before);
    let _: String = redis(&place, &["SET", MARK, "2"]).await;
    assert_eq!(all(&place.open().await).await.bindings.len(), 0, "nobody was seated meanwhile");
}
