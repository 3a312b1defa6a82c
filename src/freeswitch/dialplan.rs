//! The dialplan that a site puts among its own: `dialplan/hotdesk.xml` and `dialplan/default/00_hotdesk.xml`, printed for
//! its codes, its numbers and its contexts.
//!
//! The texts are `hotdesk.xml.in` and `00_hotdesk.xml.in` beside this file, with the site's own lines put in; what each
//! context means stands there and in `dialplan/README.md`.

mod codes;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::rows;
use super::sounds;
use crate::desk::code::Book;
use crate::desk::id::{Context, EmergencyNumber, TenantId};
use crate::desk::pattern::NumberPattern;
use crate::desk::policy::Prompt;
use crate::desk::reach::{HEADER, Reach};

const HOTDESK: &str = include_str!("hotdesk.xml.in");
const DROP_IN: &str = include_str!("00_hotdesk.xml.in");
const DIRECTORY: &str = include_str!("directory.xml.in");

/// Where the version stands in the text that it is the version of.
const VERSION: &str = "@version@";

/// The context of hotdesk phones.
pub(super) const HOTDESK_CONTEXT: &str = "hotdesk";

/// A user's row, but for the revision and the exact name.
const ROW: &str = r"^([^|]*)\|\d+\|([^|]+)\|([^|]*)\|([01])\|([^|]*)\|([^|]*)\|([^|]*)\|";

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
    /// Seconds that a user's phone rings before his voicemail answers.
    pub ring: u16,
    /// How it reaches users at other switches' phones.
    pub reach: Reach,
}

/// The text of `dialplan/hotdesk.xml`: contexts of ours.
#[must_use]
pub fn hotdesk_xml(settings: &Settings) -> String {
    text(settings).replace(VERSION, &version(settings))
}

