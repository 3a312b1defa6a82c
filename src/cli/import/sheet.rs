//! A CSV file as spreadsheets write them: with `,` or `;` between its cells, with or without a byte order mark.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context as _, bail};
use csv::{ByteRecord, ReaderBuilder};
use zeroize::Zeroizing;

/// The most that a file may hold: some hundred thousand rows.
const LIMIT: u64 = 64 * 1024 * 1024;
/// What may stand between cells.
const SEPARATORS: [u8; 3] = *b",;\t";

/// A file, cell by cell.
pub(super) struct Sheet {
    /// How it is called in messages.
    pub(super) file: String,
    /// Its first row.
    pub(super) header: Vec<String>,
    /// The others, as long as the header.
    pub(super) rows: Vec<Row>,
    /// Whether others than its owner may read it.
    pub(super) open: bool,
}

/// A row under the header.
pub(super) struct Row {
    /// Where it begins; the header is line 1.
    pub(super) line: usize,
    /// Without the blanks around them. One may be a PIN.
    pub(super) cells: Zeroizing<Vec<String>>,
}

/// Something in a file that cannot be.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Mistake {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) column: Option<String>,
    pub(super) what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, what } = self;
        match column {
            Some(column) => write!(f, "{file} line {line}, column {column}: {what}"),
            None => write!(f, "{file} line {line}: {what}"),
        }
    }
}

impl Sheet {
    /// Reads a file; what is wrong with its rows goes to `mistakes`.
    pub(super) fn read(path: &Path, mistakes: &mut Vec<Mistake>) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("{name} cannot be read"))?;
        let about = file.metadata().with_context(|| format!("{name} cannot be read"))?;
        // Room for all of it: what grows leaves copies behind.
        let room = usize::try_from(about.len().min(LIMIT)).unwrap_or_default() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(LIMIT + 1).read_to_end(&mut bytes).with_context(|| format!("{name} cannot be read"))?;
        if bytes.len() as u64 > LIMIT {
            bail!("{name} holds more than {} MiB: split it", LIMIT / 1024 / 1024);
        }
        let open = about.permissions().mode() & 0o044 != 0;
        Ok(Self { open, ..Self::parse(name, &bytes, mistakes)? })
    }

    fn parse(file: String, bytes: &[u8], mistakes: &mut Vec<Mistake>) -> anyhow::Result<Self> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            bail!("{file} is in UTF-16: save it as \"CSV UTF-8\"");
        }
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let (text, told, mut lines) = told_separator(text);
        let separator = told.unwrap_or_else(|| separator(text));
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text);
        let (mut header, mut rows, mut counted) = (Vec::new(), Vec::new(), 0);
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).with_context(|| format!("{file} cannot be read"))? {
            let begins = record.position().map_or(0, csv::Position::byte);
            let begins = usize::try_from(begins).unwrap_or(usize::MAX);
            // The reader counts the ends of lines, and blank ones, in before the row that follows.
            let rest = text.get(begins..).unwrap_or_default();
            let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            lines += newlines(text.get(counted..begins + blank));
            counted = begins + blank;
            if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            let mut row = Row { line: lines, cells: Zeroizing::new(Vec::with_capacity(record.len())) };
            for (at, cell) in record.iter().enumerate() {
                match std::str::from_utf8(cell) {
                    Ok(cell) => row.cells.push(cell.trim().to_owned()),
                    Err(error) => {
                        let byte = cell.get(error.valid_up_to()).copied().unwrap_or_default();
                        let what = format!(
                            "byte {} of it, 0x{byte:02X}, is not UTF-8: save the file as \"CSV UTF-8\"",
                            error.valid_up_to() + 1
                        );
                        let column = header.get(at).cloned().or_else(|| Some(format!("number {}", at + 1)));
                        mistakes.push(Mistake { file: file.clone(), line: row.line, column, what });
                        row.cells.push(String::new());
                    }
                }
            }
            if header.is_empty() {
                header = row.cells.iter().map(|cell| cell.to_lowercase()).collect();
                while header.last().is_some_and(String::is_empty) {
                    header.pop();
                }
                continue;
            }
            while row.cells.len() > header.len() && row.cells.last().is_some_and(String::is_empty) {
                row.cells.pop();
            }
            if row.cells.len() == header.len() {
                rows.push(row);
            } else {
                let what = format!(
                    "it has {} cells, and the header {}: a cell with {:?} or a quotation mark in it takes \
                     quotation marks around it",
                    row.cells.len(),
                    header.len(),
                    char::from(separator)
                );
                mistakes.push(Mistake { file: file.clone(), line: row.line, column: None, what });
            }
        }
        if header.is_empty() {
            bail!("{file} is empty: its first line names its columns");
        }
        Ok(Self { file, header, rows, open: false })
    }

    /// A mistake in a row of this file.
    pub(super) fn mistake(&self, line: usize, column: Option<usize>, what: impl fmt::Display) -> Mistake {
        let column = column.and_then(|at| self.header.get(at).cloned());
        Mistake { file: self.file.clone(), line, column, what: what.to_string() }
    }
}

