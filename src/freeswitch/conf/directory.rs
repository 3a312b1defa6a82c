//! The phones of a directory, and the change that makes one a hotdesk.

use std::path::{Path, PathBuf};

use roxmltree::Node;

use super::tree::{File, files, part};
use crate::freeswitch::dialplan::{HOTDESK_CONTEXT, login_dial_string};
use crate::switch::config_file::{CannotChange, Changed, NotReadable};

const SECTION: &str = "directory";

/// An entry with a password: a phone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Phone {
    /// Its `id`.
    pub name: String,
    /// Where its calls begin; none: its domain or the profile says it.
    pub context: Option<String>,
    /// The name that its calls show inside.
    pub caller_name: Option<String>,
    /// Whether it has a mailbox.
    pub has_box: bool,
    /// Whether it is named as an extension.
    pub is_extension: bool,
    /// The place of its file among the files.
    file: usize,
}

/// The files of the directory, with its only domain.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    files: Vec<File>,
    pub(super) phones: Vec<Phone>,
}

/// `<params><param name= value=/></params>`, or the same of `variables`.
fn values<'a, 'input>(user: Node<'a, 'input>, of: &'static str) -> impl Iterator<Item = Node<'a, 'input>> {
    let one = of.trim_end_matches('s');
    let groups = user.children().filter(move |node| node.has_tag_name(of));
    groups.flat_map(|group| group.children()).filter(move |node| node.has_tag_name(one))
}

fn value<'a, 'input>(user: Node<'a, 'input>, of: &'static str, name: &str) -> Option<Node<'a, 'input>> {
    values(user, of).filter(|node| node.attribute("name") == Some(name)).last()
}

/// The entries of a part of the directory that are no pointers to others.
fn users<'a, 'input>(part: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    part.descendants().filter(|node| node.has_tag_name("user") && node.attribute("type") != Some("pointer"))
}

impl Directory {
    pub(super) fn read(folder: &Path) -> Result<Self, CannotChange> {
        let files = files(folder, SECTION, |_| true)?;
        let (mut phones, mut domains) = (vec![], 0);
        for (n, file) in files.iter().enumerate() {
            let read = file.parse()?;
            let Some(part) = part(&read, SECTION) else { continue };
            domains += part.descendants().filter(|node| node.has_tag_name("domain")).count();
            for user in users(part) {
                let Some(name) = user.attribute("id") else { continue };
                let text = |of, name: &str| {
                    let value = value(user, of, name).and_then(|node| node.attribute("value"));
                    value.filter(|value| !value.is_empty()).map(str::to_owned)
                };
                let password = text("params", "password").or_else(|| text("params", "a1-hash"));
                if password.is_none() || name.contains("$$") {
                    continue;
                }
                phones.push(Phone {
                    name: name.into(),
                    context: text("variables", "user_context"),
                    caller_name: text("variables", "effective_caller_id_name")
                        .filter(|name| !name.contains('$')),
                    has_box: text("params", "vm-password").is_some(),
                    is_extension: name.chars().all(|key| key.is_ascii_digit()),
                    file: n,
                });
            }
        }
        if domains != 1 {
            return CannotChange::unsupported(format!(
                "its directory has {domains} domains, and init changes one with one only"
            ));
        }
        Ok(Self { files, phones })
    }

    /// The only file with a phone of this name.
    fn phone(&mut self, name: &str) -> Result<&mut File, CannotChange> {
        let found: Vec<usize> =
            self.phones.iter().filter(|phone| phone.name == name).map(|phone| phone.file).collect();
        match found[..] {
            [only] => match self.files.get_mut(only) {
                Some(file) => Ok(file),
                None => CannotChange::unsupported(format!("the directory has no phone {name}")),
            },
            [] => CannotChange::unsupported(format!("the directory has no phone {name}")),
            _ => CannotChange::unsupported(format!("the directory has {name} more than once")),
        }
    }

    /// Sends the calls of a phone to Hotdesk, and has calls to its entry ring where its user is logged in.
    pub(super) fn make_hotdesk(&mut self, name: &str) -> Result<(), CannotChange> {
        let file = self.phone(name)?;
        let mut edits = vec![];
        {
            let read = file.parse()?;
            let part = part(&read, SECTION);
            let own = part.and_then(|part| users(part).find(|user| user.attribute("id") == Some(name)));
            let Some(user) = own else {
                return CannotChange::unsupported(format!("the directory has no phone {name}"));
            };
            let dial = login_dial_string();
            for (of, key, is) in
                [("variables", "user_context", HOTDESK_CONTEXT), ("params", "dial-string", dial.as_str())]
            {
                let present = value(user, of, key)
                    .and_then(|node| node.attributes().find(|attribute| attribute.name() == "value"));
                let one = of.trim_end_matches('s');
                edits.push(match (present, values(user, of).next()) {
                    (Some(present), _) => (present.range_value(), is.to_owned(), false),
                    (None, Some(first)) => {
                        let line = format!("<{one} name=\"{key}\" value=\"{is}\"/>");
                        (first.range(), line, true)
                    }
                    (None, None) => {
                        let line = read.text_pos_at(user.range().start).row as usize;
                        let why = format!("user {name} has no <{of}> with a <{one}> in it");
                        return Err(NotReadable::line(&file.path, line, why).into());
                    }
                });
            }
        }
        for (at, text, insert) in edits {
            match insert {
                true => file.insert(at.start, &text),
                false => file.replace(at, text),
            }
        }
        Ok(())
    }

    /// A new file beside that of a phone, which FreeSWITCH reads, too.
    pub(super) fn beside(&mut self, phone: &str, name: &str) -> Result<PathBuf, CannotChange> {
        let file = self.phone(phone)?;
        let path = file.path.with_file_name(name);
        match (file.by_pattern, path.exists()) {
            (true, false) => Ok(path),
            (true, true) => CannotChange::unsupported(format!(
                "Hotdesk is in this FreeSWITCH already: there is {}",
                path.display()
            )),
            (false, _) => CannotChange::unsupported(format!(
                "FreeSWITCH would not read a new file beside {}",
                file.path.display()
            )),
        }
    }

    pub(super) fn changed(&self) -> Vec<Changed> {
        self.files.iter().filter_map(File::changed).collect()
    }
}
