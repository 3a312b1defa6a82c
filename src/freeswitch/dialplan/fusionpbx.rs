//! What Hotdesk needs in the database of a FusionPBX, as SQL for PostgreSQL or SQLite: read from its sources of August 2026, and
//! tried on 5.0.1 to 5.3.
//!
//! FusionPBX answers for the dialplan from that database. From 5.3 on it leaves a context with an `@` in its name, for which it
//! has no row, to the file `hotdesk.xml`. Earlier versions need each context as a row.

use askama::Template;
use roxmltree::Document;
use sha2::{Digest, Sha256};
use uuid::Builder;

use super::codes::exactly;
use super::{EMERGENCY_CALLS, Settings, hotdesk_xml, printed};
use crate::freeswitch::esl::rights;
use crate::freeswitch::table::rows;
use crate::model::directory::group::Kind;
use crate::model::id::TenantId;

/// The dial-string of FusionPBX without a setting of the site (5.3).
const DIAL_STRING: &str = "{sip_invite_domain=${domain_name},leg_timeout=${call_timeout},\
                           presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(*/${dialed_user}@${dialed_domain})}";
/// Before all rows of FusionPBX.
const FIRST: u16 = 1;

/// Hotdesk's user at the event socket.
pub struct EventSocketUser<'a> {
    /// Its name, and the domain that it is an extension of: `hotdesk@pbx.example`.
    pub user: &'a str,
    /// Its password at the event socket.
    pub password: &'a str,
}

/// What the rows depend on.
pub struct FusionPbx<'a> {
    /// The settings of the dialplan.
    pub settings: &'a Settings,
    /// The domains of the tenants.
    pub domains: &'a [TenantId],
    /// `None` if Hotdesk logs in with the password of the event socket.
    pub user: Option<EventSocketUser<'a>>,
    /// Whether each context is a row, as FusionPBX before 5.3 needs it.
    pub contexts: bool,
}

/// A text as a literal. A backslash is an ordinary character in it (PostgreSQL's `standard_conforming_strings`, SQLite).
struct Literal(String);

struct Row {
    uuid: Literal,
    context: Literal,
    name: Literal,
    order: u16,
    xml: Literal,
}

struct User {
    uuid: Literal,
    name: Literal,
    domain: Literal,
    params: Vec<(Literal, Literal, Literal)>,
}

#[derive(Template)]
#[template(path = "fusionpbx.sql")]
struct Sql {
    app: Literal,
    rows: Vec<Row>,
    setting: Literal,
    dial_string: Literal,
    logins: Literal,
    user: Option<User>,
}

#[derive(Template)]
#[template(path = "fusionpbx_public.xml")]
struct Public<'a> {
    name: &'a str,
    domain: String,
    realm: String,
}

impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

impl FusionPbx<'_> {
    /// The SQL, which may be run again.
    pub fn sql(&self) -> String {
        let lamp = rows::realm(rows::LAMP, "${dialed_domain}");
        let logins = format!(",${{expand(echo ${{db(select/{lamp}/${{dialed_user}})}})}}");
        let mut rows: Vec<Row> = self.domains.iter().map(callback).collect();
        if self.contexts {
            rows.extend(contexts(&hotdesk_xml(self.settings)));
        }
        printed(&Sql {
            app: uuid("rows"),
            rows,
            setting: uuid("dial_string"),
            dial_string: Literal(format!("{DIAL_STRING}{logins}")),
            logins: Literal(logins),
            user: self.user.as_ref().map(|user| self.user(user)),
        })
    }

    fn user(&self, EventSocketUser { user, password }: &EventSocketUser<'_>) -> User {
        let mut groups = self.settings.groups.values().flat_map(|groups| groups.values());
        let (api, events) = match groups.any(|group| group.kind == Kind::Queue) {
            true => (
                format!("{} {} {}", rights::API, rights::RING, rights::QUEUES),
                format!("{} {}", rights::EVENTS, rights::QUEUED),
            ),
            false => (format!("{} {}", rights::API, rights::RING), rights::EVENTS.to_owned()),
        };
        let params = [
            ("allow-empty-password", "false"),
            ("esl-password", password),
            ("esl-allowed-api", &api),
            ("esl-allowed-events", &events),
            ("esl-allowed-log", "false"),
        ];
        let param = |(name, value): (&str, &str)| {
            (uuid(&format!("{user} {name}")), Literal(name.into()), Literal(value.into()))
        };
        let (name, domain) = user.split_once('@').unwrap_or((user, ""));
        User {
            uuid: uuid(user),
            name: Literal(name.into()),
            domain: Literal(domain.into()),
            params: params.into_iter().map(param).collect(),
        }
    }
}

/// Brings a call back after an emergency call to the phones of a domain, before FusionPBX looks for a destination.
fn callback(domain: &TenantId) -> Row {
    let (name, realm) = (domain.as_str(), rows::realm(EMERGENCY_CALLS, domain.as_str()));
    let xml = printed(&Public { name, domain: exactly(name), realm });
    let row = format!("hotdesk-callback-{domain}");
    Row {
        uuid: uuid(&row),
        context: Literal("public".into()),
        name: Literal(row),
        order: FIRST,
        xml: Literal(xml),
    }
}

/// Each context of the dialplan as a row.
fn contexts(xml: &str) -> Vec<Row> {
    let Ok(read) = Document::parse(xml) else { return vec![] };
    let contexts = read.descendants().filter(|node| node.has_tag_name("context"));
    contexts
        .filter_map(|context| {
            let name = context.attribute("name")?;
            let inside = context.first_child()?.range().start..context.last_child()?.range().end;
            let (uuid, context) = (uuid(name), Literal(name.into()));
            let xml = Literal(xml.get(inside)?.trim().to_owned());
            Some(Row { uuid, context, name: Literal(name.into()), order: FIRST, xml })
        })
        .collect()
}

/// The same UUID for the same row each time.
fn uuid(name: &str) -> Literal {
    let digest = Sha256::digest(format!("hotdesk {name}"));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
    Literal(Builder::from_custom_bytes(bytes).into_uuid().to_string())
}
