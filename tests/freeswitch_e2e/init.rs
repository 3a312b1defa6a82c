//! `hotdesk init` on a FreeSWITCH in the shape of its vanilla configuration, until the first login, and `hotdesk init --undo`.

use std::fs;
use std::path::PathBuf;

use crate::harness::check::broken;
use crate::harness::company::{call, dial_code};
use crate::harness::freeswitch::{DOMAIN, FreeSwitch, Site, User, installed};
use crate::harness::hotdesk::Hotdesk;
use crate::init::{files, pins, said, undo};

/// As vanilla's `dialplan/default.xml`: its own extensions first, then the files of `default`.
const DEFAULT: &str = r#"<include>
  <context name="default">
    <extension name="unloop">
      <condition field="${unroll_loops}" expression="^true$"/>
      <condition field="${sip_looped_call}" expression="^true$">
        <action application="deflect" data="${destination_number}"/>
      </condition>
    </extension>
    <extension name="global" continue="true">
      <condition field="destination_number" expression=".">
        <action application="set" data="site_global=yes"/>
      </condition>
    </extension>
    <extension name="redial">
      <condition field="destination_number" expression="^(redial|870)$">
        <action application="respond" data="410"/>
      </condition>
    </extension>
    <extension name="Local_Extension">
      <condition field="destination_number" expression="^(10[01][0-9])$">
        <action application="bridge" data="user/$1@${domain_name}"/>
      </condition>
    </extension>
    <extension name="out">
      <condition field="destination_number" expression="^(112|0\d+)$">
        <action application="bridge" data="user/trunk@${domain_name}"/>
      </condition>
    </extension>
    <X-PRE-PROCESS cmd="include" data="default/*.xml"/>
  </context>
</include>
"#;

const PUBLIC: &str = r#"<include>
  <context name="public">
    <X-PRE-PROCESS cmd="include" data="public/*.xml"/>
    <extension name="public_extensions">
      <condition field="destination_number" expression="^(10[01][0-9])$">
        <action application="transfer" data="$1 XML default"/>
      </condition>
    </extension>
  </context>
</include>
"#;

/// As vanilla's `directory/default/1001.xml`.
fn entry(name: &str, who: &str) -> String {
    format!(
        "<include>\n  <user id=\"{name}\">\n    <params>\n      <param name=\"password\" value=\"pw-{name}\"/>\n      \
         <param name=\"vm-password\" value=\"{name}\"/>\n    </params>\n    <variables>\n      \
         <variable name=\"toll_allow\" value=\"domestic\"/>\n      <variable name=\"user_context\" value=\"default\"/>\n      \
         <variable name=\"effective_caller_id_name\" value=\"{who}\"/>\n      \
         <variable name=\"effective_caller_id_number\" value=\"{name}\"/>\n    </variables>\n  </user>\n</include>\n"
    )
}

struct At {
    switch: FreeSwitch,
    hotdesk: Hotdesk,
}

impl At {
    fn start(dialplan: &str) -> Option<Self> {
        let install = installed()?;
        let switch = Site::new()
            .unwrap()
            .user(User::new("trunk").context("public"))
            .entry("<X-PRE-PROCESS cmd=\"include\" data=\"directory/default/*.xml\"/>\n")
            .file("conf/directory/default/1000.xml", entry("1000", "Reception"))
            .file("conf/directory/default/1001.xml", entry("1001", "Ann"))
            .file("conf/directory/default/1002.xml", entry("1002", "Bob").replace('\n', "\r\n"))
            .file("conf/dialplan/default.xml", dialplan)
            .file("conf/dialplan/public.xml", PUBLIC)
            .start(&install)
            .unwrap();
        let hotdesk = Hotdesk::unconfigured(&[PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))]).unwrap();
        Some(Self { switch, hotdesk })
    }

    fn init(&self, more: &[&str]) -> (bool, String, String) {
        init(&self.hotdesk, &self.switch, more)
    }
}

fn init(hotdesk: &Hotdesk, switch: &FreeSwitch, more: &[&str]) -> (bool, String, String) {
    let dir = switch.path("conf");
    said(hotdesk, &[&["init", "--dir", dir.to_str().unwrap()], more].concat())
}

const ANSWERS: [&str; 12] = [
    "--phones",
    "1001,1002",
    "--user",
    "1009=Dan",
    "--emergency-numbers",
    "112",
    "--emergency-caller-id",
    "0205550100",
    "--zone",
    "Europe/Amsterdam",
    "--auto-logout-at",
    "never",
];

