//! A FreeSWITCH in the shape of a FusionPBX: its directory and its dialplan come from tables in the shape of FusionPBX's, by a
//! program that answers as the handlers of FusionPBX do (5.3; before, they answered for every context).

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, params};

use crate::harness::freeswitch::binding::Question;
use crate::harness::freeswitch::company::{below, installed_at};
use crate::harness::freeswitch::{ESL_USER_PASSWORD, FreeSwitch, Site, User, installed};
use crate::harness::hotdesk::Hotdesk;
use crate::harness::phone::Phone;

/// The domains of the two tenants, and the emergency caller ID of the device 801 in each.
pub const DOMAINS: [(&str, &str); 2] = [("pbx.example.com", "0205550801"), ("globex.test", "0305550801")];

pub struct FusionPbx {
    pub pbx: FreeSwitch,
    pub hotdesk: Hotdesk,
    tables: Arc<Mutex<Connection>>,
    /// Whether it answers for each context, as FusionPBX before 5.3.
    pub answers_all: Arc<AtomicBool>,
}

impl FusionPbx {
    /// With the dialplan of Hotdesk in its folder, and without rows of Hotdesk.
    pub fn open() -> Option<Self> {
        Self::with(|hotdesk| {
            let out = hotdesk.path("tree");
            hotdesk.run(&["dialplan", "fusionpbx", "--out", &out.display().to_string()]).unwrap();
            let mut files = vec![];
            below(&out, &mut files);
            let within = |file: &PathBuf| file.strip_prefix(&out).unwrap().display().to_string();
            files.iter().map(|file| (installed_at(&within(file)), std::fs::read(file).unwrap())).collect()
        })
    }

    pub fn without_hotdesk() -> Option<Self> {
        Self::with(|_| vec![])
    }

    fn with(files: impl Fn(&Hotdesk) -> Vec<(String, Vec<u8>)>) -> Option<Self> {
        let install = installed()?;
        let site = Site::new().unwrap();
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
        let hotdesk = Hotdesk::beside_freeswitch(&program, "sqlite:hotdesk.db", site.ports.ami).unwrap();
        let tenants = DOMAINS.map(|(domain, _)| format!("\"{domain}\"")).join(", ");
        hotdesk
            .configure(&format!("esl_user = \"hotdesk@pbx.example.com\"\ntenants = [{tenants}]\n"))
            .unwrap();
        let toml = std::fs::read_to_string(hotdesk.path("hotdesk.toml")).unwrap();
        let toml = toml.replace("context = \"emergency\"", "context = \"${domain_name}\"");
        std::fs::write(hotdesk.path("hotdesk.toml"), toml).unwrap();
        std::fs::write(hotdesk.path("esl.secret"), ESL_USER_PASSWORD).unwrap();
        // Of the directory only the trunk is in a file. The other users make the profile know their domains.
        let site = site.user(User::new("trunk").context("public"));
        let site = DOMAINS
            .iter()
            .fold(site, |site, (domain, _)| site.user_in(domain, User::new("none").context("none")));
        let pbx = files(&hotdesk).into_iter().fold(site, |site, (path, bytes)| site.file(path, bytes));
        let pbx = pbx.start(&install).unwrap();
        let tables = Connection::open_in_memory().unwrap();
        tables.execute_batch(include_str!("tables.sql")).unwrap();
        let (tables, answers_all) = (Arc::new(Mutex::new(tables)), Arc::new(AtomicBool::new(false)));
        let (asked, all) = (tables.clone(), answers_all.clone());
        let program = move |question: &Question| {
            let tables = asked.lock().unwrap();
            match question.get("section") {
                "directory" => user(&tables, question),
                _ => context(&tables, question, all.load(Ordering::Relaxed)),
            }
        };
        pbx.bind("dialplan|directory", program).unwrap();
        Some(Self { pbx, hotdesk, tables, answers_all })
    }

    /// What a command says that is about one domain.
    pub fn of(&self, domain: &str, args: &[&str]) -> String {
        self.hotdesk.run(&[&["--tenant", domain], args].concat()).unwrap()
    }

    /// Runs SQL on its tables. It has no cache that would have to be flushed.
    pub fn sql(&self, sql: &str) {
        self.tables.lock().unwrap().execute_batch(sql).unwrap();
    }

