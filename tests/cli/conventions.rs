//! What holds for every command: where options stand, how help is written, where output goes, and colour.

use std::io::Read;
use std::process::Stdio;

use clap::{Arg, Command};

use super::Desk;

/// The verbs that begin the help of a command. A new command may add one.
const VERBS: [&str; 24] = [
    "Add", "Adopt", "Back", "Change", "Check", "Clear", "Discover", "Explain", "Import", "Install", "List",
    "Log", "Postpone", "Print", "Reload", "Remove", "Restore", "Rotate", "Run", "Set", "Show", "Sign",
    "Switch", "Write",
];

/// Every command with its path from the program on, groups of commands too.
fn commands() -> Vec<(Vec<String>, Command)> {
    fn walk(path: &[String], command: &Command, all: &mut Vec<(Vec<String>, Command)>) {
        all.push((path.to_vec(), command.clone()));
        for command in command.get_subcommands() {
            walk(&[path, &[command.get_name().to_owned()]].concat(), command, all);
        }
    }
    let mut all = vec![];
    walk(&["hotdesk".to_owned()], &hotdesk::cli::command(), &mut all);
    assert!(all.len() > 40, "{} commands", all.len());
    all
}

/// A value that the argument accepts.
fn sample(path: &str, arg: &Arg) -> &'static str {
    match (path, arg.get_id().as_str()) {
        (_, "account") => "eva",
        (_, "key") => "crm",
        (_, "role") => "viewer",
        (_, "extension" | "user") => "101",
        (_, "device") => "desk1",
        (_, "location") => "ams",
        (_, "group") => "sales",
        (_, "switch") => "pbx",
        (_, "shell") => "bash",
        (_, "dialled") => "*35",
        (_, "files") => "users.csv",
        (_, "file") => "copy.db",
        (_, "folder") => "out",
        ("hotdesk user ring", "to") => "on",
        ("hotdesk user group", "to") => "in",
        ("hotdesk explain", _) => "desk1",
        (path, arg) => panic!("{path}: no sample for {arg}"),
    }
}

/// The shortest arguments that the command accepts.
fn shortest(path: &str, command: &Command) -> Vec<String> {
    let mut args = vec![];
    for arg in command.get_arguments().filter(|arg| arg.is_required_set()) {
        args.extend(arg.get_long().map(|long| format!("--{long}")));
        args.push(sample(path, arg).to_owned());
    }
    match path {
        "hotdesk logout" => args.push("101".into()),
        "hotdesk lockout clear" => args.push("--all".into()),
        _ => {}
    }
    args
}

#[test]
fn config_is_accepted_before_and_after_every_command() {
    for (path, command) in commands().into_iter().filter(|(_, command)| !command.has_subcommands()) {
        let name = path.join(" ");
        let args = [path.clone(), shortest(&name, &command)].concat();
        for at in (1..=path.len()).chain([args.len()]) {
            for config in [&["-c", "x.toml"][..], &["--config", "x.toml"], &["--config=x.toml"]] {
                let mut line = args.clone();
                line.splice(at..at, config.iter().map(|word| (*word).to_owned()));
                let found = hotdesk::cli::command().try_get_matches_from(&line);
                let found = found.unwrap_or_else(|error| panic!("{line:?}: {error}"));
                let file = found.get_one::<std::path::PathBuf>("config").unwrap();
                assert_eq!(file.to_str(), Some("x.toml"), "{line:?}");
            }
        }
    }
}

#[test]
fn every_command_that_lists_or_shows_has_json() {
    let lists = ["list", "show", "status", "journal", "discover", "check", "codes", "hotdesk explain"];
    let mut checked = 0;
    for (path, command) in commands() {
        if lists.contains(&path.join(" ").as_str())
            || path.last().is_some_and(|name| lists.contains(&name.as_str()))
        {
            let json = command.get_arguments().any(|arg| arg.get_long() == Some("json"));
            assert!(json, "{path:?}");
            checked += 1;
        }
    }
    assert_eq!(checked, 15);
    let desk = Desk::furnished();
    desk.ok("login 101 desk1");
    for command in [
        "status",
        "user list",
        "user show 101",
        "device list",
        "device show desk1",
        "location list",
        "location show ams",
        "lockout list",
        "web key list",
        "web list",
        "codes",
        "codes explain *35",
        "explain desk1",
        "explain 101",
    ] {
        let json = desk.json(&format!("{command} --json"));
        assert!(json.is_array() || json.is_object(), "{command}: {json}");
    }
    for command in ["journal --json", "journal --counts --json"] {
        let lines = desk.ok(command);
        assert!(lines.lines().count() > 0);
        for line in lines.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object(), "{line}");
        }
    }
    // Without entries a list is empty JSON, and the note of the plain list is not in the way.
    desk.ok("logout 101");
    assert_eq!(desk.json("status --json"), serde_json::json!([]));
}