/// What tells these two texts from any others: the name of the only extension of `hotdesk-version` ends with it.
#[must_use]
pub fn version(settings: &Settings) -> String {
    let digest = Sha256::new().chain_update(text(settings)).chain_update(drop_in(settings)).finalize();
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn text(settings: &Settings) -> String {
    let (here, sent_on) = match settings.reach.routes.is_empty() {
        true => Default::default(),
        false => (here(&settings.reach), format!(",sip_h_{HEADER}=${{destination_number}}")),
    };
    let values: [(&str, &str); 8] = [
        ("@codes@", &codes::codes(&settings.codes)),
        ("@emergency@", &emergency(&settings.emergency_numbers, &settings.emergency_context)),
        ("@invalid@", "ivr-invalid_extension_try_again"),
        ("@not-allowed-here@", sounds::stock(Prompt::NotAllowedHere)),
        ("@not-available@", sounds::stock(Prompt::NotAvailable)),
        ("@ring@", &settings.ring.to_string()),
        ("@row@", ROW),
        ("@tone@", sounds::TONE),
    ];
    let text = values.iter().fold(
        HOTDESK.replace("@here@", &here).replace("@sent-on@", &sent_on),
        |text: String, (name, value)| text.replace(name, value.trim_end()),
    );
    with_rows(&text, settings)
}

/// The text of `dialplan/default/00_hotdesk.xml`: the one extension that a context of the site's takes in.
#[must_use]
pub fn drop_in(settings: &Settings) -> String {
    with_rows(DROP_IN, settings)
}

/// The text of `directory.xml.example`: what the site's directory needs.
#[must_use]
pub fn directory_example(settings: &Settings) -> String {
    let lamp = rows::realm(rows::LAMP, tenant(settings, "${dialed_domain}"));
    DIRECTORY.replace("@lamp@", &lamp)
}

/// The tenant in a realm's name: of a site with one company its own, else the domain, as the text at hand knows it.
fn tenant<'a>(settings: &'a Settings, domain: &'a str) -> &'a str {
    if settings.tenant == TenantId::default() { settings.tenant.as_str() } else { domain }
}

/// Names the realms, and reads a user's row, whole however long it is, at `@row-of NUMBER@`.
fn with_rows(text: &str, settings: &Settings) -> String {
    let tenant =
        if settings.tenant == TenantId::default() { settings.tenant.as_str() } else { "${domain_name}" };
    let [device, lamp, user] = rows::RELATIONS.map(|relation| rows::realm(relation, tenant));
    let row_of = |number: &str| {
        (0..rows::PIECES).fold(String::new(), |mut row, piece| {
            let _ = write!(row, "${{db(select/{user}/{})}}", rows::piece_key(number, piece));
            row
        })
    };
    text.replace("@row-of-caller@", &row_of("${hd_user}"))
        .replace("@row-of-called@", &row_of("${destination_number}"))
        .replace("@device@", &device)
        .replace("@lamp@", &lamp)
        .replace("@user@", &user)
        .replace("@users@", &users(&settings.users))
}

/// A call that another switch sent on for this user rings here or nowhere. Routes stand last in a row.
fn here(reach: &Reach) -> String {
    let routes: Vec<String> =
        reach.routes.values().map(|route| escaped(&route.with("{user}")).replace("{user}", r"\d+")).collect();
    format!(
        r#"      <!-- A call that another switch sent here for him rings here or nowhere: it is not sent on once more. -->
      <condition field="${{sip_h_{HEADER}}} ${{destination_number}} ${{hd_dial}}"
                 expression="^(\d+) \1 (.*?)(?:(?&lt;= )|,)(?:{})(?:,|$)" break="never">
        <action application="set" data="hd_dial=$2" inline="true"/>
      </condition>
"#,
        routes.join("|")
    )
}

/// A dial target as a regular expression that matches it alone.
fn escaped(target: &str) -> String {
    target.replace('.', r"\.").replace('+', r"\+")
}

/// Phones may send `#` as their dial key, with these numbers too.
fn emergency(numbers: &[EmergencyNumber], context: &Context) -> String {
    let shown = [
        "set_profile_var\" data=\"caller_id_number",
        "set_profile_var\" data=\"caller_id_name",
        "set\" data=\"effective_caller_id_number",
        "set\" data=\"effective_caller_id_name",
        "set\" data=\"outbound_caller_id_number",
        "set\" data=\"outbound_caller_id_name",
    ];
    let shown = shown.iter().fold(String::new(), |mut lines, what| {
        let _ = writeln!(lines, "        <action application=\"{what}=$1\"/>");
        lines
    });
    numbers.iter().fold(String::new(), |mut lines, number| {
        let _ = write!(
            lines,
            r#"    <extension name="hotdesk-emergency-{number}">
      <condition field="destination_number" expression="^{number}#?\z"/>
      <condition field="${{db(select/@device@/${{sip_auth_username}})}}" expression="^\d*\|\d+\|(\+?\d+)$" break="never">
{shown}      </condition>
      <condition>
        <action application="privacy" data="no"/>
        <action application="transfer" data="{number} XML {context}"/>
      </condition>
    </extension>
"#
        );
        lines
    })
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

    fn settings() -> Settings {
        Settings {
            tenant: TenantId::default(),
            codes: Codes::of(&[Preset::Simmpl]).unwrap().into(),
            users: vec![NumberPattern::new("XXX").unwrap()],
            emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
            emergency_context: Context::new("emergency").unwrap(),
            ring: 30,
            reach: Reach::default(),
        }
    }

    /// `HOTDESK_BLESS=1 cargo test` writes the files anew.
    #[test]
    fn the_files_in_the_repository_are_what_the_default_configuration_prints() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplan/freeswitch");
        for (name, printed) in [
            ("hotdesk.xml", hotdesk_xml(&settings())),
            ("00_hotdesk.xml", drop_in(&settings())),
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
        for printed in [hotdesk_xml(&settings()), drop_in(&settings())] {
            let filled = printed.replace("@${domain_name}", "").replace("^([^@]+)", "").replace("@(.+)", "");
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
    fn a_site_says_which_numbers_are_users() {
        let patterns = ["[1-3]XX", "8[0-24]NZ"].map(|pattern| NumberPattern::new(pattern).unwrap());
        assert_eq!(users(&patterns), r"^(?:[1-3]\d\d|8[0-24][2-9][1-9])\z");
    }
}
