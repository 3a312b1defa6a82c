//! Several companies on one FreeSWITCH, each a domain: with the same extensions, the same phones, and codes of their own.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::freeswitch::company::{below, installed_at};
use crate::harness::freeswitch::{FreeSwitch, Site, User, installed};
use crate::harness::hotdesk::Hotdesk;
use crate::harness::phone::Phone;

/// The tenants, the PIN of each one's user 101, the key that logs them in, and the emergency number of the device.
const TENANTS: [(&str, &str, &str, &str); 3] = [
    ("acme.test", "729154", "*35*101*729154", "0205550101"),
    ("globex.test", "583617", "*77*101*", "0305550101"),
    ("initech.test", "246813", "*35*101*246813", "0405550101"),
];
/// `globex` has other codes, and `initech` more users.
const CONFIG: &str = r#"
[[tenant]]
name = "globex.test"
codes.presets = ["3cx"]
[[tenant]]
name = "initech.test"
dialplan.users = ["1XX", "2XX"]
"#;
/// The site's own dialplan: the called number gives the tenant of a call from the trunk, as in `dialplan/README.md`.
const SITE: &str = r#"
<context name="default">
  <X-PRE-PROCESS cmd="include" data="dialplan/default/*.xml"/>
</context>
<context name="outside">
  <extension name="acme" continue="true"><condition field="destination_number" expression="^020">
    <action application="set" data="domain_name=acme.test" inline="true"/>
  </condition></extension>
  <extension name="globex" continue="true"><condition field="destination_number" expression="^030">
    <action application="set" data="domain_name=globex.test" inline="true"/>
  </condition></extension>
  <extension name="initech" continue="true"><condition field="destination_number" expression="^040">
    <action application="set" data="domain_name=initech.test" inline="true"/>
  </condition></extension>
  <X-PRE-PROCESS cmd="include" data="dialplan/public/*.xml"/>
  <extension name="users"><condition field="destination_number" expression="^0\d05550(101)$">
    <action application="transfer" data="$1 XML default"/>
  </condition></extension>
</context>
<context name="emergency">
  <extension name="help"><condition field="destination_number" expression="^112$">
    <action application="bridge" data="user/trunk@hotdesk.test"/>
  </condition></extension>
</context>
"#;
const LONG: Duration = Duration::from_secs(30);

struct Companies {
    pbx: FreeSwitch,
    hotdesk: Hotdesk,
}

impl Companies {
    /// Each has the phones `desk1` and `desk2`, and `caller`, a phone of its own; all have one trunk.
    fn open() -> Option<Self> {
        let install = installed()?;
        let site = Site::new().unwrap();
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
        let hotdesk = Hotdesk::beside_freeswitch(&program, "sqlite:hotdesk.db", site.ports.ami).unwrap();
        let tenants = TENANTS.map(|(tenant, ..)| format!("\"{tenant}\"")).join(", ");
        hotdesk.configure(&format!("tenants = [{tenants}]\n{CONFIG}")).unwrap();
        let out = hotdesk.path("tree");
        hotdesk.run(&["dialplan", "freeswitch", "--out", &out.display().to_string()]).unwrap();
        let directory = std::fs::read_to_string(out.join("directory.xml.example")).unwrap();
        let (_, dial_string) = directory.split_once("name=\"dial-string\" value=\"").unwrap();
        let (dial_string, _) = dial_string.split_once('"').unwrap();
        let mut files = vec![];
        below(&out, &mut files);
        let site = site.user(User::new("trunk").context("outside")).dial_string(dial_string).dialplan(SITE);
        let site = TENANTS.iter().fold(site, |site, (tenant, ..)| {
            let caller = User::new("caller").context("default").with("effective_caller_id_number", "199");
            site.user_in(tenant, User::new("desk1"))
                .user_in(tenant, User::new("desk2"))
                .user_in(tenant, caller)
        });
        let pbx = files
            .iter()
            .fold(site, |site, file| {
                let within = file.strip_prefix(&out).unwrap().display().to_string();
                site.file(installed_at(&within), std::fs::read(file).unwrap())
            })
            .start(&install)
            .unwrap();
        let mut companies = Self { pbx, hotdesk };
        for (tenant, pin, _, emergency) in TENANTS {
            let dial = format!("user/desk1@{tenant}");
            companies.of(tenant, &["user", "add", "101", "--name", tenant, "--class", "default"]);
            companies
                .hotdesk
                .run_with(&["--tenant", tenant, "user", "pin", "101"], &format!("{pin}\n"))
                .unwrap();
            companies.of(tenant, &["location", "add", "hall", "--emergency-caller-id", emergency]);
            let place = ["--switch", "pbx", "--dial", &dial, "--location", "hall"];
            companies.of(tenant, &[&["device", "add", "desk1"], &place[..]].concat());
        }
        companies.hotdesk.start().unwrap();
        Some(companies)
    }

