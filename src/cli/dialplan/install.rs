//! `hotdesk dialplan install`: puts the files of a switch in their places, has the switch reload, and puts the old files back if
//! it does not load them. A refused update changes nothing, so emergency calls go on as before.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::placed::{self, OPEN, Replacement, SECRET, is_there};
use super::printed::{self, File};
use crate::asterisk;
use crate::cli::inspected::Inspected;
use crate::config::{Config, Kind, Switch, read_secret};
use crate::controller::pepper::{self, Peppers};
use crate::freeswitch;
use crate::model::check::Finding;
use crate::model::id::SwitchName;
use crate::model::login::token::Token;

const MANAGER: &str = "hotdesk-manager.conf";
const SOUNDS: &str = "sounds/";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Install {
    /// Install for this switch, if there are several
    #[arg(long, value_name = "NAME")]
    switch: Option<SwitchName>,
    /// Folder of the switch's dialplan, instead of dialplan_dir of its [[switch]]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Only write the files: the first time, before the switch includes them
    #[arg(long)]
    no_reload: bool,
}

impl Install {
    /// Only writes the files of the only switch.
    pub(in crate::cli) const fn first() -> Self {
        Self { switch: None, dir: None, no_reload: true }
    }

    pub(in crate::cli) async fn run(self, config: &Config, out: &mut dyn Write) -> Result<()> {
        let switch = printed::chosen(config, None, self.switch.as_ref())?;
        let folder = self.dir.as_deref().unwrap_or(&switch.dialplan_dir);
        ensure!(
            folder.is_dir(),
            "there is no folder {}: set dialplan_dir of [[switch]] {name}, or add --dir. If the switch is on another \
             machine, write the files with `hotdesk dialplan {kind} --out DIR` and copy them",
            folder.display(),
            name = switch.name,
            kind = switch.kind
        );
        let token = Token::of(&printed::pepper(config).await?);
        let peppers = pepper::all(&config.store.pepper_file)?;
        let (prompts, files): (Vec<File>, Vec<File>) = printed::files(config, switch, &token)
            .into_iter()
            .partition(|(path, _)| path.starts_with(SOUNDS));
        let place = Place { switch, folder, token: &token };
        let update = place.of("hotdesk.conf").exists() || place.of("hotdesk.xml").exists();
        let inspected = match self.no_reload {
            true => None,
            false => Some(ready(config, switch, &peppers, update).await.context("nothing was changed")?),
        };
        if let Some(flaw) = place.not_included().filter(|_| update && !self.no_reload) {
            bail!("nothing was changed: {flaw}");
        }
        let (new, mut said) = place.beside(&files).context("nothing was changed")?;
        said.push(place.prompts(&prompts).context("the dialplan was not changed")?);
        begin(&new).context("nothing was changed")?;
        said.push(match &inspected {
            None => format!("switch {}: not reloaded. Reload it: {}", switch.name, by_hand(switch)),
            Some(inspected) => load(inspected, switch, &new, update).await?,
        });
        said.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        Ok(())
    }
}

/// The switch, if it can be asked to load new files. On an update no emergency number may be lost, so one at least must
/// leave by the context that the new dialplan names.
async fn ready<'a>(
    config: &'a Config,
    switch: &'a Switch,
    peppers: &'a Peppers,
    update: bool,
) -> Result<Inspected<'a>> {
    let inspected = Inspected::new(config, switch, Some(peppers)).await;
    let inspected = inspected.context("add --no-reload to write the files without the switch")?;
    inspected.can_reload().await?;
    for tenant in switch.tenants.iter().filter(|_| update) {
        let findings = inspected.emergency_numbers(tenant).await?;
        if let Some(Finding { check, found, remedy, .. }) = findings.first()
            && findings.iter().all(|finding| finding.ok == Some(false))
        {
            bail!("{check}: {found}. First {}", remedy.as_deref().unwrap_or_default());
        }
    }
    Ok(inspected)
}

/// Where the files of a switch go.
struct Place<'a> {
    switch: &'a Switch,
    folder: &'a Path,
    token: &'a Token,
}

