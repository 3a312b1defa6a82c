//! Locations, users and devices from CSV files: a row has the options of `hotdesk location set`, `user set` or
//! `device set`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use super::columns::Columns;
use super::csv::{Mistake, Row, Sheet};
use super::how::How;
use super::pins::{self, Pins};
use crate::cli::context::CommandContext;
use crate::cli::plan::Plan;
use crate::cli::progress::Progress;
use crate::cli::{device, location, output, user};
use crate::model::login::refusal::Subject;
use crate::model::nearest::nearest;

/// Mistakes that are printed one by one; more are counted.
const NAMED: usize = 20;
/// The column of a user's PIN, which no option takes.
const PIN: &str = "pin";

struct Reading<'a> {
    context: &'a CommandContext,
    plan: Plan<'a>,
    pins: Pins,
    /// File and line of each record.
    places: BTreeMap<Subject, (String, usize)>,
    mistakes: Vec<Mistake>,
}

/// Imports `files`, or names every mistake in them.
pub(super) async fn run(
    files: &[PathBuf],
    context: &CommandContext,
    how: &How,
    out: &mut dyn Write,
) -> Result<()> {
    let empty = (Plan::new(context).await?, Pins::default());
    let (plan, pins) = read(files, context, empty, how.force)?;
    how.carry_out(context, out, plan, pins).await
}

/// Adds the records of `files` to a plan, or names every mistake in them.
pub(in crate::cli) fn read<'a>(
    files: &[PathBuf],
    context: &'a CommandContext,
    (plan, pins): (Plan<'a>, Pins),
    force: bool,
) -> Result<(Plan<'a>, Pins)> {
    let mut mistakes = vec![];
    let sheets = files.iter().map(|file| Sheet::read(file, &mut mistakes));
    let sheets = sheets.collect::<Result<Vec<Sheet>>>()?;
    let mut reading = Reading { context, plan, pins, places: BTreeMap::new(), mistakes };
    for sheet in &sheets {
        reading.sheet(sheet);
    }
    let Reading { plan, pins, places, mut mistakes, .. } = reading;
    // Refusals are worked out only when every row could be read: one may follow from a row that could not.
    if mistakes.is_empty() {
        mistakes.extend(plan.refusals(force).into_iter().filter_map(|(subject, what)| {
            let (file, line) = places.get(&subject)?.clone();
            Some(Mistake { file, line, column: None, what })
        }));
    }
    ensure!(mistakes.is_empty(), summary(&mistakes));
    Ok((plan, pins))
}

impl Reading<'_> {
    fn sheet(&mut self, sheet: &Sheet) {
        let (users, devices) = (Columns::<user::Options>::new(), Columns::<device::Options>::new());
        let locations = Columns::<location::Options>::new();
        if sheet.header.contains(&users.id) {
            if sheet.open && sheet.header.iter().any(|name| name == PIN) {
                let file = &sheet.file;
                output::note(format_args!(
                    "{file} holds PINs, and other users of this machine can read it: chmod 600 {file}, and delete it soon"
                ));
            }
            self.rows(sheet, users, &[PIN], Self::user);
        } else if sheet.header.contains(&devices.id) {
            self.rows(sheet, devices, &[], Self::device);
        } else if sheet.header.contains(&locations.id) {
            self.rows(sheet, locations, &[], Self::location);
        } else {
            let what = format!(
                "the file has no column {} (for users), {} (for devices) or {} (for locations): add one of them",
                users.id, devices.id, locations.id
            );
            self.mistakes.push(sheet.mistake(1, None, what));
        }
    }

    fn rows<A: Args>(
        &mut self,
        sheet: &Sheet,
        mut columns: Columns<A>,
        others: &[&str],
        add: fn(&mut Self, &Sheet, &Row, A) -> Result<Subject, Mistake>,
    ) {
        let header = header_mistakes(sheet, columns.names().chain(others.iter().copied()).collect());
        if !header.is_empty() {
            return self.mistakes.extend(header);
        }
        let mut progress = Progress::new("reading rows", sheet.rows.len());
        for (at, row) in sheet.rows.iter().enumerate() {
            progress.at(at);
            let read = columns.read(sheet, row);
            match read.and_then(|read| add(self, sheet, row, read).map_err(|mistake| vec![mistake])) {
                Err(mistakes) => self.mistakes.extend(mistakes),
                Ok(subject) => {
                    let place = (sheet.file.clone(), row.line);
                    if let Some((file, line)) = self.places.insert(subject.clone(), place) {
                        let what =
                            format!("{subject} is in {file} line {line} already: remove one of the two rows");
                        self.mistakes.push(sheet.mistake(row.line, None, what));
                    }
                }
            }
        }
    }

    fn location(&mut self, _: &Sheet, _: &Row, set: location::Options) -> Result<Subject, Mistake> {
        let name = set.location.clone();
        let known = self.plan.after.locations.get(&name).cloned();
        let known = known.unwrap_or_else(|| location::new(self.context, name.clone()));
        self.plan.put_location(set.over(known));
        Ok(Subject::Location(name))
    }

    fn user(&mut self, sheet: &Sheet, row: &Row, set: user::Options) -> Result<Subject, Mistake> {
        let extension = set.extension.clone();
        let known = self.plan.after.users.get(&extension).cloned();
        self.plan.put_user(set.over(known.unwrap_or_else(|| user::new(self.context, &extension))));
        if let Some(column) = sheet.header.iter().position(|name| name == PIN) {
            let wanted = pins::read(row.cells.get(column).map_or("", String::as_str), &extension);
            if let Some(pin) = wanted.map_err(|why| sheet.mistake(row.line, Some(column), why))? {
                self.pins.want(extension.clone(), pin);
            }
        }
        Ok(Subject::User(extension))
    }

    fn device(&mut self, sheet: &Sheet, row: &Row, set: device::Options) -> Result<Subject, Mistake> {
        let name = set.device.clone();
        let known = self.plan.after.devices.get(&name).cloned();
        let device = set.over(known, self.context).map_err(|why| sheet.mistake(row.line, None, why))?;
        self.plan.put_device(device);
        Ok(Subject::Device(name))
    }
}

/// Unknown columns, and columns that are there twice.
fn header_mistakes(sheet: &Sheet, known: Vec<&str>) -> Vec<Mistake> {
    let wrong = sheet.header.iter().enumerate().filter_map(|(at, name)| {
        if sheet.header.iter().take(at).any(|other| other == name) {
            return Some(sheet.mistake(1, Some(at), "the column is there twice"));
        }
        let unknown = || {
            let near = nearest(name, known.iter().copied());
            let near = near.map_or_else(String::new, |near| format!(" Did you mean {near}?"));
            let what = format!("there is no such column.{near} The columns are {}", known.join(", "));
            sheet.mistake(1, Some(at), what)
        };
        (!known.contains(&name.as_str())).then(unknown)
    });
    wrong.collect()
}

/// The first mistakes, and how many more there are.
fn summary(mistakes: &[impl Display]) -> String {
    let mut lines = vec!["nothing was changed:".to_owned()];
    lines.extend(mistakes.iter().take(NAMED).map(|mistake| format!("  {mistake}")));
    if let Some(more @ 1..) = mistakes.len().checked_sub(NAMED) {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}
