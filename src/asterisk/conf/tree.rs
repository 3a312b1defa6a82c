//! A configuration file with all that it includes, in the order in which Asterisk reads it. Lines are changed in place.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::line::{self, Line};
use crate::switch::config_file::{Changed, NotReadable, named, read};

/// The most files.
const MOST: usize = 1000;

/// A line of one of the files.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct At {
    file: usize,
    line: usize,
}

/// `key = value` in a section.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) at: At,
    pub(super) key: String,
    pub(super) value: String,
}

/// `[name](options)` and the settings behind it.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) at: At,
    pub(super) name: String,
    pub(super) options: Vec<String>,
    pub(super) settings: Vec<Setting>,
}

#[derive(Clone, Debug)]
struct File {
    path: PathBuf,
    before: String,
    /// Each with its end. A changed line may have become several.
    lines: Vec<String>,
}

/// The main file is the first.
#[derive(Clone, Debug)]
pub struct Tree {
    folder: PathBuf,
    files: Vec<File>,
    pub(super) sections: Vec<Section>,
}

impl Tree {
    /// Reads `main` of this folder, and all files that it includes.
    ///
    /// # Errors
    /// [`NotReadable`] names the file and the line that cannot be read for certain.
    pub fn read(folder: &Path, main: &str) -> Result<Self, NotReadable> {
        let path = folder.join(main);
        let folder =
            fs::canonicalize(folder).map_err(|error| NotReadable::file(folder, error.to_string()))?;
        let mut tree = Self { folder, files: vec![], sections: vec![] };
        tree.file(&path, None, &mut BTreeSet::new())?;
        Ok(tree)
    }

    /// Reads one file. Its first lines belong to the section `open` of the file that includes it.
    fn file(
        &mut self,
        path: &Path,
        mut open: Option<usize>,
        seen: &mut BTreeSet<PathBuf>,
    ) -> Result<(), NotReadable> {
        let bad = |why: &str| NotReadable::file(path, why);
        let real = fs::canonicalize(path).map_err(|error| bad(&error.to_string()))?;
        if !real.starts_with(&self.folder) {
            return Err(bad(&format!(
                "it is outside {}, and such a file is not changed",
                self.folder.display()
            )));
        }
        if !seen.insert(real.clone()) || seen.len() > MOST {
            return Err(bad("it is included twice, or too many files are included"));
        }
        let before = read(&real)?;
        if before.starts_with('\u{feff}') {
            return Err(bad(
                "it begins with a byte order mark, which may be read as text: save it without one",
            ));
        }
        let lines: Vec<String> = before.split_inclusive('\n').map(str::to_owned).collect();
        let (parsed, open_comment) = line::lines(lines.iter().map(String::as_str));
        if open_comment {
            return Err(bad("a block comment (;--) is not closed, so a line at the end would be part of it"));
        }
        let file = self.files.len();
        self.files.push(File { path: real, before, lines });
        // Whether an included file began a section: then it is not certain to which one the next setting belongs.
        let mut unclear = false;
        for (line, parsed) in parsed.into_iter().enumerate() {
            let at = At { file, line };
            match parsed {
                Line::Blank => {}
                Line::Section { name, options } => {
                    open = Some(self.sections.len());
                    unclear = false;
                    self.sections.push(Section { at, name, options, settings: vec![] });
                }
                Line::Setting { key, value, .. } => {
                    let section = open.and_then(|open| self.sections.get_mut(open)).filter(|_| !unclear);
                    let Some(section) = section else {
                        return Err(self.not_readable(at, "it is not clear to which [section] it belongs"));
                    };
                    section.settings.push(Setting { at, key, value });
                }
                Line::Directive { what, name } => {
                    let sections = self.sections.len();
                    self.include(at, &what, &name, open, seen)?;
                    unclear |= self.sections.len() > sections;
                }
                Line::Unknown => return Err(self.not_readable(at, "Hotdesk cannot read this line")),
            }
        }
        Ok(())
    }

