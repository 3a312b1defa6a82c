//! What a person reads, out of files of many kinds: paragraphs, headings, cells, comments and messages.

use std::sync::LazyLock;

use regex::{Captures, Regex};

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

static SENTENCE_END: LazyLock<Regex> = LazyLock::new(|| regex(r#"[.!?]["')\]*]*\s+"#));
static LIST_ITEM: LazyLock<Regex> = LazyLock::new(|| regex(r"^(?:[-*+]|\d+[.)])\s+"));
static ADDRESS_OR_TAG: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\]\([^)]*\)|https?://\S+|<[a-zA-Z/!][^>]*>"));
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| regex(r"\{[^{}\s]*\}|\\[nrt]"));
static XML_COMMENT: LazyLock<Regex> = LazyLock::new(|| regex(r"(?s)<!--(.*?)-->"));
static RUST_TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r###"(?xs)
        (?P<line>//[^\n]*)
        | /\*(?P<block>.*?)\*/
        | \br(?:"(?P<bare>[^"]*)"|\#"(?P<hashed>.*?)"\#|\#\#".*?"\#\#)
        | \bfn\s(?P<function>\w+)
        | "(?P<string>(?:[^"\\]|\\.)*)"
        | '(?:\\[^\n]+?|[^'\\\n])'"###,
    )
});

/// A paragraph, heading, list item, table cell or message. Code and addresses in it are masked by asterisks.
pub struct Block {
    pub text: String,
    pub heading: bool,
    /// A string or a name in Rust: words are checked, length is not.
    pub message: bool,
    /// Where in `text` each line of the file begins.
    lines: Vec<(usize, usize)>,
}

impl Block {
    fn new(line: usize) -> Self {
        Self { text: String::new(), heading: false, message: false, lines: vec![(0, line)] }
    }

    fn push(&mut self, line: usize, text: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.lines.push((self.text.len(), line));
        self.text.push_str(text.trim());
    }

    /// The line of the file that holds the byte `at` of the text.
    pub fn line(&self, at: usize) -> usize {
        self.lines.iter().rev().find(|(start, _)| *start <= at).unwrap().1
    }

    pub fn sentences(&self) -> Vec<(usize, &str)> {
        let mut start = 0;
        let mut found = vec![];
        for stop in SENTENCE_END.find_iter(&self.text) {
            found.push((start, &self.text[start..stop.end()]));
            start = stop.end();
        }
        found.push((start, &self.text[start..]));
        found
    }
}

pub fn numbered(content: &str) -> Vec<(usize, &str)> {
    content.lines().enumerate().map(|(at, line)| (at + 1, line)).collect()
}

/// Overwrites each match with as many asterisks, which are part of no word.
fn mask(text: &mut String, regex: &Regex) {
    *text = regex.replace_all(text, |found: &Captures| "*".repeat(found[0].len())).into_owned();
}

/// Overwrites code spans, whose ends are as many backticks as their beginnings.
fn mask_code(text: &mut String) {
    let mut at = 0;
    while let Some(open) = text[at..].find('`').map(|found| at + found) {
        let ticks = text[open..].bytes().take_while(|byte| *byte == b'`').count();
        let inside = open + ticks;
        let Some(close) = text[inside..].find(&"`".repeat(ticks)).map(|found| inside + found) else { return };
        at = close + ticks;
        text.replace_range(open..at, &"*".repeat(at - open));
    }
}

fn finish(mut block: Block, found: &mut Vec<Block>) {
    mask_code(&mut block.text);
    mask(&mut block.text, &ADDRESS_OR_TAG);
    if block.text.contains(char::is_alphabetic) {
        found.push(block);
    }
}

