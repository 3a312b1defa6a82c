use super::Desk;

#[test]
fn a_missing_configuration_says_what_to_do_and_exits_with_64() {
    let said = Desk::bare().run("status");
    assert_eq!(said.code, 64);
    assert!(
        said.err.contains(
            "hotdesk.toml in this folder and for /etc/hotdesk/hotdesk.toml. Copy hotdesk.example.toml"
        ),
        "{}",
        said.err
    );
}

#[test]
fn an_unknown_key_is_shown_with_its_line() {
    let desk = Desk::bare();
    desk.configure("[store]\nurl = \"sqlite:x.db\"\npeper = \"x\"\n");
    let said = desk.run("status");
    assert_eq!(said.code, 64);
    let error = "hotdesk.toml: line 3, column 1: unknown key. Did you mean pepper_file? Here the keys are url, pepper_file\n";
    assert!(said.err.ends_with(error), "{}", said.err);
}

#[test]
fn wrong_arguments_exit_with_2() {
    let desk = Desk::new();
    for args in [
        "",
        "frobnicate",
        "login 1a desk1",
        "logout",
        "journal --since yesterday",
        "user set 101 --language klingon",
    ] {
        assert_eq!(desk.run(args).code, 2, "{args}");
    }
}

#[test]
fn help_and_version_need_no_configuration() {
    let desk = Desk::bare();
    assert!(desk.ok("--help").contains("hotdesk [OPTIONS] <COMMAND>"));
    assert_eq!(desk.ok("--version"), format!("hotdesk {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_file_may_be_named_anywhere_and_its_paths_are_relative_to_it() {
    let desk = Desk::bare();
    std::fs::create_dir(desk.path("etc")).unwrap();
    std::fs::write(desk.path("etc/site.toml"), "[[switch]]\n").unwrap();
    desk.ok("user add 101 -c etc/site.toml");
    assert!(desk.path("etc/hotdesk.db").exists() && !desk.path("hotdesk.db").exists());
}

#[test]
fn the_environment_overrides_the_file() {
    let desk = Desk::new();
    let mut add = desk.command();
    let done = add.args(["user", "add", "101"]).env("HOTDESK_STORE_URL", "sqlite:other.db").output().unwrap();
    assert!(done.status.success() && desk.path("other.db").exists());
    assert_eq!(desk.json("user list --json"), serde_json::json!([]));
    let done = desk.command().arg("status").env("HOTDESK_LOG_FORMAT", "xml").output().unwrap();
    assert_eq!(done.status.code(), Some(64));
}

#[test]
fn a_tenant_that_no_switch_serves_is_refused() {
    let desk = Desk::new();
    assert!(desk.fails("--tenant acme status").contains("acme"));
    desk.configure("[[switch]]\ntenants = [\"acme\"]\n");
    desk.ok("--tenant acme user add 101");
    assert_eq!(desk.json("--tenant acme user list --json")[0]["extension"], "101");
    assert!(desk.fails("--tenant default user list").contains("default"));
}

#[test]
fn the_checks_name_what_is_wrong_and_what_to_do() {
    let desk = Desk::furnished();
    let said = desk.run("check");
    assert_eq!(said.code, 1);
    assert!(said.out.contains("WRONG  secret of switch pbx"), "{}", said.out);

    let secret = desk.path("ami.secret");
    std::fs::write(&secret, "s3cret\n").unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(desk.run("check").out.contains(&format!("chmod 600 {}", secret.display())));
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let well = desk.run("check");
    assert!(well.out.contains("ok     secret of switch pbx") && !well.out.contains("s3cret"), "{}", well.out);

    desk.noted("user add 2001");
    let findings: serde_json::Value = serde_json::from_str(&desk.run("check --json").out).unwrap();
    let unmatched =
        findings.as_array().unwrap().iter().find(|finding| finding["check"] == "user 2001").unwrap();
    assert_eq!(unmatched["ok"], false);
    assert!(unmatched["do"].as_str().unwrap().contains("add a pattern"));
}
