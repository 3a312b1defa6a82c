//! `hotdesk backup` and `hotdesk restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::Desk;

const STORE: &str = "[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\n";

/// The names of the users.
fn users(desk: &Desk) -> Vec<String> {
    let users = desk.json("user list --json");
    users.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

/// The files of the store, and those that a restore makes.
fn files(desk: &Desk) -> Vec<String> {
    let files =
        fs::read_dir(desk.path("")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.filter(|name| name.starts_with("hotdesk.db")).collect();
    files.sort();
    files
}

#[test]
fn a_restored_backup_is_the_store_as_it_was_and_the_newer_one_is_kept() {
    let desk = Desk::furnished();
    // What uses the store keeps changes in the log beside it.
    let used = rusqlite::Connection::open(desk.path("hotdesk.db")).unwrap();
    used.query_row("SELECT count(*) FROM record", [], |row| row.get::<_, i64>(0)).unwrap();
    desk.ok("user set 102 --name Ben");
    assert!(fs::metadata(desk.path("hotdesk.db-wal")).unwrap().len() > 0);
    let (said, note) = desk.noted("backup copy.db");
    assert!(said.starts_with("copy.db: a checked copy of ") && note.contains("pepper"), "{said} {note}");
    assert_eq!(fs::metadata(desk.path("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);

    desk.ok("user set 102 --name Later");
    let refused = desk.fails("restore copy.db");
    assert!(refused.contains("another process keeps it locked"), "{refused}");
    assert_eq!(users(&desk), ["Ann", "Later"]);
    drop(used);
    let (said, note) = desk.noted("restore copy.db");
    assert!(said.contains("restored; the old store is ") && note.contains("hotdesk adopt"), "{said} {note}");
    assert_eq!(users(&desk), ["Ann", "Ben"]);
    let left = files(&desk);
    let before = left.iter().find(|name| name.starts_with("hotdesk.db.before-")).unwrap();
    assert!(!left.iter().any(|name| name.contains("new")), "{left:?}");

    // And back.
    desk.noted(&format!("restore {before}"));
    assert_eq!(users(&desk), ["Ann", "Later"]);
}

#[test]
fn a_restore_where_the_store_is_missing_or_damaged() {
    let desk = Desk::furnished();
    desk.noted("backup copy.db");
    fs::remove_file(desk.path("hotdesk.db")).unwrap();
    let (said, _) = desk.noted("restore copy.db");
    assert!(said.ends_with("hotdesk.db: restored\n"), "{said}");
    assert_eq!(users(&desk), ["Ann", "Bob"]);
    fs::write(desk.path("hotdesk.db"), "no database").unwrap();
    desk.noted("restore copy.db");
    assert_eq!(users(&desk), ["Ann", "Bob"]);
    let left = files(&desk);
    let kept = left.iter().find(|name| name.starts_with("hotdesk.db.before-")).unwrap();
    assert_eq!(fs::read_to_string(desk.path(kept)).unwrap(), "no database");
}

#[test]
fn a_damaged_store_is_not_backed_up_and_is_the_one_that_is_named() {
    let desk = Desk::furnished();
    let store = desk.path("hotdesk.db");
    let whole = rusqlite::Connection::open(&store).unwrap();
    whole.pragma_update(None, "journal_mode", "delete").unwrap();
    drop(whole);
    let mut bytes = fs::read(&store).unwrap();
    let page = 4096;
    assert!(bytes.len() > 4 * page);
    bytes[2 * page..].fill(0x5a);
    fs::write(&store, bytes).unwrap();
    let said = desk.fails("backup copy.db");
    assert!(said.contains("hotdesk.db failed: it is damaged"), "{said}");
    assert!(!desk.path("copy.db").exists());
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_said_and_changes_nothing() {
    let desk = Desk::furnished();
    fs::write(desk.path("text.db"), "a text").unwrap();
    let foreign = rusqlite::Connection::open(desk.path("foreign.db")).unwrap();
    foreign.execute_batch("CREATE TABLE other (name TEXT)").unwrap();
    drop(foreign);
    for (args, why) in [
        ("backup text.db", "text.db is there already"),
        ("backup missing/copy.db", "missing/copy.db failed"),
        ("restore missing.db", "missing.db failed"),
        ("restore text.db", "text.db failed: it is damaged, or no database at all"),
        ("restore foreign.db", "foreign.db failed: it is a database of another program"),
    ] {
        let said = desk.fails(args);
        assert!(said.contains(why), "{args}: {said}");
        assert_eq!(users(&desk), ["Ann", "Bob"], "{args}");
        assert!(!files(&desk).iter().any(|name| name.contains("new") || name.contains("before")), "{args}");
    }
    assert_eq!(fs::read_to_string(desk.path("text.db")).unwrap(), "a text");
    let empty = Desk::bare();
    empty.configure(STORE);
    assert!(empty.fails("backup copy.db").contains("there is no store at "));
    empty.configure(&format!("[store]\nurl = \"redis://127.0.0.1:1/\"\n{STORE}"));
    for args in ["backup copy.db", "restore copy.db"] {
        assert!(empty.fails(args).contains("Redis, which has a backup of its own"), "{args}");
    }
}
