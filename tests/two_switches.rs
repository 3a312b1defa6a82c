//! One site on two switches: a real Asterisk and a real FreeSWITCH with a trunk between them, one hotdesk beside both.
//! Where no FreeSWITCH is found, each of these says so and is skipped.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::harness::asterisk::{self, Asterisk, Endpoint};
use crate::harness::company::{USERS, one_touch};
use crate::harness::debian::Version;
use crate::harness::freeswitch::{self, DOMAIN, FreeSwitch, User, installed};
use crate::harness::hotdesk::{Hotdesk, SECRET};
use crate::harness::phone::{Event, Phone};
use crate::harness::wait;

/// How long store and switches may take to agree.
const SOON: Duration = Duration::from_secs(2);
/// The switch of each device.
const DESKS: [(&str, &str); 4] = [("desk1", "pbx"), ("desk2", "pbx"), ("desk11", "fs"), ("desk12", "fs")];

const ON_ASTERISK: &str = "\
[from-internal]
include => hotdesk-users

[emergency]
exten => 112,1,Hangup()

#include hotdesk.conf
";

const ON_FREESWITCH: &str = r#"
<context name="from-internal">
  <X-PRE-PROCESS cmd="include" data="dialplan/default/*.xml"/>
  <extension name="group"><condition field="destination_number" expression="^700$">
    <action application="bridge" data="user/101@hotdesk.test"/>
  </condition></extension>
</context>
"#;

/// A running site. All users exist on both switches, none is logged in.
struct TwoSwitches {
    pbx: Asterisk,
    fs: FreeSwitch,
    hotdesk: Hotdesk,
}

