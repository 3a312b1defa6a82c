//! The project's own style for prose (`.vale/styles/Hotdesk`), applied to everything a person reads.
//!
//! Vale reads the same rules. It also knows Markdown better, but it is in no package registry, so this test needs none.
//! `PROSE_LEVEL=suggestion cargo test --test prose -- --nocapture` shows advice too; only errors fail the test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod rules;
mod text;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rules::{Level, Rule};
use text::Block;

static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| rules::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".vale/styles/Hotdesk")));

/// What holds no prose of this project: build results, recorded traffic, the rules themselves, spoken prompts.
const SKIPPED: [&str; 6] = [".git", "target", "fixtures", ".vale", "sounds", "Cargo.lock"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if SKIPPED.iter().any(|name| path.file_name().is_some_and(|file| file == *name)) {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn blocks(path: &Path, content: &str) -> Vec<Block> {
    let name = path.to_string_lossy();
    let extension = name.trim_end_matches(".in").trim_end_matches(".example").rsplit('.').next().unwrap();
    match extension {
        "md" => text::markdown(text::numbered(content)),
        "rs" => text::rust(content, name.starts_with("src/") && !name.ends_with("tests.rs")),
        "yml" if name.starts_with(".github/") => text::lines(content),
        "lua" => text::comments(content, "--"),
        "conf" => text::comments(content, ";"),
        "xml" => text::xml(content),
        "toml" | "yml" | "sh" => text::comments(content, "#"),
        _ if content.starts_with("#!") || name.ends_with("Dockerfile") => text::comments(content, "#"),
        _ => vec![],
    }
}

/// One finding a line: `FILE:LINE: RULE: MESSAGE`.
fn findings(level: Level, path: &Path, content: &str) -> Vec<String> {
    let mut found = vec![];
    for block in blocks(path, content) {
        for rule in RULES.iter().filter(|rule| rule.level >= level) {
            for (line, message) in rule.check(&block) {
                found.push((line, format!("{}:{line}: {}: {message}", path.display(), rule.name)));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn everything_a_person_reads_follows_the_style() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let level = match std::env::var("PROSE_LEVEL").as_deref() {
        Ok("suggestion") => Level::Suggestion,
        _ => Level::Error,
    };
    let mut paths = vec![];
    files(root, &mut paths);
    paths.sort();

    let (mut errors, mut advice) = (String::new(), 0);
    for path in paths {
        let Ok(content) = fs::read_to_string(&path) else { continue };
        let relative = path.strip_prefix(root).unwrap();
        for finding in findings(Level::Error, relative, &content) {
            writeln!(errors, "{finding}").unwrap();
        }
        if level == Level::Suggestion {
            for finding in findings(level, relative, &content) {
                println!("{finding}");
                advice += 1;
            }
        }
    }
    if advice > 0 {
        println!("{advice} findings, advice included");
    }
    assert!(errors.is_empty(), "{} findings:\n{errors}", errors.lines().count());
}

/// The rules that `content` in `file` breaks, advice included.
fn broken(file: &str, content: &str) -> Vec<String> {
    let lines = findings(Level::Suggestion, Path::new(file), content);
    lines.iter().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn plain_text_passes() {
    let text = "# Log users out automatically\n\nHotdesk ends a session when the user is idle. The user logs in again.\n";
    assert_eq!(broken("docs/a.md", text), Vec::<String>::new());
    assert_eq!(
        broken("src/a.rs", "/// Ends the session.\nfn end() { log(\"the session ended\"); }\n"),
        Vec::<String>::new()
    );
}

#[test]
fn each_kind_of_rule_finds_its_word() {
    let text =
        "# What is where\n\nNobody knows,\nbut he sits there.\n\n| `a`, `b` | her row in `c` |\n|---|---|\n";
    assert_eq!(
        broken("docs/a.md", text),
        [
            "docs/a.md:1 Hotdesk.HeadingQuestion",
            "docs/a.md:3 Hotdesk.People",
            "docs/a.md:4 Hotdesk.Glossary",
            "docs/a.md:4 Hotdesk.Pronouns",
            "docs/a.md:6 Hotdesk.Pronouns",
        ]
    );
}

#[test]
fn a_phrase_is_found_across_lines() {
    assert_eq!(
        broken("docs/a.md", "The people\nwho\nsits\n")[1..],
        ["docs/a.md:2 Hotdesk.People", "docs/a.md:3 Hotdesk.Glossary"]
    );
}

#[test]
fn long_sentences_are_counted_each_by_itself() {
    let sentence = |words: usize| format!("{}.\n", vec!["word"; words].join(" "));
    assert_eq!(broken("docs/a.md", &sentence(25).repeat(3)), Vec::<String>::new());
    assert_eq!(broken("docs/a.md", &sentence(26)), ["docs/a.md:1 Hotdesk.SentenceLength"]);
    assert_eq!(
        broken("docs/a.md", &(sentence(3) + &sentence(41))),
        ["docs/a.md:2 Hotdesk.SentenceLength", "docs/a.md:2 Hotdesk.SentenceLimit",]
    );
}

#[test]
fn code_is_not_prose() {
    let text = "Use `nobody` or `a\nhe`:\n\n    whoever = him\n\n```\nhis\n```\n\n[a link](https://example.net/he) https://example.net/his\n";
    assert_eq!(broken("docs/a.md", text), Vec::<String>::new());
    assert_eq!(
        broken("src/a.rs", "fn end(him: &str) -> char { '\"' } const HIS: &str = \"nobody\";\n"),
        Vec::<String>::new()
    );
}

#[test]
fn comments_and_messages_in_rust_are_prose() {
    let text = "//! The seat.\n\n/// Ends it\n/// for him.\nfn end_his() {\n    log(\"{his} seat: \\\"nobody is here\\\"\"); // whoever\n    /* doors */\n}\n";
    assert_eq!(
        broken("src/a.rs", text),
        [
            "src/a.rs:1 Hotdesk.Glossary",
            "src/a.rs:4 Hotdesk.Pronouns",
            "src/a.rs:5 Hotdesk.Pronouns",
            "src/a.rs:6 Hotdesk.Glossary",
            "src/a.rs:6 Hotdesk.People",
            "src/a.rs:6 Hotdesk.People",
            "src/a.rs:7 Hotdesk.Glossary",
        ]
    );
    assert_eq!(broken("tests/a.rs", "fn end() { log(\"his seat\"); }\n"), Vec::<String>::new());
}

#[test]
fn comments_in_configuration_are_prose() {
    assert_eq!(broken("a.toml", "# For him.\nwhoever = \"his\"\n"), ["a.toml:1 Hotdesk.Pronouns"]);
    assert_eq!(
        broken("src/a.conf.in", "; ---- his row\nexten => he\n"),
        ["src/a.conf.in:1 Hotdesk.Pronouns"]
    );
    assert_eq!(
        broken("src/a.xml.in", "<a b=\"he\"/>\n<!-- his\n  row: nobody -->\n"),
        ["src/a.xml.in:2 Hotdesk.Pronouns", "src/a.xml.in:3 Hotdesk.People",]
    );
    assert_eq!(broken(".github/a.yml", "label: What he did\n"), [".github/a.yml:1 Hotdesk.Pronouns"]);
}
