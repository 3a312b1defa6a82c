//! `hotdesk check` on the store: it claims only what it tried.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::Desk;
use crate::harness::redis::RedisServer;
use crate::harness::wait;

#[test]
fn a_store_that_takes_no_writes_is_wrong_with_its_own_words() {
    let redis = RedisServer::start();
    let desk = Desk::bare();
    desk.configure(&format!(
        "[store]\nurl = \"{}\"\n[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\n",
        redis.url()
    ));
    desk.ok("user add 101 --name Ann");
    let ask = |words: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
        stream.write_all(format!("{words}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let admin = |words: &str| {
        let answer = ask(words);
        assert!(answer.starts_with('+'), "{words}: {answer}");
    };
    // A snapshot cannot be renamed to the name of a folder.
    let dir = ask("CONFIG GET dir").lines().find(|line| line.starts_with('/')).unwrap().to_owned();
    std::fs::create_dir(format!("{dir}/dump.rdb")).unwrap();
    admin("BGSAVE");
    let failed = || ask("INFO persistence").contains("rdb_last_bgsave_status:err");
    wait::until(Duration::from_secs(20), failed, || ask("INFO persistence"));
    let store = || {
        let findings: serde_json::Value = serde_json::from_str(&desk.run("check --json").out).unwrap();
        let store = findings.as_array().unwrap().iter().find(|finding| finding["check"] == "store").unwrap();
        (store["ok"].clone(), store["found"].as_str().unwrap().to_owned())
    };
    for (wrong, right, words) in [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "raise maxmemory"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read only replica"),
        ("CONFIG SET save \"3600 1\"", "CONFIG SET save \"\"", "it cannot save"),
    ] {
        let (ok, found) = store();
        assert!(ok == true && found.starts_with("takes writes; 1 users"), "{found}");
        admin(wrong);
        let (ok, found) = store();
        assert!(
            ok == false && found.contains("does not take a write") && found.contains(words),
            "{wrong}: {found}"
        );
        assert_eq!(desk.run("check").code, 1);
        admin(right);
    }
    assert_eq!(store().0, true);
}

#[test]
fn a_file_that_cannot_grow_is_wrong_although_it_can_be_read() {
    let desk = Desk::furnished();
    let db = rusqlite::Connection::open(desk.path("hotdesk.db")).unwrap();
    // The log is longer than what the process may write, and stays, as this connection is open.
    db.execute_batch(
        "PRAGMA wal_autocheckpoint = 0; CREATE TABLE big (x); INSERT INTO big VALUES (randomblob(300000)); DROP TABLE big",
    )
    .unwrap();
    let limited = |blocks: &str| {
        let mut shell = std::process::Command::new("sh");
        let program = env!("CARGO_BIN_EXE_hotdesk");
        shell.args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$1\" check --json", blocks, program]);
        let said = shell.current_dir(desk.path("")).env("USER", "tester").output().unwrap();
        let findings: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
        findings[0].clone()
    };
    let (fine, wrong) = (limited("unlimited"), limited("200"));
    assert!(fine["check"] == "store" && fine["ok"] == true, "{fine}");
    assert!(wrong["check"] == "store" && wrong["ok"] == false, "{wrong}");
    assert!(wrong["found"].as_str().unwrap().contains("the disk fails"), "{wrong}");
}

#[test]
fn what_could_not_be_looked_at_is_neither_fine_nor_wrong() {
    let desk = Desk::furnished();
    let said = desk.run("check");
    assert!(said.out.contains("WRONG  calls of switch pbx") && said.code == 1, "{}", said.out);
    let secret = desk.path("ami.secret");
    std::fs::write(&secret, "s3cret\n").unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let said = desk.run("check");
    assert!(said.out.contains("\n?      table of switch pbx: could not be read"), "{}", said.out);
    assert!(said.out.trim_end().ends_with(" could not be made"), "{}", said.out);
    assert!(!said.out.contains("ok     emergency call"), "{}", said.out);
    let findings: serde_json::Value = serde_json::from_str(&desk.run("check --json").out).unwrap();
    let table = findings.as_array().unwrap().iter().find(|it| it["check"] == "table of switch pbx").unwrap();
    assert!(table["ok"].is_null() && table["do"].is_string(), "{table}");
}

#[test]
fn without_a_tenant_every_tenant_is_checked_and_the_only_one_is_worked_on() {
    let desk = Desk::bare();
    let switch = |tenants: &str| {
        format!("[[switch]]\nkind = \"freeswitch\"\nesl = \"127.0.0.1:1\"\ntenants = [{tenants}]\n")
    };
    desk.configure(&switch("\"a.example\""));
    desk.ok("user add 101");
    assert!(desk.ok("--tenant a.example user list").contains("101"));
    desk.configure(&switch("\"a.example\", \"b.example\""));
    let said = desk.run("check").out;
    for line in ["a.example: store: takes writes; 1 users", "b.example: store: takes writes; 0 users"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!desk.run("--tenant b.example check").out.contains("a.example"), "{said}");
    assert!(desk.fails("user list").contains("no switch serves the tenant default"));
}