impl TwoSwitches {
    fn open(version: Version) -> Option<Self> {
        let install = installed()?;
        let (on_pbx, on_fs) = (asterisk::Site::new().unwrap(), freeswitch::Site::new().unwrap());
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
        let mut hotdesk =
            Hotdesk::new(&program, "sqlite:hotdesk.db", on_pbx.ports.ami, on_pbx.ports.agi).unwrap();
        configure(&hotdesk, on_fs.ports.ami);

        let to_fs = format!(
            "aors=to-fs\noutbound_auth=to-fs\nfrom_domain={DOMAIN}\ntrust_id_inbound=yes\n\
             [to-fs](aor)\ncontact=sip:{}\n[to-fs](auth)\nusername=pbx\npassword={}",
            on_fs.ports.sip,
            freeswitch::password("pbx")
        );
        let to_pbx = format!(
            "<include>\n<gateway name=\"pbx\">\n<param name=\"username\" value=\"fs\"/>\n\
             <param name=\"password\" value=\"{}\"/>\n<param name=\"proxy\" value=\"{}\"/>\n\
             <param name=\"register\" value=\"false\"/>\n<param name=\"cid-type\" value=\"pid\"/>\n\
             </gateway>\n</include>\n",
            asterisk::password("fs"),
            on_pbx.ports.sip
        );
        let inside = |name: &str| Endpoint::new(name).context("from-internal");
        let pbx = on_pbx
            .desks(2)
            .endpoint(inside("colleague").subscribe_context("hotdesk-hints").with("callerid=Carl <199>"))
            .endpoint(inside("fs").with(&to_fs))
            .dialplan(ON_ASTERISK)
            .sounds("en", "hotdesk", &Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplan/sounds/en"))
            .file("hotdesk.conf", &hotdesk.run(&["dialplan", "asterisk"]).unwrap())
            .manager(&include_str!("../dialplan/asterisk/manager.conf").replace("CHANGE-ME", SECRET))
            .start(version)
            .unwrap();
        let tree = hotdesk.path("tree");
        hotdesk.run(&["dialplan", "freeswitch", "--out", &tree.display().to_string()]).unwrap();
        let read = |path: &str| fs::read_to_string(tree.join(path)).unwrap();
        let directory = read("directory.xml.example");
        let (_, dial_string) = directory.split_once("name=\"dial-string\" value=\"").unwrap();
        let (dial_string, _) = dial_string.split_once('"').unwrap();
        let fs = on_fs
            .user(User::new("desk11"))
            .user(User::new("desk12"))
            .user(User::new("pbx").context("from-internal"))
            .user(
                User::new("colleague")
                    .context("from-internal")
                    .with("effective_caller_id_number", "299")
                    .with("effective_caller_id_name", "Fred"),
            )
            .mailbox("101")
            .dial_string(dial_string)
            .dialplan(ON_FREESWITCH)
            .file("conf/dialplan/hotdesk.xml", read("dialplan/hotdesk.xml"))
            .file("conf/dialplan/default/00_hotdesk.xml", read("dialplan/default/00_hotdesk.xml"))
            .file("conf/gateways/pbx.xml", to_pbx)
            .start(&install)
            .unwrap();

        for (extension, name, pin) in USERS {
            hotdesk.run(&["user", "add", extension, "--name", name, "--class", "from-internal"]).unwrap();
            hotdesk.run_with(&["user", "pin", extension], &format!("{pin}\n")).unwrap();
        }
        hotdesk.run(&["location", "add", "ams", "--emergency-caller-id", "0205550100"]).unwrap();
        for (desk, switch) in DESKS {
            let dial =
                if switch == "pbx" { format!("PJSIP/{desk}") } else { format!("user/{desk}@{DOMAIN}") };
            let device = ["device", "add", desk, "--switch", switch, "--dial", &dial];
            hotdesk.run(&[&device[..], &["--location", "ams"]].concat()).unwrap();
        }
        hotdesk.start().unwrap();
        let site = Self { pbx, fs, hotdesk };
        site.rows_become("101", "", "");
        Some(site)
    }

    fn log_in(&self, phone: &Phone, user: &str) {
        phone.dial(&one_touch(user)).unwrap();
        phone.wait_ended_within(Duration::from_secs(60)).unwrap();
        let status = self.hotdesk.run(&["status", "--json"]).unwrap();
        let rows: serde_json::Value = serde_json::from_str(&status).unwrap();
        let sessions = |row: &&serde_json::Value| row["user"] == user;
        let at: Vec<&serde_json::Value> = rows.as_array().unwrap().iter().filter(sessions).collect();
        assert_eq!(at.len(), 1, "{user} has one session only: {status}");
        assert_eq!(at[0]["device"], phone.name());
    }

    /// The rows of a user, in each switch's own table.
    fn rows(&self, user: &str) -> (String, String) {
        let list = self.pbx.ami().unwrap().list("DBGetTree", &[("Family", "hotdesk/user")]).unwrap();
        let key = format!("/hotdesk/user/{user}");
        let row = list.iter().find(|row| row.get("Key") == key).map(|row| row.get("Val").to_owned());
        let dial = |row: &str| row.split('|').next().unwrap_or_default().to_owned();
        let there = self.fs.api(&format!("db select/hotdesk-user-default/{user}")).unwrap();
        (dial(&row.unwrap_or_default()), dial(&there))
    }

    fn rows_become(&self, user: &str, on_pbx: &str, on_fs: &str) {
        let expected = (on_pbx.to_owned(), on_fs.to_owned());
        let state = || format!("{user} rings at {:?}, not {expected:?}", self.rows(user));
        wait::until(SOON, || self.rows(user) == expected, state);
    }
}

/// The second switch, and how they reach each other.
fn configure(hotdesk: &Hotdesk, esl: std::net::SocketAddr) {
    let mut toml = fs::OpenOptions::new().append(true).open(hotdesk.path("hotdesk.toml")).unwrap();
    write!(
        toml,
        "routes.fs = \"PJSIP/{{user}}@fs\"\n\
         [[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\nesl = \"{esl}\"\nesl_password_file = \"esl.secret\"\n\
         routes.pbx = \"sofia/gateway/pbx/{{user}}\"\n"
    )
    .unwrap();
    let secret = hotdesk.path("esl.secret");
    fs::write(&secret, freeswitch::PASSWORD).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
}

/// `caller` calls `number`; it rings at `desk`, which sees `name` and `shown`, and both hear that it is answered.
fn rings(caller: &Phone, number: &str, desk: &Phone, (name, shown): (&str, &str)) {
    caller.dial(number).unwrap();
    let seen = desk.wait_ringing().unwrap();
    assert_eq!((seen.from.name.as_str(), seen.from.number.as_str()), (name, shown), "at {}", desk.name());
    desk.answer().unwrap();
    caller.wait_answered().unwrap();
    caller.hang_up().unwrap();
    desk.wait_ended().unwrap();
}

#[test]
fn a_user_on_either_switch_is_called_from_both() {
    let Some(site) = TwoSwitches::open(Version::Current) else { return };
    let (desk1, desk2) = (site.pbx.phone("desk1").unwrap(), site.pbx.phone("desk2").unwrap());
    let desk11 = site.fs.phone("desk11").unwrap();
    let (carl, fred) = (site.pbx.phone("colleague").unwrap(), site.fs.phone("colleague").unwrap());
    let on_fs = format!("${{sofia_contact(*/desk11@{DOMAIN})}}");
    for again in [false, true] {
        site.log_in(&desk1, "101");
        site.rows_become("101", "PJSIP/desk1", "sofia/gateway/pbx/101");
        rings(&carl, "101", &desk1, ("Carl", "199"));
        rings(&fred, "101", &desk1, ("Fred", "299"));

        site.log_in(&desk11, "101");
        site.rows_become("101", "PJSIP/101@fs", &on_fs);
        rings(&carl, "101", &desk11, ("Carl", "199"));
        rings(&fred, "101", &desk11, ("Fred", "299"));
        if again {
            break;
        }
        // The old device may not call.
        desk1.dial("102").unwrap();
        assert_eq!(desk1.wait_ended().unwrap().code, 403);
    }
    // Users call each other from switch to switch with their own identity.
    site.log_in(&desk2, "102");
    site.rows_become("102", "PJSIP/desk2", "sofia/gateway/pbx/102");
    rings(&desk11, "102", &desk2, ("Alice", "101"));
    rings(&desk2, "101", &desk11, ("Bob", "102"));
    // A directory group on FreeSWITCH rings the user on Asterisk.
    site.log_in(&desk1, "101");
    site.rows_become("101", "PJSIP/desk1", "sofia/gateway/pbx/101");
    rings(&fred, "700", &desk1, ("Fred", "299"));
    // After the logout the user has no device on either switch.
    site.hotdesk.run(&["logout", "101"]).unwrap();
    site.rows_become("101", "", "");
}

#[test]
fn a_blf_shows_the_calls_that_pass_its_own_switch() {
    let Some(site) = TwoSwitches::open(Version::Current) else { return };
    let (desk1, desk11) = (site.pbx.phone("desk1").unwrap(), site.fs.phone("desk11").unwrap());
    let (carl, fred) = (site.pbx.phone("colleague").unwrap(), site.fs.phone("colleague").unwrap());
    let watcher = site.fs.phone("desk12").unwrap();
    let seen = |phone: &Phone| -> Vec<String> {
        let lamp = |event: Event| if let Event::Lamp(lamp) = event { Some(lamp.state) } else { None };
        phone.events().all().into_iter().filter_map(lamp).collect()
    };
    // On FreeSWITCH: calls through it to the device on Asterisk.
    site.log_in(&desk1, "101");
    watcher.watch("101").unwrap();
    rings(&fred, "101", &desk1, ("Fred", "299"));
    watcher.wait_lamp("101", "early").unwrap();
    watcher.wait_lamp("101", "confirmed").unwrap();
    watcher.wait_lamp("101", "terminated").unwrap();
    // On Asterisk a hint would be the whole trunk, so it is dark.
    site.log_in(&desk11, "101");
    carl.watch("101").unwrap();
    carl.wait_lamp("101", "terminated").unwrap();
    let hint = site.pbx.cli("core show hint 101").unwrap();
    assert!(hint.contains("Custom:hotdesk") && !hint.contains("@fs"), "{hint}");
    rings(&carl, "101", &desk11, ("Carl", "199"));
    // No lamp follows later.
    thread::sleep(Duration::from_millis(300));
    let lamps = seen(&carl);
    assert!(!lamps.is_empty() && lamps.iter().all(|state| state == "terminated"), "{lamps:?}");
}

fn a_call_ends_when_both_tables_route_to_each_other(version: Version) {
    let Some(mut site) = TwoSwitches::open(version) else { return };
    let (carl, fred) = (site.pbx.phone("colleague").unwrap(), site.fs.phone("colleague").unwrap());
    let desk1 = site.pbx.phone("desk1").unwrap();
    site.hotdesk.kill().unwrap();
    let mut ami = site.pbx.ami().unwrap();
    let mut put = |dial: &str| {
        let row = format!("{dial}|9|101|Alice|0||from-internal|");
        ami.act("DBPut", &[("Family", "hotdesk"), ("Key", "user/101"), ("Val", &row)]).unwrap();
    };
    put("PJSIP/101@fs");
    let row = "sofia/gateway/pbx/101|9|101|Alice|0||from-internal||";
    site.fs.api(&format!("db insert/hotdesk-user-default/101/{row}")).unwrap();
    site.fs.api("db insert/hotdesk-lamp-default/101/sofia/gateway/pbx/101").unwrap();

    // How often each switch was asked for 101.
    let asked = |site: &TwoSwitches| {
        let log = site.fs.debug_log();
        let on_fs = log.lines().filter(|line| line.contains("->101 in context hotdesk@user")).count();
        (site.pbx.log().matches("Executing [101@hotdesk-user:1]").count(), on_fs)
    };
    // The group's members are dialled by the directory, which asks no dialplan and sends no header.
    for (caller, number) in [(&carl, "101"), (&fred, "101"), (&fred, "700")] {
        let before = asked(&site);
        caller.dial(number).unwrap();
        let ended = caller.wait_ended().unwrap();
        assert_eq!(ended.code, 480, "no device rings: {ended:?}");
        // No request follows later.
        thread::sleep(Duration::from_millis(500));
        let after = asked(&site);
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{number} from {}", caller.name());
    }
    // A user with a device on each switch: it rings there, and the call does not come back.
    put("PJSIP/desk1&PJSIP/101@fs");
    let before = asked(&site);
    rings(&fred, "101", &desk1, ("Fred", "299"));
    let after = asked(&site);
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1));
}

