//! Several companies on one Asterisk, each with its own user 101, beside one hotdesk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::asterisk::{Asterisk, Endpoint, Site};
use crate::support::debian::Version;
use crate::support::hotdesk::{Hotdesk, SECRET};
use crate::support::phone::Phone;

/// The companies, and the PIN of each one's user 101.
const TENANTS: [(&str, &str); 3] = [("acme", "729154"), ("globex", "583617"), ("default", "246813")];

const PATIENCE: Duration = Duration::from_secs(30);

/// What a tenant's names on the Asterisk begin with.
fn space(tenant: &str) -> String {
    if tenant == "default" { "hotdesk".into() } else { format!("{tenant}-hotdesk") }
}

/// Opens the companies: one desk each, named after it, and somebody to call 101 from.
fn open() -> (Asterisk, Hotdesk) {
    let mut site = Site::new().unwrap();
    let mut dialplan = "[emergency]\nexten => 112,1,Hangup()\n".to_owned();
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
        of(&["user", "set", "101", "--name", tenant, "--class", &class], "");
        of(&["user", "pin", "101"], &format!("{pin}\n"));
        let dial = format!("PJSIP/{desk}");
        of(&["location", "set", "ams", "--emergency-caller-id", "0205550101"], "");
        let place = ["--location", "ams"];
        of(&[&["device", "set", &desk, "--switch", "pbx", "--dial", &dial], &place[..]].concat(), "");
    }
    hotdesk.start().unwrap();
    (pbx, hotdesk)
}

/// Who sits where in a company, by its own status.
fn seats(hotdesk: &Hotdesk, tenant: &str) -> Vec<String> {
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
fn companies_on_one_asterisk_each_have_their_own_101() {
    let (pbx, hotdesk) = open();
    let desks = TENANTS.map(|(tenant, _)| pbx.phone(&format!("{tenant}-desk")).unwrap());
    let callers = TENANTS.map(|(tenant, _)| pbx.phone(&format!("{tenant}-caller")).unwrap());
    let [acme, globex, _] = &desks;

    // Another company's PIN is no PIN here.
    dial_code(acme, &format!("*35*101*{}", TENANTS[1].1));
    assert!(TENANTS.iter().all(|(tenant, _)| seats(&hotdesk, tenant).is_empty()));

    // Each logs in as 101; nobody moves anybody.
    for (desk, (_, pin)) in desks.iter().zip(TENANTS) {
        dial_code(desk, &format!("*35*101*{pin}"));
    }
    for (tenant, _) in TENANTS {
        assert_eq!(seats(&hotdesk, tenant), [format!("{tenant}-desk")]);
    }

    // Who calls 101 in a company rings that company's desk, and no other.
    for (caller, desk) in callers.iter().zip(&desks) {
        caller.dial("101").unwrap();
        desk.wait_ringing().unwrap();
        assert!(desks.iter().filter(|other| other.in_call()).count() == 1);
        caller.hang_up().unwrap();
        desk.wait_ended().unwrap();
    }

    // One logs out: the others stay, and nothing of it is in their journals.
    dial_code(globex, "*35");
    assert_eq!(seats(&hotdesk, "globex"), Vec::<String>::new());
    assert_eq!(seats(&hotdesk, "acme").len() + seats(&hotdesk, "default").len(), 2);
    for (tenant, _) in TENANTS {
        let journal = hotdesk.run(&["--tenant", tenant, "journal"]).unwrap();
        let others = TENANTS.iter().filter(|(other, _)| *other != tenant);
        assert!(journal.contains(&format!("{tenant}-desk")), "{journal}");
        others.for_each(|(other, _)| assert!(!journal.contains(&format!("{other}-desk")), "{journal}"));
        assert!(hotdesk.run(&["--tenant", tenant, "check"]).is_ok_and(|found| found.contains("all is well")));
    }

    // Each company's rows stand in a family of its own.
    let mut ami = pbx.ami().unwrap();
    for (n, (tenant, _)) in TENANTS.iter().enumerate() {
        let rows = ami.list("DBGetTree", &[("Family", &space(tenant))]).unwrap();
        let seat =
            rows.iter().find(|row| row.get("Key").ends_with(&format!("/device/{tenant}-desk"))).unwrap();
        assert_eq!(seat.get("Val").starts_with("101|"), n != 1, "{tenant}: {}", seat.get("Val"));
        assert_eq!(rows.len(), 2);
    }
}