#[test]
fn help_begins_with_a_verb_and_ends_without_a_full_stop() {
    for (path, command) in commands() {
        let about = command.get_about().unwrap_or_else(|| panic!("{path:?} has no help")).to_string();
        let verb = about.split([' ', ',']).next().unwrap();
        assert!(VERBS.contains(&verb), "{path:?}: {about}");
        let texts = command.get_arguments().filter(|arg| !arg.is_hide_set());
        let texts = texts.map(|arg| {
            arg.get_help().unwrap_or_else(|| panic!("{path:?} {}: no help", arg.get_id())).to_string()
        });
        for text in texts.chain([about]) {
            assert!(text.starts_with(|c: char| c.is_uppercase()), "{path:?}: {text}");
            assert!(!text.ends_with('.'), "{path:?}: {text}");
        }
    }
}

/// The words of an example, as a shell takes them apart. No word has blanks.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().map(|word| word.trim_matches('\'')).collect()
}

#[test]
fn every_help_has_examples_that_the_command_accepts() {
    for (path, command) in commands() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (_, lines) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{path:?} has no example"));
        let lines: Vec<&str> = lines.lines().map_while(|line| line.strip_prefix("  ")).collect();
        assert!(!lines.is_empty(), "{path:?}");
        for line in lines {
            assert!(words(line).starts_with(&path.iter().map(String::as_str).collect::<Vec<_>>()), "{line}");
            let found = hotdesk::cli::command().try_get_matches_from(words(line));
            match found.map_err(|error| error.kind()) {
                Ok(_) | Err(clap::error::ErrorKind::DisplayHelp) => {}
                Err(kind) => panic!("{line}: {kind:?}"),
            }
        }
    }
    let desk = Desk::bare();
    assert!(desk.ok("user add --help").contains("Examples:\n  hotdesk user add 101 --name Ann"));
    assert!(desk.ok("man --out man").ends_with("hotdesk.1\n"));
    let page = std::fs::read_to_string(desk.path("man/hotdesk-user-add.1")).unwrap();
    assert!(page.contains("hotdesk user add 101"), "{page}");
}

/// Options that every command has, and those that override a refusal, do not stand among the others.
#[test]
fn force_and_tenant_stand_under_headings_of_their_own() {
    for (path, command) in commands() {
        for argument in command.get_arguments() {
            let heading = match argument.get_id().as_str() {
                "force" => Some("Override a refusal"),
                "config" | "tenant" => Some("Options of every command"),
                _ => continue,
            };
            assert_eq!(argument.get_help_heading(), heading, "{path:?} {argument}");
        }
    }
    let help = Desk::bare().ok("device set --help");
    let part = |heading: &str| help.split(heading).nth(1).unwrap_or_else(|| panic!("{heading}: {help}"));
    assert!(part("Override a refusal:\n").trim_start().starts_with("--force"), "{help}");
    assert!(part("Options of every command:\n").contains("--tenant <TENANT>"), "{help}");
}

#[test]
fn help_states_the_exit_codes() {
    let help = Desk::bare().ok("--help");
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let codes: Vec<&str> = codes.lines().map_while(|line| line.split_whitespace().next()).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "64"]);
}

#[test]
fn completions_and_manual_pages_need_no_configuration() {
    let desk = Desk::bare();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = desk.ok(&format!("completions {shell}"));
        assert!(script.contains("auto-logout-at") && script.contains("lockout"), "{shell}");
    }
    assert_eq!(desk.run("completions tcsh").code, 2);
    let page = desk.ok("man");
    assert!(page.contains(".TH hotdesk 1") && page.contains("Exit codes"), "{page}");
    let printed = desk.ok("man --out share/man1");
    assert_eq!(printed, "share/man1/hotdesk.1\n");
    for (path, _) in commands() {
        let file = desk.path("share/man1").join(format!("{}.1", path.join("-")));
        let page = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        assert!(page.contains(".SH NAME"), "{file:?}");
    }
}

/// What the program prints on a terminal.
fn on_a_terminal(desk: &Desk, no_color: Option<&str>) -> String {
    let (mut terminal, screen) = super::terminal::open();
    let mut command = desk.command();
    command.arg("--help").env("TERM", "xterm").stdin(Stdio::null());
    command.stdout(screen.try_clone().unwrap()).stderr(screen);
    if let Some(value) = no_color {
        command.env("NO_COLOR", value);
    }
    let mut child = command.spawn().unwrap();
    // With the last copy of the screen gone, reading ends with an error when the program has ended.
    drop(command);
    let mut text = Vec::new();
    let _ = terminal.read_to_end(&mut text);
    assert!(child.wait().unwrap().success());
    String::from_utf8(text).unwrap()
}

#[test]
fn colour_is_for_terminals_and_can_be_switched_off() {
    let desk = Desk::new();
    let coloured = on_a_terminal(&desk, None);
    assert!(coloured.contains("Usage:") && coloured.contains('\u{1b}'), "{coloured:?}");
    let plain = on_a_terminal(&desk, Some("1"));
    assert!(plain.contains("Usage:") && !plain.contains('\u{1b}'), "{plain:?}");
    for args in ["--help", "frobnicate", "status", "check"] {
        let said = desk.run(args);
        assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{said:?}");
    }
}
