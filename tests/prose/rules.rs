//! Vale's rules, as far as this project writes them: existence, substitution and occurrence.

use std::fs;
use std::path::Path;

use regex::{Regex, RegexBuilder};

use super::text::Block;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Suggestion,
    Warning,
    Error,
}

enum Check {
    /// Words to avoid: all of them in one expression, then each with what to write instead if the rule says so.
    Words(Regex, Vec<(Regex, Option<String>)>),
    /// At most so many tokens, in a sentence or in the whole block.
    Count { token: Regex, max: usize, sentences: bool },
}

pub struct Rule {
    pub name: String,
    pub level: Level,
    message: String,
    headings_only: bool,
    check: Check,
}

/// A key of a rule: its value, or the items of its list or map.
struct Key {
    name: String,
    value: String,
    items: Vec<(String, String)>,
}

struct Yaml(Vec<Key>);

impl Yaml {
    /// Reads the part of YAML that the rules use, and nothing more.
    fn read(text: &str) -> Self {
        let mut keys: Vec<Key> = vec![];
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(item) = line.strip_prefix("  - ") {
                keys.last_mut().unwrap().items.push((unquoted(item), String::new()));
            } else if let Some(pair) = line.strip_prefix("  ") {
                let (key, value) = pair.rsplit_once(": ").unwrap_or_else(|| panic!("no pair: {line}"));
                keys.last_mut().unwrap().items.push((unquoted(key), unquoted(value)));
            } else {
                let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no key: {line}"));
                keys.push(Key { name: name.into(), value: unquoted(value.trim()), items: vec![] });
            }
        }
        Self(keys)
    }

    fn key(&self, name: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.name == name)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.key(name).map(|key| key.value.as_str())
    }

    fn items(&self, name: &str) -> &[(String, String)] {
        self.key(name).map(|key| key.items.as_slice()).unwrap_or_default()
    }
}

fn unquoted(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return inner.replace("''", "'");
    }
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value).into()
}

impl Rule {
    fn read(name: String, text: &str) -> Self {
        let yaml = Yaml::read(text);
        const KNOWN: [&str; 11] = [
            "extends",
            "message",
            "level",
            "ignorecase",
            "nonword",
            "scope",
            "tokens",
            "swap",
            "max",
            "token",
            "link",
        ];
        for Key { name: key, .. } in &yaml.0 {
            assert!(KNOWN.contains(&key.as_str()), "{name}: the test does not know `{key}`");
        }
        let on = |key| yaml.get(key) == Some("true");
        let regex = |token: &str| {
            let pattern = if on("nonword") { token.into() } else { format!(r"\b(?:{token})\b") };
            RegexBuilder::new(&pattern).case_insensitive(on("ignorecase")).build().unwrap()
        };
        let scope = yaml.get("scope").unwrap_or("text");
        assert!(
            ["text", "heading", "sentence"].contains(&scope),
            "{name}: the test does not know scope {scope}"
        );
        let words = |key, replaced: bool| {
            let all: Vec<&str> = yaml.items(key).iter().map(|(token, _)| token.as_str()).collect();
            let each = yaml.items(key).iter();
            let each = each.map(|(token, better)| (regex(token), replaced.then(|| better.clone())));
            Check::Words(regex(&all.join("|")), each.collect())
        };
        let check = match yaml.get("extends").unwrap() {
            "existence" => words("tokens", false),
            "substitution" => words("swap", true),
            "occurrence" => Check::Count {
                token: Regex::new(yaml.get("token").unwrap()).unwrap(),
                max: yaml.get("max").unwrap().parse().unwrap(),
                sentences: scope == "sentence",
            },
            other => panic!("{name}: the test does not know `extends: {other}`"),
        };
        Self {
            level: match yaml.get("level").unwrap() {
                "suggestion" => Level::Suggestion,
                "warning" => Level::Warning,
                "error" => Level::Error,
                other => panic!("{name}: no level {other}"),
            },
            message: yaml.get("message").unwrap().into(),
            headings_only: scope == "heading",
            name,
            check,
        }
    }

    /// Each finding in `block`: its line and what to say.
    pub fn check(&self, block: &Block) -> Vec<(usize, String)> {
        if self.headings_only && !block.heading {
            return vec![];
        }
        match &self.check {
            Check::Words(any, _) if !any.is_match(&block.text) => vec![],
            Check::Words(_, words) => words
                .iter()
                .flat_map(|(regex, better)| regex.find_iter(&block.text).map(move |found| (found, better)))
                .map(|(found, better)| {
                    let mut message = self.message.clone();
                    for part in better.iter().map(String::as_str).chain([found.as_str()]) {
                        message = message.replacen("%s", part, 1);
                    }
                    (block.line(found.start()), message)
                })
                .collect(),
            Check::Count { .. } if block.message => vec![],
            Check::Count { token, max, sentences } => {
                let parts = if *sentences { block.sentences() } else { vec![(0, block.text.as_str())] };
                parts
                    .into_iter()
                    .filter(|(_, part)| token.find_iter(part).count() > *max)
                    .map(|(start, _)| (block.line(start), self.message.clone()))
                    .collect()
            }
        }
    }
}

/// The rules in `folder`, named as Vale names them.
pub fn load(folder: &Path) -> Vec<Rule> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = format!("Hotdesk.{}", path.file_stem().unwrap().to_string_lossy());
            Rule::read(name, &fs::read_to_string(path).unwrap())
        })
        .collect()
}
