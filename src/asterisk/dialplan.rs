//! The dialplan that a site includes: `hotdesk.conf`, printed for its codes, its numbers and its contexts.
//!
//! The text is `hotdesk.conf.in` beside this file, with `caller.conf.in`, `called.conf.in` and `emergency.conf.in` in it and
//! the site's own lines put in; what each context means stands there and in `dialplan/README.md`.

mod called;
mod caller;
mod codes;
mod emergency;
mod groups;
mod recording;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::rows;
use super::sounds::sounds;
use super::space::Space;
use crate::desk::code::{Codes, SEAT};
use crate::desk::id::{Context, EmergencyNumber, TenantId};
use crate::desk::pattern::NumberPattern;
use crate::desk::policy::Prompt;
use crate::desk::reach::Reach;

/// Where the version stands in the text that it is the version of.
const VERSION: &str = "@version@";

const TEMPLATE: &str = include_str!("hotdesk.conf.in");
/// Of a FreePBX, which has a dialplan of its own.
const FREEPBX: &str = include_str!("freepbx.conf.in");
/// What both have: a code goes to the controller, a call ends with a sound.
const SHARED: [(&str, &str); 2] =
    [("@code@", include_str!("code.conf.in")), ("@end@", include_str!("end.conf.in"))];

/// What the dialplan of a site depends on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose phones, users and codes they are.
    pub tenant: TenantId,
    /// The codes that go to the controller.
    pub codes: Codes,
    /// Which numbers may be users' extensions.
    pub users: Vec<NumberPattern>,
    /// Where a number goes that may be a user's but is nobody's; none: the caller hears that it is invalid.
    pub otherwise: Option<Context>,
    /// Numbers that reach help.
    pub emergency_numbers: Vec<EmergencyNumber>,
    /// The site's context where such a call goes.
    pub emergency_context: Context,
    /// Where the switch finds the controller's FastAGI server: `host:port`.
    pub agi: String,
    /// Seconds that a user's phones ring, all at once, before his voicemail answers.
    pub ring: u16,
    /// Seconds that each of them rings where they do so in turn.
    pub turn: u16,
    /// The site's context that records a call; none: no call is.
    pub recording: Option<Context>,
    /// Whether a user is asked for the password of his own voicemail box at the phone where he sits.
    pub voicemail_password: bool,
    /// How it reaches users at other switches' phones.
    pub reach: Reach,
    /// It is a FreePBX: of all this, only the codes are ours.
    pub freepbx: bool,
}

/// The text of `hotdesk.conf`.
#[must_use]
pub fn hotdesk_conf(settings: &Settings) -> String {
    text(settings).replace(VERSION, &version(settings))
}

/// The numbers that are looked up as users': those that may be, but for the emergency numbers. A context that includes
/// `hotdesk-users` may know these by a later include, which Asterisk does not come to once a pattern of ours matches.
#[must_use]
pub fn callable(settings: &Settings) -> Vec<NumberPattern> {
    settings.emergency_numbers.iter().fold(settings.users.clone(), |patterns, number| {
        patterns.iter().flat_map(|pattern| pattern.without(number.as_str())).collect()
    })
}

