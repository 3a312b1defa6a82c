//! Somebody is removed while nobody serves: his rows go, also among more than FreeSWITCH lists.

use std::time::{Duration, Instant};

use hotdesk::desk::id::{Extension, TenantId};
use hotdesk::desk::journal::Actor;
use hotdesk::desk::model::User;
use hotdesk::store::{Change, Sqlite, Store as _, What};
use jiff::Timestamp;

use super::company;
use crate::support::freeswitch::FreeSwitch;

const USERS: u32 = 1200;
const REALM: &str = "hotdesk-user-default";

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_who_was_removed_meanwhile_go_from_among_1200_users() {
    let Some(mut company) = company() else { return };
    let store = Sqlite::open(company.hotdesk.path("hotdesk.db")).await.unwrap();
    let tenant = TenantId::default();
    let before = count(&company.pbx);
    for n in 0..USERS {
        let user = User::new(tenant.clone(), Extension::new((10_000 + n).to_string()).unwrap());
        let (what, by) = (What::User(user), Actor::Command("root".into()));
        store.change(&Change { tenant: tenant.clone(), what, by, at: Timestamp::now() }).await.unwrap();
    }
    becomes(&company.pbx, before + USERS);
    company.hotdesk.stop().unwrap();
    // The last of them is far behind what is listed.
    company.hotdesk.run(&["user", "remove", "11199"]).unwrap();
    assert_ne!(company.pbx.api(&format!("db select/{REALM}/11199")).unwrap(), "-ERR no reply");
    company.hotdesk.start().unwrap();
    let began = Instant::now();
    becomes(&company.pbx, before + USERS - 1);
    eprintln!("gone {:?} after the start", began.elapsed());
    assert_eq!(company.pbx.api(&format!("db select/{REALM}/11199")).unwrap(), "-ERR no reply");
    let repairs = company.hotdesk.run(&["journal", "--json"]).unwrap().matches("11199").count();
    assert!(repairs > 0, "and it is journalled");
}

fn count(pbx: &FreeSwitch) -> u32 {
    pbx.api(&format!("db count/{REALM}")).unwrap().parse().unwrap()
}

fn becomes(pbx: &FreeSwitch, rows: u32) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while count(pbx) != rows {
        assert!(Instant::now() < deadline, "{} rows, not {rows}", count(pbx));
        std::thread::sleep(Duration::from_millis(20));
    }
}
