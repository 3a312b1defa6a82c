//! `hotdesk init` without a switch: what it refuses before anything is changed.

use std::fs;
use std::path::PathBuf;

use super::terminal::Dialogue;
use super::{Desk, Said};

const EXTENSIONS: &str =
    "[phones]\nexten => _2XX,1,Dial(PJSIP/${EXTEN})\nexten => 112,1,Dial(PJSIP/112@prov)\n";
const PJSIP: &str = "[202]\ntype=endpoint\ncontext=phones\ncallerid=Bob <202>\n";

/// The files of an Asterisk. `true` gives the commands to it: nothing is asked of it before the changes are.
struct Site(Desk);

impl Site {
    fn new() -> Self {
        let site = Self(Desk::bare());
        fs::create_dir(site.0.path("etc")).unwrap();
        site.write("extensions.conf", EXTENSIONS);
        site.write("pjsip.conf", PJSIP);
        site.write("manager.conf", "[general]\nenabled=yes\n");
        site
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.path("etc").join(file), text).unwrap();
    }

    fn init(&self, more: &str) -> Said {
        self.0.run(&format!("-c hotdesk.toml init --dir etc --sounds sounds --program true {more}"))
    }

    /// All files of the folder, with what is in them.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folders = ["", "etc"].map(|folder| fs::read_dir(self.0.path(folder)).unwrap());
        let files =
            folders.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        let mut files: Vec<_> = files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        files.sort();
        files
    }

    /// Runs it at a terminal, in a time zone of its own.
    fn at_a_terminal(&self, more: &str) -> Dialogue {
        let mut command = self.0.command();
        command.args("-c hotdesk.toml init --dir etc --sounds sounds --program true".split(' '));
        command.args(more.split_whitespace()).env("TZ", "Europe/Berlin");
        Dialogue::begin(command)
    }

    fn refuses(&self, more: &str, why: &str) {
        let before = self.files();
        let said = self.init(more);
        assert!(said.code == 1 && said.err.contains(why), "{more}: {said:?}");
        assert_eq!(self.files(), before, "{more}");
    }
}

const ANSWERS: &str = "--phones all --emergency-caller-id 0205550100 --zone Europe/Amsterdam";

#[test]
fn without_a_terminal_every_answer_and_a_yes_are_options() {
    let site = Site::new();
    site.refuses("", "nothing was changed: add --phones (which phones become hotdesks? Endpoints named as extensions: 202)");
    site.refuses(
        "--phones all",
        "add --emergency-caller-id (number that emergency calls from this location show",
    );
    site.refuses("--phones all --emergency-caller-id 0205550100", "add --zone (time zone of this location");
    site.refuses("--phones 203 --yes", "pjsip.conf has no endpoint 203; it has 202");
    let said = site.init(ANSWERS);
    assert!(said.err.contains("nothing was changed: to change these files, add --yes"), "{said:?}");
    for shown in [
        "+include => hotdesk-users\n+include => phones-as-before\n",
        "-context=phones\n",
        "+#include \"hotdesk-manager.conf\"\n",
        "+users = [\"202\"]\n",
        "add     user 202: ",
    ] {
        assert!(said.out.contains(shown), "{shown}: {}", said.out);
    }
    assert!(!site.0.path("hotdesk.toml").exists() && !site.0.path("init").exists());
}

#[test]
fn users_without_a_phone_come_from_options_and_from_a_csv_file() {
    let site = Site::new();
    fs::write(site.0.path("users.csv"), "extension,name,pin\n209,Dan,739251\n").unwrap();
    let said = site.init(&format!("{ANSWERS} --user 208=Eve --users users.csv"));
    for shown in [
        "+users = [\"202\", \"208\", \"209\"]\n",
        "add     user 208: ",
        "name Eve",
        "add     user 209: ",
        "name Dan",
    ] {
        assert!(said.out.contains(shown), "{shown}: {said:?}");
    }
    assert!(!said.out.contains("739251") && said.out.matches("class phones").count() == 3, "{said:?}");
    fs::write(site.0.path("users.csv"), "extension,pin\n209,1234\n").unwrap();
    site.refuses(&format!("{ANSWERS} --users users.csv --yes"), "users.csv line 2");
}

#[test]
fn what_cannot_be_changed_is_named_with_what_to_do_by_hand() {
    let by_hand = "docs/existing-extensions.md has the steps to do it by hand";
    for (file, text, why) in [
        ("extensions.conf", "#exec /bin/print\n", "extensions.conf line 1: what #exec gives is not known"),
        (
            "pjsip.conf",
            "[202](gone)\ntype=endpoint\n",
            "pjsip.conf line 1: the template gone of [202] is not there",
        ),
        (
            "manager.conf",
            "[general]\n#include \"lost\"\n",
            "manager.conf line 2: it includes lost, which is not there",
        ),
    ] {
        let site = Site::new();
        site.write(file, text);
        site.refuses(&format!("{ANSWERS} --yes"), why);
        site.refuses(&format!("{ANSWERS} --yes"), by_hand);
    }
    let site = Site::new();
    site.write("pjsip.conf", "[desk]\ntype=endpoint\n");
    site.refuses(&format!("{ANSWERS} --yes"), "no endpoint of pjsip.conf is named as an extension");
    site.write("manager.conf", "[general]\nbindaddr=192.0.2.1\n");
    site.refuses(&format!("{ANSWERS} --yes"), "bindaddr of manager.conf is 192.0.2.1");
    site.write("extensions_additional.conf", "");
    site.refuses(&format!("{ANSWERS} --yes"), "docs/freepbx.md has the steps");
    site.refuses("--switch asterisk --yes", "has files of a FreePBX, which writes them itself");
}

