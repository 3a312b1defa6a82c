//! Reads CSV as spreadsheets write it: cells separated by `,`, `;` or a tab, with or without a byte order mark.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use csv::{ReaderBuilder, StringRecord};
use zeroize::Zeroizing;

use crate::config::TextFile;

/// The largest file in bytes: some hundred thousand rows.
const LIMIT: u64 = 64 * 1024 * 1024;
/// Separators of cells.
const SEPARATORS: [u8; 3] = *b",;\t";

/// A file as rows of cells.
pub(super) struct Sheet {
    /// Its name in messages.
    pub(super) file: String,
    /// The first row, in lower case.
    pub(super) header: Vec<String>,
    /// The other rows, each as long as the header.
    pub(super) rows: Vec<Row>,
    /// Whether other users of this machine may read the file.
    pub(super) open: bool,
}

pub(super) struct Row {
    /// The line where the row begins; the first line of the file is 1.
    pub(super) line: usize,
    /// The cells, trimmed. One may be a PIN, so they are wiped when dropped.
    pub(super) cells: Zeroizing<Vec<String>>,
}

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
    /// Reads a file, and adds what is wrong with its rows to `mistakes`.
    pub(super) fn read(path: &Path, mistakes: &mut Vec<Mistake>) -> Result<Self> {
        let name = path.display().to_string();
        let file = TextFile::read(path, LIMIT).map_err(|why| anyhow!("{name} {why}"))?;
        Ok(Self { open: file.mode & 0o044 != 0, ..Self::parse(name, &file.text, mistakes)? })
    }

    fn parse(file: String, text: &str, mistakes: &mut Vec<Mistake>) -> Result<Self> {
        let (separator, text) = separator(text.as_bytes());
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text);
        let (mut header, mut rows, mut counted, mut lines) = (Vec::new(), Vec::new(), 0, 1);
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).with_context(|| format!("cannot read {file}"))? {
            let begins = record.position().map_or(0, csv::Position::byte);
            let begins = usize::try_from(begins).unwrap_or(usize::MAX);
            // The reader counts the blank lines before a row as part of it.
            let rest = text.get(begins..).unwrap_or_default();
            let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            lines += newlines(text.get(counted..begins + blank));
            counted = begins + blank;
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let mut row = Row { line: lines, cells: Zeroizing::new(Vec::with_capacity(record.len())) };
            row.cells.extend(record.iter().map(|cell| cell.trim().to_owned()));
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
                    "the row has {} cells and the header {}: put quotation marks around a cell that contains {:?} or a \
                     quotation mark",
                    row.cells.len(),
                    header.len(),
                    char::from(separator)
                );
                mistakes.push(Mistake { file: file.clone(), line: row.line, column: None, what });
            }
        }
        ensure!(!header.is_empty(), "{file} is empty: its first line must name the columns");
        Ok(Self { file, header, rows, open: false })
    }

    pub(super) fn mistake(&self, line: usize, column: Option<usize>, what: impl fmt::Display) -> Mistake {
        let column = column.and_then(|at| self.header.get(at).cloned());
        Mistake { file: self.file.clone(), line, column, what: what.to_string() }
    }
}

/// The separator of a first line `sep=;`, as spreadsheets write it, and the text after it; else the one that is most
/// frequent in the header.
fn separator(text: &[u8]) -> (u8, &[u8]) {
    if let [b's', b'e', b'p', b'=', separator, rest @ ..] = text
        && SEPARATORS.contains(separator)
    {
        return (*separator, rest);
    }
    let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let frequency = |separator: &u8| header.iter().filter(|byte| *byte == separator).count();
    // The first of those that are equally frequent.
    (SEPARATORS.into_iter().rev().max_by_key(frequency).unwrap_or(b','), text)
}

/// Counts the ends of lines: `\n`, `\r\n`, or `\r` alone as old spreadsheets for the Mac write it.
fn newlines(text: Option<&[u8]>) -> usize {
    let text = text.unwrap_or_default();
    let ends = text.iter().zip(text.iter().skip(1).chain([&b' ']));
    ends.filter(|pair| matches!(pair, (b'\n', _) | (b'\r', ..=b'\t' | 0x0B..))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Sheet {
        let mut mistakes = vec![];
        let sheet = Sheet::parse("f".into(), text, &mut mistakes).unwrap();
        assert!(mistakes.is_empty(), "{mistakes:?}");
        sheet
    }

    fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
        let sheet = parsed(text);
        sheet.rows.iter().map(|row| (row.line, row.cells.to_vec())).collect()
    }

    #[test]
    fn files_of_common_spreadsheets_are_read() {
        let zoe = vec![(2, vec!["101".to_owned(), "Zoë, \"Z\"".to_owned()])];
        assert_eq!(rows("extension,name\n101,\"Zoë, \"\"Z\"\"\"\n"), zoe);
        assert_eq!(rows("\u{FEFF}extension;Name\r\n101;\"Zoë, \"\"Z\"\"\"\r\n"), zoe);
        assert_eq!(rows("extension\tname\n 101 \tZoë, \"Z\""), zoe);
        assert_eq!(parsed("\u{FEFF}Extension;NAME;;\r\n").header, ["extension", "name"]);
        assert_eq!(rows("sep=;\r\nextension;name\r\n101;x"), [(3, vec!["101".into(), "x".into()])]);
    }

    #[test]
    fn every_row_has_the_line_that_an_editor_shows() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "1,x", "", "2,\"two", "lines\"", "", ",", "3,z", ""].join(end);
            let lines: Vec<usize> = rows(&text).into_iter().map(|(line, _)| line).collect();
            assert_eq!(lines, [2, 4, 8], "{end:?}");
        }
    }

    #[test]
    fn a_file_without_a_header_is_refused() {
        for text in ["", "\n\n", "\u{A0},\r"] {
            let error = Sheet::parse("f".into(), text, &mut vec![]).err().unwrap().to_string();
            assert!(error.contains("empty"), "{error}");
        }
    }
}
