//! The dialplan for Asterisk: `hotdesk.conf`, printed for the codes, numbers and contexts of the configuration.
//!
//! The templates are the `*.conf` files beside this file: what each context does is said there and in
//! `dialplan/README.md`. Names of the site are put in as values and never searched, so no name can change the text around it.

mod codes;
pub mod files;
pub mod flaw;
pub mod includes;
pub mod reload;
pub mod sounds;

use askama::Template;
use base16ct::lower::encode_string;
use sha2::{Digest, Sha256};

use self::codes::CodeExtension;
use self::sounds::sounds;
use super::namespace::{Namespace, TOKEN_HINT};
use super::table::rows;
use crate::model::codes::{Codes, DEVICE_LAMP, Served};
use crate::model::directory::group::numbered;
use crate::model::emergency::CALL_BACK;
use crate::model::id::{Context, EmergencyContext, EmergencyNumber, Extension, GroupName, TenantId};
use crate::model::login::prompt::Prompt;
use crate::model::login::token::Token;
use crate::model::number_pattern::NumberPattern;
use crate::model::routes::{HEADER, Routes};

/// What the dialplan of a tenant depends on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tenant whose phones, users and codes they are.
    pub tenant: TenantId,
    /// The feature codes.
    pub codes: Codes,
    /// The numbers that may be users' extensions.
    pub users: Vec<NumberPattern>,
    /// The site's context for such a number without a user; without it the caller hears that the number is invalid.
    pub fallback_context: Option<Context>,
    /// The emergency numbers.
    pub emergency_numbers: Vec<EmergencyNumber>,
    /// The site's context that sends emergency calls out.
    pub emergency_context: EmergencyContext,
    /// The address of the controller's FastAGI server for Asterisk: `host:port`.
    pub agi: String,
    /// Seconds that a user's phones ring simultaneously before the user's voicemail answers.
    pub ring: u16,
    /// Seconds that each of them rings if they ring sequentially.
    pub ring_each: u16,
    /// The site's context that records a call; without it no call is recorded.
    pub recording_context: Option<Context>,
    /// Whether a user who opens their own voicemail box at their phone is asked for its password.
    pub voicemail_password: bool,
    /// How this switch reaches users at other switches' phones.
    pub routes: Routes,
    /// Whether it is a FreePBX, which needs only the codes.
    pub freepbx: bool,
    /// What shows the controller that a call comes from this dialplan.
    pub token: Token,
}

#[derive(Template)]
#[template(
    source = "{% if s.freepbx %}{% include \"freepbx.conf\" %}{% else %}{% include \"hotdesk.conf\" %}{% endif %}",
    ext = "conf"
)]
struct Text<'a> {
    s: &'a Settings,
    version: &'a str,
    /// What the names of the tenant's contexts, rows and script begin with.
    ns: Namespace,
    callable: Vec<NumberPattern>,
    codes: Vec<CodeExtension>,
    /// The groups that ring, with the number that is dialled for each.
    groups: Vec<(Extension, &'a GroupName)>,
    /// What is dialled to reach user `${EXTEN}` at each other switch.
    routes: Vec<String>,
    header: &'static str,
    /// What the name of a device's lamp begins with.
    lamp: &'static str,
    /// The hint of a lamp that is on, and of one that is off.
    on: &'static str,
    off: &'static str,
    /// The hint of the token.
    hint: &'static str,
    token: &'a str,
    /// Seconds.
    call_back: u32,
    /// The prompt of Hotdesk, and the stock sound without it.
    not_allowed: [String; 2],
    not_available: [String; 2],
}

impl Text<'_> {
    /// The pick-up group in the profile at hand. A group of one tenant is not the same as one of another.
    fn pickup_group(&self) -> String {
        let group = "${CUT(HD_PROFILE,|,6)}";
        match self.s.tenant == TenantId::default() {
            true => group.into(),
            false => format!("${{IF($[\"{group}\" != \"\"]?{}.{group})}}", self.ns),
        }
    }
}

/// The text of `hotdesk.conf`.
#[must_use]
pub fn hotdesk_conf(settings: &Settings) -> String {
    text(settings, &version(settings), settings.token.reveal())
}

