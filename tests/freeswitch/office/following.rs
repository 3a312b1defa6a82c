//! What of a user follows him: with him to the next desk, over a restart of either side, and gone when he is.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use hotdesk::desk::id::{Extension, Number, TenantId};
use hotdesk::desk::journal::Actor;
use hotdesk::desk::profile::{Recording, When};
use hotdesk::desk::setting::Setting;
use hotdesk::desk::table::Scope;
use hotdesk::store::{Change, Sqlite, Store as _, What};
use jiff::Timestamp;

use super::{Company, SOON, company};
use crate::support::phone::Phone;

/// In the company's context, for users who want it.
const RECORDS: &str = "<include>\n<context name=\"recording\"><extension name=\"record\"><condition>\
    <action application=\"record_session\" data=\"${recordings_dir}/${hd_record_user}-${uuid}.wav\"/>\
    </condition></extension></context>\n</include>\n";

#[tokio::test(flavor = "multi_thread")]
async fn it_is_true_at_the_desk_where_he_sits_through_moves_and_restarts() {
    let Some(mut company) = company() else { return };
    let (desk1, desk2) = (company.pbx.phone("desk1").unwrap(), company.pbx.phone("desk2").unwrap());
    let (colleague, trunk) = (company.pbx.phone("colleague").unwrap(), company.pbx.phone("trunk").unwrap());
    // As the site would: another configuration, printed and reloaded.
    let toml = fs::read_to_string(company.hotdesk.path("hotdesk.toml")).unwrap();
    let toml = toml.replace("[dialplan]\n", "[dialplan]\nrecording = \"recording\"\n");
    fs::write(company.hotdesk.path("hotdesk.toml"), toml).unwrap();
    let tree = company.hotdesk.path("anew");
    company.hotdesk.run(&["dialplan", "freeswitch", "--out", &tree.display().to_string()]).unwrap();
    fs::copy(tree.join("dialplan/hotdesk.xml"), company.pbx.path("conf/dialplan/hotdesk.xml")).unwrap();
    fs::write(company.pbx.path("conf/dialplan/recording.xml"), RECORDS).unwrap();
    company.pbx.api("reloadxml").unwrap();
    company.log_in(&desk1, "101").unwrap();

    let store = Sqlite::open(company.hotdesk.path("hotdesk.db")).await.unwrap();
    let tenant = TenantId::default();
    let user = Extension::new("101").unwrap();
    let change = async |what: What| {
        let by = Actor::Command("test".into());
        store.change(&Change { tenant: tenant.clone(), what, by, at: Timestamp::now() }).await.unwrap();
    };
    let mut alice = store.office(&tenant, &Scope::user(&user)).await.unwrap().users[&user].clone();
    alice.profile.recording = Recording::Inbound;
    change(What::User(alice)).await;
    let forward = Setting::Forward(When::Busy, Number::new("0031").ok());
    change(What::Setting(user.clone(), forward)).await;
    row_becomes(&company, "|0031||inbound|||");

    acts_as_he_wants(&company, &desk1, &colleague, &trunk);
    company.log_in(&desk2, "101").unwrap();
    acts_as_he_wants(&company, &desk2, &colleague, &trunk);
    let mark = company.hotdesk.log().len();
    company.pbx.restart().unwrap();
    company.hotdesk.wait_for_log(mark, "event=\"table.settled\"").unwrap();
    // The event socket is there before it takes calls.
    let up = Instant::now();
    while desk2.register().is_err() {
        assert!(up.elapsed() < Duration::from_secs(20), "no phone can register");
    }
    acts_as_he_wants(&company, &desk2, &colleague, &trunk);
    company.hotdesk.stop().unwrap();
    acts_as_he_wants(&company, &desk2, &colleague, &trunk);
    company.hotdesk.start().unwrap();

    // Who sits there next has nothing of it.
    company.log_in(&desk2, "102").unwrap();
    colleague.dial("102").unwrap();
    desk2.wait_ringing().unwrap();
    desk2.answer().unwrap();
    colleague.wait_answered().unwrap();
    assert_eq!(colleague.wait_connected().unwrap().name, "Bob");
    colleague.hang_up().unwrap();
    desk2.wait_ended().unwrap();
    assert_eq!(recordings(&company), 0);

    // What he changes is true at his desk at once.
    change(What::Setting(user, Setting::Forward(When::Busy, None))).await;
    row_becomes(&company, "|||inbound|||");
}

/// A call to him is recorded, and goes outside when he is busy.
fn acts_as_he_wants(company: &Company, desk: &Phone, colleague: &Phone, trunk: &Phone) {
    colleague.dial("101").unwrap();
    desk.wait_ringing().unwrap();
    desk.answer().unwrap();
    colleague.wait_answered().unwrap();
    assert_eq!(colleague.wait_connected().unwrap().name, "Alice");
    thread::sleep(Duration::from_millis(300));
    colleague.hang_up().unwrap();
    desk.wait_ended().unwrap();
    assert_eq!(recordings(company), 1);
    colleague.dial("101").unwrap();
    desk.wait_ringing().unwrap();
    desk.reject(486).unwrap();
    trunk.wait_ringing().unwrap();
    colleague.hang_up().unwrap();
    trunk.wait_ended().unwrap();
}

/// How many calls of 101 were recorded since it was asked last.
fn recordings(company: &Company) -> usize {
    let files = fs::read_dir(company.pbx.path("recordings")).unwrap().map(|file| file.unwrap().path());
    let files: Vec<_> = files.collect();
    assert!(files.iter().all(|file| file.file_name().unwrap().to_string_lossy().starts_with("101-")));
    files.iter().for_each(|file| fs::remove_file(file).unwrap());
    files.len()
}

fn row_becomes(company: &Company, wanted: &str) {
    let deadline = Instant::now() + SOON;
    loop {
        let row = company.pbx.api("db select/hotdesk-profile-default/101").unwrap();
        if row == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "the profile is {row}, not {wanted}");
        thread::sleep(Duration::from_millis(20));
    }
}
