//! `hotdesk init` on a real Asterisk whose phones are named as extensions, until the first login, and `hotdesk init --undo`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::harness::asterisk::{Asterisk, Endpoint, Site};
use crate::harness::check::broken;
use crate::harness::company::{call, dial_code};
use crate::harness::debian::Version;
use crate::harness::each::on_both;
use crate::harness::hotdesk::Hotdesk;

on_both! {
    phones_become_hotdesks_by_one_command_and_are_fixed_phones_again_by_another
    after_a_failure_half_way_everything_is_as_before
    line_ends_and_blanks_stay_as_they_are
}

const DIALPLAN: &str = "\
[outgoing]
exten => _0X.,1,Dial(PJSIP/trunk)
exten => 112,1,Dial(PJSIP/trunk)

[internal]
exten => _2XX,1,Dial(PJSIP/${EXTEN},30)
 same => n,Hangup()
exten => 200,1,Dial(PJSIP/201&PJSIP/202)

[phones] ; all desks
include => internal
include => outgoing
exten => _X.,1,Goto(outgoing,${EXTEN},1)
exten => _[23]XX,1,Goto(internal,${EXTEN},1)

[from-trunk]
include => internal
";

/// Path, bytes, mode, user and group of each file in a folder, and in those below.
pub type Files = BTreeMap<PathBuf, (Vec<u8>, u32, u32, u32)>;

/// What is in a folder.
pub fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
            continue;
        }
        let about = fs::metadata(&path).unwrap();
        found.insert(path.clone(), (fs::read(&path).unwrap(), about.mode(), about.uid(), about.gid()));
    }
    found
}

/// Runs a command line; whether it was done, what it printed, and what was wrong.
pub fn said(hotdesk: &Hotdesk, args: &[&str]) -> (bool, String, String) {
    let said = hotdesk.output(args, "").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (said.status.success(), text(said.stdout), text(said.stderr))
}

/// The PINs that init printed, by user.
pub fn pins(said: &str) -> BTreeMap<String, String> {
    let pins = said.lines().filter_map(|line| line.strip_prefix("PIN of ")?.split_once(": "));
    pins.map(|(user, pin)| (user.to_owned(), pin.to_owned())).collect()
}

/// `init --undo` refuses while Hotdesk runs, and while the switch's file `changed` is not as init left it. Then the files in
/// `folder` are as `before`, and of what init made in Hotdesk's folder nothing is left.
pub fn undo(
    hotdesk: &mut Hotdesk,
    (folder, changed, before): (&Path, &str, &Files),
    made: &[&str],
    init: impl Fn(&Hotdesk, &[&str]) -> (bool, String, String),
) {
    let (done, _, refused) = init(hotdesk, &["--undo"]);
    assert!(!done && refused.contains("hotdesk serve is running. Stop it first"), "{refused}");
    hotdesk.stop().unwrap();
    let changed = folder.join(changed);
    let text = fs::read(&changed).unwrap();
    fs::write(&changed, [&text[..], b"\n"].concat()).unwrap();
    let (done, _, refused) = init(hotdesk, &["--undo"]);
    assert!(!done && refused.contains("was changed after init"), "{refused}");
    assert!(refused.contains(changed.to_str().unwrap()), "{refused}");
    fs::write(&changed, text).unwrap();
    let (done, said, refused) = init(hotdesk, &["--undo"]);
    assert!(done, "{said}\n{refused}");
    assert_eq!(&files(folder), before);
    for gone in made {
        assert!(!hotdesk.path(gone).exists(), "{gone}");
    }
}

/// Runs `hotdesk init` with these arguments on an Asterisk; whether it was done, what it printed, and what was wrong.
pub fn init(hotdesk: &Hotdesk, pbx: &Asterisk, agi: &str, more: &[&str]) -> (bool, String, String) {
    let (dir, sounds) = (pbx.path("etc"), hotdesk.path("sounds"));
    let own = [
        "init",
        "--dir",
        dir.to_str().unwrap(),
        "--sounds",
        sounds.to_str().unwrap(),
        "--program",
        pbx.program().to_str().unwrap(),
        "--agi-listen",
        agi,
    ];
    said(hotdesk, &[&own, more].concat())
}

