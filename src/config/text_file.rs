//! Text files of administrators, as editors and spreadsheets write them. Every text file is read here.
//!
//! UTF-8 is read, with or without a byte order mark. What is in another encoding is refused with the reason: read as
//! something else, a secret would be wrong, and a name misspelt.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

/// A text file as it was read.
pub struct TextFile {
    /// Its text, without the byte order mark. It may hold a secret, so it is wiped when dropped.
    pub text: Zeroizing<String>,
    /// Its permissions, as `chmod` writes them.
    pub mode: u32,
}

/// Why a file cannot be used. Shows nothing of what it holds but one byte that is not UTF-8.
#[derive(Debug, thiserror::Error)]
pub enum NotText {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It has more bytes than any file of its kind.
    #[error("is larger than {0} bytes: is it the right file?")]
    TooLarge(u64),
    /// Two bytes for each character.
    #[error("is in UTF-16: save it as UTF-8 (in a spreadsheet, as \"CSV UTF-8\")")]
    Utf16,
    /// It is not a text.
    #[error("holds a NUL byte in line {0}, so it is no text in UTF-8: save it as UTF-8")]
    Nul(usize),
    /// Mostly an older encoding of western languages.
    #[error(
        "is not in UTF-8: byte {byte} of line {line} is 0x{value:02X}. Save it as UTF-8, not as Latin-1 or Windows-1252 (in a \
         spreadsheet, as \"CSV UTF-8\")"
    )]
    Encoding {
        /// The first line is 1.
        line: usize,
        /// The place in the line; the first byte is 1.
        byte: usize,
        /// The byte.
        value: u8,
    },
}

impl TextFile {
    /// Reads the file at `path`, of `most` bytes at the most.
    ///
    /// # Errors
    /// [`NotText`] when it cannot be read, is larger, or is not a text in UTF-8.
    pub fn read(path: &Path, most: u64) -> Result<Self, NotText> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        // Reserved at once: a buffer that grows leaves copies of secrets in memory.
        let room = usize::try_from(about.len().min(most)).unwrap_or_default() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(NotText::TooLarge(most));
        }
        let text = Zeroizing::new(text(&bytes)?.to_owned());
        Ok(Self { text, mode: about.permissions().mode() & 0o777 })
    }
}

/// The text in the bytes of a file.
fn text(bytes: &[u8]) -> Result<&str, NotText> {
    // Without its mark, every second byte of a text with ASCII characters is zero.
    let unmarked = |pair: &[u8]| matches!(pair, [0, other] | [other, 0] if *other != 0);
    if matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])
        || bytes.get(..4).is_some_and(|first| first.chunks(2).all(unmarked))
    {
        return Err(NotText::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let line = |upto: &[u8]| upto.iter().filter(|byte| **byte == b'\n').count() + 1;
    let upto = |at: usize| bytes.get(..at).unwrap_or_default();
    if let Some(at) = memchr::memchr(0, bytes) {
        return Err(NotText::Nul(line(upto(at))));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = upto(error.valid_up_to());
        NotText::Encoding {
            line: line(before),
            byte: before.len() - memchr::memrchr(b'\n', before).map_or(0, |end| end + 1) + 1,
            value: bytes.get(error.valid_up_to()).copied().unwrap_or_default(),
        }
    })
}

/// The text with `\n` at the end of each line, in place of `\r\n` and of `\r` alone.
pub(super) fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text as UTF-16, with the low or the high byte first.
    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf8_is_read_with_and_without_a_mark() {
        for (bytes, read) in
            [(&b""[..], ""), (b"a", "a"), (b"\xEF\xBB\xBFa\r\n", "a\r\n"), ("é€😀".as_bytes(), "é€😀")]
        {
            assert_eq!(text(bytes).unwrap(), read);
        }
        assert_eq!(with_line_feeds("a\r\nb\rc\nd"), "a\nb\nc\nd");
    }

    #[test]
    fn other_encodings_are_refused_with_the_reason_and_without_the_text() {
        for little in [true, false] {
            for marked in [utf16("\u{FEFF}s3cret\n", little), utf16("s3cret\n", little)] {
                assert!(matches!(text(&marked), Err(NotText::Utf16)), "{marked:?}");
            }
        }
        for (bytes, why) in [
            (&b"name\ns3cret Zo\xEB\n"[..], "byte 10 of line 2 is 0xEB. Save it as UTF-8, not as Latin-1"),
            (b"s3cret \x80", "byte 8 of line 1 is 0x80"),
            (b"s3cret\n\xC3", "byte 1 of line 2 is 0xC3"),
            (b"s3cret\n\0", "NUL byte in line 2"),
            (b"\xED\xA0\x80", "byte 1 of line 1 is 0xED"),
        ] {
            let error = text(bytes).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_file_has_a_bound() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "12345").unwrap();
        assert_eq!(*TextFile::read(file.path(), 5).unwrap().text, "12345");
        assert!(matches!(TextFile::read(file.path(), 4), Err(NotText::TooLarge(4))));
        assert!(matches!(TextFile::read(Path::new("/"), 4), Err(NotText::Unreadable(_))));
        assert!(matches!(TextFile::read(Path::new("/dev/zero"), 4), Err(NotText::TooLarge(4))));
    }
}
