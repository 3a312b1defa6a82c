//! The dialplan that a site puts among its own: `dialplan/hotdesk.xml` and `dialplan/default/00_hotdesk.xml`, printed for
//! its codes, its numbers and its contexts.
//!
//! The texts are `hotdesk.xml.in` and `00_hotdesk.xml.in` beside this file, with the site's own lines put in; what each
//! context means stands there and in `dialplan/README.md`.

mod codes;
mod emergency;
mod groups;
mod recording;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use self::groups::Rung;
use self::recording::Recording;
use super::rights;
use super::rows;
use super::sounds;
use crate::desk::code::Book;
use crate::desk::group::{Groups, Kind};
use crate::desk::id::{Context, EmergencyNumber, TenantId};
use crate::desk::pattern::NumberPattern;
use crate::desk::policy::Prompt;
use crate::desk::reach::{HEADER, Reach};

const HOTDESK: &str = include_str!("hotdesk.xml.in");
const CALLED: &str = include_str!("called.xml.in");
const FEATURES: &str = include_str!("features.xml.in");
const DROP_IN: &str = include_str!("00_hotdesk.xml.in");
const DIRECTORY: &str = include_str!("directory.xml.in");

/// Where the version stands in the text that it is the version of.
const VERSION: &str = "@version@";

/// The context of hotdesk phones.
pub(super) const HOTDESK_CONTEXT: &str = "hotdesk";

/// A user's row, but for the revision and the exact name. Where his calls go while he is nowhere may be missing: rows were
/// once written without it.
const ROW: &str =
    r"^([^|]*)\|\d+\|([^|]+)\|([^|]*)\|([01])\|([^|]*)\|([^|]*)\|([^|]*)\|(?:(|busy|\+?\d+)\|)?";

/// A user's profile, but for what comes last, and as much of it when there is none: what is read ends with six separators.
const PROFILE: &str = r"^([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|";

/// What a phone may dial, or its codes lead to.
const DIALLED: &str = r"^(?:[0-9*#+]{1,64}|hotdesk-(?:pickup|voicemail))\z";

/// What the dialplan of a site depends on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tenant of all its phones. Unless that is the one of a site with a single company, the tenant is the domain
    /// that the phone registered in.
    pub tenant: TenantId,
    /// The codes that go to the controller, of each tenant that has its own.
    pub codes: Book,
    /// Which numbers may be users' extensions.
    pub users: Vec<NumberPattern>,
    /// Numbers that reach help.
    pub emergency_numbers: Vec<EmergencyNumber>,
    /// The site's context where such a call goes.
    pub emergency_context: Context,
    /// Seconds that a user's phones ring before his voicemail answers.
    pub ring: u16,
    /// Seconds that each of them rings, if they do so one after the other.
    pub turn: u16,
    /// The site's context that records calls; none: no call is recorded.
    pub recording: Option<Context>,
    /// Whether a user is asked for the password of his own voicemail box at the phone where he sits.
    pub voicemail_password: bool,
    /// How it reaches users at other switches' phones.
    pub reach: Reach,
    /// The groups of each tenant.
    pub groups: BTreeMap<TenantId, Groups>,
    /// The controllers that calls are brought to, `host:port`, the first first; none: calls wait until they are taken.
    pub controllers: Vec<String>,
}

/// The text of `dialplan/hotdesk.xml`: contexts of ours.
#[must_use]
pub fn hotdesk_xml(settings: &Settings) -> String {
    text(settings).replace(VERSION, &version(settings))
}

