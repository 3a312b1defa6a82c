//! A queue's calls reach a member at the current device. Pauses last over moves, logouts and restarts.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use super::{Company, SOON, company_configured};
use crate::harness::check::{all_is_well, broken};
use crate::harness::phone::Phone;
use crate::harness::wait;

const GROUPS: &str = "[[group]]\nname = \"sales\"\nkind = \"queue\"\nnumber = \"500\"\n\
                      [[group]]\nname = \"support\"\nkind = \"queue\"\n\
                      [[group]]\nname = \"650\"\nkind = \"ring\"\n";
/// The site's own configuration.
const SITE: &str = "conf/freeswitch.xml";
const QUEUE_MISSING: &str =
    "queue sales@default on switch pbx: there is none, so a user who signs in to it gets none of its calls";
/// The name of 101 in `mod_callcenter`.
const AGENT: &str = "101@hotdesk-default";

/// A company with groups; none where FreeSWITCH has no queues, which is said past the harness.
fn company() -> Option<Company> {
    let company = company_configured(GROUPS)?;
    if company.pbx.api("module_exists mod_callcenter").unwrap() == "true" {
        return Some(company);
    }
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let banner = company.pbx.banner();
    let _ = writeln!(std::io::stderr(), "SKIPPED: {name}: this FreeSWITCH has no mod_callcenter: {banner}");
    None
}

/// The members of a queue that hotdesk keeps, with `paused` behind those on a break.
fn members(company: &Company, queue: &str) -> Vec<String> {
    let list = company.pbx.api(&format!("callcenter_config queue list agents {queue}@default")).unwrap();
    let mut lines = list.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split('|').collect();
    let place = |name: &str| names.iter().position(|it| *it == name);
    let mut members: Vec<String> = lines
        .filter_map(|line| {
            let fields: Vec<&str> = line.split('|').collect();
            let paused = if *fields.get(place("status")?)? == "Available" { "" } else { " paused" };
            Some(format!("{}{paused}", fields.get(place("name")?)?.strip_suffix("@hotdesk-default")?))
        })
        .collect();
    members.sort();
    members
}

/// Waits until the queue has just these.
fn wait_for(company: &Company, queue: &str, expected: &[&str]) {
    let state = || format!("{:?} in {queue}, not {expected:?}", members(company, queue));
    wait::until(SOON, || members(company, queue) == expected, state);
}

/// A call of the queue reaches the user at `desk`.
fn queue_rings(colleague: &Phone, desk: &Phone) {
    colleague.dial("701").unwrap();
    desk.wait_ringing().unwrap();
    desk.answer().unwrap();
    colleague.wait_answered().unwrap();
    desk.tone(true);
    colleague.wait_audio().unwrap();
    desk.tone(false);
    colleague.hang_up().unwrap();
    desk.wait_ended().unwrap();
}

/// Without hotdesk.
fn wallboard(company: &mut Company, status: &str) {
    let mark = company.hotdesk.log().len();
    let set = format!("callcenter_config agent set status {AGENT} '{status}'");
    assert_eq!(company.pbx.api(&set).unwrap(), "+OK");
    company.hotdesk.wait_for_log(mark, "queue.pause_kept").unwrap();
}

/// Registers a phone once FreeSWITCH takes calls again.
fn registers(desk: &Phone) {
    let up = Instant::now();
    while desk.register().is_err() {
        assert!(up.elapsed() < Duration::from_secs(20), "no phone can register");
    }
}

