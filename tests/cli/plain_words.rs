//! Errors in the words of administrators: none of Rust's, and always what to write instead.

use std::path::Path;

use hotdesk::config::Config;

use super::Desk;

/// What Rust and its libraries say, and an administrator need not know.
const RUST: [&str; 22] = [
    "Os {",
    "os error",
    "ParseIntError",
    "TryFromIntError",
    "invalid digit",
    "cannot parse integer",
    "too large to fit",
    "would be zero",
    "provided string",
    "entity not found",
    "invalid type",
    "invalid value",
    "unknown field",
    "unknown variant",
    "missing field",
    "expected ",
    "struct ",
    "a sequence",
    "u16",
    "nonzero",
    "address syntax",
    "literal string",
];

fn is_plain(error: &str, of: &str) {
    for words in RUST {
        assert!(!error.contains(words), "{of:?} gives {words:?}: {error}");
    }
}

fn error(text: &str, env: &[(&str, &str)]) -> String {
    let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    match Config::parse(text, Path::new("/etc/hotdesk/hotdesk.toml"), &env) {
        Ok(_) => panic!("{text:?} is accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_wrong_configuration_is_refused_with_what_to_write() {
    for (section, line, says) in [
        ("[store]", "url = 5", "line 2, column 7: write text in quotation marks"),
        ("[store]", "pepper_file = true", "write the path in quotation marks"),
        ("[codes]", "presets = \"simmpl\"", "write a list in brackets"),
        ("[codes]", "presets = [\"simpl\"]", "this value is unknown. Did you mean simmpl? Use avaya, extras"),
        ("[codes]", "one_touch = \"yes\"", "write true or false, without quotation marks"),
        ("[codes]", "one_touch = True", "write true or false"),
        ("[codes]", "one_touch = yes", "write text in quotation marks, true or false, or a whole number"),
        ("[codes]", "custom = [\"x\"]", "or a table: { key = \"value\" }"),
        ("[codes]", "custom = [{ dial = \"*1\" }]", "the key action is missing here"),
        ("[codes]", "custom = [{ dial = \"*1\", action = \"logn\" }]", "Did you mean login? Use change_pin"),
        ("[login]", "keep = 0", "write a whole number from 1 to 255"),
        ("[login]", "keep = 300", "write a whole number from 1 to 255"),
        ("[login]", "keep = \"two\"", "write a whole number from 1 to 255"),
        ("[login]", "keep = 1.5", "write a whole number from 1 to 255"),
        ("[login]", "mutliple_logins = \"keep\"", "unknown key. Did you mean multiple_logins?"),
        ("[pin]", "expires_days = -1", "write a whole number from 0 to 65535"),
        ("[pin]", "expires_days = 99999", "write a whole number from 0 to 65535"),
        ("[pin]", "expires_days = 010", "without leading zeros"),
        (
            "[pin]",
            "expires_days = 5\nexpires_days = 6",
            "line 3, column 1: this key or section is here for the second",
        ),
        ("[dialplan]", "users = [101]", "write text in quotation marks"),
        ("[auto_logout]", "at = 23:00:00", "write text in quotation marks"),
        ("[auto_logout]", "days = [\"mon\"]", "write text in quotation marks"),
        ("[auto_logout]", "extend = \"never\"", "it takes 45m, 8h or 1h 30m, from 1s to 366 days (8784h)"),
        ("[journal]", "keep_days = \"90\"", "write a whole number from 0 to 65535"),
        ("[metrics]", "listen = 9464", "write text in quotation marks"),
        ("[log]", "level = INFO", "write text in quotation marks, true or false, or a whole number"),
        ("[log]", "level = \"a\\qb\"", "write single quotation marks around a text with backslashes"),
        ("[store", "url = \"x\"", "the bracket that ends the section's name is missing"),
        ("[store]", "url \"x\"", "write KEY = VALUE"),
        ("[store]", "url = ", "a value is missing"),
        ("[store]", "url = \"x", "the quotation mark that ends the text is missing"),
        ("[store]", "url = sqlite:x.db", "write text in quotation marks"),
        ("[codes]", "presets = [\"simmpl\"", "a comma is missing in the list, or the bracket that ends it"),
        ("[codes]", "presets = [\"simmpl\" \"3cx\"]", "a comma is missing in the list"),
        (
            "[stor]",
            "url = \"sqlite:x\"",
            "line 1, column 2: unknown key. Did you mean store? Here the keys are store,",
        ),
        ("[[store]]", "url = \"x\"", "in one pair of brackets"),
        ("[tenant]", "name = \"x\"", "in two pairs of brackets"),
        ("[[tenant]]", "", "the key name is missing here"),
        ("[[group]]", "name = \"x\"\nkind = \"que\"", "Did you mean queue? Use queue, ring"),
        ("[[group]]", "name = \"x\"\nkind = 5", "write text in quotation marks"),
        ("[[switch]]", "kind = \"freeswich\"", "Did you mean freeswitch? Use asterisk, freeswitch"),
        ("[[switch]]", "ami_secert_file = \"x\"", "Did you mean ami_secret_file?"),
        ("[[switch]]", "agi_listen = \"localhost\"", "write IP:PORT, for example 127.0.0.1:4573"),
        ("[[switch]]", "agi_listen = 4573", "write IP:PORT in quotation marks"),
        ("[[switch]]", "agi_allow = [\"127.0.0.1/33\"]", "write a network, for example 10.0.0.0/8"),
        ("[[switch]]", "agi_allow = [1]", "write a network in quotation marks"),
        ("[[switch]]", "routes = \"x\"", "or a table: { key = \"value\" }"),
        ("", "- x", "write KEY = VALUE"),
        ("", "{}", "this is no TOML"),
        ("", "store = \"x\"", "write a section"),
    ] {
        let error = error(format!("{section}\n{line}\n[[switch]]\n").trim_start(), &[]);
        assert!(error.contains(says), "{section} {line}: {error}");
        assert!(error.starts_with("/etc/hotdesk/hotdesk.toml: line "), "{error}");
        is_plain(&error, line);
    }
}

#[test]
fn a_wrong_variable_of_the_environment_is_refused_with_what_to_write() {
    for (name, value, says) in [
        ("HOTDESK_LOGIN_KEEP", "x", "write a whole number from 1 to 16"),
        ("HOTDESK_LOGIN_KEEP", "0", "write a whole number from 1 to 16"),
        ("HOTDESK_LOGIN_KEEP", "300", "write a whole number from 1 to 16"),
        ("HOTDESK_LOGIN_TAKE_OVER", "yes", "write true or false"),
        ("HOTDESK_PIN_EXPIRES_DAYS", "-1", "write a whole number from 0 to 65535"),
        ("HOTDESK_PIN_EXPIRES_DAYS", "", "write a whole number from 0 to 65535"),
        ("HOTDESK_DIALPLAN_VOICEMAIL_PASSWORD", "1", "write true or false"),
        ("HOTDESK_JOURNAL_KEEP_DAYS", "99999", "write a whole number from 0 to 65535"),
        ("HOTDESK_AUTO_LOGOUT_EXTEND_CALL", "no", "write true or false"),
    ] {
        let error = error("[[switch]]\n", &[(name, value)]);
        assert_eq!(error, format!("environment variable {name}: {says}"), "{value:?}");
        is_plain(&error, name);
    }
}

#[test]
fn a_wrong_argument_is_refused_in_plain_words() {
    let desk = Desk::furnished();
    std::fs::create_dir(desk.path("folder")).unwrap();
    for args in [
        "user add 1a",
        "user set 101 --caller-id x",
        "user set 101 --language klingon",
        "user set 101 --dnd maybe",
        "user set 101 --auto-logout-idle 5",
        "user set 101 --auto-logout-at 25",
        "device add d --kind fax",
        "device add d --allow-from 300.1.1.1",
        "device add d --may-dial x",
        "location add a --zone Mars",
        "extend 101 --for x",
        "journal --since x",
        "journal --limit x",
        "journal --limit -1",
        "journal --limit 99999999999999999999",
        "user ring 101 desk1 maybe",
        "import nofile.csv",
        "import folder",
        "-c nofile.toml status",
        "-c folder status",
        "man --out /proc/x",
        "dialplan asterisk --out /proc/x",
        "pepper rotate nope",
        "check",
    ] {
        let said = desk.run(args);
        assert_ne!(said.code, 0, "{args}");
        // "invalid value 'x' for '--limit <N>': what to write" is plain.
        is_plain(&format!("{}{}", said.out, said.err).replace("error: invalid value '", ""), args);
    }
}