/// What tells this text from any other: the only extension of `hotdesk-version`.
#[must_use]
pub fn version(settings: &Settings) -> String {
    let digest = Sha256::digest(text(settings).as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn text(settings: &Settings) -> String {
    let [not_allowed, not_allowed_stock] = sounds(Prompt::NotAllowedHere);
    let [not_available, not_available_stock] = sounds(Prompt::NotAvailable);
    let values: [(&str, &str); 14] = [
        ("@caller@", &caller::contexts(settings)),
        ("@called@", &called::contexts(settings)),
        ("@emergency-contexts@", &emergency::contexts(&settings.emergency_context)),
        ("@agi@", &settings.agi),
        ("@codes@", &codes::codes(&settings.codes)),
        ("@emergency@", &emergency::numbers(&settings.emergency_numbers)),
        ("@group@", &group(&settings.tenant)),
        ("@hints@", &hints(&callable(settings))),
        ("@not-allowed-here-stock@", not_allowed_stock),
        ("@not-allowed-here@", not_allowed),
        ("@not-available-stock@", not_available_stock),
        ("@not-available@", not_available),
        ("@plugged@", &plugged(settings)),
        (
            "@users@",
            &(groups::extensions(&settings.reach.groups, settings.ring) + &users(&callable(settings))),
        ),
    ];
    let template = if settings.freepbx { FREEPBX } else { TEMPLATE };
    let template =
        SHARED.iter().fold(template.into(), |text: String, (name, part)| text.replace(name, part.trim_end()));
    let text =
        values.iter().fold(template, |text: String, (name, value)| text.replace(name, value.trim_end()));
    in_space(&text, &Space::of(&settings.tenant))
}

/// The contexts of the site's that calls go on to.
fn plugged(settings: &Settings) -> String {
    let named = |context: &Context| format!("[{context}]");
    let contexts = [
        (Some(named(&settings.emergency_context)), "gets each emergency call"),
        (Some("a class of service".into()), "gets what its users dial: hotdesk user set EXT --class CONTEXT"),
        (settings.otherwise.as_ref().map(named), "gets calls to numbers that may be users' and are nobody's"),
        (settings.recording.as_ref().map(named), "records a call, by Gosub"),
    ];
    contexts.iter().fold(String::new(), |mut lines, (context, does)| {
        if let Some(context) = context {
            let _ = writeln!(lines, ";   {context:<23} {does}");
        }
        lines
    })
}

/// The pick-up group of the profile at hand. Those of one tenant among several are not those of another.
fn group(tenant: &TenantId) -> String {
    let group = "${CUT(HD_PROFILE,|,6)}";
    if *tenant == TenantId::default() {
        return group.into();
    }
    format!("${{IF($[\"{group}\" != \"\"]?{}.{group})}}", Space::of(tenant))
}

/// The same text for a tenant among several: its contexts, its rows and the script that its calls ask for begin with its
/// name. Sounds are everybody's.
fn in_space(text: &str, space: &Space) -> String {
    let ours = ["[hotdesk]", "hotdesk-", "(hotdesk/", "/hotdesk,"];
    ours.iter()
        .fold(text.into(), |text: String, name| text.replace(name, &name.replace("hotdesk", space.name())))
}

fn users(patterns: &[NumberPattern]) -> String {
    patterns.iter().fold(String::new(), |mut lines, pattern| {
        let _ = writeln!(lines, "exten => _{pattern},1,Goto(hotdesk-user,${{EXTEN}},1)");
        lines
    })
}

fn hints(patterns: &[NumberPattern]) -> String {
    let dial = "${CUT(DB(hotdesk/user/${EXTEN}),|,1)}";
    let lamp = "${CUT(DB(hotdesk/profile/${EXTEN}),|,7)}";
    let nowhere = rows::NOWHERE;
    // In quotes, as `IF` ends what stands before a colon at the first that is not.
    let where_he_is = format!("${{IF($[\"{dial}\" != \"\"]?\"{dial}\":{nowhere})}}");
    let (on, device) = (rows::ON, format!("${{EXTEN:{}}}", SEAT.len()));
    let seat = format!("${{IF($[0${{CUT(DB(hotdesk/device/{device}),|,2)}} > 0]?\"{on}\":{nowhere})}}");
    let seats = format!("; whether somebody sits at a device\nexten => _{SEAT}.,hint,{seat}\n");
    patterns.iter().fold(seats, |mut lines, pattern| {
        let _ = writeln!(
            lines,
            "exten => _{pattern},hint,${{IF($[\"{lamp}\" != \"\"]?\"{lamp}\":{where_he_is})}}"
        );
        lines
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::code::Preset;

    fn settings() -> Settings {
        Settings {
            tenant: TenantId::default(),
            codes: Codes::of(&[Preset::Simmpl]).unwrap(),
            users: vec![NumberPattern::new("XXX").unwrap()],
            otherwise: None,
            emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
            emergency_context: Context::new("emergency").unwrap(),
            agi: "127.0.0.1:4573".into(),
            ring: 30,
            turn: 15,
            recording: None,
            voicemail_password: true,
            reach: Reach::default(),
            freepbx: false,
        }
    }

    /// `HOTDESK_BLESS=1 cargo test` writes the file anew.
    #[test]
    fn the_file_in_the_repository_is_what_the_default_configuration_prints() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplan/asterisk/hotdesk.conf");
        let printed = hotdesk_conf(&settings());
        if std::env::var_os("HOTDESK_BLESS").is_some() {
            std::fs::write(path, &printed).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), printed);
    }

    /// What each context, row and script of a text is called.
    fn names(text: &str) -> std::collections::BTreeSet<String> {
        let commands = text.lines().filter(|line| !line.starts_with(';'));
        let contexts =
            commands.clone().filter_map(|line| Some(line.strip_prefix('[')?.split_once(']')?.0.into()));
        let named = commands.flat_map(|line| {
            line.split(|c: char| !(c.is_alphanumeric() || "-._/:".contains(c))).map(str::to_owned)
        });
        let ours = |name: &String| {
            name.contains("hotdesk") && !name.starts_with("hotdesk/not-") && !name.contains("Custom:hotdesk")
        };
        contexts.chain(named).filter(ours).collect()
    }

    #[test]
    fn nothing_of_one_tenant_is_called_like_something_of_another() {
        let of = |tenant: &str| Settings { tenant: TenantId::new(tenant).unwrap(), ..settings() };
        let tenants = ["default", "acme", "acme-hotdesk", "b.example"];
        let names = tenants.map(|tenant| names(&hotdesk_conf(&of(tenant))));
        for (n, some) in names.iter().enumerate() {
            assert!(some.len() > 10, "{some:?}");
            for others in names.iter().skip(n + 1) {
                assert_eq!(some.intersection(others).collect::<Vec<_>>(), Vec::<&String>::new());
            }
        }
    }

    #[test]
    fn a_freepbx_gets_the_codes_in_its_own_context_and_no_more() {
        let acme = Settings { freepbx: true, tenant: TenantId::new("acme").unwrap(), ..settings() };
        for (of, space) in [(Settings { freepbx: true, ..settings() }, "hotdesk"), (acme, "acme-hotdesk")] {
            let printed = hotdesk_conf(&of);
            let contexts: Vec<&str> =
                printed.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']')).collect();
            let ours = ["codes", "code", "stay", "end"].map(|part| format!("{space}-{part}"));
            assert_eq!(contexts[0], "from-internal-custom");
            assert_eq!(contexts[1..], ours);
            assert!(printed.contains(&format!("\ninclude => {space}-codes\n")), "{printed}");
            assert!(
                printed.contains(&format!("\nexten => {space}-{},1,NoOp()\n", version(&of))),
                "{printed}"
            );
            assert!(!printed.lines().any(|line| !line.starts_with(';') && line.contains('@')), "{printed}");
        }
    }

    #[test]
    fn every_place_in_the_text_is_filled() {
        let printed = hotdesk_conf(&settings());
        let commands = printed.lines().filter(|line| !line.starts_with(';'));
        assert!(commands.clone().all(|line| !line.contains('@')), "{printed}");
        assert!(commands.clone().all(|line| !line.contains("exten") || line.contains("=>")), "{printed}");
    }

    #[test]
    fn what_a_site_did_not_ask_for_is_not_printed() {
        let plain = hotdesk_conf(&settings());
        let recording = Context::new("taped").ok();
        let asked = hotdesk_conf(&Settings { recording, voicemail_password: false, ..settings() });
        for piece in [
            ";   [taped]  ",
            "?taped,s,1(${HD_USER},outbound,${EXTEN}))",
            "U(hotdesk-answered^",
            "?taped,s,1(${HD_USER},inbound,${ARG2}))",
            "dtmf_features",
            "VoiceMailMain(${HD_MAILBOX},s)",
        ] {
            assert!(asked.contains(piece) && !plain.contains(piece), "{piece}\n{asked}");
        }
    }

    #[test]
    fn a_pick_up_group_of_one_tenant_is_not_that_of_another() {
        let of =
            |tenant: &str| hotdesk_conf(&Settings { tenant: TenantId::new(tenant).unwrap(), ..settings() });
        assert!(of("default").contains("namedcallgroup)=${CUT(HD_PROFILE,|,6)})\n"));
        for kind in ["call", "pickup"] {
            let group =
                format!("named{kind}group)=${{IF($[\"${{CUT(HD_PROFILE,|,6)}}\" != \"\"]?acme-hotdesk.$");
            assert!(of("acme").contains(&group), "{}", of("acme"));
        }
    }

    #[test]
    fn a_text_has_a_version_of_its_own_and_names_it() {
        let mut other = settings();
        other.agi = "127.0.0.1:4574".into();
        assert_ne!(version(&settings()), version(&other));
        let named = format!("[hotdesk-version]\nexten => {},1,NoOp()\n", version(&other));
        assert!(hotdesk_conf(&other).ends_with(&named));
    }

    #[test]
    fn every_context_variable_and_label_is_ours() {
        let printed = hotdesk_conf(&settings());
        for line in printed.lines() {
            assert!(!line.starts_with('[') || line.starts_with("[hotdesk"), "{line}");
            for set in line.split("Set(").skip(1) {
                let function = set.split('=').next().is_some_and(|name| name.contains('('));
                assert!(
                    function
                        || set.trim_start_matches('_').starts_with("HD_")
                        || set.starts_with("AGIEXITONHANGUP"),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn a_site_says_which_numbers_are_users_and_where_the_others_go() {
        let mut site = settings();
        site.users = vec![NumberPattern::new("[2-4]XX").unwrap(), NumberPattern::new("_8[0-24]NZ").unwrap()];
        site.otherwise = Context::new("internal").ok();
        let printed = hotdesk_conf(&site);
        for line in [
            "exten => _[2-4]XX,1,Goto(hotdesk-user,${EXTEN},1)",
            "exten => _8[0-24]NZ,1,Goto(hotdesk-user,${EXTEN},1)",
            "?internal,${EXTEN},1)",
            "exten => _[2-4]XX,hint,${IF($[\"${CUT(DB(hotdesk/profile/${EXTEN}),|,7)}\" != \"\"]?",
        ] {
            assert!(printed.contains(line), "{line} is not in {printed}");
        }
    }

    #[test]
    fn an_emergency_number_is_never_taken_for_a_users() {
        let mut site = settings();
        site.emergency_numbers = ["110", "112"].map(|number| EmergencyNumber::new(number).unwrap()).into();
        let callable: Vec<String> = callable(&site).iter().map(ToString::to_string).collect();
        assert_eq!(callable, ["[02-9]XX", "1[02-9]X", "11[13-9]"]);
        let printed = hotdesk_conf(&site);
        assert!(callable.iter().all(|pattern| printed.contains(&format!("_{pattern},1,Goto(hotdesk-user,"))));
        assert!(callable.iter().all(|pattern| printed.contains(&format!("_{pattern},hint,"))));
        assert!(!printed.contains("_XXX"));
    }

    #[test]
    fn the_lamp_of_a_device_is_called_the_same_in_the_hint_and_where_it_is_dialled() {
        let printed = hotdesk_conf(&settings());
        let device = format!("${{EXTEN:{}}}", SEAT.len());
        for line in [
            format!(
                "exten => _{SEAT}.,1,GotoIf($[\"{device}\" != \"${{CHANNEL(endpoint)}}\"]?hotdesk-end,*,refused)"
            ),
            format!(" same => n,Set(HD_DIALLED={SEAT})"),
            format!("exten => _{SEAT}.,hint,${{IF($[0${{CUT(DB(hotdesk/device/{device}),|,2)}} > 0]?"),
        ] {
            assert!(printed.contains(&line), "{line} is not in {printed}");
        }
    }

    #[test]
    fn an_emergency_number_stands_before_every_code() {
        let printed = hotdesk_conf(&settings());
        let (emergency, code) = (printed.find("exten => 112,"), printed.find("exten => *35,"));
        assert!(emergency.is_some() && emergency < code);
    }
}
