//! The ways to lose a store, in Redis and in SQLite: no row of the switch changes, a code hears "not available", calls and
//! emergency calls go on, `hotdesk check` says what is wrong, and `hotdesk adopt` ends it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::emergency::help_answers;
use crate::company::Company;
use crate::harness::check::{all_is_well, broken};
use crate::harness::company::one_touch;
use crate::harness::debian::Version;
use crate::harness::each::on_newest;
use crate::harness::redis::RedisServer;
use crate::harness::wait;

on_newest! {
    a_redis_that_is_flushed
    a_redis_that_restarts_without_its_data
    a_redis_that_goes_back
    another_database_of_redis
    a_file_that_is_moved_away
    a_file_that_is_replaced_by_an_older_one
    a_file_that_is_missing_at_the_start
    a_file_that_is_older_at_the_start_and_was_changed_since
    a_store_that_drops_data_is_refused
}

/// How long a loss may take to be noticed, or its end.
const NOTICED: Duration = Duration::from_secs(10);
const FILES: [&str; 3] = ["hotdesk.db", "hotdesk.db-wal", "hotdesk.db-shm"];

/// A company where 101 is logged in at desk1, which `backup` has seen before that.
fn in_use<T>(
    version: Option<Version>,
    store: &str,
    backup: impl FnOnce(&mut Company) -> T,
) -> Option<(Company, T)> {
    let mut company = Company::open_on(version, store)?;
    let backup = backup(&mut company);
    company.log_in(&company.phone("desk1"), "101");
    assert_eq!(company.sessions(), ["101@desk1"]);
    Some((company, backup))
}

/// The store is lost by `lose`, which leaves hotdesk running, and the switch is held with `why` until it is adopted.
fn holds(company: &mut Company, why: &str, lose: impl FnOnce(&mut Company)) {
    let before = company.table();
    let mark = company.hotdesk().log().len();
    lose(company);
    company.hotdesk().wait_for_log(mark, "event=\"table.held\"").unwrap();

    let [desk1, desk2, colleague, trunk] =
        ["desk1", "desk2", "colleague", "trunk"].map(|name| company.phone(name));
    let calls = company.hotdesk().log().len();
    desk2.dial(&one_touch("102")).unwrap();
    let ended = desk2.wait_ended_within(Duration::from_secs(20)).unwrap();
    assert!(ended.heard > Duration::from_millis(500), "a prompt says that it is not available: {ended:?}");
    company.hotdesk().wait_for_log(calls, "event=\"call.unavailable\"").unwrap();
    colleague.dial("101").unwrap();
    desk1.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
    desk1.wait_ended().unwrap();
    help_answers(&desk1, &trunk);
    let wrong = broken(company.hotdesk());
    assert!(
        wrong.contains("table of switch pbx: held, nothing is written to it: ") && wrong.contains(why),
        "{wrong}"
    );
    assert_eq!(company.table(), before, "{wrong}");
    let log = company.hotdesk().log();
    assert_eq!(log[mark..].matches("event=\"table.held\"").count(), 1, "{}", &log[mark..]);
}

/// An administrator says that this store is right: the switch takes its state.
fn adopt(company: &mut Company) {
    let refused = company.hotdesk().output(&["adopt"], "").unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("nothing was changed"), "{said}");
    let mark = company.hotdesk().log().len();
    let said = company.run(&["adopt", "--switch", "pbx", "--yes"]);
    assert!(said.contains("pbx is held: ") && said.contains("pbx: adopted at revision "), "{said}");
    company.hotdesk().wait_for_log(mark, "event=\"table.released\"").unwrap();
    assert!(company.run(&["adopt"]).contains("there is nothing to adopt"));
    assert!(company.run(&["journal"]).contains("pbx takes this store"));
    // The store has none of the users, or no session.
    assert_eq!(company.sessions(), [""; 0]);
}

/// The users and devices of an emptied store are entered again, and log in.
fn starts_again(company: &mut Company) {
    assert_eq!(company.table().len(), 0, "{:?}", company.table());
    let hotdesk = company.hotdesk();
    hotdesk.add_user("101", "Alice", crate::harness::company::pin("101")).unwrap();
    hotdesk.add_desk("desk1", "0205550101").unwrap();
    let row = || company.table().keys().any(|key| key.ends_with("/desk1"));
    wait::until(NOTICED, row, || "the device has no row".to_owned());
    company.log_in(&company.phone("desk1"), "101");
    all_is_well(company.hotdesk());
}

fn a_redis_that_is_flushed(version: Option<Version>) {
    let redis = RedisServer::start();
    let Some((mut company, ())) = in_use(version, &redis.url(), |_| ()) else { return };
    holds(&mut company, "this is an empty store", |_| drop(redis.command(&["FLUSHALL"])));
    adopt(&mut company);
    starts_again(&mut company);
}

fn a_redis_that_restarts_without_its_data(version: Option<Version>) {
    let mut redis = RedisServer::start();
    let Some((mut company, ())) = in_use(version, &redis.url(), |_| ()) else { return };
    holds(&mut company, "this is an empty store", |_| redis.restart_empty());
    adopt(&mut company);
    starts_again(&mut company);
}

fn a_redis_that_goes_back(version: Option<Version>) {
    let redis = RedisServer::start();
    let Some((mut company, dump)) = in_use(version, &redis.url(), |_| redis.dump()) else { return };
    holds(&mut company, "the store is older than the switch", |_| redis.restore(&dump));
    adopt(&mut company);
    company.log_in(&company.phone("desk2"), "101");
    assert_eq!(company.sessions(), ["101@desk2"]);
    all_is_well(company.hotdesk());
}

