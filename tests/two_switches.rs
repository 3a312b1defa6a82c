//! One office on two switches: a real Asterisk and a real FreeSWITCH with a trunk between them, one hotdesk beside both.
//! Where no FreeSWITCH is found, each of these says so and is skipped.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::asterisk::{self, Asterisk, Endpoint};
use crate::support::company::{USERS, one_touch};
use crate::support::debian::Version;
use crate::support::freeswitch::{self, DOMAIN, FreeSwitch, User, installed};
use crate::support::hotdesk::{Hotdesk, SECRET};
use crate::support::phone::{Event, Phone};

/// How long store and switches may take to agree.
const SOON: Duration = Duration::from_secs(2);
/// Where each desk stands.
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

/// An office that is open. Everybody is known on both switches, nobody is there.
struct Office {
    pbx: Asterisk,
    fs: FreeSwitch,
    hotdesk: Hotdesk,
}

impl Office {
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
            hotdesk.run(&["user", "set", extension, "--name", name, "--class", "from-internal"]).unwrap();
            hotdesk.run_with(&["user", "pin", extension], &format!("{pin}\n")).unwrap();
        }
        hotdesk.run(&["location", "set", "ams", "--emergency-caller-id", "0205550100"]).unwrap();
        for (desk, switch) in DESKS {
            let dial =
                if switch == "pbx" { format!("PJSIP/{desk}") } else { format!("user/{desk}@{DOMAIN}") };
            let device = ["device", "set", desk, "--switch", switch, "--dial", &dial];
            hotdesk.run(&[&device[..], &["--location", "ams"]].concat()).unwrap();
        }
        hotdesk.start().unwrap();
        let office = Self { pbx, fs, hotdesk };
        office.rows_become("101", "", "");
        Some(office)
    }

    fn log_in(&self, phone: &Phone, user: &str) {
        phone.dial(&one_touch(user)).unwrap();
        phone.wait_ended_within(Duration::from_secs(60)).unwrap();
        let status = self.hotdesk.run(&["status", "--json"]).unwrap();
        let rows: serde_json::Value = serde_json::from_str(&status).unwrap();
        let seats = |row: &&serde_json::Value| row["user"] == user;
        let at: Vec<&serde_json::Value> = rows.as_array().unwrap().iter().filter(seats).collect();
        assert_eq!(at.len(), 1, "{user} is at one desk only: {status}");
        assert_eq!(at[0]["device"], phone.name());
    }

    /// What rings for a user, by each switch's own table.
    fn rows(&self, user: &str) -> (String, String) {
        let list = self.pbx.ami().unwrap().list("DBGetTree", &[("Family", "hotdesk/user")]).unwrap();
        let key = format!("/hotdesk/user/{user}");
        let row = list.iter().find(|row| row.get("Key") == key).map(|row| row.get("Val").to_owned());
        let dial = |row: &str| row.split('|').next().unwrap_or_default().to_owned();
        let there = self.fs.api(&format!("db select/hotdesk-user-default/{user}")).unwrap();
        (dial(&row.unwrap_or_default()), dial(&there))
    }

    fn rows_become(&self, user: &str, on_pbx: &str, on_fs: &str) {
        let deadline = Instant::now() + SOON;
        let wanted = (on_pbx.to_owned(), on_fs.to_owned());
        loop {
            let rows = self.rows(user);
            if rows == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{user} rings at {rows:?}, not {wanted:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The second switch, and how they reach each other.
fn configure(hotdesk: &Hotdesk, esl: std::net::SocketAddr) {
    let mut toml = fs::OpenOptions::new().append(true).open(hotdesk.path("hotdesk.toml")).unwrap();
    write!(
        toml,
        "reach.fs = \"PJSIP/{{user}}@fs\"\n\
         [[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\nesl = \"{esl}\"\nesl_password_file = \"esl.secret\"\n\
         reach.pbx = \"sofia/gateway/pbx/{{user}}\"\n"
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
fn a_user_is_called_at_the_desk_of_either_switch_from_both() {
    let Some(office) = Office::open(Version::Current) else { return };
    let (desk1, desk2) = (office.pbx.phone("desk1").unwrap(), office.pbx.phone("desk2").unwrap());
    let desk11 = office.fs.phone("desk11").unwrap();
    let (carl, fred) = (office.pbx.phone("colleague").unwrap(), office.fs.phone("colleague").unwrap());
    let on_fs = format!("${{sofia_contact(*/desk11@{DOMAIN})}}");
    for again in [false, true] {
        office.log_in(&desk1, "101");
        office.rows_become("101", "PJSIP/desk1", "sofia/gateway/pbx/101");
        rings(&carl, "101", &desk1, ("Carl", "199"));
        rings(&fred, "101", &desk1, ("Fred", "299"));

        office.log_in(&desk11, "101");
        office.rows_become("101", "PJSIP/101@fs", &on_fs);
        rings(&carl, "101", &desk11, ("Carl", "199"));
        rings(&fred, "101", &desk11, ("Fred", "299"));
        if again {
            break;
        }
        // The desk that he left may not call.
        desk1.dial("102").unwrap();
        assert_eq!(desk1.wait_ended().unwrap().code, 403);
    }
    // Users call each other from switch to switch as who they are.
    office.log_in(&desk2, "102");
    office.rows_become("102", "PJSIP/desk2", "sofia/gateway/pbx/102");
    rings(&desk11, "102", &desk2, ("Alice", "101"));
    rings(&desk2, "101", &desk11, ("Bob", "102"));
    // A group of the directory's on FreeSWITCH rings him on Asterisk.
    office.log_in(&desk1, "101");
    office.rows_become("101", "PJSIP/desk1", "sofia/gateway/pbx/101");
    rings(&fred, "700", &desk1, ("Fred", "299"));
    // Logged out, he is nowhere on both.
    office.hotdesk.run(&["logout", "--user", "101"]).unwrap();
    office.rows_become("101", "", "");
}

#[test]
fn a_lamp_follows_to_the_other_switch_as_far_as_calls_go_through_its_own() {
    let Some(office) = Office::open(Version::Current) else { return };
    let (desk1, desk11) = (office.pbx.phone("desk1").unwrap(), office.fs.phone("desk11").unwrap());
    let (carl, fred) = (office.pbx.phone("colleague").unwrap(), office.fs.phone("colleague").unwrap());
    let watcher = office.fs.phone("desk12").unwrap();
    let seen = |phone: &Phone| -> Vec<String> {
        let lamp = |event: Event| if let Event::Lamp(lamp) = event { Some(lamp.state) } else { None };
        phone.events().all().into_iter().filter_map(lamp).collect()
    };
    // On FreeSWITCH, calls that go through it to his desk on Asterisk.
    office.log_in(&desk1, "101");
    watcher.watch("101").unwrap();
    rings(&fred, "101", &desk1, ("Fred", "299"));
    watcher.wait_lamp("101", "early").unwrap();
    watcher.wait_lamp("101", "confirmed").unwrap();
    watcher.wait_lamp("101", "terminated").unwrap();
    // On Asterisk a hint would be the whole trunk, so it is dark.
    office.log_in(&desk11, "101");
    carl.watch("101").unwrap();
    carl.wait_lamp("101", "terminated").unwrap();
    let hint = office.pbx.cli("core show hint 101").unwrap();
    assert!(hint.contains("Custom:hotdesk") && !hint.contains("@fs"), "{hint}");
    rings(&carl, "101", &desk11, ("Carl", "199"));
    thread::sleep(Duration::from_millis(300));
    let lamps = seen(&carl);
    assert!(!lamps.is_empty() && lamps.iter().all(|state| state == "terminated"), "{lamps:?}");
}

fn while_both_tables_point_at_each_other_a_call_ends(version: Version) {
    let Some(mut office) = Office::open(version) else { return };
    let (carl, fred) = (office.pbx.phone("colleague").unwrap(), office.fs.phone("colleague").unwrap());
    let desk1 = office.pbx.phone("desk1").unwrap();
    office.hotdesk.kill().unwrap();
    let mut ami = office.pbx.ami().unwrap();
    let mut put = |dial: &str| {
        let row = format!("{dial}|9|101|Alice|0||from-internal|");
        ami.act("DBPut", &[("Family", "hotdesk"), ("Key", "user/101"), ("Val", &row)]).unwrap();
    };
    put("PJSIP/101@fs");
    let row = "sofia/gateway/pbx/101|9|101|Alice|0||from-internal||";
    office.fs.api(&format!("db insert/hotdesk-user-default/101/{row}")).unwrap();
    office.fs.api("db insert/hotdesk-lamp-default/101/sofia/gateway/pbx/101").unwrap();

    // How often each switch was asked for 101.
    let asked = |office: &Office| {
        let log = office.fs.debug_log();
        let on_fs = log.lines().filter(|line| line.contains("->101 in context hotdesk-user")).count();
        (office.pbx.log().matches("Executing [101@hotdesk-user:1]").count(), on_fs)
    };
    // The group's members are dialled by the directory, which asks no dialplan and sends no header.
    for (caller, number) in [(&carl, "101"), (&fred, "101"), (&fred, "700")] {
        let before = asked(&office);
        caller.dial(number).unwrap();
        let ended = caller.wait_ended().unwrap();
        assert_eq!(ended.code, 480, "nobody is there: {ended:?}");
        thread::sleep(Duration::from_millis(500));
        let after = asked(&office);
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{number} from {}", caller.name());
    }
    // One who has a desk of his own on each: it rings there, and the call does not come back.
    put("PJSIP/desk1&PJSIP/101@fs");
    let before = asked(&office);
    rings(&fred, "101", &desk1, ("Fred", "299"));
    let after = asked(&office);
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1));
}

#[test]
fn while_both_tables_point_at_each_other_a_call_ends_on_the_current_asterisk() {
    while_both_tables_point_at_each_other_a_call_ends(Version::Current);
}

#[test]
fn while_both_tables_point_at_each_other_a_call_ends_on_asterisk_16() {
    while_both_tables_point_at_each_other_a_call_ends(Version::V16);
}

/// A second line of the desk's, to ask before it transfers. A phone that is made later has the calls.
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

/// Who calls at `desk`, by name and number.
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

fn a_call_that_was_sent_on_may_be_transferred_and_sent_on_again(version: Version) {
    let Some(office) = Office::open(version) else { return };
    let (asking1, asking11) =
        (second_line(office.pbx.phone("desk1").unwrap()), second_line(office.fs.phone("desk11").unwrap()));
    let (desk1, desk2) = (office.pbx.phone("desk1").unwrap(), office.pbx.phone("desk2").unwrap());
    let (desk11, desk12) = (office.fs.phone("desk11").unwrap(), office.fs.phone("desk12").unwrap());
    let (carl, fred) = (office.pbx.phone("colleague").unwrap(), office.fs.phone("colleague").unwrap());
    office.log_in(&desk1, "101");
    office.log_in(&desk11, "102");
    let at_desk11 = format!("${{sofia_contact(*/desk11@{DOMAIN})}}");
    office.rows_become("101", "PJSIP/desk1", "sofia/gateway/pbx/101");
    office.rows_become("102", "PJSIP/102@fs", &at_desk11);

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
    eprintln!("the caller sends on whom he called");
    office.log_in(&desk12, "103");
    talks(&desk1, "102", &desk11);
    desk1.transfer("103").unwrap();
    assert_eq!(shown(&desk12), ("Bob".into(), "102".into()), "as himself, and not as his desk");
    desk12.answer().unwrap();
    joined(&desk11, &desk12, &desk1);
    office.log_in(&desk2, "103");
    office.rows_become("103", "PJSIP/desk2", "sofia/gateway/pbx/103");
    talks(&desk11, "101", &desk1);
    desk11.transfer("103").unwrap();
    assert_eq!(shown(&desk2), ("Alice".into(), "101".into()), "as himself, and not as his desk");
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
    office.log_in(&desk12, "101");
    office.rows_become("101", "PJSIP/101@fs", &format!("${{sofia_contact(*/desk12@{DOMAIN})}}"));
    // Nobody may send calls on from a desk where nobody sits.
    office.hotdesk.run(&["login", "103", "desk1"]).unwrap();
    office.rows_become("103", "PJSIP/desk1", "sofia/gateway/pbx/103");
    desk1.transfer("101").unwrap();
    assert_eq!(desk12.wait_ringing().unwrap().from.number, "299");
    desk12.answer().unwrap();
    joined(&fred, &desk12, &desk1);
    talks(&carl, "101", &desk12);
    office.log_in(&desk1, "101");
    office.rows_become("101", "PJSIP/desk1", "sofia/gateway/pbx/101");
    desk12.transfer("101").unwrap();
    assert_eq!(desk1.wait_ringing().unwrap().from.number, "199");
    desk1.answer().unwrap();
    joined(&carl, &desk1, &desk12);
}

#[test]
fn a_call_that_was_sent_on_may_be_transferred_and_sent_on_again_with_the_current_asterisk() {
    a_call_that_was_sent_on_may_be_transferred_and_sent_on_again(Version::Current);
}
