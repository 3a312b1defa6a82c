//! Secrets in separate files, which only their owner may read.

use std::io::ErrorKind;
use std::path::Path;

use zeroize::Zeroizing;

use super::ConfigError;
use super::text_file::{NotText, TextFile};
use crate::model::label::changes_line;

/// The largest file in bytes; AMI accepts no longer line.
const MOST: u64 = 1000;
const SEVERAL: &str =
    "holds more than one secret: write one line without control characters and invisible ones";

/// Reads a secret, the one line of the file at `path` without the blanks around it. `key` of the configuration names the file.
///
/// # Errors
/// [`ConfigError::NoSecret`] when there is no such file; [`ConfigError::Secret`] when it cannot be read, is no text, is empty or
/// more than a line, or other users may read it. None of them shows what it holds.
pub fn read_secret(path: &Path, key: &'static str) -> Result<Zeroizing<String>, ConfigError> {
    let bad = |why: String| ConfigError::Secret(path.into(), why);
    let file = TextFile::read(path, MOST).map_err(|why| match why {
        NotText::Unreadable(error) if error.kind() == ErrorKind::NotFound => ConfigError::NoSecret(key),
        NotText::TooLarge(_) => bad(SEVERAL.into()),
        why => bad(why.to_string()),
    })?;
    if file.mode & 0o077 != 0 {
        let path = path.display();
        return Err(bad(format!(
            "holds a secret, and other users may read or write it (mode {:03o}): chmod 600 {path}",
            file.mode
        )));
    }
    // Asterisk cuts blanks off in manager.conf, too; and no editor shows those at the end.
    let line = file.text.trim();
    if line.is_empty() {
        return Err(bad("is empty: write the secret into it, one line".into()));
    }
    if line.chars().any(changes_line) {
        return Err(bad(SEVERAL.into()));
    }
    Ok(Zeroizing::new(line.into()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(holds: &str, mode: u32) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ami.secret");
        std::fs::write(&path, holds).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        read_secret(&path, "ami_secret_file")
            .map(|secret| secret.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_the_line_without_its_end() {
        for holds in
            ["s3cret", "s3cret\n", "s3cret\r\n", "\u{FEFF}s3cret\r\n", " s3cret \t\n\n", "s3cret\u{A0}\r"]
        {
            assert_eq!(read(holds, 0o600), Ok("s3cret".into()), "{holds:?}");
        }
        assert_eq!(read("blanks  inside, é€", 0o400), Ok("blanks  inside, é€".into()));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_fix() {
        for mode in [0o640, 0o604, 0o644, 0o660] {
            let error = read("s3cret", mode).unwrap_err();
            assert!(error.contains("chmod 600 ") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_wrong_secret_is_refused_without_being_shown() {
        for holds in
            ["", "\n", "two\nlines\n", "with\ttab", "\n\n", " ", "x\u{200B}tab", "x".repeat(1001).as_str()]
        {
            let error = read(holds, 0o600).unwrap_err();
            assert!(!error.contains("tab") && !error.contains("xxx"), "{error}");
        }
        // A secret in place of the name of its file.
        let error = read_secret(Path::new("/etc/hotdesk/s3cret"), "ami_secret_file").unwrap_err().to_string();
        assert!(
            error.contains("the file that ami_secret_file names") && !error.contains("s3cret"),
            "{error}"
        );
    }
}