/// The blocks of Markdown; code is left out.
pub fn markdown(lines: Vec<(usize, &str)>) -> Vec<Block> {
    let mut found = vec![];
    let mut open: Option<Block> = None;
    let mut fence: Option<&str> = None;
    let mut inside_list = 0;
    for (number, line) in lines {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(mark) = fence {
            if text.starts_with(mark) {
                fence = None;
            }
            continue;
        }
        let ends_block = text.is_empty()
            || text.starts_with("```")
            || text.starts_with(['#', '|'])
            || LIST_ITEM.is_match(text);
        if ends_block && let Some(block) = open.take() {
            finish(block, &mut found);
        }
        if indent == 0 && !text.is_empty() && open.is_none() && !LIST_ITEM.is_match(text) {
            inside_list = 0;
        }
        if text.is_empty() || (open.is_none() && indent >= inside_list + 4) {
            continue;
        }
        if text.starts_with("```") {
            fence = Some("```");
        } else if text.starts_with('|') {
            let mut row = text.to_owned();
            mask_code(&mut row);
            for cell in row.replace(r"\|", "  ").split('|') {
                let mut block = Block::new(number);
                block.push(number, cell);
                finish(block, &mut found);
            }
        } else if text.starts_with("# ") || text.starts_with("##") {
            let mut block = Block { heading: true, ..Block::new(number) };
            block.push(number, text.trim_start_matches('#'));
            finish(block, &mut found);
        } else if let Some(mark) = LIST_ITEM.find(text) {
            inside_list = indent + mark.len();
            let mut block = Block::new(number);
            block.push(number, &text[mark.end()..]);
            open = Some(block);
        } else {
            open.get_or_insert_with(|| Block::new(number)).push(number, text);
        }
    }
    if let Some(block) = open {
        finish(block, &mut found);
    }
    found
}

/// Each line a block, for files whose values a person reads.
pub fn lines(content: &str) -> Vec<Block> {
    numbered(content)
        .into_iter()
        .flat_map(|line| markdown(vec![(line.0, line.1.trim_start_matches([' ', '#']))]))
        .collect()
}

/// The comments that have a line of their own and begin with `mark`; those on consecutive lines are one text.
pub fn comments(content: &str, mark: &str) -> Vec<Block> {
    let mut found = vec![];
    let mut group = vec![];
    for (number, line) in numbered(content) {
        match line.trim_start().strip_prefix(mark) {
            Some(text) if !text.starts_with('!') => {
                group.push((number, text.trim().trim_matches(['-', '=']).trim()))
            }
            _ => found.extend(markdown(std::mem::take(&mut group))),
        }
    }
    found.extend(markdown(group));
    found
}

pub fn xml(content: &str) -> Vec<Block> {
    XML_COMMENT
        .captures_iter(content)
        .flat_map(|found| {
            let inner = found.get(1).unwrap();
            let first = content[..inner.start()].matches('\n').count() + 1;
            markdown(inner.as_str().lines().enumerate().map(|(at, line)| (first + at, line.trim())).collect())
        })
        .collect()
}

/// The comments of Rust and the names of its functions, since a test's name is a sentence. With `messages` also its
/// strings of more than one word, up to its unit tests.
pub fn rust(content: &str, messages: bool) -> Vec<Block> {
    let tests = content.find("#[cfg(test)]\nmod ").unwrap_or(content.len());
    let mut found = vec![];
    let (mut line, mut counted) = (1, 0);
    // The open comment: its mark, its column, and its lines.
    let mut comment: (&str, usize, Vec<(usize, &str)>) = ("", 0, vec![]);
    for part in RUST_TOKEN.captures_iter(content) {
        let whole = part.get(0).unwrap();
        line += content[counted..whole.start()].matches('\n').count();
        counted = whole.start();
        if let Some(text) = part.name("line") {
            let mark = ["///", "//!", "//"].into_iter().find(|mark| text.as_str().starts_with(mark)).unwrap();
            let column = whole.start() - content[..whole.start()].rfind('\n').map_or(0, |at| at + 1);
            let follows = comment.2.last().is_some_and(|(last, _)| last + 1 == line);
            if !(follows && (comment.0, comment.1) == (mark, column)) {
                found.extend(markdown(std::mem::replace(&mut comment, (mark, column, vec![])).2));
            }
            let text = &text.as_str()[mark.len()..];
            comment.2.push((line, text.strip_prefix(' ').unwrap_or(text)));
        } else if let Some(text) = part.name("block") {
            found.extend(markdown(
                text.as_str().lines().enumerate().map(|(at, text)| (line + at, text.trim())).collect(),
            ));
        } else if let Some(name) = part.name("function") {
            let mut block = Block { message: true, ..Block::new(line) };
            block.push(line, &name.as_str().replace('_', " "));
            finish(block, &mut found);
        } else if messages && whole.start() < tests {
            let Some(text) = ["string", "bare", "hashed"].iter().find_map(|name| part.name(name)) else {
                continue;
            };
            if text.as_str().trim().contains(char::is_whitespace) {
                let mut block = Block { message: true, ..Block::new(line) };
                for (at, text) in text.as_str().lines().enumerate() {
                    block.push(line + at, text.trim_end_matches('\\'));
                }
                mask(&mut block.text, &PLACEHOLDER);
                finish(block, &mut found);
            }
        }
    }
    found.extend(markdown(comment.2));
    found
}