/// What tells these three texts from any others: the name of the only extension of `hotdesk-version` ends with it.
#[must_use]
pub fn version(settings: &Settings) -> String {
    let digest = Sha256::new().chain_update(text(settings)).chain_update(drop_in(settings));
    let digest = digest.chain_update(from_outside(settings)).finalize();
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn text(settings: &Settings) -> String {
    // A phone may say that it is its own account; another switch says whom it has rung.
    let (here, sent_on) = match settings.reach.routes.is_empty() {
        true => (String::new(), ",sip_ignore_remote_cid=true".into()),
        false => (here(&settings.reach), format!(",sip_h_{HEADER}=${{destination_number}}")),
    };
    let (wait, bring) = (wait(&settings.controllers), !settings.controllers.is_empty());
    let recording = settings.recording.as_ref().map(Recording::by).unwrap_or_default();
    let rung = Rung::of(&settings.groups, settings.ring);
    let whole: [(&str, &str); 8] = [
        ("@called@", CALLED.trim_end()),
        ("@features@", FEATURES.trim_end()),
        ("@groups@", &rung.dialled),
        ("@group-context@", &rung.context),
        ("@here@", &here),
        ("@record-inbound@", &recording.inbound),
        ("@record-outbound@", &recording.outbound),
        ("@record-picked@", recording.picked),
    ];
    let values: [(&str, &str); 17] = [
        ("@wait@", &wait),
        ("@brought@", if bring { " socket_resume" } else { "" }),
        ("@codes@", &codes::codes(&settings.codes)),
        ("@dialled@", DIALLED),
        ("@emergency-contexts@", &emergency::contexts(&settings.emergency_context)),
        ("@emergency@", &emergency::numbers(&settings.emergency_numbers)),
        ("@invalid@", "ivr-invalid_extension_try_again"),
        ("@not-allowed-here@", sounds::stock(Prompt::NotAllowedHere)),
        ("@not-available@", sounds::stock(Prompt::NotAvailable)),
        ("@profile-row@", PROFILE),
        ("@record-leg@", recording.leg),
        ("@ring@", &settings.ring.to_string()),
        ("@row@", ROW),
        ("@sent-on@", &sent_on),
        ("@tone@", sounds::TONE),
        ("@turn@", &settings.turn.to_string()),
        ("@without-password@", if settings.voicemail_password { "" } else { " auth" }),
    ];
    let filled = |text: String, (name, value): (&str, &str)| text.replace(name, value);
    let text = whole.into_iter().fold(HOTDESK.to_owned(), filled);
    let values = values.into_iter().map(|(name, value)| (name, value.trim_end()));
    with_rows(&values.fold(text, filled), settings)
}

/// The text of `dialplan/default/00_hotdesk.xml`: the one extension that a context of the site's takes in.
#[must_use]
pub fn drop_in(settings: &Settings) -> String {
    let rung = Rung::of(&settings.groups, settings.ring);
    let dialled = rung
        .dialled
        .lines()
        .fold(String::new(), |lines, line| lines + line.strip_prefix("  ").unwrap_or(line) + "\n");
    with_rows(&DROP_IN.replace("@groups@", &dialled), settings)
}

/// The text of `dialplan/public/00_hotdesk.xml`: the one extension that the context of calls from outside takes in.
#[must_use]
pub fn from_outside(settings: &Settings) -> String {
    with_rows(emergency::FROM_OUTSIDE, settings)
}

/// The text of `directory.xml.example`: what the site's directory needs.
#[must_use]
pub fn directory_example(settings: &Settings) -> String {
    let lamp = rows::realm(rows::LAMP, tenant(settings, "${dialed_domain}"));
    let kinds = settings.groups.values().flat_map(|groups| groups.values().map(|group| group.kind));
    let queues = kinds.into_iter().any(|kind| kind == Kind::Queue);
    let words = |words: &[&'static str], of_queues: &'static str| {
        words.iter().copied().chain(queues.then_some(of_queues)).collect::<Vec<_>>().join(" ")
    };
    DIRECTORY
        .replace("@lamp@", &lamp)
        .replace("@api@", &words(&rights::API, rights::QUEUES))
        .replace("@events@", &words(&rights::EVENTS, rights::QUEUED))
        .replace("@ring@", rights::RING)
}

/// The tenant in a realm's name: of a site with one company its own, else the domain, as the text at hand knows it.
fn tenant<'a>(settings: &'a Settings, domain: &'a str) -> &'a str {
    if settings.tenant == TenantId::default() { settings.tenant.as_str() } else { domain }
}

/// Names the realms, and reads a user's row, whole however long it is, at `@row-of NUMBER@`.
fn with_rows(text: &str, settings: &Settings) -> String {
    let tenant =
        if settings.tenant == TenantId::default() { settings.tenant.as_str() } else { "${domain_name}" };
    let [device, lamp, profile, user] = rows::RELATIONS.map(|relation| rows::realm(relation, tenant));
    let row_of = |realm: &str, key: &str, pieces: usize| {
        (0..pieces).fold(String::new(), |mut row, piece| {
            let _ = write!(row, "${{db(select/{realm}/{})}}", rows::piece_key(key, piece));
            row
        })
    };
    text.replace("@row-of-caller@", &row_of(&user, "${hd_user}", rows::PIECES))
        .replace("@profile-of-caller@", &row_of(&profile, "${hd_user}", rows::PIECES))
        .replace("@profile-of-called@", &row_of(&profile, "${destination_number}", rows::PIECES))
        .replace("@row-of-called@", &row_of(&user, "${destination_number}", rows::PIECES))
        .replace("@row-of-phone@", &row_of(&device, "${sip_auth_username}", rows::DEVICE_PIECES))
        .replace("@row-of-device@", &row_of(&device, "${hd_device}", rows::DEVICE_PIECES))
        .replace("@helped@", &rows::realm(emergency::CALLED, tenant))
        .replace("@device@", &device)
        .replace("@lamp@", &lamp)
        .replace("@profile@", &profile)
        .replace("@tenant@", tenant)
        .replace("@user@", &user)
        .replace("@users@", &users(&settings.users))
}

/// How a code waits. A `socket` that is closed goes on to the next, by `socket_resume` also one that said nothing.
fn wait(controllers: &[String]) -> String {
    if controllers.is_empty() {
        return r#"<action application="park"/>"#.into();
    }
    let sockets = controllers.iter().fold(String::new(), |mut lines, controller| {
        let _ = writeln!(lines, r#"        <action application="socket" data="{controller} async full"/>"#);
        lines
    });
    format!(
        r#"<action application="set" data="socket_resume=true"/>
{sockets}        <action application="transfer" data="hotdesk-away XML hotdesk-code"/>"#
    )
}

/// A call that another switch sent on for this user rings here or nowhere. Routes stand last in a row.
fn here(reach: &Reach) -> String {
    let routes: Vec<String> =
        reach.routes.values().map(|route| escaped(&route.with("{user}")).replace("{user}", r"\d+")).collect();
    format!(
        r#"      <!-- A call that another switch sent here for him rings here or nowhere: it is not sent on once more, unless it
           is transferred later. -->
      <condition field="${{sip_h_{HEADER}}} ${{destination_number}} ${{hd_turns}}"
                 expression="^(\d+) \1 (.*?)(?:(?&lt;= )|[,&amp;])(?:{})(?:[,&amp;]|$)" break="never">
        <action application="set" data="hd_turns=$2" inline="true"/>
      </condition>
      <condition field="${{sip_h_{HEADER}}}" expression="^.+$" break="never">
        <action application="set" data="sip_h_{HEADER}=" inline="true"/>
      </condition>
"#,
        routes.join("|")
    )
}

/// A dial target as a regular expression that matches it alone.
fn escaped(target: &str) -> String {
    target.replace('.', r"\.").replace('+', r"\+")
}

/// One expression for all patterns of users' extensions.
pub(super) fn users(patterns: &[NumberPattern]) -> String {
    let each: Vec<String> = patterns.iter().map(regex).collect();
    format!(r"^(?:{})\z", each.join("|"))
}

/// A pattern of numbers as a regular expression: sets of digits are written alike.
fn regex(pattern: &NumberPattern) -> String {
    pattern.as_str().replace('X', r"\d").replace('Z', "[1-9]").replace('N', "[2-9]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::code::{Codes, Preset};
    use crate::desk::group::Group;
    use crate::desk::id::GroupName;

    fn settings() -> Settings {
        Settings {
            tenant: TenantId::default(),
            codes: Codes::of(&[Preset::Simmpl]).unwrap().into(),
            users: vec![NumberPattern::new("XXX").unwrap()],
            emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
            emergency_context: Context::new("emergency").unwrap(),
            ring: 30,
            turn: 15,
            recording: None,
            voicemail_password: true,
            reach: Reach::default(),
            groups: BTreeMap::new(),
            controllers: vec![],
        }
    }

    /// `HOTDESK_BLESS=1 cargo test` writes the files anew.
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
    fn every_place_in_the_text_is_filled_and_the_preprocessor_loses_no_line() {
        for printed in [hotdesk_xml(&settings()), drop_in(&settings()), from_outside(&settings())] {
            let filled = printed
                .replace("@${domain_name}", "")
                .replace("[^@]", "")
                .replace(")@(", "")
                .replace("}@default", "");
            assert!(!filled.contains('@'), "{filled}");
            let include = printed.lines().filter(|line| line.contains("<include>"));
            assert!(include.into_iter().all(|line| line == "<include>"));
            let comments: Vec<&str> =
                printed.split("<!--").skip(1).filter_map(|c| c.split("-->").next()).collect();
            assert!(
                !comments.is_empty() && comments.iter().all(|comment| !comment.contains("--")),
                "{printed}"
            );
        }
    }

    #[test]
    fn a_text_has_a_version_of_its_own_and_names_it() {
        let other = Settings { ring: 31, ..settings() };
        assert_ne!(version(&settings()), version(&other));
        let named = format!("<extension name=\"hotdesk-version-{}\"/>", version(&other));
        assert!(hotdesk_xml(&other).contains(&named));
    }

    #[test]
    fn calls_are_brought_to_each_controller_in_turn_and_then_to_not_available() {
        let controllers = vec!["10.0.0.1:8084".to_owned(), "hotdesk-2:8084".into()];
        let printed = hotdesk_xml(&Settings { controllers, ..settings() });
        let (_, code) = printed.split_once("application=\"sched_transfer\" data=\"+2").unwrap();
        let (code, _) = code.split_once("</condition>").unwrap();
        let told: Vec<&str> =
            code.split("data=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(
            told,
            [
                "socket_resume=true",
                "10.0.0.1:8084 async full",
                "hotdesk-2:8084 async full",
                "hotdesk-away XML hotdesk-code"
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
        let recording = Context::new("recording").ok();
        let printed = hotdesk_xml(&Settings { recording, voicemail_password: false, ..settings() });
        assert_eq!(printed.matches("XML recording").count(), 2, "calls of his own, and those to him");
        assert!(printed.contains("check auth default"));
    }

    #[test]
    fn every_context_extension_and_variable_is_ours() {
        let printed = hotdesk_xml(&settings());
        for line in printed.lines().map(str::trim) {
            for tag in ["<context name=\"", "<extension name=\""] {
                assert!(line.strip_prefix(tag).is_none_or(|name| name.starts_with("hotdesk")), "{line}");
            }
        }
    }

    #[test]
    fn with_several_tenants_the_domain_says_whose_phone_it_is() {
        let several = Settings { tenant: TenantId::new("a.example").unwrap(), ..settings() };
        let printed = hotdesk_xml(&several);
        assert!(printed.contains("${db(select/hotdesk-device-${domain_name}/${sip_auth_username})}"));
        assert!(
            directory_example(&several)
                .contains("${db(select/hotdesk-lamp-${dialed_domain}/${dialed_user})}")
        );
        assert!(!printed.contains("-default/") && !drop_in(&several).contains("-default/"));
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
        let with = |groups: &[(TenantId, Groups)]| Settings {
            groups: groups.iter().cloned().collect(),
            ..settings()
        };
        let default = with(&[(TenantId::default(), one.clone())]);
        for printed in [hotdesk_xml(&default), drop_in(&default)] {
            assert!(
                printed.contains(r#"expression="^(?:650|651)\z""#) && !printed.contains("500"),
                "{printed}"
            );
        }
        assert!(hotdesk_xml(&default).contains("${db(list/hotdesk-group-hall@default)}"));
        assert_ne!(version(&default), version(&settings()));
        let nobody = hotdesk_xml(&with(&[(TenantId::default(), [(name("hall"), rings(None))].into())]));
        assert!(!nobody.contains("hotdesk-group"), "nothing is dialled for it");

        let [a, b] = ["a.example", "b.example"].map(|tenant| TenantId::new(tenant).unwrap());
        let several = Settings { tenant: a.clone(), ..with(&[(a, one.clone()), (b, one)]) };
        for printed in [hotdesk_xml(&several), drop_in(&several)] {
            assert!(printed.contains(r#"field="${domain_name}" expression="^b\.example$""#), "{printed}");
        }
    }

    #[test]
    fn rights_to_queues_are_printed_where_there_are_queues() {
        let of = |kind| {
            let group = Group { kind, number: None };
            let groups = [(TenantId::default(), [(GroupName::new("sales").unwrap(), group)].into())].into();
            directory_example(&Settings { groups, ..settings() })
        };
        assert!(
            of(Kind::Queue).contains(" callcenter_config\"")
                && of(Kind::Queue).contains(" callcenter::info\"")
        );
        assert!(!of(Kind::Ring).contains("callcenter"));
    }

    #[test]
    fn a_site_says_which_numbers_are_users() {
        let patterns = ["[1-3]XX", "8[0-24]NZ"].map(|pattern| NumberPattern::new(pattern).unwrap());
        assert_eq!(users(&patterns), r"^(?:[1-3]\d\d|8[0-24][2-9][1-9])\z");
    }
}
