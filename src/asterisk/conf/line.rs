//! One line of a configuration file of Asterisk, and where its parts are (`main/config.c`; read the same on 16.28 and 22.10).

use std::ops::Range;

/// What a line says, without its comment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Line {
    /// Nothing: it is empty, or a comment.
    Blank,
    /// `[name](options)`
    Section { name: String, options: Vec<String> },
    /// `key = value` or `key => value`, and the place of the value in the line.
    Setting { key: String, value: String, at: Range<usize> },
    /// `#include name`; what it is, and the name without quotes.
    Directive { what: String, name: String },
    /// Anything else.
    Unknown,
}

/// The lines of a file, each read with the block comments (`;-- … --;`) before it; and whether one is still open at the end.
pub(super) fn lines<'a>(text: impl Iterator<Item = &'a str>) -> (Vec<Line>, bool) {
    let mut depth = 0;
    let lines = text.map(|line| read(line, &mut depth)).collect();
    (lines, depth > 0)
}

/// `depth` is how many block comments are open at the beginning of the line.
fn read(line: &str, depth: &mut usize) -> Line {
    let Some(said) = uncommented(line, depth) else { return Line::Unknown };
    let start = line.get(said.clone()).map_or(0, |it| it.len() - it.trim_start().len()) + said.start;
    let text = line.get(said).unwrap_or_default().trim();
    if text.is_empty() {
        return Line::Blank;
    }
    if let Some(rest) = text.strip_prefix('[') {
        return section(rest).unwrap_or(Line::Unknown);
    }
    if text.starts_with('#') {
        let (what, name) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let name = name.trim().trim_matches(['"', '\'', '<', '>']);
        return Line::Directive { what: what.into(), name: name.into() };
    }
    let Some((key, value)) = text.split_once('=') else { return Line::Unknown };
    let value = value.strip_prefix('>').unwrap_or(value).trim_start();
    let from = start + text.len() - value.len();
    Line::Setting {
        key: key.trim().to_ascii_lowercase(),
        value: value.replace("\\;", ";"),
        at: from..from + value.len(),
    }
}

fn section(rest: &str) -> Option<Line> {
    let (name, after) = rest.split_once(']')?;
    let options = match after.trim() {
        "" => vec![],
        options => {
            let options = options.strip_prefix('(')?.strip_suffix(')')?;
            options.split(',').map(|option| option.trim().to_owned()).collect()
        }
    };
    Some(Line::Section { name: name.into(), options })
}

/// The part of the line that is no comment; none if a block comment ends within it and something follows.
fn uncommented(line: &str, depth: &mut usize) -> Option<Range<usize>> {
    if *depth > 0 {
        let (opened, closed) = (line.matches(";--").count(), line.matches("--;").count());
        *depth = (*depth + opened).saturating_sub(closed);
        let behind = line.rsplit_once("--;").map_or("", |(_, behind)| behind).trim();
        return (*depth > 0 || behind.is_empty()).then_some(0..0);
    }
    let mut before = ' ';
    for (at, sign) in line.char_indices() {
        if sign == ';' && before != '\\' {
            let comment = line.get(at..).unwrap_or_default();
            if comment.starts_with(";--") && !comment.starts_with(";---") {
                *depth = 1;
                return match comment.split_once("--;") {
                    Some((_, behind)) => {
                        *depth = 0;
                        behind.trim().is_empty().then_some(0..at)
                    }
                    None => Some(0..at),
                };
            }
            return Some(0..at);
        }
        before = sign;
    }
    Some(0..line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_asterisk_reads_it() {
        let section = |name: &str, options: &[&str]| Line::Section {
            name: name.into(),
            options: options.iter().map(|it| (*it).to_owned()).collect(),
        };
        let setting = |key: &str, value: &str, at: Range<usize>| Line::Setting {
            key: key.into(),
            value: value.into(),
            at,
        };
        let directive = |what: &str, name: &str| Line::Directive { what: what.into(), name: name.into() };
        for (line, read) in [
            ("", Line::Blank),
            ("  ; [phones]\n", Line::Blank),
            ("[phones]\r\n", section("phones", &[])),
            ("[202](!, base) ; Bob\n", section("202", &["!", "base"])),
            ("context=phones\n", setting("context", "phones", 8..14)),
            ("  Context = phones ; of all\n", setting("context", "phones", 12..18)),
            ("exten => 202,1,Dial(PJSIP/202)\n", setting("exten", "202,1,Dial(PJSIP/202)", 9..30)),
            ("secret = a\\;b\n", setting("secret", "a;b", 9..13)),
            ("callerid=é <1>;x", setting("callerid", "é <1>", 9..15)),
            ("#include \"a b.conf\" ; ours\n", directive("#include", "a b.conf")),
            ("#exec /bin/print\n", directive("#exec", "/bin/print")),
            ("[phones\n", Line::Unknown),
            ("[phones] (x\n", Line::Unknown),
            ("no setting\n", Line::Unknown),
            (";-- all of this --;\n", Line::Blank),
            (";-- this --; a = b\n", Line::Unknown),
            (";---- a headline\n", Line::Blank),
        ] {
            assert_eq!(lines([line].into_iter()), (vec![read], false), "{line:?}");
        }
        let block = ";-- begins\n[phones]\n--;\n[b]\n";
        let read = lines(block.split_inclusive('\n'));
        assert_eq!(read, (vec![Line::Blank, Line::Blank, Line::Blank, section("b", &[])], false));
        assert_eq!(lines([";-- begins\n", "[phones]\n"].into_iter()), (vec![Line::Blank, Line::Blank], true));
    }
}
