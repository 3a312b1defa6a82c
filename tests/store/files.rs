//! The errors that an operator gets when the file cannot be used.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

async fn error_of(url: &str, base: &Path) -> String {
    match hotdesk::store::open(url, base).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn the_file_is_readable_by_its_owner_only() {
    let place = Place::sqlite();
    let _store = place.snapshot(1, 1).await;
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
        let error = error_of(url, &place.base).await;
        assert!(error.contains("redis://"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_directory_that_is_missing_is_named() {
    let place = Place::sqlite();
    let error = error_of("sqlite:nowhere/hotdesk.db", &place.base).await;
    let file = place.base.join("nowhere/hotdesk.db");
    assert!(error.contains(file.to_str().unwrap()) && error.contains("directory must exist"), "{error}");
}

#[tokio::test]
async fn a_directory_in_place_of_the_file_is_refused() {
    let place = Place::sqlite();
    std::fs::create_dir(place.base.join("hotdesk.db")).unwrap();
    let error = error_of(&place.url, &place.base).await;
    assert!(error.contains("hotdesk.db") && error.contains("must be writable"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_not_changed() {
    let place = Place::sqlite();
    let file = place.base.join("hotdesk.db");
    let text = "[store]\nurl = \"sqlite:hotdesk.toml\"\n".repeat(100);
    std::fs::write(&file, &text).unwrap();
    let error = error_of(&place.url, &place.base).await;
    assert!(error.contains("restore a backup"), "{error}");
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
    let error = error_of(&place.url, &place.base).await;
    assert!(error.contains("another program"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_newer_hotdesks_file_is_refused() {
    let place = Place::sqlite();
    drop(place.snapshot(1, 1).await);
    let newer = rusqlite::Connection::open(place.base.join("hotdesk.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    let error = error_of(&place.url, &place.base).await;
    assert!(error.contains("newer hotdesk") && error.contains("99"), "{error}");
}

#[tokio::test]
async fn a_file_from_before_the_first_release_is_refused_and_left_alone() {
    let place = Place::sqlite();
    drop(place.snapshot(1, 1).await);
    let older = rusqlite::Connection::open(place.base.join("hotdesk.db")).unwrap();
    older.pragma_update(None, "user_version", 1).unwrap();
    let error = error_of(&place.url, &place.base).await;
    assert!(error.contains("before the first release") && error.contains("move it aside"), "{error}");
    let version: i64 = older.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_no_panic() {
    let place = Place::sqlite();
    let _sound = place.snapshot(50, 50).await;
    let file = place.base.join("damaged.db");
    let copy = format!("VACUUM INTO '{}'", file.display());
    rusqlite::Connection::open(place.base.join("hotdesk.db")).unwrap().execute_batch(&copy).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    // The first page stays, with the names of the tables. The rest is damaged.
    for (n, byte) in bytes.iter_mut().enumerate().skip(4096) {
        *byte = (n % 251) as u8;
    }
    std::fs::write(&file, bytes).unwrap();
    let store = hotdesk::store::open("sqlite:damaged.db", &place.base).await.unwrap();
    let error = store.snapshot(&tenant(), &Scope::All).await.unwrap_err();
    assert!(matches!(&error, StoreError::Broken(..)), "{error}");
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_of_another_program_on_the_file_is_waited_for_within_limits() {
    let place = Place::sqlite();
    let store = place.snapshot(1, 1).await;
    let other = rusqlite::Connection::open(place.base.join("hotdesk.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let asked = Instant::now();
    let error = execute(&store, log_in_command(ext("101"), name("desk1"))).await.unwrap_err();
    assert!(matches!(&error, StoreError::Away(..)), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(all(&store).await.users.len(), 1, "reading goes on");
    other.execute_batch("COMMIT").unwrap();
    log_in(&store, "101", "desk1").await;
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