struct At {
    pbx: Asterisk,
    hotdesk: Hotdesk,
    agi: String,
}

impl At {
    fn start(version: Version, change: impl Fn(Site) -> Site) -> Self {
        let fixed = |name: &str, who: &str| {
            let caller = format!("callerid={who} <{name}>");
            Endpoint::new(name).context("phones").subscribe_context("phones").with(&caller)
        };
        let phones = [("201", "Ann"), ("202", "Bob"), ("203", "Carol")];
        let site = Site::new().unwrap().dialplan(DIALPLAN);
        let site = phones.iter().fold(site, |site, (name, who)| site.endpoint(fixed(name, who)));
        let site = change(site.endpoint(Endpoint::new("trunk").context("from-trunk")));
        let agi = site.ports.agi.to_string();
        let pbx = site.start(version).unwrap();
        for (file, mode) in [("pjsip.conf", 0o640), ("extensions.conf", 0o664)] {
            let path = pbx.path("etc").join(file);
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let hotdesk = Hotdesk::unconfigured(&[PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))]).unwrap();
        fs::create_dir(hotdesk.path("sounds")).unwrap();
        Self { pbx, hotdesk, agi }
    }

    /// Runs init with these arguments; what it printed, and what was wrong.
    fn init(&self, more: &[&str]) -> (bool, String, String) {
        init(&self.hotdesk, &self.pbx, &self.agi, more)
    }
}

const ANSWERS: [&str; 10] = [
    "--phones",
    "202,203",
    "--emergency-numbers",
    "eu",
    "--emergency-caller-id",
    "0205550100",
    "--zone",
    "Europe/Amsterdam",
    "--auto-logout-at",
    "never",
];

fn phones_become_hotdesks_by_one_command_and_are_fixed_phones_again_by_another(version: Version) {
    let mut at = At::start(version, |site| site);
    let before = files(&at.pbx.path("etc"));
    let [fixed, bobs, carols, trunk] = ["201", "202", "203", "trunk"].map(|name| at.pbx.phone(name).unwrap());
    let as_before = || {
        call(&fixed, "202", &bobs, "201").unwrap();
        call(&bobs, "201", &fixed, "202").unwrap();
        call(&trunk, "203", &carols, "").unwrap();
        call(&fixed, "112", &trunk, "201").unwrap();
        call(&bobs, "0123", &trunk, "202").unwrap();
    };
    as_before();

    // Without a yes nothing is changed, and the diff shows no secret.
    let (done, shown, refused) = at.init(&ANSWERS);
    assert!(!done && refused.contains("nothing was changed: to change these files, add --yes"), "{refused}");
    assert!(shown.contains("-context=phones\n+context=hotdesk\n") && !shown.contains("pw-202"), "{shown}");
    assert!(refused.contains("extensions.conf line 12 names PJSIP/202"), "{refused}");
    assert_eq!(files(&at.pbx.path("etc")), before);
    assert_eq!(fs::read_dir(at.hotdesk.folder()).unwrap().count(), 1);

    let (done, said, refused) = at.init(&[&ANSWERS[..], &["--yes"]].concat());
    assert!(done, "{said}\n{refused}");
    // Hotdesk does not run yet, and all phones are called as before.
    as_before();
    let (done, _, refused) = at.init(&[&ANSWERS[..], &["--yes"]].concat());
    assert!(
        !done && refused.contains("init was done already: to go back, run hotdesk init --undo"),
        "{refused}"
    );

    at.hotdesk.start().unwrap();
    let wrong = broken(&at.hotdesk);
    assert_eq!(wrong, "");
    dial_code(&carols, &format!("*35*202*{}", pins(&said)["202"]), &[]).unwrap();
    call(&fixed, "202", &carols, "201").unwrap();
    call(&carols, "201", &fixed, "202").unwrap();
    call(&trunk, "202", &carols, "").unwrap();
    call(&carols, "112", &trunk, "0205550100").unwrap();
    call(&trunk, "0205550100", &carols, "").unwrap();
    call(&fixed, "112", &trunk, "201").unwrap();

    let At { pbx, hotdesk, agi } = &mut at;
    let made = ["hotdesk.toml", "ami.secret", "hotdesk.db", "hotdesk.pepper", "init"];
    undo(hotdesk, (&pbx.path("etc"), "manager.conf", &before), &made, |hotdesk, more| {
        init(hotdesk, pbx, agi, more)
    });
    assert_eq!(files(&at.hotdesk.path("sounds")), Files::new());
    assert!(at.hotdesk.path("hotdesk.db.undone").exists());
    let rows = at.pbx.cli("database show").unwrap();
    assert!(!rows.contains("hotdesk"), "{rows}");
    as_before();
}