#[test]
fn a_call_ends_when_both_tables_route_to_each_other_on_the_current_asterisk() {
    a_call_ends_when_both_tables_route_to_each_other(Version::Current);
}

#[test]
fn a_call_ends_when_both_tables_route_to_each_other_on_asterisk_16() {
    a_call_ends_when_both_tables_route_to_each_other(Version::V16);
}

/// A second line of the device, to ask before it transfers. A phone that is made later has the calls.
fn second_line(line: Phone) -> Phone {
    line.unregister().unwrap();
    line
}

/// `caller` calls `number`, which is answered at `desk`, and is heard there.
fn talks(caller: &Phone, number: &str, desk: &Phone) {
    caller.dial(number).unwrap();
    desk.wait_ringing().unwrap();
    desk.answer().unwrap();
    caller.wait_answered().unwrap();
    caller.tone(true);
    desk.wait_audio().unwrap();
    caller.tone(false);
    desk.wait_silence().unwrap();
}

/// The caller at `desk`, by name and number.
fn shown(desk: &Phone) -> (String, String) {
    let from = desk.wait_ringing().unwrap().from;
    (from.name, from.number)
}

/// `other` hears `caller`, when `desk` has hung up, unless the switch did.
fn joined(caller: &Phone, other: &Phone, desk: &Phone) {
    let _ = desk.hang_up();
    caller.tone(true);
    other.wait_audio().unwrap();
    caller.tone(false);
    caller.hang_up().unwrap();
    other.wait_ended().unwrap();
}

