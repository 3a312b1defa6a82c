//! A section of `freeswitch.xml` with all files that it includes (`switch_xml.c` of 1.10.12: an include of XML is put in its place,
//! without the element `<include>` around it).

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use roxmltree::{Document, Node};

use crate::switch::config_file::{CannotChange, Changed, NotReadable, named, read};

/// The most files.
const MOST: usize = 2000;
/// The element that includes files.
const INCLUDE: &str = "X-PRE-PROCESS";

/// A file and what is to be changed in it.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Whether it was included by a name with `*`, so that a new file beside it is read, too.
    pub(super) by_pattern: bool,
    edits: Vec<(Range<usize>, String)>,
}

impl File {
    fn new(path: &Path, by_pattern: bool) -> Result<Self, NotReadable> {
        Ok(Self { path: path.into(), text: read(path)?, by_pattern, edits: vec![] })
    }

    pub(super) fn parse(&self) -> Result<Document<'_>, NotReadable> {
        let read = Document::parse(&self.text).map_err(|error| {
            NotReadable::line(&self.path, error.pos().row as usize, format!("it is no XML: {error}"))
        })?;
        let instruction = read.descendants().find(|node| {
            let text = node.text().filter(|_| node.is_comment()).unwrap_or_default().trim_start();
            text.starts_with("#include") || text.starts_with("#set") || text.starts_with("#exec")
        });
        match instruction {
            Some(node) => {
                let line = read.text_pos_at(node.range().start).row as usize;
                Err(NotReadable::line(
                    &self.path,
                    line,
                    "what an instruction in a comment gives is not known",
                ))
            }
            None => Ok(read),
        }
    }

    /// Puts `text` in this place.
    pub(super) fn replace(&mut self, at: Range<usize>, text: impl Into<String>) {
        self.edits.push((at, text.into()));
    }

    /// Puts a line before the element that begins here, with the same blanks before it.
    pub(super) fn insert(&mut self, before: usize, line: &str) {
        let start = self.text.get(..before).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
        let blank = self.text.get(start..before).filter(|blank| blank.trim().is_empty()).unwrap_or_default();
        let end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let text = format!("{line}{end}{blank}");
        self.replace(before..before, text);
    }

    pub(super) fn changed(&self) -> Option<Changed> {
        let (mut edits, mut after) = (self.edits.clone(), self.text.clone());
        edits.sort_by_key(|(at, _)| std::cmp::Reverse(at.start));
        edits.into_iter().for_each(|(at, text)| after.replace_range(at, &text));
        let (path, before) = (self.path.clone(), self.text.clone());
        (after != before).then_some(Changed { path, before, after })
    }
}

/// The files of one section, that of `freeswitch.xml` first.
pub(super) fn files(
    folder: &Path,
    section: &str,
    which: fn(&Path) -> bool,
) -> Result<Vec<File>, CannotChange> {
    let main = File::new(&folder.join("freeswitch.xml"), false)?;
    let mut next = includes(&main, Some(section))?;
    let (mut files, mut seen) = (vec![main], BTreeSet::new());
    while let Some((path, by_pattern)) = next.pop() {
        if !which(&path) {
            continue;
        }
        if !seen.insert(path.clone()) || seen.len() > MOST {
            let why = "it is included twice, or too many files are included";
            return Err(NotReadable::file(&path, why).into());
        }
        let file = File::new(&path, by_pattern)?;
        next.extend(includes(&file, None)?);
        files.push(file);
    }
    Ok(files)
}

/// The part of a document that belongs to a section: of `freeswitch.xml` one element, of an included file all of it.
pub(super) fn part<'a, 'input>(read: &'a Document<'input>, section: &str) -> Option<Node<'a, 'input>> {
    let root = read.root_element();
    if root.has_tag_name("document") {
        return root
            .children()
            .find(|node| node.has_tag_name("section") && node.attribute("name") == Some(section));
    }
    Some(root)
}

/// The files that a file includes, and whether each was named by a pattern.
fn includes(file: &File, section: Option<&str>) -> Result<Vec<(PathBuf, bool)>, NotReadable> {
    let read = file.parse()?;
    let Some(part) = part(&read, section.unwrap_or_default()) else { return Ok(vec![]) };
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let mut found = vec![];
    for node in part.descendants().filter(|node| node.has_tag_name(INCLUDE)) {
        let name = node.attribute("data").unwrap_or_default();
        if node.attribute("cmd") != Some("include") {
            continue;
        }
        if name.contains("$$") || name.contains(['?', '[']) {
            let line = read.text_pos_at(node.range().start).row as usize;
            let why = format!("which files {name} includes is not known");
            return Err(NotReadable::line(&file.path, line, why));
        }
        found.extend(named(folder, name).into_iter().map(|path| (path, name.contains('*'))));
    }
    Ok(found)
}

/// The names of the files that an element includes directly.
pub(super) fn included<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.attribute("data").filter(|_| node.has_tag_name(INCLUDE) && node.attribute("cmd") == Some("include"))
}
