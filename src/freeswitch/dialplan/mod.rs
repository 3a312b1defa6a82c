//! The dialplan for FreeSWITCH: `dialplan/hotdesk.xml` and its drop-ins `00_hotdesk.xml`, printed for the codes, numbers and
//! contexts of the configuration.
//!
//! The templates are the `*.xml` files beside this file: what each context does is said there and in `dialplan/README.md`.
//! Names of the site are put in as values, escaped and never searched, so no name can change the text around it.

mod codes;
pub mod files;
pub mod flaw;
pub mod fusionpbx;
mod groups;
pub mod sounds;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use askama::Template;
use base16ct::lower::encode_string;
use sha2::{Digest, Sha256};

use self::codes::CodeExtension;
pub(super) use self::codes::users;
use self::groups::Group;
use super::esl::client::Client;
use super::esl::rights;
use super::queues::groups as members;
use super::table::rows;
use crate::model::codes::{Book, Served};
use crate::model::directory::Snapshot;
use crate::model::directory::group::{Groups, Kind};
use crate::model::id::{Context, EmergencyContext, EmergencyNumber, TenantId, VariableName};
use crate::model::login::prompt::Prompt;
use crate::model::login::token::Token;
use crate::model::number_pattern::NumberPattern;
use crate::model::routes::{HEADER, Routes};
use crate::switch::SwitchError;

pub(super) const HOTDESK_CONTEXT: &str = "hotdesk@desk";
/// Where `00_hotdesk.xml` sends a call to a user.
pub(super) const TO_USERS: &str = "XML hotdesk@user";

/// A user's row without the revision and the exact name. `away` may be missing: rows were once written without it.
const ROW: &str =
    r"^([^|]*)\|\d+\|([^|]+)\|([^|]*)\|([01])\|([^|]*)\|([^|]*)\|([^|]*)\|(?:(|busy|\+?\d+)\|)?";

/// A user's profile without its last field. The text that it matches ends with six separators, in case there is none.
const PROFILE: &str = r"^([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|";

/// What a phone may dial, and what its codes lead to.
const DIALLED: &str = r"^(?:[0-9*#+]{1,64}|hotdesk-(?:pickup|voicemail))\z";

/// What is dialled with parameters or with separators: eight groups without, and the rest, of which later ones take eight more
/// each. Possessive, so that it takes no longer the more groups there are. No group holds anything else, so that nothing that
/// is dialled is expanded as a variable.
const SEPARATED: &str = concat!(
    r"^(?=[^;]*[0-9*#+])(?=[^;]*[-.() ;])[-.() ]*+",
    r"([0-9*#+]*+)[-.() ]*+([0-9*#+]*+)[-.() ]*+([0-9*#+]*+)[-.() ]*+([0-9*#+]*+)[-.() ]*+",
    r"([0-9*#+]*+)[-.() ]*+([0-9*#+]*+)[-.() ]*+([0-9*#+]*+)[-.() ]*+([0-9*#+]*+)[-.() ]*+",
    r"([-.() 0-9*#+]*+)(?s:;.*)?\z"
);

/// The variables of a call that hold what was dialled, or make an event hold all numbers that the call had.
const DIALLED_IN: &str =
    "DP_MATCH hangup_complete_with_xml sip_req_user sip_req_uri sip_to_user sip_to_uri sip_full_to";

/// The realm of `mod_db` for phones that made an emergency call, without the tenant; the controller neither reads nor
/// writes it. `hotdesk-called-<tenant>`, by device, is `until|caller ID`, with `until` in seconds since 1970. A dialplan has no
/// arithmetic without `mod_expr`, but `strepoch` (1.10.12) takes any number of seconds, and so an hour is added.
const EMERGENCY_CALLS: &str = "hotdesk-called";

const NOT_ALLOWED: &str = sounds::stock(Prompt::NotAllowedHere);
const NOT_AVAILABLE: &str = sounds::stock(Prompt::NotAvailable);

/// The global variable that holds the token. A variable of the call would stand in its events, its CDR and the log.
pub(super) const TOKEN: &str = "hotdesk_token";

/// How the call by which `hotdesk check` looks for the version ends. No other failure has this cause.
pub(super) const PROBED: &str = "INCOMPATIBLE_DESTINATION";

/// All variables that show a caller's number somewhere.
const CALLER_IDS: [(&str, &str); 8] = [
    ("set_profile_var", "caller_id_number"),
    ("set_profile_var", "caller_id_name"),
    ("set", "effective_caller_id_number"),
    ("set", "effective_caller_id_name"),
    ("set", "outbound_caller_id_number"),
    ("set", "outbound_caller_id_name"),
    // From these the emergency route of a FusionPBX sets the others.
    ("set", "emergency_caller_id_number"),
    ("set", "emergency_caller_id_name"),
];

