//! No error of the configuration, the environment or the store shows a secret, wherever it was put by mistake.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::time::Duration;

use hotdesk::config::Config;
use hotdesk::model::desired::Scope;
use hotdesk::model::id::TenantId;
use hotdesk::store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What must not be seen; a part of it neither.
const PARTS: [&str; 3] = ["CANARY", "S3CR3T", "80246197"];

/// Values with a secret, as an administrator may write them in the wrong place.
const VALUES: [&str; 9] = [
    "S3CR3T-CANARY",
    "80246197",
    "redis://:S3CR3T-CANARY@10.0.0.1:6379/0",
    "redis+sentinel://user:S3CR3T-CANARY@10.0.0.1:26379/mymaster",
    "S3CR3T CANARY, with \\\"quotation marks\\\" \\\\ and 'others'",
    "S3CR3T:CANARY",
    "S3CR3T/80246197",
    "*80246197*{S3CR3T}",
    "S3CR3T-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-CANARY",
];

fn shows_none(text: &str, of: &str) {
    for part in PARTS {
        assert!(!text.contains(part), "{part} of {of:?} is in: {text}");
    }
}

/// The error of a configuration, if it is one. What it refuses it must refuse without the secret.
fn error(text: &str) -> Option<String> {
    let parsed = Config::parse(text, Path::new("/etc/hotdesk/hotdesk.toml"), &|_| None);
    parsed.err().map(|error| format!("{error} {error:?}"))
}

/// Whether a line gives a name that names may have.
fn is_a_name(line: &str) -> bool {
    let value = line.strip_prefix("name = ").unwrap_or_default().trim_matches(['"', '\'', '\n']);
    hotdesk::model::id::TenantId::new(value).is_ok()
}

/// The sections of the example with their keys, commented ones too.
fn keys() -> BTreeSet<(String, String)> {
    let (mut section, mut keys) = (String::new(), BTreeSet::new());
    for line in include_str!("../hotdesk.example.toml").lines() {
        let line = line.trim_start_matches("# ");
        if line.starts_with('[') {
            section = line.to_owned();
        } else if let Some((key, _)) = line.split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || "_.".contains(c))
        {
            keys.insert((section.clone(), key.to_owned()));
        }
    }
    assert!(keys.len() > 40, "{keys:?}");
    keys
}

#[test]
fn no_mistake_in_the_file_shows_what_it_holds() {
    for (section, key) in keys() {
        let mut refused = 0;
        for value in VALUES {
            let bare = value.replace("\\\"", "").replace('\\', "");
            let lines = [
                format!("{key} = \"{value}\""),
                format!("{key} = '{}'", bare.replace('\'', "")),
                format!("{key} = [\"{value}\"]"),
                format!("{key} = [[\"{value}\"]]"),
                format!("{key} = {{ x = \"{value}\" }}"),
                format!("{key} = {{ \"{value}\" = 1 }}"),
                format!("{key} = [{{ dial = \"{value}\", action = \"{value}\" }}]"),
                format!("{key} = \"\"\"\n{value}\n\"\"\""),
                format!("{key} = \"{value}"),
                format!("{key} = {bare}"),
                format!("{key} = \u{201C}{bare}\u{201D}"),
                format!("{key}\u{A0}= \"{value}\""),
                format!("{key} \"{value}\""),
                format!("{key} = \"{value}\" \"{value}\""),
                format!("{key} = \"{value}\"\n{key} = \"{value}\""),
                format!("{key}x = \"{value}\""),
                format!("password = \"{value}\""),
                format!("\"{value}\" = \"{key}\""),
                format!("\"{value}\".{key} = 1"),
                bare.clone(),
                format!("[\"{value}\"]"),
                format!("[{bare}]"),
            ];
            for line in lines {
                // A valid name is a name, and shown as one.
                if key == "name" && is_a_name(&line) {
                    continue;
                }
                let switch = if section == "[[switch]]" { "" } else { "[[switch]]\n" };
                if let Some(error) = error(&format!("{switch}{section}\n{line}\n")) {
                    shows_none(&error, &line);
                    refused += 1;
                }
            }
        }
        assert!(refused > 150, "{section} {key}: refused {refused}");
    }
}