impl Place<'_> {
    fn of(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes the files that differ beside the present ones, and says which do not.
    fn beside(&self, files: &[File]) -> Result<(Vec<Replacement>, Vec<String>)> {
        let (mut new, mut said) = (vec![], vec![]);
        for (name, bytes) in files {
            let name = name.trim_start_matches("dialplan/");
            let path = self.of(name);
            let shown = path.display();
            let cannot = || format!("cannot write {shown}");
            if name == MANAGER {
                said.push(self.manager(bytes)?);
            } else if name.ends_with(".example") {
                // It is copied by hand into the site's own file.
            } else if is_there(&path, bytes, placed::mode(bytes, self.token)) {
                said.push(format!("{shown}: unchanged"));
            } else {
                let mode = placed::mode(bytes, self.token);
                let replacement = Replacement::beside(&path, bytes, mode).with_context(cannot)?;
                let written = replacement.written().with_context(cannot)?;
                let flaw = self.flaw(&String::from_utf8_lossy(&written));
                if let Some(flaw) = flaw.or_else(|| (written != **bytes).then(|| "it was changed".into())) {
                    bail!("{shown}: the new file is not as it should be: {flaw}");
                }
                said.push(replacement.done());
                new.push(replacement);
            }
        }
        Ok((new, said))
    }

    /// Why a reload of an Asterisk would not load the file.
    fn not_included(&self) -> Option<String> {
        match self.switch.kind {
            Kind::Asterisk => asterisk::dialplan::includes::flaw(self.folder, "hotdesk.conf"),
            Kind::FreeSwitch => None,
        }
    }

    fn flaw(&self, text: &str) -> Option<String> {
        match self.switch.kind {
            Kind::Asterisk => asterisk::dialplan::flaw::flaw(text, self.token),
            Kind::FreeSwitch => freeswitch::dialplan::flaw::flaw(text, self.token),
        }
    }

    /// Writes the user of the manager interface with the secret that is here. A present file has a secret, and stays.
    fn manager(&self, bytes: &[u8]) -> Result<String> {
        let path = self.of(MANAGER);
        let shown = path.display();
        if path.exists() {
            return Ok(format!("{shown}: unchanged, it holds the secret"));
        }
        let Switch { ami_user, ami_secret_file, .. } = self.switch;
        if !ami_secret_file.exists() {
            let file = ami_secret_file.display();
            return Ok(format!("{shown}: not written: first write a secret into {file}, one line, mode 600"));
        }
        let secret = read_secret(ami_secret_file, "ami_secret_file")?;
        let text = String::from_utf8_lossy(bytes).replace("\n[hotdesk]\n", &format!("\n[{ami_user}]\n"));
        // A semicolon begins a comment.
        let text = text.replace("CHANGE-ME", &secret.replace(';', "\\;"));
        placed::write(&path, text.as_bytes(), SECRET).with_context(|| format!("cannot write {shown}"))?;
        Ok(format!("{shown}: written, with the secret of {}", ami_secret_file.display()))
    }

    /// Writes the prompts that differ. They are Hotdesk's own, so no old ones are kept.
    fn prompts(&self, prompts: &[File]) -> Result<String> {
        let folder = &self.switch.sounds_dir;
        let shown = folder.display();
        if !folder.is_dir() {
            return Ok(format!("{shown}: there is no such folder, so no prompt was written: set sounds_dir"));
        }
        let mut written = 0;
        for (name, bytes) in prompts {
            let path = folder.join(name.trim_start_matches(SOUNDS));
            if !is_there(&path, bytes, OPEN) {
                placed::write(&path, bytes, OPEN)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                written += 1;
            }
        }
        Ok(match written {
            0 => format!("{shown}: {} prompts, unchanged", prompts.len()),
            _ => format!("{shown}: {written} of {} prompts written", prompts.len()),
        })
    }
}

/// Gives all files their names, or none.
fn begin(new: &[Replacement]) -> Result<()> {
    for (n, file) in new.iter().enumerate() {
        if let Err(error) = file.begin() {
            new.iter().take(n).try_for_each(Replacement::put_back)?;
            return Err(error).context(file.done());
        }
    }
    Ok(())
}

/// Has the switch load the files, and puts the old ones back if it does not.
async fn load(
    inspected: &Inspected<'_>,
    switch: &Switch,
    new: &[Replacement],
    update: bool,
) -> Result<String> {
    let why = match inspected.reload().await {
        Err(error) => error.to_string(),
        Ok(()) => match inspected.loaded().await {
            Ok(Finding { check, ok: Some(true), found, .. }) => return Ok(format!("{check}: {found}")),
            Ok(Finding { check, found, remedy, .. }) => {
                format!("{check}: {found}. {}", remedy.unwrap_or_default())
            }
            Err(error) => error.to_string(),
        },
    };
    let name = &switch.name;
    if !update || new.is_empty() {
        bail!("the files are in their places, and switch {name} has not loaded them. {why}");
    }
    new.iter().try_for_each(Replacement::put_back).with_context(|| {
        format!("switch {name} has not loaded the new files, and the old ones could not be put back ({why})")
    })?;
    let reloaded = match inspected.reload().await {
        Ok(()) => "reloaded".to_owned(),
        Err(error) => format!("not reloaded ({error}): do {}", by_hand(switch)),
    };
    bail!("switch {name} has not loaded the new files. The old ones are back, and {reloaded}. {why}")
}

fn by_hand(switch: &Switch) -> &'static str {
    match switch.kind {
        Kind::Asterisk => "asterisk -rx 'dialplan reload'",
        Kind::FreeSwitch => "fs_cli -x reloadxml",
    }
}