/// The numbers that are looked up as users: those that may be users, without the emergency numbers. A context that includes
/// `hotdesk-users` may have an emergency number in a later include. Asterisk does not search that once a pattern here matches.
#[must_use]
pub fn callable(settings: &Settings) -> Vec<NumberPattern> {
    settings.emergency_numbers.iter().fold(settings.users.clone(), |patterns, number| {
        patterns.iter().flat_map(|pattern| pattern.without(number.as_str())).collect()
    })
}

/// The version of this text, the only extension of `hotdesk-version`: each other text has another, whatever the token.
#[must_use]
pub fn version(settings: &Settings) -> String {
    let digest = Sha256::digest(text(settings, "", "").as_bytes());
    encode_string(digest.split_at(6).0)
}

fn text(settings: &Settings, version: &str, token: &str) -> String {
    let text = Text {
        s: settings,
        version,
        ns: Namespace::of(&settings.tenant),
        callable: callable(settings),
        codes: codes::extensions(&settings.codes),
        groups: numbered(&settings.routes.groups),
        routes: settings.routes.routes.values().map(|route| route.with("${EXTEN}")).collect(),
        header: HEADER,
        lamp: DEVICE_LAMP,
        on: rows::ON,
        off: rows::NOWHERE,
        hint: TOKEN_HINT,
        token,
        call_back: CALL_BACK,
        not_allowed: sounds(Prompt::NotAllowedHere),
        not_available: sounds(Prompt::NotAvailable),
    };
    let mut printed = String::new();
    // Writing to a string does not fail.
    let _ = text.render_into(&mut printed);
    printed.push('\n');
    printed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::codes::Preset;
    use crate::model::contexts::is_own;
    use crate::model::directory::group::{Group, Kind};

    fn settings() -> Settings {
        Settings {
            tenant: TenantId::default(),
            codes: Codes::of(&[Preset::Simmpl]).unwrap(),
            users: vec![NumberPattern::new("XXX").unwrap()],
            fallback_context: None,
            emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
            emergency_context: EmergencyContext::new("emergency").unwrap(),
            agi: "127.0.0.1:4573".into(),
            ring: 30,
            ring_each: 15,
            recording_context: None,
            voicemail_password: true,
            routes: Routes::default(),
            freepbx: false,
            token: Token::sample(),
        }
    }

    /// `HOTDESK_BLESS=1 cargo test` rewrites the file.
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
        let contexts = printed.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
        assert!(contexts.into_iter().all(|context| is_own(context, "hotdesk")), "{printed}");
    }

    #[test]
    fn a_name_of_the_site_stays_as_it_is_whatever_it_contains() {
        let name = |name: &str| Context::new(name).unwrap();
        for ours in ["hotdesk-emergency-out", "hotdesk", "hotdesk-users", "hotdesk-called", "x-hotdesk-code"]
        {
            let group = Group { kind: Kind::Ring, number: Some("500".parse().unwrap()) };
            let groups = [(GroupName::new(ours).unwrap(), group)].into();
            let printed = hotdesk_conf(&Settings {
                tenant: TenantId::new("acme").unwrap(),
                emergency_context: EmergencyContext::new(ours).unwrap(),
                fallback_context: Some(name(ours)),
                recording_context: Some(name(ours)),
                routes: Routes { groups, ..Routes::default() },
                ..settings()
            });
            for line in [
                format!(" same => n,Goto({ours},${{EXTEN}},1)\n"),
                format!("\"00\"]?{ours},${{EXTEN}},1)\n"),
                format!("?{ours},s,1(${{HD_USER}},outbound,${{EXTEN}}))\n"),
                format!("DB_KEYS(acme-hotdesk/member/{ours})"),
            ] {
                assert!(printed.contains(&line), "{line} is not in {printed}");
            }
        }
    }

    #[test]
    fn an_emergency_number_stands_before_every_code() {
        let printed = hotdesk_conf(&settings());
        let (emergency, code) = (printed.find("exten => 112,"), printed.find("exten => *35,"));
        assert!(emergency.is_some() && emergency < code);
    }
}
