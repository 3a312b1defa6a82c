//! `docs/logs.md` and the code agree on which events there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What stands between `before` and the next `after`, wherever it does.
fn between<'a>(text: &'a str, before: &str, after: char) -> BTreeSet<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            // A file's tests log for themselves.
            text.push_str(source.split("#[cfg(test)]\nmod tests").next().unwrap());
        }
    }
}

#[test]
fn every_event_is_described_and_every_description_has_its_event() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    let docs = fs::read_to_string(root.join("docs/logs.md")).unwrap();
    let (_, table) = docs.split_once("## Events").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let named: String = table.lines().filter_map(|line| line.split('|').nth(1)).collect();
    let described: BTreeSet<&str> =
        named.split('`').skip(1).step_by(2).filter(|name| name.contains('.')).collect();
    assert_eq!(between(&code, "event = \"", '"'), described);
}
