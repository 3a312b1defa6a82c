//! Every command of docs/fusionpbx.md, unchanged, on a FusionPBX without Hotdesk.

use std::fs;
use std::time::Duration;

use super::site::FusionPbx;
use super::{ACME, wrong};
use crate::freeswitch_e2e::documented::run;

/// The text of the blocks of this kind.
fn blocks(kind: &str) -> Vec<&'static str> {
    let text = include_str!("../../../docs/fusionpbx.md");
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(kind)?.strip_prefix('\n')).collect()
}

#[test]
fn the_documented_commands_lead_to_a_login() {
    let Some(mut fusion) = FusionPbx::without_hotdesk() else { return };
    let [toml] = blocks("toml")[..] else { panic!("one file") };
    let own = format!(
        "esl = \"{}\"\ndialplan_dir = \"{}\"\nsounds_dir = \"{}\"\n[auto_logout]\nat = \"never\"\n",
        fusion.pbx.esl_address(),
        fusion.pbx.path("conf/dialplan").display(),
        fusion.pbx.path("sounds").display()
    );
    fs::write(fusion.hotdesk.path("hotdesk.toml"), toml.replace("\n   ", "\n") + &own).unwrap();
    fs::remove_file(fusion.hotdesk.path("esl.secret")).unwrap();
    // The tables are in this process, and without a cache.
    let functions = format!(
        "hotdesk() {{ {} \"$@\"; }}\nsudo() {{ cat > rows.sql; }}\nrm() {{ :; }}",
        env!("CARGO_BIN_EXE_hotdesk")
    );
    let commands: Vec<&str> = blocks("sh").into_iter().flat_map(str::lines).map(str::trim).collect();
    let commands: Vec<&str> = commands.into_iter().filter(|line| !line.is_empty()).collect();
    assert!(commands.len() >= 10, "{commands:?}");
    let mut pin = String::new();
    for command in commands {
        if let Some(said) = command.strip_prefix("fs_cli -x ") {
            fusion.pbx.api(said).unwrap();
            continue;
        }
        if command == "hotdesk check" {
            fusion.hotdesk.start().unwrap();
        }
        let (code, said) = run(fusion.hotdesk.folder(), &functions, command, "");
        assert_eq!(code, if command == "hotdesk check" { 3 } else { 0 }, "{command}: {said}");
        if command.contains("sudo") {
            fusion.sql(&fs::read_to_string(fusion.hotdesk.path("rows.sql")).unwrap());
        }
        if command.contains("pin") {
            pin = said
                .split(|c: char| !c.is_ascii_digit())
                .max_by_key(|digits| digits.len())
                .unwrap()
                .to_owned();
        }
    }
    assert_eq!(wrong(&fusion, ACME), "");
    let desk = fusion.phone(ACME, "801");
    desk.dial("*35*101").unwrap();
    desk.wait_audio().unwrap();
    desk.press(&format!("{pin}#"));
    desk.wait_ended_within(Duration::from_secs(30)).unwrap();
    assert!(fusion.of(ACME, &["status"]).contains("101"));
}