#[test]
fn phones_become_hotdesks_by_one_command_and_are_fixed_phones_again_by_another() {
    let Some(mut at) = At::start(DEFAULT) else { return };
    let before = files(&at.switch.path("conf"));
    let [fixed, anns, bobs, trunk] =
        ["1000", "1001", "1002", "trunk"].map(|name| at.switch.phone(name).unwrap());
    let as_before = || {
        call(&fixed, "1001", &anns, "1000").unwrap();
        call(&bobs, "1000", &fixed, "1002").unwrap();
        call(&trunk, "1002", &bobs, "").unwrap();
        call(&anns, "0123", &trunk, "1001").unwrap();
    };
    as_before();

    let (done, shown, refused) = at.init(&ANSWERS);
    assert!(!done && refused.contains("to change these files, add --yes"), "{shown}\n{refused}");
    assert!(shown.contains("+      <variable name=\"user_context\" value=\"hotdesk@desk\"/>"), "{shown}");
    assert!(
        !shown.contains("pw-1001") && shown.contains("name=\"esl-password\" value=\"********\""),
        "{shown}"
    );
    assert_eq!(files(&at.switch.path("conf")), before);

    let (done, said, refused) = at.init(&[&ANSWERS[..], &["--yes"]].concat());
    assert!(done, "{said}\n{refused}");
    // Hotdesk does not run yet, and all phones are called as before.
    as_before();
    let (done, _, refused) = at.init(&[&ANSWERS[..], &["--yes"]].concat());
    assert!(!done && refused.contains("init was done already"), "{refused}");

    at.hotdesk.start().unwrap();
    // As in vanilla: whether its extension `unloop` takes a call depends on the call.
    let unloop = "? emergency numbers of switch pbx: 112 cannot be followed: whether extension unloop of default takes it depends on \
                  ${unroll_loops}";
    assert_eq!(broken(&at.hotdesk), unloop);
    let pins = pins(&said);
    dial_code(&bobs, &format!("*35*1001*{}", pins["1001"]), &[]).unwrap();
    call(&fixed, "1001", &bobs, "1000").unwrap();
    call(&trunk, "1001", &bobs, "").unwrap();
    call(&bobs, "1000", &fixed, "1001").unwrap();
    call(&bobs, "112", &trunk, "0205550100").unwrap();
    call(&trunk, "0205550100", &bobs, "").unwrap();
    call(&fixed, "112", &trunk, "1000").unwrap();
    dial_code(&anns, &format!("*35*1009*{}", pins["1009"]), &[]).unwrap();
    call(&fixed, "1009", &anns, "1000").unwrap();

    let At { switch, hotdesk } = &mut at;
    let folder = (&*switch.path("conf"), "directory/default/1001.xml", &before);
    undo(hotdesk, folder, &["hotdesk.toml", "esl.secret", "hotdesk.db", "init"], |hotdesk, more| {
        init(hotdesk, switch, more)
    });
    assert_eq!(files(&at.switch.path("sounds")).len(), 0);
    for realm in ["user", "device", "lamp"] {
        assert_eq!(
            at.switch.api(&format!("db count/hotdesk-{realm}-default")).unwrap().trim(),
            "0",
            "{realm}"
        );
    }
    as_before();
}

#[test]
fn after_a_failure_half_way_everything_is_as_before() {
    // An extension takes 112 and ends the call. Init finds out only when FreeSWITCH has read the dialplan.
    let ends = r#"<extension name="no"><condition field="destination_number" expression="^112$">
        <action application="hangup" data="CALL_REJECTED"/>
        </condition>
        </extension>
        <extension name="redial">"#;
    let (_, dialplan) = DEFAULT.split_once("<extension name=\"redial\">").unwrap();
    let Some(at) = At::start(&format!("<include>\n<context name=\"default\">\n{ends}{dialplan}")) else {
        return;
    };
    let before = files(&at.switch.path("conf"));
    let (done, said, refused) = at.init(&[&ANSWERS[..], &["--yes"]].concat());
    assert!(!done && refused.contains("everything is as before init"), "{said}\n{refused}");
    assert!(refused.contains("112 "), "{refused}");
    assert_eq!(files(&at.switch.path("conf")), before);
    assert_eq!(fs::read_dir(at.hotdesk.folder()).unwrap().count(), 0);
    let [fixed, anns] = ["1000", "1001"].map(|name| at.switch.phone(name).unwrap());
    call(&fixed, "1001", &anns, "1000").unwrap();
    assert!(
        !at.switch.api("xml_locate dialplan context name hotdesk@desk").unwrap().contains("hotdesk@desk\"")
    );
}

#[test]
fn what_cannot_be_changed_is_named_and_nothing_is_changed() {
    let Some(at) = At::start(DEFAULT) else { return };
    let before = files(&at.switch.path("conf"));
    let (ann, default) = ("directory/default/1001.xml", "dialplan/default.xml");
    let entry = entry("1001", "Ann");
    for (file, text, why) in [
        (ann, entry.replace("</include>", ""), "1001.xml line 1: it is no XML"),
        (ann, entry.replace("\"default\"/>", "\"other\"/>"), "phone 1001 has the context other"),
        (ann, entry.replace("user_context", "x"), "phone 1001 has no user_context of its own"),
        (ann, format!("<!--#include \"x.xml\"-->{entry}"), "an instruction in a comment"),
        // UTF-8 with a byte order mark is read.
        (ann, format!("\u{feff}{}", entry.replace("Ann", "Ren\u{e9}")), ""),
        (ann, entry.replace("id=\"1001\"", "id=\"1002\""), "the directory has no phone 1001"),
        (default, DEFAULT.replace("112|", ""), "no extension of the context default takes 112"),
        (default, DEFAULT.replace("default/*.xml", "$${name}/*.xml"), "which files $${name}/*.xml includes"),
        (default, DEFAULT.replace("name=\"default\"", "name=\"other\""), "has the context default 0 times"),
        (default, DEFAULT.replace("default/*.xml", "more/*.xml"), "does not include default/*.xml"),
    ] {
        let path = at.switch.path("conf").join(file);
        let was = fs::read(&path).unwrap();
        fs::write(&path, text).unwrap();
        let (done, said, refused) = at.init(&ANSWERS);
        match why {
            "" => assert!(refused.contains("add --yes"), "{said}\n{refused}"),
            _ => assert!(
                !done && refused.contains("nothing was changed") && refused.contains(why),
                "{why}: {refused}"
            ),
        }
        fs::write(&path, was).unwrap();
    }
    let (_, _, refused) = at.init(&["--phones", "1001,trunk"]);
    assert!(refused.contains("phone trunk is not named as an extension"), "{refused}");
    assert_eq!(files(&at.switch.path("conf")), before);
    assert!(at.switch.api(&format!("user_data 1001@{DOMAIN} var user_context")).unwrap().contains("default"));
}
