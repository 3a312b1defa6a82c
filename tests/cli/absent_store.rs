//! A folder without a store: commands that add something make it, and commands that only read do not.

use std::fs;

use super::Desk;

fn bare() -> Desk {
    let desk = Desk::bare();
    desk.configure("[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\n");
    desk
}

fn files(desk: &Desk) -> Vec<String> {
    let files = fs::read_dir(desk.path("")).unwrap();
    let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    files
}

#[test]
fn commands_that_only_read_or_change_say_that_there_is_no_store_and_make_none() {
    let desk = bare();
    for args in [
        "status",
        "status --json",
        "explain 101",
        "journal",
        "journal --follow",
        "journal --counts",
        "user list",
        "user show 101",
        "user set 101 --name Ann",
        "user remove 101",
        "user pin 101 --generate",
        "user ring 101 desk1 on",
        "user group 101 sales in",
        "device list",
        "device show desk1",
        "device set desk1 --hotdesk",
        "device remove desk1",
        "location list",
        "location show ams",
        "location set ams --language nl",
        "location remove ams",
        "lockout list",
        "lockout clear --all",
        "login 101 desk1",
        "logout 101",
        "extend 101",
        "export out",
    ] {
        let refused = desk.fails(args);
        let path = desk.path("hotdesk.db");
        let begins = format!("hotdesk: there is no store at {}: ", path.display());
        assert!(
            refused.starts_with(&begins) && refused.contains("hotdesk user add EXT"),
            "{args}: {refused}"
        );
        assert_eq!(files(&desk), ["hotdesk.toml"], "{args}");
    }
}

#[test]
fn check_finds_that_there_is_no_store_and_makes_none() {
    let desk = bare();
    for args in ["check", "check --emergency"] {
        let said = desk.run(args);
        let begins = format!("WRONG  store: there is no store at {}: ", desk.path("hotdesk.db").display());
        assert!(said.out.starts_with(&begins) && said.out.ends_with("1 of 1 checks failed\n"), "{said:?}");
        assert_eq!((said.code, said.err.as_str()), (1, ""), "{args}");
    }
    let said = desk.run("check --json");
    let findings: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert!(findings[0]["ok"] == false && findings[0]["do"].is_string() && said.code == 1, "{said:?}");
    assert_eq!(files(&desk), ["hotdesk.toml"]);
}

#[test]
fn what_is_compared_with_the_store_is_compared_with_an_empty_one() {
    let desk = bare();
    fs::write(desk.path("users.csv"), "extension,name\n101,Ann\n").unwrap();
    let (shown, _) = desk.noted("import users.csv --dry-run");
    assert!(shown.contains("add     user 101: caller-id extension, hotdesk yes, name Ann\n"), "{shown}");
    desk.ok("codes explain 101");
    assert!(desk.run("discover").err.contains("the file that ami_secret_file names does not exist"));
    assert_eq!(files(&desk), ["hotdesk.toml", "users.csv"]);
}

#[test]
fn commands_that_add_something_make_the_store() {
    for args in
        ["user add 101", "location add ams", "device add d1 --switch pbx --dial PJSIP/d1 --no-hotdesk"]
    {
        let desk = bare();
        desk.ok(args);
        assert!(desk.path("hotdesk.db").exists(), "{args}");
    }
    let desk = bare();
    fs::write(desk.path("users.csv"), "extension,name\n101,Ann\n").unwrap();
    desk.ok("import users.csv");
    assert_eq!(desk.json("user list --json")[0]["name"], "Ann");
}
