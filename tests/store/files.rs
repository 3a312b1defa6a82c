//! What an operator is told when the file cannot be used.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

async fn told(url: &str, base: &Path) -> String {
    match hotdesk::store::open(url, base).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn the_file_is_readable_by_its_owner_only() {
    let place = Place::sqlite();
    let _store = place.office(1, 1).await;
    for file in ["hotdesk.db", "hotdesk.db-wal", "hotdesk.db-shm"] {
        let mode = std::fs::metadata(place.base.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_url_that_is_none_names_the_forms_there_are() {
    let place = Place::sqlite();
    for url in
        ["", "hotdesk.db", "sqlite:", "postgres://hotdesk:s3cret@db/hotdesk", "redis://:s3cret@[nonsense"]
    {
        let told = told(url, &place.base).await;
        assert!(told.contains("redis://"), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn a_directory_that_is_missing_is_named() {
    let place = Place::sqlite();
    let told = told("sqlite:nowhere/hotdesk.db", &place.base).await;
    let file = place.base.join("nowhere/hotdesk.db");
    assert!(told.contains(file.to_str().unwrap()) && told.contains("directory must exist"), "{told}");
}

#[tokio::test]
async fn a_directory_in_place_of_the_file_is_refused() {
    let place = Place::sqlite();
    std::fs::create_dir(place.base.join("hotdesk.db")).unwrap();
    let told = told(&place.url, &place.base).await;
    assert!(told.contains("hotdesk.db") && told.contains("must be writable"), "{told}");
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let place = Place::sqlite();
    let file = place.base.join("hotdesk.db");
    let text = "[store]\nurl = \"sqlite:hotdesk.toml\"\n".repeat(100);
    std::fs::write(&file, &text).unwrap();
    let told = told(&place.url, &place.base).await;
    assert!(told.contains("restore a backup"), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_alone() {
    let place = Place::sqlite();
    let file = place.base.join("hotdesk.db");
    let theirs = rusqlite::Connection::open(&file).unwrap();
    theirs.execute_batch("CREATE TABLE astdb (key TEXT, value TEXT)").unwrap();
    theirs.close().unwrap();
    let before = std::fs::read(&file).unwrap();
    let told = told(&place.url, &place.base).await;
    assert!(told.contains("something else"), "{told}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_newer_hotdesks_file_is_refused() {
    let place = Place::sqlite();
    drop(place.office(1, 1).await);
    let newer = rusqlite::Connection::open(place.base.join("hotdesk.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    let told = told(&place.url, &place.base).await;
    assert!(told.contains("newer hotdesk") && told.contains("99"), "{told}");
}

#[tokio::test]
async fn a_file_from_before_the_first_release_is_refused_and_left_alone() {
    let place = Place::sqlite();
    drop(place.office(1, 1).await);
    let older = rusqlite::Connection::open(place.base.join("hotdesk.db")).unwrap();
    older.pragma_update(None, "user_version", 1).unwrap();
    let told = told(&place.url, &place.base).await;
    assert!(told.contains("before the first release") && told.contains("move it aside"), "{told}");
    let version: i64 = older.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_no_panic() {
    let place = Place::sqlite();
    let _sound = place.office(50, 50).await;
    let file = place.base.join("damaged.db");
    let copy = format!("VACUUM INTO '{}'", file.display());
    rusqlite::Connection::open(place.base.join("hotdesk.db")).unwrap().execute_batch(&copy).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    // The first page stays, with the tables' names; the rest is noise.
    for (n, byte) in bytes.iter_mut().enumerate().skip(4096) {
        *byte = (n % 251) as u8;
    }
    std::fs::write(&file, bytes).unwrap();
    let store = hotdesk::store::open("sqlite:damaged.db", &place.base).await.unwrap();
    let error = store.office(&tenant(), &Scope::All).await.unwrap_err();
    assert!(matches!(&error, StoreError::Broken(..)), "{error}");
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_keeps_the_file_locked_is_waited_for_but_not_for_ever() {
    let place = Place::sqlite();
    let store = place.office(1, 1).await;
    let other = rusqlite::Connection::open(place.base.join("hotdesk.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let asked = Instant::now();
    let error = doing(&store, sit(ext("101"), name("desk1"))).await.unwrap_err();
    assert!(matches!(&error, StoreError::Away(..)), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(all(&store).await.users.len(), 1, "reading goes on");
    other.execute_batch("COMMIT").unwrap();
    seat(&store, "101", "desk1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_open_it_for_the_first_time_at_once() {
    for _ in 0..20 {
        let place = Arc::new(Place::sqlite());
        let opened: Vec<_> = (0..8)
            .map(|_| {
                let place = Arc::clone(&place);
                tokio::spawn(async move { hotdesk::store::open(&place.url, &place.base).await.map(drop) })
            })
            .collect();
        for opened in opened {
            opened.await.unwrap().unwrap();
        }
    }
}
