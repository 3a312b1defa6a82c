//! Whether callers hear sentences: our prompts, else stock ones, else a tone.

use std::collections::BTreeSet;

use super::super::sounds;
use super::Inspection;
use crate::desk::finding::Finding;
use crate::desk::model::Office;
use crate::desk::policy::Prompt;
use crate::switch::{SwitchError, prompts};

/// What everybody hears who has no language, or one that lacks the prompt.
const ENGLISH: &str = "en";

impl Inspection<'_> {
    pub(super) async fn sounds(&self, office: &Office) -> Result<Finding, SwitchError> {
        let check = self.of("sounds");
        let folders = ["sounds_dir", "sound_prefix"].map(|name| format!("global_getvar {name}"));
        let folders = self.ask(folders).await?;
        let [Some(ours), stock] = &folders[..] else {
            return Ok(Finding::wrong(check, "FreeSWITCH has no sounds_dir", "look into freeswitch.log"));
        };
        let stock = stock.as_deref().unwrap_or(ours);
        let copy =
            format!("copy the folder sounds that `hotdesk dialplan freeswitch --out DIR` writes to {ours}");

        let users = office.users.values().map(|user| user.language.as_ref());
        let locations = office.locations.values().map(|location| location.language.as_ref());
        let mut spoken: BTreeSet<&str> = users.chain(locations).flatten().map(|it| it.as_str()).collect();
        spoken.insert(ENGLISH);
        let carried: BTreeSet<&str> = prompts::files().iter().map(|file| file.language).collect();
        let paths: Vec<(Prompt, String)> = spoken
            .intersection(&carried)
            .flat_map(|language| Prompt::ALL.map(|prompt| (prompt, sounds::ours(prompt, language))))
            .collect();
        let there = self.exist(paths.iter().map(|(_, path)| format!("{ours}/{path}"))).await?;
        let missing: Vec<&(Prompt, String)> =
            paths.iter().zip(there).filter_map(|(path, there)| (!there).then_some(path)).collect();
        if missing.is_empty() {
            let languages: Vec<&str> = spoken.intersection(&carried).copied().collect();
            return Ok(Finding::fine(check, format!("our prompts are in {ours}: {}", languages.join(", "))));
        }

        let lacks_english =
            |prompt: &Prompt| missing.iter().any(|(_, path)| *path == sounds::ours(*prompt, ENGLISH));
        let stocks = Prompt::ALL.into_iter().filter(lacks_english);
        let stocks = stocks.map(|prompt| format!("{stock}/ivr/8000/{}.wav", sounds::stock(prompt)));
        let beeps = self.exist(stocks).await?.contains(&false);
        let paths: Vec<&str> = missing.iter().map(|(_, path)| path.as_str()).collect();
        let found = format!("{ours} lacks {}", paths.join(", "));
        Ok(if beeps {
            Finding::wrong(check, format!("{found}, and stock sounds for it: callers hear beeps"), copy)
        } else {
            Finding::remark(check, format!("{found}: callers hear English, or a stock sound"), copy)
        })
    }

    /// Whether each of these files is there.
    async fn exist(&self, paths: impl Iterator<Item = String>) -> Result<Vec<bool>, SwitchError> {
        let answers = self.ask(paths.map(|path| format!("file_exists {path}"))).await?;
        Ok(answers.iter().map(|answer| answer.as_deref() == Some("true")).collect())
    }
}