fn another_database_of_redis(version: Option<Version>) {
    let redis = RedisServer::start();
    let Some((mut company, ())) = in_use(version, &redis.url(), |_| ()) else { return };
    let other = redis.url().replace("/0", "/1");
    let configure = |company: &mut Company, from: &str, to: &str| {
        company.hotdesk().stop().unwrap();
        let path = company.hotdesk().path("hotdesk.toml");
        let toml = fs::read_to_string(&path).unwrap();
        fs::write(&path, toml.replace(from, to)).unwrap();
        company.hotdesk().spawn().unwrap();
    };
    holds(&mut company, "this is an empty store", |company| configure(company, &redis.url(), &other));
    // The right one fits, without a word of the administrator.
    let mark = company.hotdesk().log().len();
    configure(&mut company, &other, &redis.url());
    company.hotdesk().wait_for_log(mark, "event=\"table.reconciled\"").unwrap();
    assert_eq!(company.sessions(), ["101@desk1"]);
    all_is_well(company.hotdesk());
}

/// Moves the store away, and returns where it is.
fn move_away(company: &mut Company) -> PathBuf {
    let (folder, away) = (company.hotdesk().folder().to_owned(), company.hotdesk().path("away"));
    fs::create_dir_all(&away).unwrap();
    for file in FILES {
        let _ = fs::rename(folder.join(file), away.join(file));
    }
    away
}

/// A copy of the store as it is now.
fn copy(company: &mut Company) -> PathBuf {
    let copy = company.hotdesk().path("backup.db");
    let store = rusqlite::Connection::open(company.hotdesk().path("hotdesk.db")).unwrap();
    store.execute_batch(&format!("VACUUM INTO '{}'", copy.display())).unwrap();
    copy
}

fn replace(company: &mut Company, copy: &PathBuf) {
    move_away(company);
    fs::copy(copy, company.hotdesk().path("hotdesk.db")).unwrap();
}

fn a_file_that_is_moved_away(version: Option<Version>) {
    let Some((mut company, ())) = in_use(version, "sqlite:hotdesk.db", |_| ()) else { return };
    let before = company.table();
    let mark = company.hotdesk().log().len();
    let away = move_away(&mut company);
    company.hotdesk().wait_for_log(mark, "the file is not there any more").unwrap();
    // Put back, it is the right one: no word is needed.
    for file in FILES {
        let _ = fs::rename(away.join(file), company.hotdesk().path(file));
    }
    company.hotdesk().wait_for_log(mark, "event=\"table.released\"").unwrap();
    assert_eq!((company.table(), company.sessions()), (before, vec!["101@desk1".to_owned()]));

    holds(&mut company, "and this is store ", |company| {
        let mark = company.hotdesk().log().len();
        move_away(company);
        company.hotdesk().wait_for_log(mark, "event=\"table.held\"").unwrap();
        let wrong = broken(company.hotdesk());
        assert!(wrong.starts_with("store: there is no store at "), "{wrong}");
        // A new store, which does not become the switch's by itself.
        company.run(&["location", "add", "lobby"]);
    });
    adopt(&mut company);
    starts_again(&mut company);
}

fn a_file_that_is_replaced_by_an_older_one(version: Option<Version>) {
    let Some((mut company, backup)) = in_use(version, "sqlite:hotdesk.db", copy) else { return };
    holds(&mut company, "the store is older than the switch", |company| replace(company, &backup));
    adopt(&mut company);
    company.log_in(&company.phone("desk2"), "101");
    all_is_well(company.hotdesk());
}

fn a_file_that_is_missing_at_the_start(version: Option<Version>) {
    let Some((mut company, ())) = in_use(version, "sqlite:hotdesk.db", |_| ()) else { return };
    let mark = company.hotdesk().log().len();
    holds(&mut company, "and this is store ", |company| {
        company.hotdesk().stop().unwrap();
        move_away(company);
        company.hotdesk().spawn().unwrap();
    });
    assert!(company.hotdesk().log()[mark..].contains("event=\"store.new\""));
    adopt(&mut company);
    starts_again(&mut company);
}

fn a_file_that_is_older_at_the_start_and_was_changed_since(version: Option<Version>) {
    let Some((mut company, backup)) = in_use(version, "sqlite:hotdesk.db", copy) else { return };
    holds(&mut company, "the store went back and has changed since", |company| {
        company.hotdesk().stop().unwrap();
        replace(company, &backup);
        for n in 0..12 {
            company.run(&["user", "set", "101", "--name", &format!("Alice {n}")]);
        }
        company.hotdesk().spawn().unwrap();
    });
    adopt(&mut company);
    company.log_in(&company.phone("desk2"), "101");
    all_is_well(company.hotdesk());
}

fn a_store_that_drops_data_is_refused(version: Option<Version>) {
    let redis = RedisServer::start();
    let Some((mut company, ())) = in_use(version, &redis.url(), |_| ()) else { return };
    let policy = |policy: &str| drop(redis.command(&["CONFIG", "SET", "maxmemory-policy", policy]));
    company.hotdesk().stop().unwrap();
    policy("allkeys-lru");
    let refused = company.hotdesk().output(&["serve"], "").unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("maxmemory-policy allkeys-lru") && said.contains("noeviction"), "{said}");
    let wrong = broken(company.hotdesk());
    assert!(
        wrong.contains("store: the store drops data when its memory is full (maxmemory-policy allkeys-lru)"),
        "{wrong}"
    );
    policy("noeviction");
    company.hotdesk().start().unwrap();
    all_is_well(company.hotdesk());
}
