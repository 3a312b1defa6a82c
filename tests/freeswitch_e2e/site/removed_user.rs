//! A user is removed while hotdesk is stopped: the rows go, even if there are more than FreeSWITCH lists.

use std::time::Duration;

use hotdesk::model::directory::User;
use hotdesk::model::id::{Extension, TenantId};
use hotdesk::model::journal::Actor;
use hotdesk::store::Sqlite;
use jiff::Timestamp;

use super::company;
use crate::harness::asking::Ask as _;
use crate::harness::asking::{Change, What};
use crate::harness::freeswitch::FreeSwitch;
use crate::harness::wait;

const USERS: u32 = 1200;
const REALM: &str = "hotdesk-user-default";

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_removed_user_go_from_among_1200_users() {
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
    let took = becomes(&company.pbx, before + USERS - 1);
    eprintln!("gone {took:?} after the start");
    assert_eq!(company.pbx.api(&format!("db select/{REALM}/11199")).unwrap(), "-ERR no reply");
    let repairs = company.hotdesk.run(&["journal", "--json"]).unwrap().matches("11199").count();
    assert!(repairs > 0, "and it is journalled");
}

fn count(pbx: &FreeSwitch) -> u32 {
    pbx.api(&format!("db count/{REALM}")).unwrap().parse().unwrap()
}

/// Waits until the switch has so many rows; returns how long it took.
fn becomes(pbx: &FreeSwitch, rows: u32) -> Duration {
    wait::until(Duration::from_secs(20), || count(pbx) == rows, || format!("{} rows, not {rows}", count(pbx)))
}
