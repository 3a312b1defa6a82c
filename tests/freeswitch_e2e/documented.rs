//! Every command of the quick start beside FreeSWITCH in README.md, unchanged.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hotdesk::freeswitch::dialplan::directory_example;

use super::settings;
use crate::harness::company::{log_in, pin};
use crate::harness::freeswitch::company::SITE;
use crate::harness::freeswitch::{DOMAIN, PASSWORD, Site, User, installed};
use crate::harness::hotdesk::Hotdesk;

/// What a shell says to a command, in this folder, where functions stand for programs, and with this exit code.
pub fn run(folder: &Path, functions: &str, command: &str, input: &str) -> (i32, String) {
    let script = format!("set -o pipefail\n{functions}\n{command}\n");
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(folder).stdin(Stdio::piped());
    let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code().unwrap(), said)
}

#[test]
fn the_quick_start_leads_to_a_login() {
    let Some(install) = installed() else { return };
    let text = include_str!("../../README.md");
    let (_, text) = text.split_once("## Quick start beside FreeSWITCH").unwrap();
    let (text, _) = text.split_once("\n## ").unwrap();
    let indented: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let is_command = |line: &&&str| {
        ["cargo", "(umask", "hotdesk", "fs_cli"].iter().any(|program| line.starts_with(program))
    };
    let commands: Vec<&str> = indented.iter().filter(is_command).copied().collect();
    let toml: Vec<&str> = indented.iter().take_while(|line| !is_command(line)).copied().collect();
    assert!(commands.len() >= 10 && toml.contains(&"kind = \"freeswitch\""), "{commands:?} {toml:?}");

    let directory = directory_example(&settings());
    let (_, dial_string) = directory.split_once("name=\"dial-string\" value=\"").unwrap();
    let (dial_string, _) = dial_string.split_once('"').unwrap();
    let site = Site::new().unwrap().desks(1).user(User::new("trunk")).dial_string(dial_string).dialplan(SITE);
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let mut hotdesk = Hotdesk::beside_freeswitch(&program, "sqlite:hotdesk.db", site.ports.ami).unwrap();
    let pbx = site.start(&install).unwrap();
    fs::remove_file(hotdesk.path("esl.secret")).unwrap();
    let own = format!(
        "esl = \"{}\"\ndialplan_dir = \"{}\"\nsounds_dir = \"{}\"\n[auto_logout]\nat = \"never\"\n",
        pbx.esl_address(),
        pbx.path("conf/dialplan").display(),
        pbx.path("sounds").display()
    );
    fs::write(hotdesk.path("hotdesk.toml"), toml.join("\n") + "\n" + &own).unwrap();
    let functions = format!("cargo() {{ :; }}\nhotdesk() {{ {} \"$@\"; }}", program[0].display());
    for command in commands {
        if let Some(said) = command.strip_prefix("fs_cli -x ") {
            pbx.api(said).unwrap();
        } else if command.starts_with("hotdesk serve") {
            hotdesk.start().unwrap();
        } else {
            let command = command.replace("THE-PASSWORD", PASSWORD).replace("DOMAIN", DOMAIN);
            let (code, said) = run(hotdesk.folder(), &functions, &command, &format!("{}\n", pin("101")));
            assert_eq!(code, 0, "{command}: {said}");
            assert!(!command.contains("--users") || said.contains("<user id=\"101\">"), "{said}");
            assert!(!command.starts_with("hotdesk check") || said.ends_with("all is well\n"), "{said}");
        }
    }
    log_in(&hotdesk, &pbx.phone("desk1").unwrap(), "101").unwrap();
}
