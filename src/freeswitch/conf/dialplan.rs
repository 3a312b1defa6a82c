//! The context `default` of a dialplan: the extension before which Hotdesk must be asked.

use std::path::Path;

use super::tree::{File, files, included, part};
use crate::switch::config_file::{CannotChange, Changed, named};

const SECTION: &str = "dialplan";
/// The context whose files `default/*.xml` has, and the file that `hotdesk dialplan install` puts there.
pub(super) const CONTEXT: &str = "default";
const DROP_IN: &str = "default/00_hotdesk.xml";

/// An extension of the site that ends with what it does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taker {
    /// Its name.
    pub name: String,
    /// What it compares the called number with.
    pub expressions: Vec<String>,
    /// Where it begins in its file.
    at: usize,
}

/// The file with the context.
#[derive(Clone, Debug)]
pub(super) struct Dialplan {
    file: File,
    pub(super) takers: Vec<Taker>,
}

impl Dialplan {
    pub(super) fn read(folder: &Path) -> Result<Self, CannotChange> {
        let mut found = vec![];
        for file in files(folder, SECTION, |_| true)? {
            let read = file.parse()?;
            let Some(part) = part(&read, SECTION) else { continue };
            let named = |node: &roxmltree::Node<'_, '_>| {
                node.has_tag_name("context") && node.attribute("name") == Some(CONTEXT)
            };
            for context in part.descendants().filter(named) {
                let reads = |name: &str| name.starts_with("default/*") || name.contains("/default/*");
                // What comes after the files of `default` takes nothing before Hotdesk.
                let own = context.children().take_while(|node| !included(*node).is_some_and(reads));
                if own.clone().count() == context.children().count() {
                    return CannotChange::unsupported(format!(
                        "{}: the context {CONTEXT} does not include {CONTEXT}/*.xml",
                        file.path.display()
                    ));
                }
                let ends = |node: &roxmltree::Node<'_, '_>| {
                    node.has_tag_name("extension") && node.attribute("continue") != Some("true")
                };
                let takers = own.filter(ends).map(|extension| Taker {
                    name: extension.attribute("name").unwrap_or_default().into(),
                    expressions: expressions(extension),
                    at: extension.range().start,
                });
                found.push(Self { takers: takers.collect(), file: file.clone() });
            }
        }
        match <[Self; 1]>::try_from(found) {
            Ok([only]) => Ok(only),
            Err(found) => CannotChange::unsupported(format!(
                "its dialplan has the context {CONTEXT} {} times",
                found.len()
            )),
        }
    }

    /// Has Hotdesk asked before this extension.
    pub(super) fn ask_before(&mut self, taker: &Taker) {
        self.file.insert(taker.at, &format!("<X-PRE-PROCESS cmd=\"include\" data=\"{DROP_IN}\"/>"));
    }

    pub(super) fn changed(&self) -> Option<Changed> {
        self.file.changed()
    }
}

/// What the extensions of a context compare the called number with, those of the files that it includes among them; none if there is
/// no such context.
pub(super) fn expressions_of(folder: &Path, context: &str) -> Result<Option<Vec<String>>, CannotChange> {
    let files = files(folder, SECTION, |_| true)?;
    let ends = |node: &roxmltree::Node<'_, '_>| {
        node.has_tag_name("extension") && node.attribute("continue") != Some("true")
    };
    let (mut found, mut there) = (vec![], false);
    for file in &files {
        let read = file.parse()?;
        let own = part(&read, SECTION).into_iter().flat_map(|part| part.descendants());
        for context in
            own.filter(|node| node.has_tag_name("context") && node.attribute("name") == Some(context))
        {
            there = true;
            found.extend(context.descendants().filter(ends).flat_map(expressions));
            let folder = file.path.parent().unwrap_or(Path::new(""));
            let names = context.descendants().filter_map(included).flat_map(|name| named(folder, name));
            for file in names.filter_map(|name| files.iter().find(|file| file.path == name)) {
                found.extend(file.parse()?.descendants().filter(ends).flat_map(expressions));
            }
        }
    }
    Ok(there.then_some(found))
}

fn expressions(extension: roxmltree::Node<'_, '_>) -> Vec<String> {
    let conditions = extension.descendants().filter(|node| {
        node.has_tag_name("condition") && node.attribute("field") == Some("destination_number")
    });
    let own = conditions.filter_map(|node| node.attribute("expression").map(str::to_owned));
    own.collect()
}
