//! What becomes of a FreeSWITCH that was found.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use async_trait::async_trait;

use super::super::answers::Answers;
use super::super::apply::{fails, write_changes};
use super::super::change::Change;
use super::super::console::Console;
use super::super::named::{dialplan_table, named_as_extensions};
use super::super::new_config::value;
use super::super::site::{Changes, Made, Site};
use super::{CLASS, FreeSwitch, PAGE};
use crate::cli::context::CommandContext;
use crate::cli::import::pins::Pins;
use crate::cli::inspected::Inspected;
use crate::cli::plan::Plan;
use crate::freeswitch::dialplan::{event_socket_entry, user_entry};
use crate::model::directory::{Snapshot, User};
use crate::model::id::{Extension, TenantId};

/// Hotdesk's user at the event socket.
const ESL_USER: &str = "hotdesk";

#[async_trait(?Send)]
impl Site for FreeSwitch {
    fn console(&self) -> Console {
        Console::FreeSwitch(self.dir.clone())
    }

    fn folders(&self) -> (&Path, &Path) {
        (&self.dialplan, &self.sounds)
    }

    fn tables(&self, users: &BTreeSet<String>) -> String {
        dialplan_table(users)
    }

    fn keys(&self) -> String {
        let user = format!("{ESL_USER}@{}", self.domain);
        format!("kind = \"freeswitch\"\nesl = {}\nesl_user = {}\n", value(&self.esl), value(user))
    }

    fn emergency_context(&self) -> Option<&str> {
        Some(&self.emergency_context)
    }

    fn secret_file(&self) -> &'static str {
        "esl.secret"
    }

    fn phones(&self) -> Vec<&str> {
        self.phones.iter().map(|phone| phone.name.as_str()).collect()
    }

    async fn directory<'a>(
        &self,
        context: &'a CommandContext,
        answers: &Answers,
    ) -> Result<(Plan<'a>, Pins)> {
        let mut users = vec![];
        for (extension, name) in &self.users {
            let mut user = User::new(context.tenant.clone(), extension.clone());
            user.name.clone_from(name);
            let phone = self.phones.iter().find(|phone| phone.name == extension.as_str());
            if phone.is_some_and(|phone| phone.has_box && self.voicemail) {
                user.mailbox = Some(format!("{extension}@{}", self.domain).parse()?);
            }
            users.push(user);
        }
        let dial = |name: &str| format!("user/{name}@{}", self.domain);
        named_as_extensions(context, answers, users, (&self.phones(), CLASS), dial).await
    }

    fn change(&self, _: &Snapshot, _: &Answers) -> Result<Changes> {
        let hotdesks = self.phones.iter().map(|phone| phone.name.clone()).collect();
        let changes = self.files.clone().change(&hotdesks, self.taker.as_ref()).context(PAGE)?;
        let late = changes.phones.into_iter().map(|change| Change { late: true, ..change.into() });
        let notes = (!self.local).then(|| {
            "the event socket listens for other machines, too. Unless you need that, let it listen at 127.0.0.1, with a password of \
             your own: dialplan/README.md"
                .to_owned()
        });
        Ok(Changes {
            changes: changes.dialplan.into_iter().map(Change::from).chain(late).collect(),
            notes: notes.into_iter().collect(),
        })
    }

    /// Hotdesk's user at the event socket, and an entry for each user without a phone.
    fn new_files(&self, secret: &str) -> Vec<(PathBuf, String)> {
        let has_phone = |user: &Extension| self.phones.iter().any(|phone| phone.name == user.as_str());
        let others = self.users.iter().map(|(user, _)| user).filter(|user| !has_phone(user));
        let others: String = others.map(|user| user_entry(user.as_str())).collect();
        let text = format!(
            "<!-- Written by hotdesk init: Hotdesk's user at the event socket, with the least rights, and users without a phone. -->\n\
             <include>\n{}{others}</include>\n",
            event_socket_entry(ESL_USER, secret)
        );
        vec![(self.entries.clone(), text)]
    }

    /// It reads users and dialplan together.
    fn reads_users(&self) -> &'static str {
        "reloadxml"
    }

    async fn read_dialplan(&self, _: &Inspected<'_>) -> Result<()> {
        Ok(())
    }

    async fn change_phones(&self, made: Made<'_>, out: &mut dyn Write) -> Result<()> {
        let (inspected, tenant) = (made.inspected, TenantId::default());
        made.write_rows().await?;
        write_changes(made.prepared, |change| change.late, out)?;
        self.console().run("reloadxml").await?;
        fails(&inspected.missing(&tenant, made.snapshot).await?)?;
        fails(&inspected.past_hotdesk(&tenant, made.snapshot, None).await?)?;
        writeln!(out, "{} phones are hotdesks", self.phones.len())?;
        Ok(())
    }
}
