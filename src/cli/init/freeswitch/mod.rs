//! A FreeSWITCH in the shape of its vanilla configuration: phones are entries of its directory, named as extensions.

mod site;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::answers::Questions;
use super::console::administrator;
use crate::cli::output;
use crate::freeswitch::check::bound;
use crate::freeswitch::conf::site::Site as Files;
use crate::freeswitch::conf::{EventSocket, Phone, Taker, event_socket};
use crate::model::id::{DisplayName, EmergencyNumber, Extension};

/// The page with the same steps by hand.
const PAGE: &str = "dialplan/README.md has the steps to do it by hand, under FreeSWITCH";
/// The context of the phones, and the class of service of their users.
const CLASS: &str = "default";
const FUSIONPBX: &str = "/etc/fusionpbx";
const OF_FUSIONPBX: &str = "a FusionPBX has its dialplan and directory in its database. `hotdesk dialplan fusionpbx` prints the rows for it, \
                            and docs/fusionpbx.md has the steps to do it by hand";

pub(super) struct FreeSwitch {
    dir: PathBuf,
    dialplan: PathBuf,
    sounds: PathBuf,
    domain: String,
    /// `host:port` of the event socket.
    esl: String,
    /// Whether it listens for this machine only.
    local: bool,
    voicemail: bool,
    files: Files,
    phones: Vec<Phone>,
    users: Vec<(Extension, Option<DisplayName>)>,
    /// Hotdesk's own entries of the directory.
    entries: PathBuf,
    taker: Option<Taker>,
    emergency_context: String,
}

impl FreeSwitch {
    pub(super) async fn new(dir: &Path, sounds: Option<&Path>, questions: &mut Questions) -> Result<Self> {
        let by_hand = || format!("nothing was changed: {PAGE}");
        ensure!(!Path::new(FUSIONPBX).is_dir(), "nothing was changed: {OF_FUSIONPBX}");
        let EventSocket { host, port, local, .. } = event_socket(dir).with_context(by_hand)?;
        let freeswitch = administrator(dir).await.context("nothing was changed")?;
        if let Some(module) = bound(&freeswitch.to).await? {
            bail!("nothing was changed: {}", answered_by(&module));
        }
        let files = Files::read(dir).with_context(by_hand)?;
        let global = async |name: &str| -> Result<String> {
            let value = freeswitch.to.api(&format!("global_getvar {name}")).await?;
            value
                .filter(|value| !value.is_empty())
                .with_context(|| format!("FreeSWITCH does not know {name}"))
        };
        let reads = PathBuf::from(global("conf_dir").await?);
        ensure!(
            std::fs::canonicalize(&reads).ok() == std::fs::canonicalize(dir).ok(),
            "nothing was changed: the running FreeSWITCH reads {}, not {}: name its folder with --dir",
            reads.display(),
            dir.display()
        );
        let voicemail = freeswitch.to.api("module_exists mod_voicemail").await?.as_deref() == Some("true");
        let sounds = match sounds {
            Some(named) => std::path::absolute(named)?,
            None => global("sounds_dir").await?.into(),
        };
        let (phones, users) = phones(&files, questions)?;
        let entries = files.entries(&phones.first().map(|phone| phone.name.clone()).unwrap_or_default());
        let numbers = users.iter().map(|(user, _)| user.to_string()).collect();
        let taker = files.taker(&freeswitch.to, &numbers).await?;
        Ok(Self {
            dir: dir.into(),
            dialplan: dir.join("dialplan"),
            sounds,
            domain: domain(&freeswitch.to.api("list_users").await?.unwrap_or_default())?,
            esl: format!("{host}:{port}"),
            local,
            voicemail,
            phones,
            users,
            entries: entries.with_context(by_hand)?,
            taker,
            files,
            emergency_context: questions
                .emergency_context
                .take()
                .map_or_else(|| CLASS.into(), |it| it.to_string()),
        })
    }
}

impl FreeSwitch {
    /// An error if a number would not leave.
    pub(super) async fn refuse_lost(&self, numbers: &[EmergencyNumber]) -> Result<()> {
        let freeswitch = administrator(&self.dir).await?;
        let context = &self.emergency_context;
        let lost = self.files.lost(&freeswitch.to, context, numbers).await.context("nothing was changed")?;
        ensure!(
            lost.is_empty(),
            "nothing was changed: no extension of the context {context} takes {}: add one, or name the context that sends \
             emergency calls out with --emergency-context",
            output::joined(lost, ", ")
        );
        Ok(())
    }
}

/// What to do where a program answers for the dialplan.
fn answered_by(module: &str) -> String {
    format!(
        "{module} answers for the dialplan of this FreeSWITCH, so its files say nothing for certain. If it is a FusionPBX: \
         {OF_FUSIONPBX}. Otherwise dialplan/README.md has the steps, under \"Install beside a program that answers for the dialplan\""
    )
}

/// The only domain of the directory, as `list_users` shows it: in the files it may be a variable.
fn domain(listed: &str) -> Result<String> {
    let domains: BTreeSet<&str> = listed
        .lines()
        .skip(1)
        .filter(|line| line.contains('|'))
        .filter_map(|line| line.split('|').nth(2))
        .collect();
    match domains.into_iter().collect::<Vec<_>>()[..] {
        [only] => Ok(only.to_owned()),
        ref several => bail!(
            "nothing was changed: the directory has {} domains ({}), and init works with one: {PAGE}",
            several.len(),
            output::joined(several, ", ")
        ),
    }
}

/// The users with the names that are known of them.
type Users = Vec<(Extension, Option<DisplayName>)>;

/// The chosen phones, and the users: those of the phones, and those that are named.
fn phones(files: &Files, questions: &mut Questions) -> Result<(Vec<Phone>, Users)> {
    let known = files.phones();
    let offered: Vec<&str> =
        known.iter().filter(|phone| phone.is_extension).map(|phone| phone.name.as_str()).collect();
    let chosen = questions.phones(&offered, "Entries of the directory named as extensions", "")?;
    let (mut phones, mut users) = (vec![], vec![]);
    for name in &chosen {
        let phone = known.iter().find(|phone| phone.name == *name);
        let phone = phone.with_context(|| {
            format!(
                "nothing was changed: the directory has no phone {name}; it has {}",
                output::joined(&offered, ",")
            )
        })?;
        ensure!(phone.is_extension, "nothing was changed: phone {name} is not named as an extension: {PAGE}");
        users.push((name.parse()?, phone.caller_name.as_ref().and_then(|name| name.parse().ok())));
        phones.push(phone.clone());
    }
    ensure!(
        !phones.is_empty(),
        "nothing was changed: the directory has no phone that is named as an extension: {PAGE}"
    );
    for (extension, name) in std::mem::take(&mut questions.user) {
        users.retain(|(known, _)| *known != extension);
        users.push((extension, name));
    }
    Ok((phones, users))
}