#[test]
fn no_wrong_variable_of_the_environment_is_shown() {
    let variables =
        include_str!("../src/config/mod.rs").to_owned() + include_str!("../src/config/auto_logout.rs");
    let variables: BTreeSet<&str> = variables
        .split('"')
        .filter(|word| {
            word.starts_with("HOTDESK_") && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        })
        .collect();
    assert!(variables.len() > 15, "{variables:?}");
    for name in variables {
        let load = |value: OsString| {
            let of = |asked: &str| (asked == name).then(|| value.clone());
            Config::parse("[[switch]]\n", Path::new("/etc/hotdesk/hotdesk.toml"), &of)
        };
        for value in VALUES {
            if let Err(error) = load(value.replace('\\', "").into()) {
                let error = format!("{error} {error:?}");
                assert!(error.contains(name), "{error}");
                shows_none(&error, value);
            }
        }
        let error = load(OsString::from_vec(b"S3CR3T\xFF".to_vec())).unwrap_err().to_string();
        assert_eq!(error, format!("environment variable {name}: its value is not UTF-8"));
    }
}

#[tokio::test]
async fn no_url_of_a_store_is_shown_with_its_login() {
    let folder = tempfile::tempdir().unwrap();
    for (url, opens) in [
        ("redis://:S3CR3T-CANARY@127.0.0.1:1/0", true),
        ("redis://S3CR3T:80246197@127.0.0.1:1/0", true),
        ("redis://S3CR3T%2F80246197@127.0.0.1:1/0", true),
        ("rediss://:S3CR3T-CANARY@127.0.0.1:1/0", true),
        ("redis://:S3CR3T-CANARY@127.0.0.1:99999/0", false),
        ("redis://:S3CR3T-CANARY@127.0.0.1:1/x", false),
        ("redis://80246197/S3CR3T@127.0.0.1:1/0", false),
        ("redis://u:80246197/S3CR3T@127.0.0.1:1/0", false),
        ("redis://u:80246197#S3CR3T@127.0.0.1:1/0", false),
        ("redis://u:80246197?S3CR3T@127.0.0.1:1/0", false),
        ("redis://[S3CR3T@127.0.0.1:1/0", false),
        ("redis:S3CR3T-CANARY@127.0.0.1", false),
        ("sqlite:redis://:S3CR3T-CANARY@127.0.0.1:1/0", false),
        ("postgres://u:S3CR3T-CANARY@127.0.0.1/db", false),
        ("S3CR3T-CANARY", false),
    ] {
        let text = format!("[store]\nurl = \"{url}\"\n[[switch]]\n");
        let config = Config::parse(&text, Path::new("/etc/hotdesk/hotdesk.toml"), &|_| None);
        let opened = match &config {
            Ok(config) => {
                shows_none(&format!("{config:?}"), url);
                store::open(config.store.url.as_str(), folder.path()).await.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        assert_eq!(opened.is_ok(), opens, "{url}: {:?}", opened.as_ref().err());
        match opened {
            Ok(store) => {
                let error = store.snapshot(&TenantId::default(), &Scope::All).await.unwrap_err().to_string();
                assert!(error.contains("127.0.0.1:1"), "{error}");
                shows_none(&error, url);
            }
            Err(error) => shows_none(&error, url),
        }
    }
}

/// What servers and proxies answer to a login, with its words.
#[tokio::test]
async fn no_answer_of_a_server_is_shown_with_the_login() {
    for answer in [
        "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `S3CR3T`, `CAN:ARY80246197`, ",
        "-ERR unknown command 'AUTH' 'S3CR3T' 'CAN:ARY80246197'",
        "-WRONGPASS invalid username-password pair: S3CR3T CAN:ARY80246197",
        "-NOAUTH CAN:ARY80246197",
        "-MISCONF CAN:ARY80246197",
        "-CAN:ARY80246197",
        "+CAN:ARY80246197",
        "CAN:ARY80246197",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 4096];
                while let Ok(1..) = stream.read(&mut asked).await {
                    let _ = stream.write_all(format!("{answer}\r\n").repeat(8).as_bytes()).await;
                }
            }
        });
        let url = format!("redis://S3CR3T:CAN%3AARY80246197@127.0.0.1:{port}/0");
        let store = store::open(&url, Path::new("/")).await.unwrap();
        let tenant = TenantId::default();
        let asked = store.snapshot(&tenant, &Scope::All);
        let asked = tokio::time::timeout(Duration::from_secs(10), asked).await.expect("an answer");
        shows_none(&asked.unwrap_err().to_string(), answer);
    }
}