    /// Every row of the tables that Hotdesk writes to.
    pub fn dump(&self) -> Vec<String> {
        let tables = self.tables.lock().unwrap();
        let mut rows = vec![];
        for table in ["v_dialplans", "v_default_settings", "v_extensions", "v_extension_settings"] {
            let mut query = tables.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
            let mut read = query.query([]).unwrap();
            while let Some(row) = read.next().unwrap() {
                rows.push(format!("{row:?}"));
            }
        }
        rows
    }

    /// The users and devices of Hotdesk in each domain.
    pub fn add_users(&mut self) {
        for (domain, shown) in DOMAINS {
            for (user, pin) in [("101", "729154"), ("102", "583617")] {
                if domain == "pbx.example.com" || user == "101" {
                    self.of(domain, &["user", "add", user, "--class", domain]);
                    let pin = format!("{pin}\n");
                    self.hotdesk.run_with(&["--tenant", domain, "user", "pin", user], &pin).unwrap();
                }
            }
            self.of(domain, &["location", "add", "hall", "--emergency-caller-id", shown]);
            for device in ["801", "802"] {
                if domain == "pbx.example.com" || device == "801" {
                    let dial = format!("user/{device}@{domain}");
                    let at = ["--switch", "pbx", "--dial", &dial, "--location", "hall"];
                    self.of(domain, &[&["device", "add", device], &at[..]].concat());
                }
            }
        }
        self.hotdesk.start().unwrap();
    }

    pub fn phone(&self, domain: &str, name: &str) -> Phone {
        self.pbx.phone_in(domain, name).unwrap()
    }
}

/// An extension of FusionPBX as an entry of the directory.
fn user(tables: &Connection, question: &Question) -> Option<String> {
    let (name, domain) = (question.get("user"), question.get("domain"));
    let text = |column: &str| {
        let sql = format!(
            "SELECT e.{column} FROM v_extensions e JOIN v_domains USING (domain_uuid) WHERE extension = ? AND domain_name = ?"
        );
        tables.query_row(&sql, [name, domain], |row| row.get::<_, Option<String>>(0)).ok().flatten()
    };
    let uuid = text("extension_uuid")?;
    let dial_string: String = tables
        .query_row(
            "SELECT default_setting_value FROM v_default_settings WHERE default_setting_subcategory = 'dial_string'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let xml = |kind: &str, (name, value): (String, String)| {
        let value = value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        format!("<{kind} name=\"{name}\" value=\"{value}\"/>\n")
    };
    let sql = "SELECT extension_setting_name, extension_setting_value FROM v_extension_settings WHERE extension_uuid = ?";
    let mut settings = tables.prepare(sql).unwrap();
    let settings = settings.query_map(params![uuid], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let password = ("password".to_owned(), text("password").unwrap_or_default());
    let own = [password, ("dial-string".into(), dial_string)];
    let all: String =
        own.into_iter().chain(settings.map(Result::unwrap)).map(|param| xml("param", param)).collect();
    let variables = [
        "user_context",
        "extension_uuid",
        "toll_allow",
        "outbound_caller_id_number",
        "forward_user_not_registered_enabled",
    ];
    let variables: String = variables
        .iter()
        .filter_map(|name| Some(xml("variable", ((*name).to_owned(), text(name)?))))
        .chain([
            xml("variable", ("domain_name".into(), domain.into())),
            xml("variable", ("export_vars".into(), "domain_name,domain_uuid".into())),
        ])
        .collect();
    Some(format!(
        "<section name=\"directory\"><domain name=\"{domain}\" alias=\"true\"><groups><group name=\"default\"><users>\
         <user id=\"{name}\"><params>{all}</params><variables>{variables}</variables></user></users></group></groups>\
         </domain></section>"
    ))
}

/// The rows of a context. Without a call FusionPBX answers with `public`.
fn context(tables: &Connection, question: &Question, all: bool) -> Option<String> {
    let called = question.get("Caller-Context");
    let name = if called.is_empty() { "public" } else { called };
    let alone = name == "public" || name.contains('@');
    let also = if alone { "" } else { ", '${domain_name}', 'global'" };
    let sql = format!(
        "SELECT dialplan_xml FROM v_dialplans WHERE dialplan_context IN (?{also}) ORDER BY dialplan_order"
    );
    let mut rows = tables.prepare(&sql).unwrap();
    let rows: String =
        rows.query_map([name], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect();
    (all || !rows.is_empty())
        .then(|| format!("<section name=\"dialplan\"><context name=\"{name}\">{rows}</context></section>"))
}
