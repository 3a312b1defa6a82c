//! The house: imports run downwards only, and no file outgrows its subject.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms below it that it may look into.
const MAY_IMPORT: [(&str, &[&str]); 11] = [
    ("desk", &[]),
    ("telemetry", &[]),
    ("config", &["desk", "telemetry"]),
    ("store", &["desk"]),
    ("switch", &["desk"]),
    ("controller", &["desk", "store", "switch"]),
    ("asterisk", &["desk", "store", "switch", "controller"]),
    ("freeswitch", &["desk", "store", "switch", "controller"]),
    ("cli", &["desk", "config", "telemetry", "store", "switch", "controller", "asterisk", "freeswitch"]),
    ("lib", &[]),
    ("main", &["cli"]),
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![];
    walk(&src, &mut found);
    found.sort();
    let relative = |path: &Path| path.strip_prefix(&src).unwrap().to_owned();
    found.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect()
}

fn room(file: &Path) -> String {
    let first = file.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").into()
}

/// The rooms that `text` looks into, by every path it writes out.
fn imports(file: &Path, text: &str) -> Vec<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let after = |mark: &str| -> Vec<String> {
        code.match_indices(mark)
            .map(|(at, _)| {
                code[at + mark.len()..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect()
            })
            .collect()
    };
    if file == Path::new("main.rs") { after("hotdesk::") } else { after("crate::") }
}

#[test]
fn imports_run_downwards_only() {
    for (file, text) in sources() {
        let room = room(&file);
        let (_, allowed) = MAY_IMPORT.iter().find(|(name, _)| *name == room).unwrap_or_else(|| {
            panic!("{}: a room the house does not know; give it a floor in MAY_IMPORT", file.display())
        });
        for import in imports(&file, &text) {
            assert!(
                import == room || allowed.contains(&import.as_str()),
                "{} looks into `{import}`, which is not below it",
                file.display()
            );
        }
    }
}

#[test]
fn the_rules_are_pure() {
    for (file, text) in sources().iter().filter(|(file, _)| room(file) == "desk") {
        for impure in
            ["async ", "tokio", "std::fs", "std::net::Tcp", "Timestamp::now", "Instant::now", "getrandom"]
        {
            assert!(!text.contains(impure), "{} uses {impure:?}", file.display());
        }
    }
}

#[test]
fn no_file_outgrows_its_subject() {
    for (file, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

#[test]
fn no_files_of_a_room_go_in_a_circle() {
    let sources = sources();
    let name = |file: &Path| file.with_extension("").to_str().unwrap().replace('/', "::");
    let files: Vec<String> = sources.iter().map(|(file, _)| name(file)).collect();
    // From each file to those of its own folder that it takes something from; a mod.rs is the folder's table of contents.
    let looks = |(file, text): &(PathBuf, String)| -> Vec<usize> {
        let folder = name(file.parent().unwrap());
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        let code = code.split("mod tests").next().unwrap();
        files
            .iter()
            .enumerate()
            .filter(|(_, other)| {
                other.strip_prefix(&format!("{folder}::")).is_some_and(|sibling| {
                    code.contains(&format!("super::{sibling}::"))
                        || code.contains(&format!("crate::{other}::"))
                })
            })
            .map(|(at, _)| at)
            .collect()
    };
    let arrows: Vec<Vec<usize>> = sources
        .iter()
        .map(|source| if source.0.file_stem().unwrap() == "mod" { vec![] } else { looks(source) })
        .collect();
    assert!(arrows.iter().map(Vec::len).sum::<usize>() > 40, "the imports are read");
    for start in 0..files.len() {
        let (mut reached, mut next) = (vec![false; files.len()], arrows[start].clone());
        while let Some(at) = next.pop() {
            assert_ne!(
                at, start,
                "{} comes back to itself: move what both take into one of them",
                files[start]
            );
            if !std::mem::replace(&mut reached[at], true) {
                next.extend(&arrows[at]);
            }
        }
    }
}