/// What the dialplan of a switch depends on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tenant of all its phones. Unless it is the default one, each phone's tenant is the domain that it registered in.
    pub tenant: TenantId,
    /// The feature codes of each tenant.
    pub codes: Book,
    /// The numbers that may be users' extensions.
    pub users: Vec<NumberPattern>,
    /// The emergency numbers.
    pub emergency_numbers: Vec<EmergencyNumber>,
    /// The site's context that sends emergency calls out.
    pub emergency_context: EmergencyContext,
    /// Seconds that a user's phones ring simultaneously before the user's voicemail answers.
    pub ring: u16,
    /// Seconds that each of them rings if they ring sequentially.
    pub ring_each: u16,
    /// The site's context that records a call; without it no call is recorded.
    pub recording_context: Option<Context>,
    /// Whether a user who opens their own voicemail box at their phone is asked for its password.
    pub voicemail_password: bool,
    /// The variables of the directory that a call has from the entry of its user, and not from that of the device.
    pub user_variables: Vec<VariableName>,
    /// How this switch reaches users at other switches' phones.
    pub routes: Routes,
    /// The groups of each tenant.
    pub groups: BTreeMap<TenantId, Groups>,
    /// The controllers that calls are connected to, `host:port`, in order; without any, calls wait to be taken.
    pub controllers: Vec<String>,
    /// What shows these controllers that a call comes from this switch.
    pub token: Token,
}

impl Settings {
    /// Those of a site with these codes and users, and otherwise with defaults: without emergency numbers, groups and routes, and
    /// with the token of a sample.
    pub fn sample(codes: Book, users: NumberPattern) -> Self {
        Self {
            tenant: TenantId::default(),
            codes,
            users: vec![users],
            emergency_numbers: vec![],
            emergency_context: EmergencyContext::default(),
            ring: 30,
            ring_each: 15,
            recording_context: None,
            voicemail_password: true,
            user_variables: VariableName::usual(),
            routes: Routes::default(),
            groups: BTreeMap::new(),
            controllers: vec![],
            token: Token::sample(),
        }
    }
}

struct Values<'a> {
    s: &'a Settings,
    codes: Vec<CodeExtension>,
    users: String,
    groups: Vec<Group<'a>>,
    group_numbers: Vec<(Option<String>, String)>,
    /// Matches what is dialled to reach a user at another switch; empty without other switches.
    routes: String,
    /// The tenant in a realm's name: the default one, or the domain of the phone.
    tenant: &'a str,
    device: String,
    lamp: String,
    profile: String,
    user: String,
    emergency: String,
}

#[derive(Template)]
#[template(path = "hotdesk.xml")]
struct HotdeskXml<'a> {
    v: &'a Values<'a>,
    version: &'a str,
    token: &'a str,
}

#[derive(Template)]
#[template(path = "00_hotdesk.xml")]
struct DropIn<'a> {
    v: &'a Values<'a>,
}

#[derive(Template)]
#[template(path = "public.xml")]
struct FromOutside<'a> {
    v: &'a Values<'a>,
}

#[derive(Template)]
#[template(path = "directory.xml")]
struct Directory {
    lamp: String,
    api: String,
    events: String,
    ring: &'static str,
}

#[derive(Template)]
#[template(path = "users.xml")]
struct Users<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    id: &'a str,
    is_user: bool,
    has_box: bool,
}

/// The text of `dialplan/hotdesk.xml`: the contexts of Hotdesk.
pub fn hotdesk_xml(settings: &Settings) -> String {
    let token = settings.token.reveal();
    printed(&HotdeskXml { v: &Values::of(settings), version: &version(settings), token })
}

/// The version of these three texts, whatever the token: the name of the only extension of `hotdesk@version` ends with it.
pub fn version(settings: &Settings) -> String {
    let text = printed(&HotdeskXml { v: &Values::of(settings), version: "", token: "" });
    let digest = Sha256::new().chain_update(text).chain_update(drop_in(settings));
    let digest = digest.chain_update(from_outside(settings)).finalize();
    encode_string(digest.split_at(6).0)
}

/// The text of `dialplan/default/00_hotdesk.xml`: the extensions that a context of the site includes.
pub fn drop_in(settings: &Settings) -> String {
    printed(&DropIn { v: &Values::of(settings) })
}

/// The text of `dialplan/public/00_hotdesk.xml`: the extension that the context for calls from outside includes.
pub fn from_outside(settings: &Settings) -> String {
    printed(&FromOutside { v: &Values::of(settings) })
}

/// The text of `directory.xml.example`: what the site's directory needs.
pub fn directory_example(settings: &Settings) -> String {
    let mut groups = settings.groups.values().flat_map(|groups| groups.values());
    let queues = groups.any(|group| group.kind == Kind::Queue);
    let with = |words: &str, more: &str| if queues { format!("{words} {more}") } else { words.to_owned() };
    printed(&Directory {
        lamp: rows::realm(rows::LAMP, tenant(settings, "${dialed_domain}")),
        api: with(rights::API, rights::QUEUES),
        events: with(rights::EVENTS, rights::QUEUED),
        ring: rights::RING,
    })
}

