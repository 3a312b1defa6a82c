//! Whether the files that `extensions.conf` includes are there, and `hotdesk.conf` among them: else a reload would be refused, or
//! would remove Hotdesk's dialplan.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::switch::config_file::named;

/// What a reload reads first.
const MAIN: &str = "extensions.conf";
/// The most files to read.
const MOST: usize = 1000;

/// Why a reload would not load `file` of this folder, if that can be told: a file that is included is missing, or `file` is not
/// included. Without an `extensions.conf` in the folder nothing can be told.
#[must_use]
pub fn flaw(folder: &Path, file: &str) -> Option<String> {
    let (mut next, mut seen) = (vec![folder.join(MAIN)], BTreeSet::new());
    let (mut included, mut sure) = (false, folder.join(MAIN).exists());
    while let Some(path) = next.pop() {
        if !seen.insert(path.clone()) || seen.len() > MOST {
            continue;
        }
        included |= path == folder.join(file);
        let Ok(text) = fs::read(&path) else {
            sure = false;
            continue;
        };
        for line in String::from_utf8_lossy(&text).lines().map(str::trim) {
            // What a program prints is not known.
            sure &= !line.starts_with("#exec");
            let Some((what, name)) = line.split_once(char::is_whitespace) else { continue };
            let must = match what {
                "#include" => true,
                "#tryinclude" => false,
                _ => continue,
            };
            let name = name.split(';').next().unwrap_or_default();
            let name = name.trim().trim_matches(['"', '<', '>', '\'']);
            let found = named(folder, name);
            if found.is_empty() && must && !name.contains(['*', '?', '[']) {
                let path = path.display();
                return Some(format!(
                    "{path} includes {name}, which is not there: Asterisk refuses to reload"
                ));
            }
            next.extend(found);
        }
    }
    let main = folder.join(MAIN);
    let lost = || format!("{} does not include {file}: a reload would not load it", main.display());
    (sure && !included).then(lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_include_is_named_and_what_cannot_be_told_is_not_claimed() {
        for (files, says) in [
            (&[("extensions.conf", "[a]\n#include \"hotdesk.conf\" ; ours\n")][..], None),
            (
                &[
                    ("extensions.conf", "#include <custom.conf>\n"),
                    ("custom.conf", "#include hotdesk.conf\n"),
                ],
                None,
            ),
            (&[("extensions.conf", "#include hot*.conf\n")], None),
            (&[("extensions.conf", "#tryinclude other.conf\n#include hotdesk.conf\n")], None),
            (&[("extensions.conf", "; #include hotdesk.conf\n")], Some("does not include hotdesk.conf")),
            (
                &[("extensions.conf", "#include hotdesk.conf.before\n")],
                Some("hotdesk.conf.before, which is not there"),
            ),
            (
                &[("extensions.conf", "#include hotdesk.conf\n#include other.conf\n")],
                Some("other.conf, which is not"),
            ),
            (&[("extensions.conf", "#exec /bin/print\n")], None),
            (&[("other.conf", "")], None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("hotdesk.conf"), "").unwrap();
            for (name, text) in files {
                fs::write(folder.path().join(name), text).unwrap();
            }
            let said = flaw(folder.path(), "hotdesk.conf");
            match says {
                None => assert_eq!(said, None, "{files:?}"),
                Some(says) => {
                    assert!(said.as_ref().is_some_and(|it| it.contains(says)), "{files:?}: {said:?}")
                }
            }
        }
    }
}
