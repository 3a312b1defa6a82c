//! All that init is to do, before anything is done: the changes of the switch's files, Hotdesk's own files, and its users, devices
//! and location.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::answers::Answers;
use super::change::Change;
use super::new_config::{list, open, value};
use super::site::{Changes, Prepared, Site};
use crate::cli::context::Absent;
use crate::cli::dialplan::printed;
use crate::cli::output;
use crate::config::Config;
use crate::model::login::token::Token;

/// What stands for a secret that is not made yet.
const HIDDEN: &str = "********";

/// What init is to do.
pub(super) struct Planned {
    pub(super) site: Box<dyn Site>,
    pub(super) data: PathBuf,
    pub(super) config_file: PathBuf,
    pub(super) config_text: String,
    pub(super) prepared: Prepared,
    notes: Vec<String>,
}

impl Planned {
    /// The two paths are the file of the configuration, and the folder of the store.
    pub(super) async fn new(
        site: Box<dyn Site>,
        answers: Answers,
        (config_file, data): (&Path, &Path),
    ) -> Result<Self> {
        let text =
            |users: &BTreeSet<String>| configuration(site.as_ref(), &answers, users, (config_file, data));
        let parse = |text: &str| Config::parse(text, config_file, &|_| None);
        // The users are known when the files that name them were read, which needs a configuration.
        let context = open(parse(&text(&BTreeSet::new()))?, Absent::Empty).await?;
        let (plan, _) = site.directory(&context, &answers).await?;
        if let Some((subject, why)) = plan.refusals(false).first() {
            bail!("nothing was changed: {subject}: {why}");
        }
        plan.decide().context("nothing was changed")?;
        let config_text = text(&plan.after.users.keys().map(ToString::to_string).collect());
        let config = parse(&config_text)?;
        let Changes { changes, notes } = site.change(&plan.after, &answers).context("nothing was changed")?;
        let (data, config_file) = (data.into(), config_file.into());
        let prepared = Prepared { config, answers, changes };
        Ok(Self { site, data, config_file, config_text, prepared, notes })
    }

    /// Prints all changes.
    pub(super) async fn show(&self, out: &mut dyn Write) -> Result<()> {
        self.prepared.changes.iter().try_for_each(|change| change.show(out))?;
        Change::new(&self.config_file, self.config_text.clone()).show(out)?;
        for (path, text) in self.site.new_files(HIDDEN) {
            Change::new(&path, text).show(out)?;
        }
        let generated = self.generated();
        let (prompts, files): (Vec<_>, Vec<_>) =
            generated.iter().partition(|path| path.extension().is_some_and(|it| it == "wav"));
        let kind = self.prepared.switch()?.kind;
        for path in files {
            writeln!(
                out,
                "new file {}, as hotdesk dialplan {kind} --out writes it, with a token or a secret",
                path.display()
            )?;
        }
        writeln!(out, "new file {}, with a random secret", self.secret_file().display())?;
        writeln!(out, "{} new prompts in {}", prompts.len(), self.prepared.switch()?.sounds_dir.display())?;
        let context = open(self.prepared.config.clone(), Absent::Empty).await?;
        let (plan, _) = self.site.directory(&context, &self.prepared.answers).await?;
        plan.print(out)?;
        self.notes.iter().for_each(output::note);
        Ok(())
    }

    /// The file with Hotdesk's secret for the switch.
    pub(super) fn secret_file(&self) -> PathBuf {
        self.prepared.config.folder.join(self.site.secret_file())
    }

    /// The files that `hotdesk dialplan install` makes; those that are there already are not among them.
    pub(super) fn generated(&self) -> Vec<PathBuf> {
        let Ok(switch) = self.prepared.switch() else { return vec![] };
        let files = printed::files(&self.prepared.config, switch, &Token::sample()).into_iter();
        let place = |(name, _): (String, _)| match name.strip_prefix("sounds/") {
            Some(prompt) => switch.sounds_dir.is_dir().then(|| switch.sounds_dir.join(prompt)),
            None if name.ends_with(".example") => None,
            None => Some(switch.dialplan_dir.join(name.trim_start_matches("dialplan/"))),
        };
        files.filter_map(place).filter(|path| !path.exists()).collect()
    }
}

/// The text of `hotdesk.toml`.
fn configuration(
    site: &dyn Site,
    answers: &Answers,
    users: &BTreeSet<String>,
    (file, data): (&Path, &Path),
) -> String {
    let store = match file.parent() == Some(data) {
        true => String::new(),
        false => format!(
            "\n[store]\nurl = {}\npepper_file = {}\n",
            value(format!("sqlite:{}", data.join("hotdesk.db").display())),
            value(data.join("hotdesk.pepper").display())
        ),
    };
    let context = site.emergency_context().map(|context| format!("context = {}\n", value(context)));
    let (dialplan, sounds) = site.folders();
    format!(
        "# Written by hotdesk init. hotdesk.example.toml has every key with its default.\n{store}\n\
         {}\n[emergency]\nnumbers = {}\n{}\n[auto_logout]\nat = {}\n\n\
         [[switch]]\nname = \"pbx\"\n{}dialplan_dir = {}\nsounds_dir = {}\n",
        site.tables(users),
        list(&answers.emergency_numbers),
        context.unwrap_or_default(),
        value(&answers.auto_logout_at),
        site.keys(),
        value(dialplan.display()),
        value(sounds.display()),
    )
}
