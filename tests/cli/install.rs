//! `hotdesk dialplan install` without a switch: what is written, what is kept, and what is refused before anything is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::Desk;

/// With the folders of a switch in the folder of the configuration.
fn site() -> Desk {
    let desk = Desk::bare();
    desk.configure(
        "[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\ndialplan_dir = \"etc\"\nsounds_dir = \"sounds\"\n",
    );
    fs::create_dir(desk.path("etc")).unwrap();
    desk
}

#[test]
fn the_first_time_the_files_are_written_without_the_switch() {
    let desk = site();
    let said = desk.ok("dialplan install --no-reload");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].ends_with("etc/hotdesk.conf: written"), "{said}");
    assert!(lines[1].contains("hotdesk-manager.conf: not written: first write a secret into "), "{said}");
    assert!(lines[2].contains("sounds: there is no such folder, so no prompt was written"), "{said}");
    assert_eq!(lines[3], "switch pbx: not reloaded. Reload it: asterisk -rx 'dialplan reload'");
    assert_eq!(super::mode(&desk.path("etc/hotdesk.conf")), 0o640);
    assert_eq!(fs::read_to_string(desk.path("etc/hotdesk.conf")).unwrap(), desk.ok("dialplan asterisk"));

    fs::write(desk.path("ami.secret"), "semi;colon\n").unwrap();
    let wide = desk.run("dialplan install --no-reload");
    assert!(wide.code == 64 && wide.err.contains("other users may read or write it"), "{wide:?}");
    fs::set_permissions(desk.path("ami.secret"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(desk.path("sounds")).unwrap();
    let said = desk.ok("dialplan install --no-reload");
    assert!(said.contains("etc/hotdesk.conf: unchanged\n") && said.contains(" prompts written\n"), "{said}");
    let manager = fs::read_to_string(desk.path("etc/hotdesk-manager.conf")).unwrap();
    assert!(manager.contains("\nsecret = semi\\;colon\n") && !manager.contains("CHANGE-ME"), "{manager}");
    assert_eq!(super::mode(&desk.path("etc/hotdesk-manager.conf")), 0o640);
    assert!(desk.path("sounds/nl/hotdesk/enter-pin.wav").exists());

    // The token was readable for all, and a secret of the site's own stays.
    fs::set_permissions(desk.path("etc/hotdesk.conf"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(desk.path("etc/hotdesk-manager.conf"), "secret = mine\n").unwrap();
    let said = desk.ok("dialplan install --no-reload");
    assert!(said.contains("etc/hotdesk.conf: replaced; the old one is "), "{said}");
    assert_eq!(super::mode(&desk.path("etc/hotdesk.conf")), 0o640);
    assert_eq!(fs::read_to_string(desk.path("etc/hotdesk-manager.conf")).unwrap(), "secret = mine\n");
}

#[test]
fn without_the_switch_or_its_folder_nothing_is_changed() {
    let desk = site();
    fs::write(desk.path("ami.secret"), "secret\n").unwrap();
    fs::set_permissions(desk.path("ami.secret"), fs::Permissions::from_mode(0o600)).unwrap();
    let said = desk.fails("dialplan install");
    assert!(
        said.contains("nothing was changed: add --no-reload to write the files without the switch"),
        "{said}"
    );
    assert_eq!(fs::read_dir(desk.path("etc")).unwrap().count(), 0);
    let said = desk.fails("dialplan install --dir nowhere");
    assert!(said.contains("no folder nowhere: set dialplan_dir of [[switch]] pbx, or add --dir"), "{said}");
    fs::create_dir(desk.path("other")).unwrap();
    desk.ok("dialplan install --no-reload --dir other");
    assert!(desk.path("other/hotdesk.conf").exists());
    desk.configure("[[switch]]\nname = \"a\"\n[[switch]]\nname = \"b\"\nami = \"b:5038\"\nagi_listen = \"127.0.0.1:4574\"\n");
    assert!(
        desk.fails("dialplan install")
            .contains("there are several switches: choose one with --switch a or b")
    );
    assert!(desk.fails("dialplan install --switch c").contains("no [[switch]] named c"));
}

#[test]
fn the_files_of_a_freeswitch_go_into_its_folders() {
    let desk = Desk::bare();
    desk.configure(
        "[[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\ndialplan_dir = \"dialplan\"\nsounds_dir = \"sounds\"\n",
    );
    fs::create_dir(desk.path("dialplan")).unwrap();
    let said = desk.ok("dialplan install --no-reload");
    for file in ["hotdesk.xml", "default/00_hotdesk.xml", "public/00_hotdesk.xml"] {
        assert!(
            desk.path("dialplan").join(file).exists() && said.contains(&format!("{file}: written\n")),
            "{said}"
        );
    }
    assert!(said.ends_with("Reload it: fs_cli -x reloadxml\n") && !said.contains(".example"), "{said}");
}

/// Every text of the repository that an administrator reads or runs.
fn texts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let skipped =
            name.starts_with('.') || ["target", "sounds", "fixtures", "tests"].contains(&name.as_str());
        if path.is_dir() && !skipped {
            texts(&path, found);
        } else if path.is_file() && !skipped && fs::read_to_string(&path).is_ok() {
            found.push(path);
        }
    }
}

/// A command that fails after the shell has opened its file leaves the switch without a dialplan.
#[test]
fn no_text_redirects_output_into_a_file_of_a_switch() {
    let files = r"(?:\S*/etc/(?:asterisk|freeswitch)\S*|\S*(?:hotdesk|extensions|manager|pjsip)[\w.-]*\.(?:conf|xml))";
    let redirect = Regex::new(&format!(r#"(?:(?:^|[^=<|\-])>>?|\btee(?: -a)?) *["'`]?{files}"#)).unwrap();
    for bad in [
        "x > /etc/asterisk/a.conf",
        "x >> hotdesk.conf",
        "x | sudo tee -a /etc/asterisk/x",
        "echo > $D/extensions_custom.conf",
    ] {
        assert!(redirect.is_match(bad), "{bad}");
    }
    assert!(
        !redirect.is_match("include => hotdesk-users ; in extensions.conf")
            && !redirect.is_match("x > site.log")
    );
    let mut found = vec![];
    texts(Path::new(env!("CARGO_MANIFEST_DIR")), &mut found);
    assert!(found.len() > 200, "{}", found.len());
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| redirect.is_match(line));
        assert_eq!(lines.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", path.display());
    }
}