    /// What a command says that is about one company.
    fn of(&self, tenant: &str, args: &[&str]) -> String {
        self.hotdesk.run(&[&["--tenant", tenant], args].concat()).unwrap()
    }

    fn phones(&self, name: &str) -> [Phone; 3] {
        TENANTS.map(|(tenant, ..)| self.pbx.phone_in(tenant, name).unwrap())
    }

    /// Logs in 101 of a company at its device, by its own code.
    fn log_in(&self, n: usize, desk: &Phone) {
        let (tenant, pin, code, _) = TENANTS[n];
        desk.dial(code).unwrap();
        if !code.ends_with(pin) {
            desk.wait_audio().unwrap();
            desk.press(&format!("{pin}#"));
        }
        desk.wait_ended_within(LONG).unwrap();
        assert_eq!(self.sessions(tenant), ["101@desk1"]);
    }

    fn sessions(&self, tenant: &str) -> Vec<String> {
        let status: Value = serde_json::from_str(&self.of(tenant, &["status", "--json"])).unwrap();
        let session =
            |row: &Value| format!("{}@{}", row["user"].as_str().unwrap(), row["device"].as_str().unwrap());
        status.as_array().unwrap().iter().map(session).collect()
    }

    fn no_sessions(&self) -> bool {
        TENANTS.iter().all(|(tenant, ..)| self.sessions(tenant).is_empty())
    }
}

#[test]
fn each_tenant_of_a_freeswitch_has_its_own_101() {
    let Some(companies) = Companies::open() else { return };
    let (desks, callers) = (companies.phones("desk1"), companies.phones("caller"));
    callers.iter().for_each(|caller| caller.watch("101").unwrap());

    // Another company's PIN is no PIN here, and another company's code no code.
    desks[0].dial(&format!("*35*101*{}", TENANTS[2].1)).unwrap();
    desks[0].wait_audio().unwrap();
    desks[0].hang_up().unwrap();
    for (desk, code) in
        [(&desks[0], "*77*101*"), (&desks[1], "*35"), (&desks[1], TENANTS[0].2), (&desks[2], "*77*5*")]
    {
        let arrived = companies.hotdesk.log().matches("call.arrived").count();
        desk.dial(code).unwrap();
        // The dialplan says that there is no such number.
        desk.wait_audio().unwrap();
        desk.hang_up().unwrap();
        assert_eq!(companies.hotdesk.log().matches("call.arrived").count(), arrived, "{code}");
    }
    assert!(companies.no_sessions());

    // Each logs in as 101, and no login moves another.
    (0..3).for_each(|n| companies.log_in(n, &desks[n]));

    // A call to 101 of a tenant rings the tenant's own device only, and lights its own lamp only.
    for (n, (caller, desk)) in callers.iter().zip(&desks).enumerate() {
        let lamps = callers.each_ref().map(lit);
        caller.dial("101").unwrap();
        assert_eq!(desk.wait_ringing().unwrap().from.number, "199");
        assert_eq!(desks.iter().filter(|other| other.in_call()).count(), 1);
        desk.answer().unwrap();
        caller.wait_answered().unwrap();
        caller.wait_lamp("101", "confirmed").unwrap();
        caller.hang_up().unwrap();
        desk.wait_ended().unwrap();
        caller.wait_lamp("101", "terminated").unwrap();
        // No lamp follows later.
        thread::sleep(Duration::from_millis(300));
        let others = (0..3).filter(|other| *other != n);
        others.for_each(|other| assert_eq!(lit(&callers[other]), lamps[other], "of {other} by {n}"));
    }

    // Each company has its own rows and journal. A change of one does not touch the others.
    desks[0].dial("*35").unwrap();
    desks[0].wait_ended_within(LONG).unwrap();
    let mut esl = companies.pbx.esl().unwrap();
    for (n, (tenant, ..)) in TENANTS.iter().enumerate() {
        let session = esl.api(&format!("db select/hotdesk-device-{tenant}/desk1")).unwrap();
        assert_eq!(session.starts_with("101|"), n != 0, "{tenant}: {session}");
        let name = esl.api(&format!("db select/hotdesk-user-{tenant}/101")).unwrap();
        let journal = companies.of(tenant, &["journal", "--json"]);
        for (other, ..) in TENANTS.iter().filter(|(other, ..)| other != tenant) {
            assert!(!name.contains(other) && !journal.contains(other), "{name} {journal}");
        }
        assert!(name.contains(tenant), "{name}");
        // One login of each; one wrong PIN and one logout of the first.
        let moved = journal.matches("sessions_changed").count();
        assert_eq!(
            (moved, journal.matches("pin-wrong").count()),
            if n == 0 { (2, 1) } else { (1, 0) },
            "{journal}"
        );
        assert_eq!(companies.sessions(tenant).len(), usize::from(n != 0));
        let found = companies.of(tenant, &["check"]);
        assert!(found.ends_with("all is well\n"), "{found}");
    }
}

