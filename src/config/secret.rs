//! Secrets in files of their own, which only we may read.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::ConfigError;

/// A password; wiped when dropped, and shown as `***`.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Bytes that a file may hold; AMI takes no longer line.
    const MOST: u64 = 1000;

    /// Reads the one line of `path`.
    ///
    /// # Errors
    /// [`ConfigError::Secret`] when it cannot be read, is empty, longer than a line, or open to others.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bad = |why: String| ConfigError::Secret(path.into(), why);
        let unreadable = |error: std::io::Error| {
            bad(format!("cannot be read: {error}; it takes the switch's secret for us, one line"))
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            let path = path.display();
            return Err(bad(format!(
                "holds a secret, and others may read or write it (mode {:03o}): chmod 600 {path}",
                mode & 0o777
            )));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(Self::MOST + 1).read_to_string(&mut text).map_err(unreadable)?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(bad("is empty: write the secret into it, one line".into()));
        }
        if text.len() as u64 > Self::MOST || line.chars().any(char::is_control) {
            return Err(bad("holds more than a secret: it takes one line without control characters".into()));
        }
        Ok(Self(Zeroizing::new(line.into())))
    }

    /// The secret, for the one place that proves we know it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(holds: &str, mode: u32) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ami.secret");
        std::fs::write(&path, holds).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        Secret::read(&path).map(|s| s.reveal().to_owned()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_secret_is_the_line_without_its_end() {
        for holds in ["s3cret", "s3cret\n", "s3cret\r\n"] {
            assert_eq!(read(holds, 0o600), Ok("s3cret".into()));
        }
        assert_eq!(read(" spaces stay ", 0o400), Ok(" spaces stay ".into()));
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused_with_the_fix() {
        for mode in [0o640, 0o604, 0o644, 0o660] {
            let error = read("s3cret", mode).unwrap_err();
            assert!(error.contains("chmod 600 ") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_shown() {
        for holds in ["", "\n", "two\nlines\n", "with\ttab", "\n\n", "x".repeat(1001).as_str()] {
            let error = read(holds, 0o600).unwrap_err();
            assert!(!error.contains("tab") && !error.contains("xxx"), "{error}");
        }
        assert!(Secret::read(Path::new("/nonexistent/secret")).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", Secret(Zeroizing::new("s3cret".into()))), "***");
    }
}