/// `sep=;` before the header, as a spreadsheet reads it; the rest, and the line that it begins at.
fn told_separator(text: &[u8]) -> (&[u8], Option<u8>, usize) {
    match text {
        [b's', b'e', b'p', b'=', separator, rest @ ..] if SEPARATORS.contains(separator) => {
            (rest, Some(*separator), 1)
        }
        _ => (text, None, 1),
    }
}

/// What stands between the cells of the header: whatever is there most often.
fn separator(text: &[u8]) -> u8 {
    let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let often = |separator: &u8| header.iter().filter(|byte| *byte == separator).count();
    // Of those that are there as often, here none, the first.
    SEPARATORS.into_iter().rev().max_by_key(often).unwrap_or(b',')
}

fn newlines(text: Option<&[u8]>) -> usize {
    text.unwrap_or_default().iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &[u8]) -> (Sheet, Vec<String>) {
        let mut mistakes = vec![];
        let sheet = Sheet::parse("f".into(), text, &mut mistakes).unwrap();
        (sheet, mistakes.iter().map(ToString::to_string).collect())
    }

    fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
        let (sheet, mistakes) = parsed(text.as_bytes());
        assert_eq!(mistakes, [""; 0]);
        sheet.rows.iter().map(|row| (row.line, row.cells.to_vec())).collect()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let zoe = vec![(2, vec!["101".to_owned(), "Zoë, \"Z\"".to_owned()])];
        assert_eq!(rows("extension,name\n101,\"Zoë, \"\"Z\"\"\"\n"), zoe);
        assert_eq!(rows("\u{FEFF}extension;Name\r\n101;\"Zoë, \"\"Z\"\"\"\r\n"), zoe);
        assert_eq!(rows("extension\tname\n 101 \tZoë, \"Z\""), zoe);
        let (sheet, _) = parsed("\u{FEFF}Extension;NAME;;\r\n".as_bytes());
        assert_eq!(sheet.header, ["extension", "name"]);
        assert_eq!(rows("sep=;\r\nextension;name\r\n101;x"), [(3, vec!["101".into(), "x".into()])]);
    }

    #[test]
    fn every_row_has_the_line_that_an_editor_shows() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b", "1,x", "", "2,\"two", "lines\"", "", ",", "3,z", ""].join(end);
            let lines: Vec<usize> = rows(&text).into_iter().map(|(line, _)| line).collect();
            assert_eq!(lines, [2, 4, 8], "{end:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let (_, mistakes) = parsed(b"extension;name\n101;Zo\xEB\n102;a;b\n103\n104;\"never ends;\n105;x\n");
        assert_eq!(
            mistakes,
            [
                "f line 2, column name: byte 3 of it, 0xEB, is not UTF-8: save the file as \"CSV UTF-8\"",
                "f line 3: it has 3 cells, and the header 2: a cell with ';' or a quotation mark in it takes quotation \
                 marks around it",
                "f line 4: it has 1 cells, and the header 2: a cell with ';' or a quotation mark in it takes quotation \
                 marks around it",
            ]
        );
        for (bytes, why) in [(&b""[..], "empty"), (b"\n\n", "empty"), (b"\xFF\xFEe\0", "UTF-16")] {
            let error = Sheet::parse("f".into(), bytes, &mut vec![]).err().unwrap().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
