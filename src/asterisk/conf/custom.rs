//! The files of a FreePBX that are the site's own, `*_custom.conf`: FreePBX writes all others again at each *Apply Config*.

use std::path::Path;

use super::manager::{self, ManagerAddress};
use super::tree::Tree;
use crate::asterisk::dialplan::includes;
use crate::switch::config_file::{CannotChange, Changed};

const EXTENSIONS: &str = "extensions_custom.conf";
const MANAGER: &str = "manager_custom.conf";

/// What `hotdesk init` reads of a FreePBX's files, and changes in its own ones.
#[derive(Debug)]
pub struct Custom {
    extensions: Tree,
    manager: Tree,
    address: ManagerAddress,
}

impl Custom {
    /// Reads the files in the folder of Asterisk's configuration.
    ///
    /// # Errors
    /// [`CannotChange`] names the file and what cannot be read in it, or that FreePBX does not include it.
    pub fn read(folder: &Path) -> Result<Self, CannotChange> {
        let all = Tree::read(folder, "manager.conf")?;
        let extensions = Tree::read(folder, EXTENSIONS)?;
        manager::refuse_files(folder, &[&extensions, &all])?;
        manager::refuse_user(&all)?;
        if let Some(flaw) = includes::flaw(folder, EXTENSIONS) {
            return CannotChange::unsupported(flaw);
        }
        if !all.has_file(MANAGER) {
            return CannotChange::unsupported(format!("{} does not include {MANAGER}", all.path().display()));
        }
        Ok(Self { extensions, manager: Tree::read(folder, MANAGER)?, address: ManagerAddress::of(&all) })
    }

    /// Where the manager interface listens.
    #[must_use]
    pub fn manager(&self) -> &ManagerAddress {
        &self.address
    }

    /// The changes: one line at the end of each file.
    #[must_use]
    pub fn change(mut self) -> Vec<Changed> {
        self.extensions.append("\n#include \"hotdesk.conf\"");
        self.manager.append("\n#include \"hotdesk-manager.conf\"");
        [self.extensions, self.manager].iter().flat_map(Tree::changed).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The changed files, by name, or why they are not changed.
    fn changed(files: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let custom = Custom::read(folder.path()).map_err(|error| error.to_string())?;
        assert_eq!(custom.manager().port, "5039");
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        Ok(custom.change().into_iter().map(|it| (name(&it.path), it.after)).collect())
    }

    const MAIN: [(&str, &str); 2] = [
        ("extensions.conf", "#include extensions_additional.conf\n#include extensions_custom.conf\n"),
        ("manager.conf", "[general]\nenabled = yes\nport = 5039\n#include manager_custom.conf\n"),
    ];

    #[test]
    fn one_line_is_added_to_each_file_of_the_site() {
        let files = [
            MAIN[0],
            MAIN[1],
            ("extensions_additional.conf", "; what FreePBX writes is not read: ${\n"),
            ("extensions_custom.conf", "[from-internal-custom]\r\nexten => 601,1,Echo()"),
            ("manager_custom.conf", ""),
        ];
        let include = |end: &str, file: &str| format!("{end}#include \"{file}\"{end}");
        let after = format!(
            "{}\r\n{}",
            "[from-internal-custom]\r\nexten => 601,1,Echo()",
            include("\r\n", "hotdesk.conf")
        );
        assert_eq!(
            changed(&files).unwrap(),
            [
                ("extensions_custom.conf".to_owned(), after),
                ("manager_custom.conf".to_owned(), include("\n", "hotdesk-manager.conf")),
            ]
        );
    }

    #[test]
    fn what_would_not_be_read_is_not_changed() {
        let custom = ("extensions_custom.conf", "[from-internal-custom]\n");
        let additional = ("extensions_additional.conf", "");
        let manager = ("manager_custom.conf", "");
        for (files, why) in [
            (vec![MAIN[0], MAIN[1], additional, manager], "extensions_custom.conf: "),
            (
                vec![("extensions.conf", "[a]\n"), MAIN[1], custom, manager],
                "does not include extensions_custom.conf",
            ),
            (
                vec![MAIN[0], ("manager.conf", "[general]\nport=5039\n"), additional, custom, manager],
                "does not include manager_custom.conf",
            ),
            (
                vec![MAIN[0], MAIN[1], additional, custom, ("manager_custom.conf", "[hotdesk]\nsecret=x\n")],
                "there is a user hotdesk already",
            ),
            (
                vec![MAIN[0], MAIN[1], additional, manager, (custom.0, "[a]\n;-- this is not over\n")],
                "a block comment (;--) is not closed",
            ),
            (
                vec![MAIN[0], MAIN[1], additional, custom, manager, ("hotdesk.conf", "")],
                "Hotdesk is in this Asterisk already",
            ),
        ] {
            let said = changed(&files).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