#[test]
fn a_second_init_and_an_undo_of_nothing_are_refused() {
    let site = Site::new();
    site.refuses("--undo", "there is nothing to undo");
    assert_eq!(site.init("--force").code, 2);
    let said =
        site.0.run(&format!("-c hotdesk.toml init --dir etc --program nothing-of-this-name {ANSWERS} --yes"));
    assert!(said.err.contains("cannot start nothing-of-this-name: name it with --program"), "{said:?}");
    site.0.configure("");
    site.refuses(
        &format!("{ANSWERS} --yes"),
        "hotdesk.toml is there already, and init is for a new installation",
    );
    fs::remove_file(site.0.path("hotdesk.toml")).unwrap();
    fs::create_dir(site.0.path("init")).unwrap();
    site.refuses(&format!("{ANSWERS} --yes"), "init was done already: to go back, run hotdesk init --undo");
}

/// Nothing answers at the manager interface, so init gives up after it has written the files.
#[test]
fn when_the_switch_does_not_take_it_all_files_are_as_before() {
    let site = Site::new();
    site.write("manager.conf", "[general]\nenabled=yes\nport=1\n");
    site.refuses(&format!("{ANSWERS} --yes"), "everything is as before init: cannot query the switch pbx");
    assert!(!site.0.path("init").exists());
}

#[test]
fn at_a_terminal_init_asks_again_until_it_understands_and_offers_what_it_knows() {
    let site = Site::new();
    let before = site.files();
    let mut dialogue = site.at_a_terminal("");
    dialogue.answer("which phones become hotdesks? Endpoints named as extensions: 202:", "all\n");
    dialogue.answer("eu, nl, de, uk, us [eu]:", "mars\n");
    let numbers = "eu, nl, de, uk, us [eu]:";
    // A name that is no preset is found out when all answers are there.
    dialogue.answer("which the emergency services call back:", "\n");
    dialogue.answer("which the emergency services call back:", "none\n");
    dialogue.answer("which the emergency services call back:", "0205550100\n");
    dialogue.answer("for example Europe/Amsterdam [Europe/Berlin]:", "Mars/Olympus\n");
    dialogue.answer("for example Europe/Amsterdam [Europe/Berlin]:", "\n");
    let (code, shown) = dialogue.end();
    assert!(code == Some(1) && shown.contains("mars"), "{shown}");
    assert_eq!(site.files(), before);

    let mut dialogue = site.at_a_terminal("--phones 202 --emergency-caller-id 0205550100");
    dialogue.answer(numbers, "\n");
    dialogue.answer("for example Europe/Amsterdam [Europe/Berlin]:", "\n");
    dialogue.answer("change these files? Type yes:", "y\n");
    let (code, shown) = dialogue.end();
    assert!(code == Some(1) && shown.ends_with("nothing was changed\r\n"), "{shown}");
    for line in ["+numbers = [\"112\"]\r\n", "zone Europe/Berlin"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert_eq!(site.files(), before);
}

#[test]
fn at_a_terminal_the_end_of_input_changes_nothing_and_a_yes_does() {
    let site = Site::new();
    site.write("manager.conf", "[general]\nenabled=yes\nport=1\n");
    let before = site.files();
    let mut dialogue = site.at_a_terminal("");
    dialogue.answer("which phones become hotdesks?", "\u{4}");
    let (code, shown) = dialogue.end();
    assert!(code == Some(1) && shown.contains("nothing was changed"), "{shown}");
    let mut dialogue = site.at_a_terminal(ANSWERS);
    dialogue.answer("[eu]:", "112\n");
    dialogue.answer("Type yes:", "\u{4}");
    let (code, shown) = dialogue.end();
    assert!(code == Some(1) && shown.contains("nothing was changed"), "{shown}");
    assert_eq!(site.files(), before);

    // Nothing answers at the manager interface, so all is put back after the yes.
    let mut dialogue = site.at_a_terminal(ANSWERS);
    dialogue.answer("[eu]:", "\n");
    dialogue.answer("Type yes:", "yes\n");
    let (code, shown) = dialogue.end();
    assert!(code == Some(1) && shown.contains("everything is as before init: cannot query"), "{shown}");
    assert_eq!(site.files(), before);
}

#[test]
fn files_in_another_encoding_are_named_and_nothing_is_changed() {
    for (file, bytes, why) in [
        (
            "extensions.conf",
            [b"\xef\xbb\xbf", EXTENSIONS.as_bytes()].concat(),
            "begins with a byte order mark",
        ),
        ("pjsip.conf", [PJSIP.as_bytes(), b"; B\xfcro\n"].concat(), "is not in UTF-8"),
        ("manager.conf", b"\xff\xfe[\x00g\x00".to_vec(), "is not in UTF-8"),
    ] {
        let site = Site::new();
        fs::write(site.0.path("etc").join(file), bytes).unwrap();
        site.refuses(&format!("{ANSWERS} --yes"), why);
        site.refuses(&format!("{ANSWERS} --yes"), file);
    }
}
