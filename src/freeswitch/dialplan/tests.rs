//! What is printed for FreeSWITCH.

use super::*;
use crate::model::codes::{Codes, Preset};
use crate::model::contexts::is_of_freeswitch;
use crate::model::directory::group::Group;
use crate::model::id::GroupName;

fn settings() -> Settings {
    let codes = Codes::of(&[Preset::Simmpl]).unwrap();
    let emergency_numbers = vec![EmergencyNumber::new("112").unwrap()];
    Settings { emergency_numbers, ..Settings::sample(codes.into(), NumberPattern::new("XXX").unwrap()) }
}

/// `HOTDESK_BLESS=1 cargo test` rewrites the files.
#[test]
fn the_files_in_the_repository_are_what_the_default_configuration_prints() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplan/freeswitch");
    for (name, printed) in [
        ("hotdesk.xml", hotdesk_xml(&settings())),
        ("00_hotdesk.xml", drop_in(&settings())),
        ("public_00_hotdesk.xml", from_outside(&settings())),
        ("directory.xml.example", directory_example(&settings())),
    ] {
        let path = format!("{folder}/{name}");
        if std::env::var_os("HOTDESK_BLESS").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), printed);
    }
}

#[test]
fn a_text_has_a_version_of_its_own_and_names_it() {
    let other = Settings { ring: 31, ..settings() };
    assert_ne!(version(&settings()), version(&other));
    let named = format!("<extension name=\"hotdesk-version-{}\">", version(&other));
    assert!(hotdesk_xml(&other).contains(&named));
}

#[test]
fn calls_are_brought_to_each_controller_in_turn_and_then_to_not_available() {
    let controllers = vec!["10.0.0.1:8084".to_owned(), "hotdesk-2:8084".into()];
    let printed = hotdesk_xml(&Settings { controllers, ..settings() });
    let (_, code) = printed.split_once("application=\"sched_transfer\" data=\"+2").unwrap();
    let (code, _) = code.split_once("</condition>").unwrap();
    let names: Vec<&str> = code.split("data=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert_eq!(
        names,
        [
            "socket_resume=true",
            "10.0.0.1:8084 async full",
            "hotdesk-2:8084 async full",
            "hotdesk-away XML hotdesk@code"
        ]
    );
    assert!(!printed.contains("\"park\"") && !hotdesk_xml(&settings()).contains("socket"));
    // So that a hung controller, when it wakes up, does not disturb what is said then.
    assert!(printed.contains("<action application=\"multiunset\" data=\"hd_dialled socket_resume\"/>"));
}

#[test]
fn what_a_site_does_not_want_is_not_printed() {
    let printed = hotdesk_xml(&settings());
    assert!(!printed.contains("hd_record_") && printed.contains("check default"));
    let recording_context = Context::new("recording").ok();
    let printed = hotdesk_xml(&Settings { recording_context, voicemail_password: false, ..settings() });
    assert_eq!(printed.matches("XML recording").count(), 2, "for calls from the user, and to the user");
    assert!(printed.contains("check auth default"));
}

#[test]
fn every_context_extension_and_variable_is_ours() {
    let printed = hotdesk_xml(&settings());
    for line in printed.lines().map(str::trim) {
        for tag in ["<context name=\"", "<extension name=\""] {
            assert!(line.strip_prefix(tag).is_none_or(|name| name.starts_with("hotdesk")), "{line}");
        }
        let context = line.strip_prefix("<context name=\"").and_then(|rest| rest.strip_suffix("\">"));
        assert!(context.is_none_or(is_of_freeswitch), "{line}");
    }
}

#[test]
fn groups_that_ring_are_known_by_their_numbers_each_to_its_own_company() {
    let name = |name: &str| GroupName::new(name).unwrap();
    let rings = |number: Option<&str>| Group {
        kind: Kind::Ring,
        number: number.map(|number| number.parse().unwrap()),
    };
    let queue = Group { kind: Kind::Queue, number: Some("500".parse().unwrap()) };
    let one: Groups =
        [(name("650"), rings(None)), (name("hall"), rings(Some("651"))), (name("sales"), queue)].into();
    let with = |of: &[(TenantId, Groups)]| Settings { groups: of.iter().cloned().collect(), ..settings() };
    let default = with(&[(TenantId::default(), one.clone())]);
    for printed in [hotdesk_xml(&default), drop_in(&default)] {
        assert!(printed.contains(r#"expression="^(?:650|651)\z""#), "{printed}");
        assert!(!printed.contains("500"), "{printed}");
    }
    assert!(hotdesk_xml(&default).contains("${db(list/hotdesk-group-hall@default)}"));
    assert_ne!(version(&default), version(&settings()));
    let without = hotdesk_xml(&with(&[(TenantId::default(), [(name("hall"), rings(None))].into())]));
    assert!(!without.contains("hotdesk-group"), "a group without a number is not dialled");

    let [a, b] = ["a.example", "b.example"].map(|tenant| TenantId::new(tenant).unwrap());
    let several = Settings { tenant: a.clone(), ..with(&[(a, one.clone()), (b, one)]) };
    for printed in [hotdesk_xml(&several), drop_in(&several)] {
        assert!(printed.contains(r#"field="${domain_name}" expression="^b\.example$""#), "{printed}");
    }
}

#[test]
fn the_printed_texts_are_xml_whatever_a_name_contains() {
    let name = GroupName::new("hotdesk-user").unwrap();
    let group = Group { kind: Kind::Ring, number: Some("500".parse().unwrap()) };
    let tenant = TenantId::new("hotdesk-user.example").unwrap();
    let site = Settings {
        tenant: tenant.clone(),
        groups: [(tenant, [(name, group)].into())].into(),
        emergency_context: EmergencyContext::new("hotdesk-emergency-out").unwrap(),
        recording_context: Context::new("hotdesk-recording").ok(),
        controllers: vec!["10.0.0.1:8084".into()],
        ..settings()
    };
    for printed in [hotdesk_xml(&site), drop_in(&site), from_outside(&site)] {
        let read = roxmltree::Document::parse(&printed).unwrap();
        assert_eq!(read.root_element().tag_name().name(), "include");
        // The preprocessor loses the rest of such a line.
        let mut include = printed.lines().filter(|line| line.contains("<include>"));
        assert!(include.all(|line| line == "<include>"), "{printed}");
    }
    let printed = hotdesk_xml(&site);
    for piece in [
        "data=\"${destination_number} XML hotdesk-emergency-out\"",
        "data=\"${hd_leg_recording} XML hotdesk-recording\"",
        "<extension name=\"hotdesk-group-hotdesk-user\">",
    ] {
        assert!(printed.contains(piece), "{piece} is not in {printed}");
    }
}

#[test]
fn rights_to_queues_are_printed_where_there_are_queues() {
    let of = |kind| {
        let group = Group { kind, number: None };
        let groups = [(TenantId::default(), [(GroupName::new("sales").unwrap(), group)].into())].into();
        directory_example(&Settings { groups, ..settings() })
    };
    let queue = of(Kind::Queue);
    assert!(queue.contains(" callcenter_config\"") && queue.contains(" callcenter::info\""));
    assert!(!of(Kind::Ring).contains("callcenter"));
}