    fn include(
        &mut self,
        at: At,
        what: &str,
        name: &str,
        open: Option<usize>,
        seen: &mut BTreeSet<PathBuf>,
    ) -> Result<(), NotReadable> {
        let must = match what {
            "#include" => true,
            "#tryinclude" => false,
            _ => return Err(self.not_readable(at, &format!("what {what} gives is not known"))),
        };
        let found = named(&self.folder, name);
        if found.is_empty() && must && !name.contains(['*', '?', '[']) {
            return Err(self.not_readable(at, &format!("it includes {name}, which is not there")));
        }
        found.iter().try_for_each(|path| self.file(path, open, seen))
    }

    /// Why the line is not read.
    pub(super) fn not_readable(&self, at: At, why: &str) -> NotReadable {
        let path = self.files.get(at.file).map(|file| file.path.as_path());
        NotReadable::line(path.unwrap_or(Path::new("")), at.line + 1, why)
    }

    /// The main file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |file| &file.path)
    }

    /// Whether one of the files has this name.
    #[must_use]
    pub fn has_file(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.path.file_name().is_some_and(|it| it == name))
    }

    /// The settings of a section after those of its templates: the last one of a key counts.
    pub(super) fn resolved(&self, section: &Section) -> Result<Vec<Setting>, NotReadable> {
        self.resolved_to(section, 20)
    }

    fn resolved_to(&self, section: &Section, depth: usize) -> Result<Vec<Setting>, NotReadable> {
        let mut all = vec![];
        for option in section.options.iter().filter(|option| *option != "!") {
            if option.starts_with('+') {
                // It adds to a section that was read before; its own settings are all that it says.
                continue;
            }
            let before = self.sections.iter().take_while(|other| other.at != section.at);
            let template = before.filter(|other| other.name == *option).last().filter(|_| depth > 0);
            let Some(template) = template else {
                let why = format!("the template {option} of [{}] is not there", section.name);
                return Err(self.not_readable(section.at, &why));
            };
            all.extend(self.resolved_to(template, depth - 1)?);
        }
        all.extend(section.settings.iter().cloned());
        Ok(all)
    }

    /// The text of a line as it is now.
    pub(super) fn line(&self, at: At) -> &str {
        self.files.get(at.file).and_then(|file| file.lines.get(at.line)).map_or("", String::as_str)
    }

    /// Puts `text` in place of a line. It may be several lines; each ends as the old one did.
    pub(super) fn replace(&mut self, at: At, text: &str) {
        let end = if self.line(at).ends_with("\r\n") { "\r\n" } else { "\n" };
        let new: String = text.lines().map(|line| format!("{line}{end}")).collect();
        if let Some(line) = self.files.get_mut(at.file).and_then(|file| file.lines.get_mut(at.line)) {
            *line = new;
        }
    }

    /// Gives a key of a section this value: in its last line of that key, or in a new one behind the header.
    pub(super) fn set(&mut self, section: &Section, key: &str, value: &str) {
        let own = section.settings.iter().rfind(|setting| setting.key == key);
        let Some(own) = own else {
            let text = format!("{}\n{key} = {value}", self.line(section.at).trim_end());
            return self.replace(section.at, &text);
        };
        let line = self.line(own.at).to_owned();
        if let [Line::Setting { at, .. }] = &line::lines([line.as_str()].into_iter()).0[..] {
            let mut line = line.clone();
            line.replace_range(at.clone(), value);
            self.replace(own.at, &line);
        }
    }

    /// Adds lines at the end of the main file.
    pub(super) fn append(&mut self, text: &str) {
        let Some(file) = self.files.first_mut() else { return };
        let end = if file.before.contains("\r\n") { "\r\n" } else { "\n" };
        if let Some(last) = file.lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push_str(end);
        }
        file.lines.extend(text.lines().map(|line| format!("{line}{end}")));
    }

    /// Adds lines at the beginning of the main file.
    pub(super) fn prepend(&mut self, text: &str) {
        if let Some(file) = self.files.first_mut() {
            file.lines.insert(0, text.into());
        }
    }

    /// The files that differ from what was read.
    #[must_use]
    pub fn changed(&self) -> Vec<Changed> {
        let changed = |File { path, before, lines }: &File| {
            let after = lines.concat();
            (after != *before).then(|| Changed { path: path.clone(), before: before.clone(), after })
        };
        self.files.iter().filter_map(changed).collect()
    }
}