#[test]
fn a_queue_reaches_its_member_at_the_current_device_and_keeps_pauses() {
    let Some(mut company) = company() else { return };
    let [desk1, desk2, colleague] =
        ["desk1", "desk2", "colleague"].map(|name| company.pbx.phone(name).unwrap());
    // An agent of the site's own.
    for command in ["agent add 1000@default callback", "tier add sales@default 1000@default"] {
        assert_eq!(company.pbx.api(&format!("callcenter_config {command}")).unwrap(), "+OK");
    }
    company.hotdesk.run(&["user", "set", "101", "--groups", "sales,support"]).unwrap();
    company.hotdesk.run(&["user", "group", "101", "sales", "in"]).unwrap();
    wait_for(&company, "sales", &[]);
    company.log_in(&desk1, "101").unwrap();
    wait_for(&company, "sales", &["101"]);
    queue_rings(&colleague, &desk1);
    company.log_in(&desk2, "101").unwrap();
    wait_for(&company, "sales", &["101"]);
    queue_rings(&colleague, &desk2);
    all_is_well(&company.hotdesk);

    // A pause by hotdesk and a pause by another program both last.
    company.hotdesk.run(&["user", "group", "101", "sales", "pause"]).unwrap();
    wait_for(&company, "sales", &["101 paused"]);
    company.log_in(&desk1, "101").unwrap();
    wait_for(&company, "sales", &["101 paused"]);
    wallboard(&mut company, "Available");
    wait_for(&company, "sales", &["101"]);
    wallboard(&mut company, "On Break");
    company.hotdesk.run(&["logout", "101"]).unwrap();
    wait_for(&company, "sales", &[]);
    company.log_in(&desk2, "101").unwrap();
    wait_for(&company, "sales", &["101 paused"]);

    // A restart of either side, also when the module has forgotten all of it.
    for forgets in [false, true] {
        let mark = company.hotdesk.log().len();
        company.pbx.kill().unwrap();
        if forgets {
            std::fs::remove_file(company.pbx.path("db/callcenter.db")).unwrap();
        }
        company.pbx.start().unwrap();
        company.hotdesk.wait_reconnected(mark).unwrap();
        wait_for(&company, "sales", &["101 paused"]);
    }
    company.hotdesk.stop().unwrap();
    assert_eq!(company.pbx.api(&format!("callcenter_config agent del {AGENT}")).unwrap(), "+OK");
    let mark = company.hotdesk.log().len();
    company.hotdesk.start().unwrap();
    company.hotdesk.wait_for_log(mark, "table.reconciled").unwrap();
    wait_for(&company, "sales", &["101 paused"]);
    company.hotdesk.run(&["user", "group", "101", "sales", "in"]).unwrap();
    registers(&desk2);
    queue_rings(&colleague, &desk2);

    company.hotdesk.run(&["user", "group", "101", "sales", "out"]).unwrap();
    wait_for(&company, "sales", &[]);
    company.log_in(&desk1, "101").unwrap();
    wait_for(&company, "sales", &[]);
    all_is_well(&company.hotdesk);
}

#[test]
fn a_pause_in_one_queue_keeps_the_calls_of_the_other() {
    let Some(mut company) = company() else { return };
    let [desk1, colleague, trunk] =
        ["desk1", "colleague", "trunk"].map(|name| company.pbx.phone(name).unwrap());
    company.hotdesk.run(&["user", "set", "101", "--groups", "sales,support"]).unwrap();
    for queue in ["sales", "support"] {
        company.hotdesk.run(&["user", "group", "101", queue, "in"]).unwrap();
    }
    company.hotdesk.run(&["user", "set", "101", "--class", "first-aid"]).unwrap();
    company.log_in(&desk1, "101").unwrap();
    wait_for(&company, "support", &["101"]);

    colleague.dial("701").unwrap();
    desk1.wait_ringing().unwrap();
    desk1.answer().unwrap();
    let other = company.pbx.phone("desk3").unwrap();
    company.log_in(&other, "103").unwrap();
    let before = desk1.last_invite().unwrap().header("Call-ID").to_owned();
    other.dial("702").unwrap();
    other.wait_answered().unwrap();
    // The queue offers no second call in this time.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(
        desk1.last_invite().unwrap().header("Call-ID"),
        before,
        "the member is in a call of the other queue"
    );
    // A transfer has the class of the member, not of the caller.
    desk1.transfer("0031").unwrap();
    colleague.wait_ended().unwrap();
    assert!(!trunk.in_call(), "the class of the member has no such number");
    desk1.wait_ringing().unwrap();
    desk1.answer().unwrap();
    other.hang_up().unwrap();
    desk1.wait_ended().unwrap();

    company.hotdesk.run(&["user", "group", "101", "support", "pause"]).unwrap();
    wait_for(&company, "support", &[]);
    wait_for(&company, "sales", &["101"]);
    assert_eq!(broken(&company.hotdesk), "");
    assert!(company.hotdesk.run(&["explain", "101"]).unwrap().contains("support"));
    // A break set by another program is one in both queues. Ended there, the member takes calls of the paused queue again.
    wallboard(&mut company, "On Break");
    assert_eq!(broken(&company.hotdesk), "");
    wallboard(&mut company, "Available");
    wait_for(&company, "sales", &["101"]);
    wait_for(&company, "support", &[]);
    company.hotdesk.run(&["user", "group", "101", "sales", "pause"]).unwrap();
    wait_for(&company, "sales", &["101 paused"]);
    assert_eq!(broken(&company.hotdesk), "");
    company.hotdesk.run(&["user", "group", "101", "support", "in"]).unwrap();
    wait_for(&company, "support", &["101"]);
    wait_for(&company, "sales", &[]);
    assert_eq!(broken(&company.hotdesk), "");
    company.hotdesk.run(&["logout", "101"]).unwrap();
    wait_for(&company, "support", &[]);
    let agents = company.pbx.api("callcenter_config agent list").unwrap();
    assert!(!agents.contains("hotdesk-default"), "{agents}");
}

