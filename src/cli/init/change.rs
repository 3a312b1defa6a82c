//! A change of a file, as it is shown and written.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use similar::TextDiff;

use crate::switch::config_file::Changed;

/// The text that a file is to have.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// None: it is a new file.
    pub(super) before: Option<String>,
    pub(super) after: String,
    /// Whether it is written only when the switch has read the others.
    pub(super) late: bool,
}

impl From<Changed> for Change {
    fn from(Changed { path, before, after }: Changed) -> Self {
        Self { path, before: Some(before), after, late: false }
    }
}

/// Settings whose value is not shown.
const SECRET: [&str; 4] = ["secret", "password", "md5_cred", "md5secret"];
/// The same in XML: the names of `<param name= value=/>`.
const SECRET_PARAMS: [&str; 4] = ["password", "vm-password", "a1-hash", "esl-password"];

impl Change {
    pub(super) fn new(path: &Path, after: String) -> Self {
        Self { path: path.into(), before: None, after, late: false }
    }

    /// Prints the change as a unified diff, without secrets.
    pub(super) fn show(&self, out: &mut dyn Write) -> Result<()> {
        let path = self.path.display().to_string();
        let before = self.before.as_ref().map_or("/dev/null", |_| path.as_str());
        let (was, is) = (masked(self.before.as_deref().unwrap_or_default()), masked(&self.after));
        write!(
            out,
            "{}",
            TextDiff::from_lines(&was, &is).unified_diff().context_radius(3).header(before, &path)
        )?;
        Ok(())
    }
}

/// The text with asterisks in place of secrets.
fn masked(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((key, _))
            if SECRET.contains(&key.trim().trim_start_matches(';').trim().to_ascii_lowercase().as_str()) =>
        {
            format!("{key}= ********{}", if line.ends_with('\n') { "\n" } else { "" })
        }
        _ if SECRET_PARAMS.iter().any(|name| line.contains(&format!("name=\"{name}\""))) => {
            let (before, after) = line.split_once("value=\"").unwrap_or((line, ""));
            format!("{before}value=\"********\"{}", after.split_once('"').map_or("\n", |(_, after)| after))
        }
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_names_the_file_and_shows_no_secret() {
        let change = Change {
            path: "/etc/asterisk/pjsip.conf".into(),
            before: Some("[202]\npassword=pw-202\ncontext=phones\n;secret = old\n".into()),
            after: "[202]\npassword=pw-202\ncontext=hotdesk\n;secret = old\n".into(),
            late: false,
        };
        let mut shown = vec![];
        change.show(&mut shown).unwrap();
        assert_eq!(
            String::from_utf8(shown).unwrap(),
            "--- /etc/asterisk/pjsip.conf\n+++ /etc/asterisk/pjsip.conf\n@@ -1,4 +1,4 @@\n [202]\n password= ********\n\
             -context=phones\n+context=hotdesk\n ;secret = ********\n"
        );
    }
}