fn a_forwarded_call_is_transferred_and_forwarded_again(version: Version) {
    let Some(site) = TwoSwitches::open(version) else { return };
    let (asking1, asking11) =
        (second_line(site.pbx.phone("desk1").unwrap()), second_line(site.fs.phone("desk11").unwrap()));
    let (desk1, desk2) = (site.pbx.phone("desk1").unwrap(), site.pbx.phone("desk2").unwrap());
    let (desk11, desk12) = (site.fs.phone("desk11").unwrap(), site.fs.phone("desk12").unwrap());
    let (carl, fred) = (site.pbx.phone("colleague").unwrap(), site.fs.phone("colleague").unwrap());
    site.log_in(&desk1, "101");
    site.log_in(&desk11, "102");
    let at_desk11 = format!("${{sofia_contact(*/desk11@{DOMAIN})}}");
    site.rows_become("101", "PJSIP/desk1", "sofia/gateway/pbx/101");
    site.rows_become("102", "PJSIP/102@fs", &at_desk11);

    for (caller, first, desk, second, other, shown) in
        [(&fred, "101", &desk1, "102", &desk11, "299"), (&carl, "102", &desk11, "101", &desk1, "199")]
    {
        eprintln!("{} calls {first}: sent on by REFER to {second}", caller.name());
        talks(caller, first, desk);
        desk.transfer(second).unwrap();
        assert_eq!(other.wait_ringing().unwrap().from.number, shown);
        other.answer().unwrap();
        joined(caller, other, desk);
    }
    for (caller, first, desk, line, second, other) in
        [(&fred, "101", &desk1, &asking1, "102", &desk11), (&carl, "102", &desk11, &asking11, "101", &desk1)]
    {
        eprintln!("{} calls {first}: sent on to {second}, who was asked", caller.name());
        talks(caller, first, desk);
        talks(line, second, other);
        desk.transfer_to(line).unwrap();
        joined(caller, other, desk);
    }
    eprintln!("the caller transfers the called user");
    site.log_in(&desk12, "103");
    talks(&desk1, "102", &desk11);
    desk1.transfer("103").unwrap();
    assert_eq!(shown(&desk12), ("Bob".into(), "102".into()), "as the user, and not as the device");
    desk12.answer().unwrap();
    joined(&desk11, &desk12, &desk1);
    site.log_in(&desk2, "103");
    site.rows_become("103", "PJSIP/desk2", "sofia/gateway/pbx/103");
    talks(&desk11, "101", &desk1);
    desk11.transfer("103").unwrap();
    assert_eq!(shown(&desk2), ("Alice".into(), "101".into()), "as the user, and not as the device");
    desk2.answer().unwrap();
    joined(&desk1, &desk2, &desk11);

    eprintln!("a phone of Asterisk's forwards by itself");
    fred.dial("101").unwrap();
    desk1.wait_ringing().unwrap();
    desk1.forward("102").unwrap();
    assert_eq!(desk11.wait_ringing().unwrap().from.number, "299");
    desk11.answer().unwrap();
    fred.wait_answered().unwrap();
    joined(&fred, &desk11, &desk1);
    eprintln!("a phone of FreeSWITCH's forwards by itself, which is not followed");
    carl.dial("102").unwrap();
    desk11.wait_ringing().unwrap();
    desk11.forward("101").unwrap();
    assert_eq!(carl.wait_ended().unwrap().code, 480);
    assert!(!desk1.in_call());

    eprintln!("transferred to the very user whom it was sent on for, who has gone to the other switch");
    talks(&fred, "101", &desk1);
    site.log_in(&desk12, "101");
    site.rows_become("101", "PJSIP/101@fs", &format!("${{sofia_contact(*/desk12@{DOMAIN})}}"));
    // A device without a session may not transfer calls.
    site.hotdesk.run(&["login", "103", "desk1"]).unwrap();
    site.rows_become("103", "PJSIP/desk1", "sofia/gateway/pbx/103");
    desk1.transfer("101").unwrap();
    assert_eq!(desk12.wait_ringing().unwrap().from.number, "299");
    desk12.answer().unwrap();
    joined(&fred, &desk12, &desk1);
    talks(&carl, "101", &desk12);
    site.log_in(&desk1, "101");
    site.rows_become("101", "PJSIP/desk1", "sofia/gateway/pbx/101");
    desk12.transfer("101").unwrap();
    assert_eq!(desk1.wait_ringing().unwrap().from.number, "199");
    desk1.answer().unwrap();
    joined(&carl, &desk1, &desk12);
}

#[test]
fn a_forwarded_call_is_transferred_and_forwarded_again_with_the_current_asterisk() {
    a_forwarded_call_is_transferred_and_forwarded_again(Version::Current);
}
