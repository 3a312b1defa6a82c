//! Checks that callers hear sentences: the prompts of Hotdesk, or else stock sounds, or else a tone.

use std::collections::BTreeSet;

use super::Inspection;
use crate::freeswitch::dialplan::sounds;
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::login::prompt::Prompt;
use crate::switch::{SwitchError, prompts};

/// The language for callers without a language, and for prompts that their language lacks.
const ENGLISH: &str = "en";

impl Inspection<'_> {
    pub(super) async fn sounds(&self, snapshot: &Snapshot) -> Result<Finding, SwitchError> {
        let check = self.of("sounds");
        let folders = ["sounds_dir", "sound_prefix"].map(|name| format!("global_getvar {name}"));
        let folders = self.ask(folders).await?;
        let [Some(own), stock] = &folders[..] else {
            return Ok(Finding::wrong(check, "FreeSWITCH has no sounds_dir", "look into freeswitch.log"));
        };
        let stock = stock.as_deref().unwrap_or(own);
        let copy = format!("hotdesk dialplan install, with sounds_dir = \"{own}\" in the [[switch]]");

        let users = snapshot.users.values().map(|user| user.language.as_ref());
        let locations = snapshot.locations.values().map(|location| location.language.as_ref());
        let mut spoken: BTreeSet<&str> = users.chain(locations).flatten().map(|it| it.as_str()).collect();
        spoken.insert(ENGLISH);
        let carried: BTreeSet<&str> = prompts::files().iter().map(|file| file.language).collect();
        let paths: Vec<(Prompt, String)> = spoken
            .intersection(&carried)
            .flat_map(|language| Prompt::ALL.map(|prompt| (prompt, sounds::ours(prompt, language))))
            .collect();
        let there = self.are_true(paths.iter().map(|(_, path)| format!("file_exists {own}/{path}"))).await?;
        let missing: Vec<&(Prompt, String)> =
            paths.iter().zip(there).filter_map(|(path, there)| (!there).then_some(path)).collect();
        if missing.is_empty() {
            let languages: Vec<&str> = spoken.intersection(&carried).copied().collect();
            return Ok(Finding::fine(
                check,
                format!("Hotdesk's prompts are in {own}: {}", languages.join(", ")),
            ));
        }

        let lacks_english =
            |prompt: &Prompt| missing.iter().any(|(_, path)| *path == sounds::ours(*prompt, ENGLISH));
        let stocks = Prompt::ALL.into_iter().filter(lacks_english);
        let stocks = stocks.map(|it| format!("file_exists {stock}/ivr/8000/{}.wav", sounds::stock(it)));
        let beeps = self.are_true(stocks).await?.contains(&false);
        let paths: Vec<&str> = missing.iter().map(|(_, path)| path.as_str()).collect();
        let found = format!("{own} lacks {}", paths.join(", "));
        Ok(if beeps {
            let found = format!("{found}, and stock sounds are missing too: callers hear beeps");
            Finding::wrong(check, found, copy)
        } else {
            Finding::remark(check, format!("{found}: callers hear English, or a stock sound"), copy)
        })
    }
}
