//! A row as a command: each column is a flag of `hotdesk user set`, `device set`, `location set`, and read by it.

use std::error::Error as _;
use std::marker::PhantomData;

use clap::{ArgAction, Args, Command};

use super::sheet::{Mistake, Row, Sheet};

/// Flags that are no columns: they are the whole command's, or another column says it.
const NOT: [&str; 3] = ["anonymous", "force", "help"];

/// The columns that rows of one kind may have.
pub(super) struct Columns<A> {
    command: Command,
    /// The one that says who or what is meant.
    pub(super) id: String,
    known: Vec<Column>,
    of: PhantomData<A>,
}

struct Column {
    name: String,
    /// It takes no value, so its cells say yes or no.
    flag: bool,
    /// It can be given several times, and so hold several words.
    many: bool,
    /// An empty value takes away what was there.
    empties: bool,
}

impl<A: Args> Columns<A> {
    /// Those of a command with one positional argument.
    pub(super) fn new() -> Self {
        let plain = Command::new("row").no_binary_name(true).disable_help_flag(true);
        let command = A::augment_args(plain);
        let id = command.get_positionals().map(|arg| arg.get_id().to_string()).next().unwrap_or_default();
        let names: Vec<&str> = command.get_arguments().filter_map(|arg| arg.get_long()).collect();
        let negates = |name: &str| name.strip_prefix("no-").is_some_and(|other| names.contains(&other));
        let known = command.get_arguments().filter_map(|arg| {
            let name = arg.get_long().filter(|name| !NOT.contains(name) && !negates(name))?;
            let flag = matches!(arg.get_action(), ArgAction::SetTrue);
            let many = matches!(arg.get_action(), ArgAction::Append);
            let empties = !flag && alone(&command, format!("--{name}=")).is_none();
            Some(Column { name: name.into(), flag, many, empties })
        });
        Self { known: known.collect(), command, id, of: PhantomData }
    }

    /// The names of all columns, the one that says who or what first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.known.iter().map(|column| column.name.as_str()))
    }

    /// What a row says, or all that is wrong with it.
    pub(super) fn read(&mut self, sheet: &Sheet, row: &Row) -> Result<A, Vec<Mistake>> {
        let (mut args, mut id, mut mistakes) = (vec![], "", vec![]);
        for (at, (name, cell)) in sheet.header.iter().zip(row.cells.iter()).enumerate() {
            if *name == self.id {
                id = cell;
            } else if let Some(column) = self.known.iter().find(|column| column.name == *name) {
                match column.args(cell) {
                    Ok(cell) => args.extend(cell.into_iter().map(|arg| (at, arg))),
                    Err(why) => mistakes.push(sheet.mistake(row.line, Some(at), why)),
                }
            }
        }
        let all = args.iter().map(|(_, arg)| arg.as_str()).chain(["--", id]);
        let read = self.command.try_get_matches_from_mut(all).and_then(|found| A::from_arg_matches(&found));
        let error = match read {
            Ok(read) if mistakes.is_empty() => return Ok(read),
            Ok(_) => return Err(mistakes),
            Err(error) => error,
        };
        // Which of the cells it is, and whether there are more, is seen by each alone.
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
                _ => return Err("it takes yes or no"),
            },
        })
    }
}

/// Why an argument cannot be, whatever the others are.
fn alone(command: &Command, arg: String) -> Option<String> {
    let mut command = command.clone().mut_args(|arg| arg.required(false));
    command.try_get_matches_from_mut([arg]).err().map(|error| why(&error))
}

fn alone_id(command: &Command, id: &str) -> Option<String> {
    if id.is_empty() {
        return Some("it is empty".into());
    }
    command.clone().try_get_matches_from_mut(["--", id]).err().map(|error| why(&error))
}

/// What a value's own type says of it, else what clap does.
fn why(error: &clap::Error) -> String {
    error.source().map_or_else(
        || {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        },
        ToString::to_string,
    )
}

/// The name most like `name`.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> &'a str {
    let like = |known: &&str| strsim::damerau_levenshtein(name, known);
    names.min_by_key(like).unwrap_or_default()
}
