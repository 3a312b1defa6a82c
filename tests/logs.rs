//! `docs/logs.md` and the code agree on which events there are, and each is counted.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::harness::hotdesk::Hotdesk;

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
fn docs_describe_each_event_and_no_other() {
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

#[test]
fn metrics_count_events_above_and_below_the_log_level() {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let program = [env!("CARGO_BIN_EXE_hotdesk").into()];
    // Its switch cannot be reached: nothing listens on port 1.
    let mut hotdesk = Hotdesk::new(&program, "sqlite:hotdesk.db", local(1), local(0)).unwrap();
    let file = hotdesk.path("hotdesk.toml");
    let config = fs::read_to_string(&file).unwrap();
    // `agi_listen` on whatever port is free needs a name for the dialplan.
    let config = config.replace("ami_user", "agi_advertise = \"127.0.0.1:4573\"\nami_user");
    fs::write(&file, config + "[metrics]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"info\"\n").unwrap();
    hotdesk.spawn().unwrap();
    for event in ["switch.down", "serve.started"] {
        hotdesk.wait_for_log(0, &format!("event=\"{event}\"")).unwrap();
    }
    let answer = hotdesk.metrics().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0"), "{answer}");
    for event in ["serve.started", "switch.down"] {
        assert!(
            answer.contains(&format!("hotdesk_events_total{{event=\"{event}\",reason=\"\"}} 1\n")),
            "{answer}"
        );
    }
    hotdesk.stop().unwrap();
}