/// The dial-string of an entry whose name is both a phone and a user: calls to it ring where its user is logged in, and never the
/// phone itself. For the default tenant.
pub(super) fn login_dial_string() -> String {
    let lamp = rows::realm(rows::LAMP, TenantId::default().as_str());
    format!("${{expand(echo ${{db(select/{lamp}/${{dialed_user}})}})}}")
}

/// The directory entry of Hotdesk's user at the event socket, with the least rights.
#[must_use]
pub fn event_socket_entry(name: &str, password: &str) -> String {
    format!(
        "  <user id=\"{name}\">\n    <params>\n      <param name=\"allow-empty-password\" value=\"false\"/>\n      \
         <param name=\"esl-password\" value=\"{password}\"/>\n      <param name=\"esl-allowed-api\" value=\"{}\"/>\n      \
         <param name=\"esl-allowed-events\" value=\"{}\"/>\n      <param name=\"esl-allowed-log\" value=\"false\"/>\n    \
         </params>\n  </user>\n",
        rights::API,
        rights::EVENTS
    )
}

/// The directory entry of a user without a phone: calls to it ring where the user is logged in. No phone can register with it.
#[must_use]
pub fn user_entry(user: &str) -> String {
    format!(
        "  <user id=\"{user}\">\n    <params>\n      <param name=\"allow-empty-password\" value=\"false\"/>\n      \
         <param name=\"dial-string\" value=\"{}\"/>\n    </params>\n    <variables>\n      \
         <variable name=\"toll_allow\" value=\"\"/>\n    </variables>\n  </user>\n",
        login_dial_string()
    )
}

/// The entries of the directory with these names, for the users and mailboxes that have them.
pub fn directory_entries(names: &BTreeSet<String>, snapshot: &Snapshot) -> String {
    let boxes = snapshot.users.values().filter_map(|user| user.mailbox.as_ref()?.as_str().split('@').next());
    let boxes: BTreeSet<&str> = boxes.collect();
    let entries = names.iter().map(|id| Entry {
        id,
        is_user: snapshot.users.contains_key(id.as_str()),
        has_box: boxes.contains(id.as_str()),
    });
    printed(&Users { entries: entries.collect() })
}

/// Has FreeSWITCH read all its XML files again. What it had before stays if they are no XML (1.10.12).
///
/// # Errors
/// [`SwitchError`], with what FreeSWITCH says about the files, or that Hotdesk's user may not do it.
pub async fn reload(client: &Client) -> Result<(), SwitchError> {
    // It answers +OK in any case, with what became of it.
    let said = client.api("reloadxml").await?.unwrap_or_default();
    match said.contains("[Success]") {
        true => Ok(()),
        false => Err(SwitchError::Refused("reloadxml".into(), said)),
    }
}

impl<'a> Values<'a> {
    fn of(settings: &'a Settings) -> Self {
        let tenant = tenant(settings, "${domain_name}");
        let [device, lamp, profile, user] = rows::RELATIONS.map(|relation| rows::realm(relation, tenant));
        let routes = settings.routes.routes.values();
        let routes: Vec<String> =
            routes.map(|route| codes::exactly(&route.with("{user}")).replace("{user}", r"\d+")).collect();
        Self {
            s: settings,
            codes: codes::extensions(&settings.codes),
            users: users(&settings.users),
            groups: groups::all(&settings.groups),
            group_numbers: groups::numbers(&settings.groups),
            routes: routes.join("|"),
            tenant,
            emergency: rows::realm(EMERGENCY_CALLS, tenant),
            device,
            lamp,
            profile,
            user,
        }
    }

    fn row(&self, realm: &str, key: &str) -> String {
        row_of(realm, key, rows::PIECES)
    }

    fn device_row(&self, key: &str) -> String {
        row_of(&self.device, key, rows::DEVICE_PIECES)
    }
}

/// The tenant in a realm's name: the default one, else the domain, which is in this variable.
fn tenant<'a>(settings: &'a Settings, domain: &'a str) -> &'a str {
    if settings.tenant == TenantId::default() { settings.tenant.as_str() } else { domain }
}

/// Reads a row in pieces, as a piece is cut.
fn row_of(realm: &str, key: &str, pieces: usize) -> String {
    (0..pieces).fold(String::new(), |mut row, piece| {
        let _ = write!(row, "${{db(select/{realm}/{})}}", rows::piece_key(key, piece));
        row
    })
}

fn printed(template: &impl Template) -> String {
    let mut printed = String::new();
    // Writing to a string does not fail.
    let _ = template.render_into(&mut printed);
    printed.push('\n');
    printed
}

#[cfg(test)]
mod tests;
