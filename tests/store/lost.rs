//! A store whose data is lost while it is open: it says so, changes nothing, and goes on when the data is back or accepted.

use std::time::Duration;

use hotdesk::store::Keeps;

use super::*;

/// The command line of Redis.
async fn redis(place: &Place, command: &[&str]) {
    let client = ::redis::Client::open(place.url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let (name, args) = command.split_first().unwrap();
    let _: ::redis::Value = ::redis::cmd(name).arg(args).query_async(&mut connection).await.unwrap();
}

async fn is_lost(store: &Arc<dyn Store>, why: &str) {
    let read = store.snapshot(&tenant(), &Scope::All).await.map(drop);
    let written = store.change(&change(What::User(user("199")))).await.map(drop);
    for refused in [read, written] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::Lost(..)), "{error:?}");
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
}

fn files(place: &Place, do_with: impl Fn(&str, PathBuf)) {
    for name in ["hotdesk.db", "hotdesk.db-wal", "hotdesk.db-shm"] {
        do_with(name, place.base.join(name));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_moved_is_lost_until_it_is_back_and_no_new_one_is_made() {
    let place = Place::sqlite();
    let store = place.snapshot(2, 1).await;
    let revision = all(&store).await.revision;
    let away = place.base.join("away");
    std::fs::create_dir(&away).unwrap();
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.changed(&tenant(), revision, Duration::from_secs(20)).await }
    });
    files(&place, |name, path| std::fs::rename(path, away.join(name)).unwrap());
    assert!(matches!(waiting.await.unwrap(), Err(StoreError::Lost(..))), "the feed ends its wait");
    is_lost(&store, "the file is not there any more").await;
    assert!(store.mark(&tenant()).await.is_err() && !place.base.join("hotdesk.db").exists());
    files(&place, |name, path| std::fs::rename(away.join(name), path).unwrap());
    assert_eq!(all(&store).await.users.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced_is_lost_until_it_is_accepted() {
    let place = Place::sqlite();
    let store = place.snapshot(2, 1).await;
    let before = store.mark(&tenant()).await.unwrap();
    files(&place, |_, path| std::fs::remove_file(path).unwrap());
    let other = place.open().await;
    apply(&other, What::User(user("101"))).await;
    is_lost(&store, "another file is there now").await;
    let now = store.mark(&tenant()).await.unwrap();
    assert_eq!(now, other.mark(&tenant()).await.unwrap());
    assert_ne!(now.map(|mark| mark.store), before.map(|mark| mark.store));
    store.accept(&tenant()).await.unwrap();
    assert_eq!(all(&store).await.users.len(), 1);
    apply(&store, What::User(user("102"))).await;
    assert_eq!(all(&other).await.users.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_flushed_is_lost_and_gets_no_new_identity() {
    let place = Place::redis();
    let store = place.snapshot(2, 1).await;
    let revision = all(&store).await.revision;
    let before = store.mark(&tenant()).await.unwrap();
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.changed(&tenant(), revision, Duration::from_secs(20)).await }
    });
    redis(&place, &["FLUSHALL"]).await;
    assert_eq!(waiting.await.unwrap().unwrap(), Revision(0), "the feed says that it went back");
    is_lost(&store, "it is empty").await;
    assert_eq!(store.mark(&tenant()).await.unwrap(), None);
    let other = place.open().await;
    apply(&other, What::User(user("101"))).await;
    is_lost(&store, "the data of another store").await;
    assert_ne!(store.mark(&tenant()).await.unwrap().map(|mark| mark.store), before.map(|mark| mark.store));
    store.accept(&tenant()).await.unwrap();
    assert_eq!(all(&store).await.users.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_goes_back_is_lost() {
    let place = Place::redis();
    let store = place.snapshot(2, 1).await;
    redis(&place, &["COPY", "hotdesk:{default}:revision", "hotdesk:{default}:was"]).await;
    apply(&store, What::User(user("103"))).await;
    all(&store).await;
    redis(&place, &["RENAME", "hotdesk:{default}:was", "hotdesk:{default}:revision"]).await;
    is_lost(&store, "it went back from revision 4 to 3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_drops_data_says_so_also_to_a_user_who_may_not_read_its_configuration() {
    let place = Place::redis();
    redis(&place, &["ACL", "SETUSER", "least", "on", ">pass", "~*", "+@all", "-config"]).await;
    redis(&place, &["ACL", "SETUSER", "mute", "on", ">pass", "~*", "+@all", "-config", "-info"]).await;
    let open = async |user: &str| {
        let url = place.url.replace("redis://", &format!("redis://{user}:pass@"));
        hotdesk::store::open(&url, &place.base).await.unwrap().keeps().await.unwrap()
    };
    let own = place.open().await;
    for (policy, keeps) in [
        ("noeviction", Keeps::All),
        ("allkeys-lru", Keeps::Evicts("maxmemory-policy allkeys-lru".into())),
        ("volatile-ttl", Keeps::Evicts("maxmemory-policy volatile-ttl".into())),
    ] {
        redis(&place, &["CONFIG", "SET", "maxmemory-policy", policy]).await;
        assert_eq!(own.keeps().await.unwrap(), keeps);
        assert_eq!(open("least").await, keeps, "from INFO");
        assert_eq!(open("mute").await, Keeps::Unknown);
    }
}
