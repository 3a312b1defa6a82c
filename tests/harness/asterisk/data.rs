//! The data folder of an instance: links to the install's, with own prompts among the stock prompts.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A folder of own prompts.
pub(super) struct Sounds {
    pub(super) language: String,
    pub(super) name: String,
    pub(super) folder: PathBuf,
}

/// Lays `own` out like `stock`, and adds `sounds`.
pub(super) fn link(stock: &Path, own: &Path, sounds: &[Sounds]) -> Result<()> {
    link_entries(stock, own, "sounds")?;
    link_entries(&stock.join("sounds"), &own.join("sounds"), "en")?;
    link_entries(&stock.join("sounds/en"), &own.join("sounds/en"), "")?;
    for Sounds { language, name, folder } in sounds {
        let spoken = own.join("sounds").join(language);
        fs::create_dir_all(&spoken)?;
        let folder = folder.canonicalize().with_context(|| format!("prompts in {}", folder.display()))?;
        symlink(folder, spoken.join(name))
            .with_context(|| format!("linking the prompts {language}/{name}"))?;
    }
    Ok(())
}

/// Links each entry of `stock` into `own`, but the one which is laid out itself.
fn link_entries(stock: &Path, own: &Path, but: &str) -> Result<()> {
    fs::create_dir_all(own)?;
    for entry in fs::read_dir(stock).with_context(|| format!("reading {}", stock.display()))? {
        let entry = entry?;
        if entry.file_name() != but {
            symlink(entry.path(), own.join(entry.file_name()))?;
        }
    }
    Ok(())
}
