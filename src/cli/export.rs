//! `hotdesk export`: the directory as the CSV files that `hotdesk import` takes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use csv::WriterBuilder;

use super::context::CommandContext;
use super::output;
use crate::model::directory::columns::Columns;

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Folder for locations.csv, users.csv and devices.csv, readable by you alone; none of them may be there already
    folder: PathBuf,
}

impl Export {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let snapshot = context.snapshot().await?;
        let sheets: [(&str, Sheet); 3] = [
            ("locations.csv", sheet(snapshot.locations.values())),
            ("users.csv", sheet(snapshot.users.values())),
            ("devices.csv", sheet(snapshot.devices.values())),
        ];
        for (name, _) in &sheets {
            let path = self.folder.join(name);
            ensure!(!path.exists(), "{} is there already: name another folder", path.display());
        }
        let unwritable = |path: &Path| format!("cannot write {}", path.display());
        fs::create_dir_all(&self.folder).with_context(|| unwritable(&self.folder))?;
        for (name, sheet) in sheets.into_iter().filter(|(_, sheet)| !sheet.rows.is_empty()) {
            let path = self.folder.join(name);
            write(&path, &sheet).with_context(|| unwritable(&path))?;
            writeln!(out, "{}, rows: {}", path.display(), sheet.rows.len())?;
        }
        output::note(
            "PINs, sessions, memberships in groups and which devices ring are not exported: back up the store for them",
        );
        Ok(())
    }
}

fn write(path: &Path, sheet: &Sheet) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut writer = WriterBuilder::new().from_writer(&file);
    writer.write_record(sheet.columns)?;
    for row in &sheet.rows {
        writer.write_record(row)?;
    }
    writer.flush()?;
    Ok(file.sync_all()?)
}

/// The columns, and a row for each record.
struct Sheet {
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

fn sheet<'a, R: Columns + 'a>(records: impl Iterator<Item = &'a R>) -> Sheet {
    let row = |record: &R| R::COLUMNS.iter().map(|column| record.text(column)).collect();
    Sheet { columns: R::COLUMNS, rows: records.map(row).collect() }
}
