//! A row as a command line: each column is an option of `hotdesk user set`, `device set` or `location set`.

use std::error::Error as _;
use std::marker::PhantomData;

use clap::{ArgAction, Args, Command};

use super::csv::{Mistake, Row, Sheet};

/// Options that are no columns: they belong to the whole command, or to the column of another option.
const NO_COLUMNS: [&str; 3] = ["anonymous", "force", "help"];

/// The columns that rows of one kind may have.
pub(super) struct Columns<A> {
    command: Command,
    /// The column that names the user, device or location.
    pub(super) id: String,
    known: Vec<Column>,
    of: PhantomData<A>,
}

struct Column {
    name: String,
    /// An option without a value: cells are yes or no.
    flag: bool,
    /// An option that can be repeated: a cell holds several words.
    many: bool,
    /// An empty cell removes the setting.
    empties: bool,
}

impl<A: Args> Columns<A> {
    /// The columns of a command with one positional argument.
    pub(super) fn new() -> Self {
        let plain = Command::new("row").no_binary_name(true).disable_help_flag(true);
        let command = A::augment_args(plain);
        let id = command.get_positionals().map(|arg| arg.get_id().to_string()).next().unwrap_or_default();
        let names: Vec<&str> = command.get_arguments().filter_map(|arg| arg.get_long()).collect();
        let negates = |name: &str| name.strip_prefix("no-").is_some_and(|other| names.contains(&other));
        let known = command.get_arguments().filter_map(|arg| {
            let name = arg.get_long().filter(|name| !NO_COLUMNS.contains(name) && !negates(name))?;
            let flag = matches!(arg.get_action(), ArgAction::SetTrue);
            let many = matches!(arg.get_action(), ArgAction::Append);
            let empties = !flag && alone(&command, format!("--{name}=")).is_none();
            Some(Column { name: name.into(), flag, many, empties })
        });
        Self { known: known.collect(), command, id, of: PhantomData }
    }

    /// The names of all columns; the one that names the record is first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.known.iter().map(|column| column.name.as_str()))
    }

    /// Reads a row; the error is every mistake in it.
    pub(super) fn read(&mut self, sheet: &Sheet, row: &Row) -> Result<A, Vec<Mistake>> {
        let (mut args, mut id, mut mistakes) = (vec![], "", vec![]);
        for (at, (name, cell)) in sheet.header.iter().zip(row.cells.iter()).enumerate() {
            if let Some(why) = damaged(cell) {
                mistakes.push(sheet.mistake(row.line, Some(at), why));
            } else if *name == self.id {
                id = cell;
            } else if let Some(column) = self.known.iter().find(|column| column.name == *name) {
                match column.args(cell) {
                    Ok(cell) => args.extend(cell.into_iter().map(|arg| (at, arg))),
                    Err(why) => mistakes.push(sheet.mistake(row.line, Some(at), why)),
                }
            }
        }
        if !mistakes.is_empty() && id.is_empty() {
            return Err(mistakes);
        }
        let all = args.iter().map(|(_, arg)| arg.as_str()).chain(["--", id]);
        let read = self.command.try_get_matches_from_mut(all).and_then(|found| A::from_arg_matches(&found));
        let error = match read {
            Ok(read) if mistakes.is_empty() => return Ok(read),
            Ok(_) => return Err(mistakes),
            Err(error) => error,
        };
        // The parser stops at its first error: each cell is parsed alone to find all mistakes.
        let known = mistakes.len();
        for (at, arg) in args {
            mistakes.extend(alone(&self.command, arg).map(|why| sheet.mistake(row.line, Some(at), why)));
        }
        let at = sheet.header.iter().position(|name| *name == self.id);
        mistakes.extend(alone_id(&self.command, id).map(|why| sheet.mistake(row.line, at, why)));
        if mistakes.len() == known {
            mistakes.push(sheet.mistake(row.line, None, why(&error)));
        }
        Err(mistakes)
    }
}

impl Column {
    fn args(&self, cell: &str) -> Result<Vec<String>, &'static str> {
        let name = &self.name;
        Ok(match cell {
            "" if self.empties => vec![format!("--{name}=")],
            "" => vec![],
            "anonymous" if name == "caller-id" => vec!["--anonymous".into()],
            _ if self.many => cell.split_whitespace().map(|word| format!("--{name}={word}")).collect(),
            _ if !self.flag => vec![format!("--{name}={cell}")],
            _ => match cell.to_lowercase().as_str() {
                "yes" | "true" | "1" => vec![format!("--{name}")],
                "no" | "false" | "0" => vec![format!("--no-{name}")],
                _ => return Err("use yes or no"),
            },
        })
    }
}

/// Why an argument is refused on its own.
fn alone(command: &Command, arg: String) -> Option<String> {
    let command = command.clone().mut_args(|arg| arg.required(false));
    command.try_get_matches_from([arg]).err().map(|error| why(&error))
}

fn alone_id(command: &Command, id: &str) -> Option<String> {
    if id.is_empty() {
        return Some("the cell is empty".into());
    }
    command.clone().try_get_matches_from(["--", id]).err().map(|error| why(&error))
}

/// The error of the value's own type, else the first line of clap's.
fn why(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return source.to_string();
    }
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// What a spreadsheet made of a cell, if it is no longer what was written: then only its sheet has the right value.
fn damaged(cell: &str) -> Option<&'static str> {
    const ERRORS: [&str; 8] =
        ["#DIV/0!", "#GETTING_DATA", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"];
    let number = |text: &str, also: &[char]| {
        !text.is_empty()
            && text.bytes().next().is_some_and(|b| b.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || also.contains(&c))
    };
    let scientific = cell.split_once(['E', 'e']).is_some_and(|(digits, power)| {
        let power = power.strip_prefix(['+', '-']);
        number(digits.trim_start_matches('-'), &['.', ',']) && power.is_some_and(|power| number(power, &[]))
    });
    let decimal = cell.strip_suffix(".0").is_some_and(|n| number(n, &[]));
    match () {
        () if scientific => Some(
            "it is in scientific notation: a spreadsheet made a number of it; make the column text and write it again",
        ),
        () if decimal => {
            Some("a spreadsheet made a decimal number of it; make the column text and write it again")
        }
        () if ERRORS.contains(&cell) || (cell.len() > 3 && cell.bytes().all(|b| b == b'#')) => {
            Some("it is an error of the spreadsheet, not a value; correct it there")
        }
        () => None,
    }
}