/// What a phone heard of lamps.
fn lit(phone: &Phone) -> usize {
    phone.events().all().iter().filter(|event| format!("{event:?}").contains("confirmed")).count()
}

#[test]
fn each_tenant_has_its_own_trunk_and_emergency_numbers() {
    let Some(companies) = Companies::open() else { return };
    let (desks, trunk) = (companies.phones("desk1"), companies.pbx.phone("trunk").unwrap());
    companies.log_in(1, &desks[1]);
    // From outside, the called number selects the tenant.
    let rings = |number: &str, desk: &Phone| {
        trunk.dial(number).unwrap();
        desk.wait_ringing().unwrap();
        assert_eq!(desks.iter().filter(|other| other.in_call()).count(), 1);
        trunk.hang_up().unwrap();
        desk.wait_ended().unwrap();
    };
    rings(TENANTS[1].3, &desks[1]);
    for (desk, (.., shown)) in desks.iter().zip(TENANTS) {
        desk.dial("112").unwrap();
        assert_eq!(trunk.wait_ringing().unwrap().from.number, shown);
        trunk.answer().unwrap();
        desk.wait_answered().unwrap();
        desk.hang_up().unwrap();
        trunk.wait_ended().unwrap();
    }
    // The first and the last device have no session: callbacks reach them.
    desks.iter().zip(TENANTS).for_each(|(desk, (.., shown))| rings(shown, desk));
}

#[test]
fn each_tenant_discovers_its_own_devices_only() {
    let Some(companies) = Companies::open() else { return };
    let _registered = companies.pbx.phone_in("globex.test", "desk2").unwrap();
    for (tenant, ..) in TENANTS {
        let found: Value = serde_json::from_str(&companies.of(tenant, &["discover", "--json"])).unwrap();
        let told = |row: &Value| {
            (
                row["dial"].as_str().unwrap().to_owned(),
                row["registered"].as_bool().unwrap(),
                row["hotdesk"].as_bool(),
            )
        };
        let found: Vec<_> = found.as_array().unwrap().iter().map(told).collect();
        let is = |name: &str, known| {
            (format!("user/{name}@{tenant}"), name == "desk2" && tenant == "globex.test", known)
        };
        assert_eq!(found, [is("caller", None), is("desk1", Some(true)), is("desk2", None)]);
    }
    companies.of("globex.test", &["discover", "--add-all", "--location", "hall"]);
    for (tenant, ..) in TENANTS {
        let devices = companies.of(tenant, &["device", "list"]);
        let desk2 = format!("user/desk2@{tenant}");
        assert_eq!(devices.contains(&desk2), tenant == "globex.test", "{devices}");
        assert!(!devices.contains("caller"), "{devices}");
    }
}