/// The findings once the site's configuration has `is` for `was`.
fn with(company: &Company, right: &str, was: &str, is: &str) -> String {
    std::fs::write(company.pbx.path(SITE), right.replace(was, is)).unwrap();
    company.pbx.api("reloadxml").unwrap();
    // It keeps a queue that it knew.
    company.pbx.api("callcenter_config queue unload sales@default").unwrap();
    broken(&company.hotdesk)
}

#[test]
fn without_mod_callcenter_check_says_so_and_logins_work() {
    let Some(mut company) = company() else { return };
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.hotdesk.run(&["user", "set", "101", "--groups", "sales,650"]).unwrap();
    for group in ["sales", "650"] {
        company.hotdesk.run(&["user", "group", "101", group, "in"]).unwrap();
    }
    assert!(company.pbx.api("unload mod_callcenter").unwrap().starts_with("+OK"));
    let why = "could not be read: mod_callcenter: \"callcenter_config Command not found!\"";
    let said = broken(&company.hotdesk);
    assert!(
        said.starts_with(
            "modules of switch pbx: not loaded: mod_callcenter\n? table of switch pbx: in sync, "
        ),
        "{said}"
    );
    assert!(said.contains(why) && company.hotdesk.run(&["explain", "101"]).unwrap().contains(why), "{said}");
    company.log_in(&desk1, "101").unwrap();
    company.hotdesk.stop().unwrap();
    company.hotdesk.start().unwrap();
    company.hotdesk.wait_for_log(0, "event=\"table.not_readable\"").unwrap();
    let colleague = company.pbx.phone("colleague").unwrap();
    for number in ["101", "650"] {
        colleague.dial(number).unwrap();
        desk1.wait_ringing().unwrap();
        colleague.hang_up().unwrap();
        desk1.wait_ended().unwrap();
    }
    assert!(company.pbx.api("load mod_callcenter").unwrap().contains("+OK"));
    company.log_in(&company.pbx.phone("desk2").unwrap(), "101").unwrap();
    wait_for(&company, "sales", &["101"]);

    let right = std::fs::read_to_string(company.pbx.path(SITE)).unwrap();
    let lacking = with(&company, &right, " callcenter_config", "");
    assert!(lacking.contains("esl-allowed-api lacks callcenter_config"), "{lacking}");
    let lacking = with(&company, &right, " callcenter::info", "");
    assert!(lacking.contains("esl-allowed-events lacks callcenter::info"), "{lacking}");
    assert_eq!(with(&company, &right, "sales@default", "other@default"), QUEUE_MISSING);
    company.hotdesk.run(&["logout", "101"]).unwrap();
    let mark = company.hotdesk.log().len();
    company.log_in(&desk1, "101").unwrap();
    company.hotdesk.wait_for_log(mark, "Queue not found!").unwrap();
    // Its agent is removed after that.
    let agents = || company.pbx.api("callcenter_config agent list").unwrap();
    wait::until(Duration::from_secs(5), || !agents().contains("hotdesk"), agents);
    company.hotdesk.run(&["logout", "101"]).unwrap();
    assert_eq!(with(&company, &right, "", ""), "");
}
