use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Desk, mode};

/// Every byte that is in the folder now.
fn everything(desk: &Desk) -> Vec<u8> {
    fs::read_dir(desk.path("")).unwrap().flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(hay: &[u8], needle: &str) -> bool {
    hay.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn a_pin_is_read_from_standard_input_and_stored_nowhere_in_clear() {
    let desk = Desk::furnished();
    for input in ["7305914", "7305914\n", "7305914\r\n", "7305914\nmore\n"] {
        let said = desk.run_with(&["user", "pin", "101"], input);
        assert_eq!((said.code, said.out.as_str()), (0, "user 101 has a new PIN\n"), "{said:?}");
    }
    assert!(desk.ok("user show 101").contains("PIN               set 2"), "with the time");
    assert!(desk.ok("user show 102").contains("PIN               none"));
    assert!(holds(&everything(&desk), "pin_changed"), "the search looks at the store");
    assert!(!holds(&everything(&desk), "7305914"));
}

#[test]
fn a_wrong_pin_is_refused_and_not_repeated() {
    let desk = Desk::furnished();
    for input in ["", "\n", "123", "73059148888", "7305 914", "x7305914", &"7305914".repeat(20)] {
        let said = desk.run_with(&["user", "pin", "101"], input);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{input:?}");
        assert!(said.err.contains("4 to 10 digits") && !said.err.contains("7305"), "{said:?}");
    }
    assert!(desk.ok("user show 101").contains("PIN               none"));
}

#[test]
fn a_pin_that_would_be_tried_first_is_refused_with_the_reason() {
    let desk = Desk::furnished();
    desk.noted("user add 4711 --name X");
    for (user, pin, why) in [
        ("101", "2580", "in a row"),
        ("101", "445544", "fewer than three different digits"),
        ("4711", "4711", "it is the extension"),
    ] {
        let said = desk.run_with(&["user", "pin", user], pin);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
        assert!(
            said.err.contains(why) && said.err.contains("--generate") && !said.err.contains(pin),
            "{said:?}"
        );
        assert!(desk.ok(&format!("user show {user}")).contains("PIN               none"));
    }
}

#[test]
fn a_pin_cannot_be_given_as_an_argument() {
    assert_eq!(Desk::furnished().run("user pin 101 7305914").code, 2);
}

#[test]
fn a_generated_pin_is_printed_alone() {
    let desk = Desk::furnished();
    let pin = desk.ok("user pin 101 --generate");
    let pin = pin.strip_suffix('\n').unwrap();
    assert!(pin.len() == 6 && pin.bytes().all(|b| b.is_ascii_digit()), "{pin}");
    assert_ne!(desk.ok("user pin 101 --generate").trim_end(), pin);
}

#[test]
fn the_pepper_is_made_with_the_first_pin_and_a_lost_one_is_noticed() {
    let desk = Desk::furnished();
    assert!(!desk.path("hotdesk.pepper").exists());
    desk.ok("user pin 101 --generate");
    assert_eq!(
        (fs::read(desk.path("hotdesk.pepper")).unwrap().len(), mode(&desk.path("hotdesk.pepper"))),
        (64, 0o600)
    );
    assert!(desk.run("check").out.contains("fits all 1 PINs"));
    fs::remove_file(desk.path("hotdesk.pepper")).unwrap();
    let check = desk.run("check").out;
    assert!(
        check.contains("WRONG  pepper: ") && check.contains("is missing, but PINs exist (users: 1)"),
        "{check}"
    );
    fs::write(desk.path("ami.secret"), "secret").unwrap();
    fs::set_permissions(desk.path("ami.secret"), fs::Permissions::from_mode(0o600)).unwrap();
    for command in ["user pin 102 --generate", "serve"] {
        let said = desk.run(command);
        assert_eq!(said.code, 1, "{command}: {said:?}");
        assert!(said.err.contains("is missing, but PINs exist (users: 1): restore your copy"), "{said:?}");
        assert!(!desk.path("hotdesk.pepper").exists(), "{command} makes no other");
    }
    desk.noted("pepper rotate");
    desk.ok("user pin 101 --generate");
    assert!(desk.run("check").out.contains("fits all 1 PINs"));

    // Those beside it are named.
    desk.noted("pepper rotate");
    fs::remove_file(desk.path("hotdesk.pepper")).unwrap();
    let check = desk.run("check").out;
    assert!(check.contains("WRONG  pepper: ") && check.contains("with one of those beside it: "), "{check}");
}

#[test]
fn first_pins_that_are_set_at_once_use_one_pepper() {
    let desk = Desk::furnished();
    std::thread::scope(|scope| {
        for n in 0..6 {
            let desk = &desk;
            scope.spawn(move || desk.ok(&format!("user pin {} --generate", 101 + n % 2)));
        }
    });
    let check = desk.run("check").out;
    assert!(check.contains("fits all 2 PINs"), "{check}");
    let names =
        fs::read_dir(desk.path("")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let peppers: Vec<String> = names.filter(|name| name.starts_with("hotdesk.pepper")).collect();
    assert_eq!(peppers, ["hotdesk.pepper"]);
}