fn after_a_failure_half_way_everything_is_as_before(version: Version) {
    // The dialplan needs this module, and init finds out only when it has loaded the dialplan.
    let modules = include_str!("harness/asterisk/etc/modules.conf").replace("load=app_stack.so\n", "");
    let at = At::start(version, |site| site.file("modules.conf", &modules));
    let before = files(&at.pbx.path("etc"));
    let (done, said, refused) = at.init(&[&ANSWERS[..], &["--yes"]].concat());
    assert!(!done && refused.contains("everything is as before init"), "{said}\n{refused}");
    assert!(refused.contains("app_stack"), "{refused}");
    assert_eq!(files(&at.pbx.path("etc")), before);
    assert_eq!(fs::read_dir(at.hotdesk.folder()).unwrap().count(), 1, "only the folder for prompts is there");
    let [fixed, bobs] = ["201", "202"].map(|name| at.pbx.phone(name).unwrap());
    call(&fixed, "202", &bobs, "201").unwrap();
    assert!(!at.pbx.cli("dialplan show hotdesk").unwrap().contains("hotdesk-code"));
}

/// CRLF, blanks at the ends of lines, a tab, no end of the last line.
fn line_ends_and_blanks_stay_as_they_are(version: Version) {
    let mut at = At::start(version, |site| site);
    let etc = at.pbx.path("etc");
    for file in ["extensions.conf", "pjsip.conf", "manager.conf"] {
        let text = fs::read_to_string(etc.join(file)).unwrap();
        let text = text.trim_end().replace('\n', "  \t\r\n");
        fs::write(etc.join(file), text).unwrap();
    }
    at.pbx.cli("core reload").unwrap();
    let before = files(&etc);
    let [fixed, bobs, carols] = ["201", "202", "203"].map(|name| at.pbx.phone(name).unwrap());
    call(&fixed, "202", &bobs, "201").unwrap();
    let (done, said, refused) = at.init(&[&ANSWERS[..], &["--yes"]].concat());
    assert!(done, "{said}\n{refused}");
    for (path, (bytes, ..)) in files(&etc).into_iter().filter(|(path, _)| before.contains_key(path)) {
        let (changed, text) = (before[&path].0 != bytes, String::from_utf8(bytes).unwrap());
        assert!(!changed || text.matches('\n').count() == text.matches("\r\n").count(), "{path:?}: {text:?}");
    }
    at.hotdesk.start().unwrap();
    dial_code(&carols, &format!("*35*202*{}", pins(&said)["202"]), &[]).unwrap();
    call(&fixed, "202", &carols, "201").unwrap();
    at.hotdesk.stop().unwrap();
    let (done, said, refused) = at.init(&["--undo"]);
    assert!(done, "{said}\n{refused}");
    assert_eq!(files(&etc), before);
    call(&fixed, "202", &bobs, "201").unwrap();
}
