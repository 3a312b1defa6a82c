//! Several companies on one Asterisk, each with its own user 101, beside one hotdesk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::asterisk::{Asterisk, Endpoint, Site};
use crate::harness::debian::Version;
use crate::harness::hotdesk::{Hotdesk, SECRET};
use crate::harness::phone::Phone;

/// The companies, and the PIN of each one's user 101.
const TENANTS: [(&str, &str); 3] = [("acme", "729154"), ("globex", "583617"), ("default", "246813")];

const PATIENCE: Duration = Duration::from_secs(30);

/// What a tenant's names on the Asterisk begin with.
fn space(tenant: &str) -> String {
    if tenant == "default" { "hotdesk".into() } else { format!("{tenant}-hotdesk") }
}

/// Starts the tenants: a device and a phone that calls 101 each, named after the tenant.
fn open() -> (Asterisk, Hotdesk) {
    let mut site = Site::new().unwrap();
    let mut dialplan = "[emergency]\nexten => 112,1,Dial(PJSIP/112@default-desk)\n".to_owned();
    for (tenant, _) in TENANTS {
        let space = space(tenant);
        let desk = Endpoint::new(&format!("{tenant}-desk")).context(&space);
        let caller = Endpoint::new(&format!("{tenant}-caller")).context(&format!("{tenant}-internal"));
        site = site
            .endpoint(desk.subscribe_context(&format!("{space}-hints")))
            .endpoint(caller.subscribe_context(&format!("{space}-hints")));
        dialplan += &format!("[{tenant}-internal]\ninclude => {space}-users\n");
    }
    let program = [env!("CARGO_BIN_EXE_hotdesk").into()];
    let mut hotdesk = Hotdesk::new(&program, "sqlite:hotdesk.db", site.ports.ami, site.ports.agi).unwrap();
    let file = hotdesk.path("hotdesk.toml");
    let config = fs::read_to_string(&file).unwrap();
    let tenants = TENANTS.map(|(tenant, _)| format!("\"{tenant}\"")).join(", ");
    let config = config.replace("name = \"pbx\"", &format!("name = \"pbx\"\ntenants = [{tenants}]"));
    fs::write(&file, config).unwrap();
    let pbx = site
        .dialplan(&format!("{dialplan}#include hotdesk.conf\n"))
        .sounds("en", "hotdesk", &Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplan/sounds/en"))
        .file("hotdesk.conf", &hotdesk.run(&["dialplan", "asterisk"]).unwrap())
        .manager(&include_str!("../dialplan/asterisk/manager.conf").replace("CHANGE-ME", SECRET))
        .start(Version::Current)
        .unwrap();
    for (tenant, pin) in TENANTS {
        let desk = format!("{tenant}-desk");
        let class = format!("{tenant}-internal");
        let of = |args: &[&str], input: &str| {
            hotdesk.run_with(&[&["--tenant", tenant], args].concat(), input).unwrap()
        };
        of(&["user", "add", "101", "--name", tenant, "--class", &class], "");
        of(&["user", "pin", "101"], &format!("{pin}\n"));
        let dial = format!("PJSIP/{desk}");
        of(&["location", "add", "ams", "--emergency-caller-id", "0205550101"], "");
        let place = ["--location", "ams"];
        of(&[&["device", "add", &desk, "--switch", "pbx", "--dial", &dial], &place[..]].concat(), "");
    }
    hotdesk.start().unwrap();
    (pbx, hotdesk)
}

/// The devices with a session in a tenant, by its own status.
fn sessions(hotdesk: &Hotdesk, tenant: &str) -> Vec<String> {
    let status = hotdesk.run(&["--tenant", tenant, "status", "--json"]).unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    let rows = status.as_array().unwrap();
    rows.iter().map(|row| row["device"].as_str().unwrap().to_owned()).collect()
}

fn dial_code(phone: &Phone, code: &str) {
    phone.dial(code).unwrap();
    phone.wait_ended_within(PATIENCE).unwrap();
}

#[test]
fn each_tenant_of_an_asterisk_has_its_own_101() {
    let (pbx, hotdesk) = open();
    let desks = TENANTS.map(|(tenant, _)| pbx.phone(&format!("{tenant}-desk")).unwrap());
    let callers = TENANTS.map(|(tenant, _)| pbx.phone(&format!("{tenant}-caller")).unwrap());
    let [acme, globex, _] = &desks;

    // Another company's PIN is no PIN here.
    dial_code(acme, &format!("*35*101*{}", TENANTS[1].1));
    assert!(TENANTS.iter().all(|(tenant, _)| sessions(&hotdesk, tenant).is_empty()));

    // Each logs in as 101, and no login moves another.
    for (desk, (_, pin)) in desks.iter().zip(TENANTS) {
        dial_code(desk, &format!("*35*101*{pin}"));
    }
    for (tenant, _) in TENANTS {
        assert_eq!(sessions(&hotdesk, tenant), [format!("{tenant}-desk")]);
    }

    // A call to 101 of a tenant rings the tenant's own device only.
    for (caller, desk) in callers.iter().zip(&desks) {
        caller.dial("101").unwrap();
        desk.wait_ringing().unwrap();
        assert!(desks.iter().filter(|other| other.in_call()).count() == 1);
        caller.hang_up().unwrap();
        desk.wait_ended().unwrap();
    }

    // One logs out: the others stay, and nothing of it is in their journals.
    dial_code(globex, "*35");
    assert_eq!(sessions(&hotdesk, "globex"), Vec::<String>::new());
    assert_eq!(sessions(&hotdesk, "acme").len() + sessions(&hotdesk, "default").len(), 2);
    for (tenant, _) in TENANTS {
        let journal = hotdesk.run(&["--tenant", tenant, "journal"]).unwrap();
        let others = TENANTS.iter().filter(|(other, _)| *other != tenant);
        assert!(journal.contains(&format!("{tenant}-desk")), "{journal}");
        others.for_each(|(other, _)| assert!(!journal.contains(&format!("{other}-desk")), "{journal}"));
        let found = hotdesk.output(&["--tenant", tenant, "check"], "").unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        assert!(found.contains("all is well"), "{tenant}: {found}");
    }

    // Each company's rows stand in a family of its own.
    let mut ami = pbx.ami().unwrap();
    for (n, (tenant, _)) in TENANTS.iter().enumerate() {
        let rows = ami.list("DBGetTree", &[("Family", &space(tenant))]).unwrap();
        let session =
            rows.iter().find(|row| row.get("Key").ends_with(&format!("/device/{tenant}-desk"))).unwrap();
        assert_eq!(session.get("Val").starts_with("101|"), n != 1, "{tenant}: {}", session.get("Val"));
        assert_eq!(rows.len(), 3, "a device, a user and the mark of the store: {rows:?}");
    }
}
