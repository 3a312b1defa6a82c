//! In FreeSWITCH's vanilla configuration, hotdesk's extensions hide none of its own.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use hotdesk::freeswitch::dialplan::{drop_in, hotdesk_xml};

use super::settings;
use crate::harness::freeswitch::{Site, User, installed};

/// Numbers that vanilla's context `default` takes (1.10.12), some of them by patterns that `users` may match too.
const TAKEN: [&str; 24] = [
    "886", "*8", "870", "9001", "9000", "779", "*69", "869", "1001", "2000", "0", "4000", "*98", "3001",
    "3501", "0911", "5000", "5900", "6000", "9178", "9191", "9196", "9664", "7243",
];

/// `dialplan/default.xml` of vanilla: the expressions as they stand in the file that `HOTDESK_FREESWITCH_VANILLA` (a
/// folder) has, else the numbers above.
fn expressions() -> Vec<String> {
    let Some(folder) = env::var_os("HOTDESK_FREESWITCH_VANILLA") else {
        return TAKEN.iter().map(|number| format!("^{}$", number.replace('*', "\\*"))).collect();
    };
    let xml = fs::read_to_string(Path::new(&folder).join("dialplan/default.xml")).unwrap();
    let (before, _) = xml.split_once("default/*.xml").unwrap();
    let conditions = before.split("field=\"destination_number\" expression=\"").skip(1);
    conditions.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn no_vanilla_extension_is_shadowed_by_a_user() {
    let Some(install) = installed() else { return };
    let stock = expressions().iter().fold(String::new(), |mut stock, expression| {
        let _ = writeln!(
            stock,
            "<extension name=\"stock\"><condition field=\"destination_number\" expression=\"{expression}\">\
             <action application=\"respond\" data=\"410\"/></condition></extension>"
        );
        stock
    });
    let dialplan = format!(
        "<context name=\"default\">\n{stock}\n<X-PRE-PROCESS cmd=\"include\" data=\"dialplan/default/*.xml\"/>\n</context>\n"
    );
    let switch = Site::new()
        .unwrap()
        .user(User::new("colleague").context("default"))
        .dialplan(&dialplan)
        .file("conf/dialplan/hotdesk.xml", hotdesk_xml(&settings()))
        // as greedy as a site can make it: any number of three or four digits may be a user's
        .file("conf/dialplan/default/00_hotdesk.xml", {
            let users = ["XXX", "XXXX"]
                .map(|pattern| hotdesk::model::number_pattern::NumberPattern::new(pattern).unwrap());
            drop_in(&hotdesk::freeswitch::dialplan::Settings { users: users.to_vec(), ..settings() })
        })
        .start(&install)
        .unwrap();
    let mut esl = switch.esl().unwrap();
    let colleague = switch.phone("colleague").unwrap();
    let code = |dialled: &str| {
        colleague.dial(dialled).unwrap();
        colleague.wait_ended().unwrap().code
    };
    for number in TAKEN {
        esl.api(&format!("db insert/hotdesk-user-default/{number}/|1|{number}||0||||")).unwrap();
        assert_eq!(code(number), 410, "{number}");
    }
    assert_eq!(code("*35"), 404, "a code means something at hotdesk phones alone");
    assert_eq!(code("199"), 404, "an unknown number");
}
