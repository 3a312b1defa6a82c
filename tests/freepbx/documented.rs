//! Every command of docs/freepbx.md, unchanged, on a FreePBX in Extensions mode without a Hotdesk.

use std::process::Command;

use super::{EXTENSIONS, FreePbx, MODULES, PathBuf, VOICEMAIL, phone};
use crate::harness::asterisk::Site;
use crate::harness::debian::Version;
use crate::harness::hotdesk::Hotdesk;

/// The lines of all `sh` blocks.
fn commands() -> Vec<String> {
    let text = include_str!("../../docs/freepbx.md");
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Debian's Asterisk 16 comes without voicemail.
#[test]
fn the_documented_commands_lead_to_a_login() {
    let site = Site::new().unwrap();
    let program: Vec<PathBuf> = vec![env!("CARGO_BIN_EXE_hotdesk").into()];
    let mut hotdesk = Hotdesk::new(&program, "sqlite:hotdesk.db", site.ports.ami, site.ports.agi).unwrap();
    let dialplan =
        include_str!("dialplan.conf").replace("#include hotdesk.conf", "#include extensions_custom.conf");
    let phones = [("120", ""), ("131", "131@default"), ("201", ""), ("202", "")];
    let pbx = phones
        .iter()
        .fold(site, |site, (device, mailbox)| site.endpoint(phone(device, mailbox)))
        .dialplan(&dialplan)
        .manager("#include manager_custom.conf\n")
        .file("manager_custom.conf", "")
        .file("extensions_custom.conf", "")
        .file("voicemail.conf", VOICEMAIL)
        .file("modules.conf", MODULES)
        .start(Version::Current)
        .unwrap();
    let path = |within: &str| pbx.path(within).display().to_string();
    let switch = format!(
        "layout = \"freepbx\"\ndialplan_dir = \"{}\"\nsounds_dir = \"{}\"\n[codes]\npresets = [\"freepbx\"]\n",
        path("etc"),
        path("data/sounds")
    );
    hotdesk.configure(&switch).unwrap();
    let mut ami = pbx.ami().unwrap();
    for (family, key, value) in EXTENSIONS {
        ami.act("DBPut", &[("Family", family), ("Key", key), ("Val", value)]).unwrap();
    }
    let config = hotdesk.path("hotdesk.toml").display().to_string();
    let function = format!("hotdesk() {{ {} -c {config} \"$@\"; }}", program[0].display());
    let commands = commands();
    assert!(commands.len() >= 7, "{commands:?}");
    // What the page says to write into two files.
    pbx.write("extensions_custom.conf", "#include hotdesk.conf\n").unwrap();
    pbx.write("manager_custom.conf", "#include hotdesk-manager.conf\n").unwrap();
    for command in &commands {
        if let Some(said) = command.strip_prefix("asterisk -rx ") {
            pbx.cli(said.trim_matches('\'')).unwrap();
            continue;
        }
        if command == "hotdesk check" {
            hotdesk.start().unwrap();
        }
        let script = format!("set -e\n{function}\n{}", command);
        let ran = Command::new("sh").args(["-c", &script]).current_dir(hotdesk.folder()).output().unwrap();
        let said = String::from_utf8_lossy(&[&ran.stdout[..], &ran.stderr].concat()).into_owned();
        assert!(ran.status.success(), "{command}:\n{said}");
        assert!(command != "hotdesk check" || said.ends_with("all is well\n"), "{said}");
    }
    let pins = std::fs::read_to_string(hotdesk.path("pins.csv")).unwrap();
    let pin = pins.lines().find_map(|line| line.strip_prefix("131,")).unwrap();
    let before = super::rows_of(&pbx);
    let freepbx = FreePbx { pbx, hotdesk, ami, before };
    let desk = freepbx.pbx.phone("201").unwrap();
    freepbx.dial(&desk, "*11131", &[&format!("{pin}#")]);
    let logged_in = [("/DEVICE/201/user", "131"), ("/AMPUSER/131/device", "131&201")];
    freepbx.differs_only_in(&logged_in);
    freepbx.dial(&desk, "*12", &[]);
    freepbx.differs_only_in(&[]);
}
