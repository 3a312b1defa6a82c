//! Files as editors and spreadsheets write them: taken, or refused with the reason.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Desk;

impl Desk {
    /// Writes a file that only its owner can read.
    fn private(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
        fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
}

fn utf16(text: &str, little: bool) -> Vec<u8> {
    let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// A text as editors save it, and why it cannot be read; empty, if it can.
fn saved(text: &str) -> Vec<(String, Vec<u8>, &'static str)> {
    let case = |name: &str, bytes: Vec<u8>, why| (name.to_owned(), bytes, why);
    let mut all = vec![
        case("plain", text.into(), ""),
        case("byte order mark", format!("\u{FEFF}{text}").into(), ""),
        case("CRLF", text.replace('\n', "\r\n").into(), ""),
        case("mark and CRLF", format!("\u{FEFF}{}", text.replace('\n', "\r\n")).into(), ""),
        case("CR", text.replace('\n', "\r").into(), ""),
        case("trailing blanks", text.replace('\n', " \t\n").into(), ""),
        case("no last line feed", text.trim_end().into(), ""),
        case("empty lines", format!("{text}\n\n").into(), ""),
        case("Latin-1", latin1(text), "is not in UTF-8: byte "),
        case("a NUL at the end", format!("{text}\0").into(), "holds a NUL byte in line "),
    ];
    for little in [true, false] {
        all.push(case("UTF-16", utf16(text, little), "is in UTF-16: save it as UTF-8"));
        all.push(case(
            "UTF-16 with mark",
            utf16(&format!("\u{FEFF}{text}"), little),
            "is in UTF-16: save it as UTF-8",
        ));
    }
    all
}

#[test]
fn a_configuration_is_read_as_editors_save_it() {
    for (how, bytes, why) in saved("[[switch]]\nname = \"pbx\" # Büro\n") {
        let desk = Desk::bare();
        fs::write(desk.path("hotdesk.toml"), bytes).unwrap();
        let said = desk.run("user add 101");
        if why.is_empty() {
            assert_eq!(said.code, 0, "{how}: {said:?}");
        } else {
            assert_eq!(said.code, 64, "{how}: {said:?}");
            assert!(said.err.contains(&format!("hotdesk.toml {why}")), "{how}: {said:?}");
        }
    }
    let desk = Desk::bare();
    desk.configure("[[switch]]\nname = \u{201C}pbx\u{201D}\n");
    let said = desk.run("status");
    assert!(
        said.err.contains("line 2, column 8: ") && said.err.contains("U+201C: write plain quotation marks"),
        "{said:?}"
    );
}

#[test]
fn a_secret_is_read_as_editors_save_it() {
    for (how, bytes, why) in saved("s3cret-é\n") {
        let desk = Desk::new();
        desk.private("ami.secret", &bytes);
        let out = desk.run("check").out;
        let expected = match why {
            "" => "ok     secret of switch pbx",
            _ => "WRONG  secret of switch pbx",
        };
        assert!(out.contains(expected) && out.contains(why) && !out.contains("s3cret"), "{how}: {out}");
    }
}

#[test]
fn a_sheet_is_read_as_spreadsheets_save_it() {
    for (how, bytes, why) in saved("extension,name\n101,Zoë\n") {
        let desk = Desk::new();
        fs::write(desk.path("users.csv"), bytes).unwrap();
        let said = desk.run("import users.csv");
        if why.is_empty() {
            assert_eq!(said.code, 0, "{how}: {said:?}");
            assert_eq!(desk.json("user list --json")[0]["name"], "Zoë", "{how}");
        } else {
            assert_eq!(said.code, 1, "{how}: {said:?}");
            assert!(said.err.contains(&format!("users.csv {why}")), "{how}: {said:?}");
        }
    }
}

#[test]
fn a_pepper_that_an_editor_changed_is_refused_with_the_reason() {
    let desk = Desk::furnished();
    desk.ok("user pin 101 --generate");
    let pepper = fs::read(desk.path("hotdesk.pepper")).unwrap();
    let text = String::from_utf8_lossy(&pepper).into_owned();
    for changed in [
        [&pepper[..], b"\n"].concat(),
        [&b"\xEF\xBB\xBF"[..], &pepper].concat(),
        text.into(),
        utf16("x", true),
    ] {
        let long = changed.len().min(65);
        desk.private("hotdesk.pepper", &changed);
        let out = desk.run("check").out;
        assert!(out.contains(&format!("is not a pepper of Hotdesk: it holds {long} bytes")), "{out}");
        assert!(out.contains("an editor changes such a file"), "{out}");
    }
    desk.private("hotdesk.pepper", &pepper);
    assert!(desk.run("check").out.contains("fits all 1 PINs"));
}

/// What spreadsheets make of values: refused in every column, and the cell is not repeated, as it may be a PIN.
#[test]
fn a_value_that_a_spreadsheet_changed_is_refused() {
    let desk = Desk::furnished();
    for cell in
        ["1.56E+11", "1,56E+11", "1E+02", "1e+2", "1.5E-05", "101.0", "#N/A", "#REF!", "#NAME?", "########"]
    {
        for (header, row) in [
            ("device;switch;dial;location", format!("{cell};pbx;PJSIP/desk9;ams")),
            ("device;switch;dial;location", format!("desk9;pbx;{cell};ams")),
            ("extension;name", format!("{cell};Ann")),
            ("extension;name", format!("109;{cell}")),
            ("extension;caller-id", format!("109;{cell}")),
            ("extension;mailbox", format!("109;{cell}")),
            ("extension;pin", format!("109;{cell}")),
            ("location;address", format!("{cell};x")),
            ("location;address", format!("hq;{cell}")),
        ] {
            fs::write(desk.path("sheet.csv"), format!("{header}\n{row}\n")).unwrap();
            let refused = desk.run("import sheet.csv");
            assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{row}: {refused:?}");
            let column = header.split(';').nth(row.split(';').position(|it| it == cell).unwrap()).unwrap();
            assert!(refused.err.contains(&format!("sheet.csv line 2, column {column}: ")), "{refused:?}");
            assert!(!refused.err.contains(cell), "{refused:?}");
        }
    }
    for same in ["1.56E", "E+11", "Room 1.0", "1E5", "#1", "10.0.0.1", "C#", "3E+"] {
        fs::write(desk.path("sheet.csv"), format!("extension;name\n109;{same}\n")).unwrap();
        desk.ok("import sheet.csv");
        assert_eq!(desk.json("user show 109 --json")["name"], same);
    }
}

#[test]
fn a_key_that_is_there_twice_or_empty_is_named_and_neither_row_is_taken() {
    let desk = Desk::furnished();
    for (sheets, why) in [
        (&["extension,name\n109,a\n109,b\n"][..], "line 3: user 109 is in sheet0.csv line 2 already"),
        (
            &["extension\n109\n", "extension\n109\n"],
            "sheet1.csv line 2: user 109 is in sheet0.csv line 2 already",
        ),
        (&["extension,name\n,a\n"], "line 2, column extension: the cell is empty"),
        (
            &["device,switch,dial\n d9 ,pbx,PJSIP/d9\nd9,pbx,PJSIP/d8\n"],
            "line 3: device d9 is in sheet0.csv line 2 already",
        ),
        (&["device,switch,dial\n\u{A0},pbx,PJSIP/d9\n"], "line 2, column device: the cell is empty"),
        (&["location\nhq\nhq\n"], "line 3: location hq is in sheet0.csv line 2 already"),
        (&["extension,name,name\n109,a,b\n"], "line 1, column name: the column is there twice"),
    ] {
        let before =
            desk.ok("user list --json") + &desk.ok("device list --json") + &desk.ok("location list --json");
        let mut args = vec!["import".to_owned()];
        for (n, sheet) in sheets.iter().enumerate() {
            fs::write(desk.path(&format!("sheet{n}.csv")), sheet).unwrap();
            args.push(format!("sheet{n}.csv"));
        }
        let refused = desk.fails(&args.join(" "));
        assert!(refused.contains(why), "{refused}");
        let after =
            desk.ok("user list --json") + &desk.ok("device list --json") + &desk.ok("location list --json");
        assert_eq!(before, after, "{sheets:?}");
    }
}

/// Global options may be anywhere, also before the name of a subcommand.
#[test]
fn an_import_of_a_freepbx_takes_its_options_in_any_order() {
    let desk = Desk::new();
    fs::write(desk.path("freepbx"), "extension\n109\n").unwrap();
    for args in [
        "import freepbx -c hotdesk.toml --switch pbx",
        "import -c hotdesk.toml freepbx --switch pbx",
        "import --config hotdesk.toml --dry-run freepbx --switch pbx",
        "import --config=hotdesk.toml --tenant default freepbx --switch pbx --dry-run",
        "-c hotdesk.toml import --pins-out pins.csv freepbx --switch pbx",
    ] {
        let said = desk.run(args);
        assert_eq!(said.code, 64, "{args}: {said:?}");
        assert!(said.err.contains("the file that ami_secret_file names does not exist"), "{args}: {said:?}");
    }
    assert_eq!(desk.run("import users.csv freepbx --switch pbx").code, 2);
}
