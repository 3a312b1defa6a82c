//! Locations, users and devices of CSV files: a row is what `hotdesk location set`, `user set` or `device set` is told.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::How;
use super::columns::{Columns, nearest};
use super::pins::{self, Pins};
use super::sheet::{Mistake, Sheet};
use crate::cli::plan::{Plan, Subject};
use crate::cli::progress::Progress;
use crate::cli::site::Site;
use crate::cli::{device, location, user};
use crate::desk::model::User;

/// Mistakes that are named one by one.
const NAMED: usize = 20;
/// A user's PIN, which no flag takes.
const PIN: &str = "pin";

#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// Each with users, devices or locations: the first line names the columns, like the flags of `hotdesk user set`,
    /// `device set` and `location set`
    #[arg(required = true, value_name = "FILE.csv")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// What the rows are read into.
struct Reading<'a, 'b> {
    site: &'a Site,
    plan: &'b mut Plan<'a>,
    pins: Pins,
    /// Where each was read: the file, and the line.
    places: BTreeMap<Subject, (String, usize)>,
    mistakes: Vec<Mistake>,
}

impl Files {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut mistakes = vec![];
        let sheets = self.files.iter().map(|file| Sheet::read(file, &mut mistakes));
        let sheets = sheets.collect::<anyhow::Result<Vec<Sheet>>>()?;
        let mut plan = Plan::new(site).await?;
        let places = BTreeMap::new();
        let mut reading = Reading { site, plan: &mut plan, pins: Pins::default(), places, mistakes };
        for sheet in &sheets {
            reading.sheet(sheet);
        }
        let Reading { pins, places, mut mistakes, .. } = reading;
        // What a row would be refused for is of no interest while others cannot be read: it may rest on those.
        if mistakes.is_empty() {
            mistakes.extend(plan.refusals(self.how.force).into_iter().filter_map(|(subject, what)| {
                let (file, line) = places.get(&subject)?.clone();
                Some(Mistake { file, line, column: None, what })
            }));
        }
        if !mistakes.is_empty() {
            bail!(told(&mistakes));
        }
        self.how.carry_out(site, out, plan, pins).await
    }
}

impl Reading<'_, '_> {
    fn sheet(&mut self, sheet: &Sheet) {
        let (users, devices) = (Columns::<user::Set>::new(), Columns::<device::Set>::new());
        let locations = Columns::<location::Set>::new();
        if sheet.header.contains(&users.id) {
            if sheet.open && sheet.header.iter().any(|name| name == PIN) {
                let file = &sheet.file;
                eprintln!(
                    "hotdesk: {file} holds PINs, and others can read it: chmod 600 {file}, and delete it soon"
                );
            }
            self.rows(sheet, users, &[PIN], Self::user);
        } else if sheet.header.contains(&devices.id) {
            self.rows(sheet, devices, &[], Self::device);
        } else if sheet.header.contains(&locations.id) {
            self.rows(sheet, locations, &[], Self::location);
        } else {
            let what = format!(
                "a file of users has a column {}, one of devices {}, one of locations {}: this has none of them",
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
        put: fn(&mut Self, &Sheet, usize, A) -> Result<Subject, Mistake>,
    ) {
        let header = header_mistakes(sheet, columns.names().chain(others.iter().copied()).collect());
        if !header.is_empty() {
            return self.mistakes.extend(header);
        }
        let mut progress = Progress::new("reading rows", sheet.rows.len());
        for (at, row) in sheet.rows.iter().enumerate() {
            progress.at(at);
            let put = match columns.read(sheet, row) {
                Ok(read) => put(self, sheet, at, read),
                Err(mistakes) => {
                    self.mistakes.extend(mistakes);
                    continue;
                }
            };
            match put {
                Err(mistake) => self.mistakes.push(mistake),
                Ok(subject) => {
                    let place = (sheet.file.clone(), row.line);
                    if let Some((file, line)) = self.places.insert(subject.clone(), place) {
                        let what = format!("{subject} was in {file} line {line} already");
                        self.mistakes.push(sheet.mistake(row.line, None, what));
                    }
                }
            }
        }
    }

    fn location(&mut self, sheet: &Sheet, at: usize, set: location::Set) -> Result<Subject, Mistake> {
        let name = set.location.clone();
        let known = self.plan.after.locations.get(&name).cloned();
        let location = set.over(known, self.site).map_err(|why| refused(sheet, at, &why))?;
        self.plan.put_location(location);
        Ok(Subject::Location(name))
    }

    fn user(&mut self, sheet: &Sheet, at: usize, set: user::Set) -> Result<Subject, Mistake> {
        let extension = set.extension.clone();
        let known = self.plan.after.users.get(&extension).cloned();
        let new = || User::new(self.site.tenant.clone(), extension.clone());
        self.plan.put_user(set.over(known.unwrap_or_else(new)));
        if let (Some(column), Some(row)) =
            (sheet.header.iter().position(|name| name == PIN), sheet.rows.get(at))
        {
            let cell = row.cells.get(column).map_or("", String::as_str);
            let wanted = pins::read(cell, &extension);
            if let Some(pin) = wanted.map_err(|why| sheet.mistake(row.line, Some(column), why))? {
                self.pins.want(extension.clone(), pin);
            }
        }
        Ok(Subject::User(extension))
    }

    fn device(&mut self, sheet: &Sheet, at: usize, set: device::Set) -> Result<Subject, Mistake> {
        let name = set.device.clone();
        let known = self.plan.after.devices.get(&name).cloned();
        let device = set.over(known, self.site).map_err(|why| refused(sheet, at, &why))?;
        self.plan.put_device(device);
        Ok(Subject::Device(name))
    }
}

/// Why a row as a whole cannot be.
fn refused(sheet: &Sheet, at: usize, why: &anyhow::Error) -> Mistake {
    sheet.mistake(sheet.rows.get(at).map_or(1, |row| row.line), None, why)
}

/// Columns that nobody knows, or that are there twice.
fn header_mistakes(sheet: &Sheet, known: Vec<&str>) -> Vec<Mistake> {
    let wrong = sheet.header.iter().enumerate().filter_map(|(at, name)| {
        if sheet.header.iter().take(at).any(|other| other == name) {
            return Some(sheet.mistake(1, Some(at), "it is there twice"));
        }
        let unknown = || {
            let (nearest, all) = (nearest(name, known.iter().copied()), known.join(", "));
            sheet.mistake(1, Some(at), format!("there is no such column; is it {nearest}? There are {all}"))
        };
        (!known.contains(&name.as_str())).then(unknown)
    });
    wrong.collect()
}

/// The first of them, and how many more.
fn told(mistakes: &[impl Display]) -> String {
    let mut lines = vec!["nothing was changed:".to_owned()];
    lines.extend(mistakes.iter().take(NAMED).map(|mistake| format!("  {mistake}")));
    if let Some(more @ 1..) = mistakes.len().checked_sub(NAMED) {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}
