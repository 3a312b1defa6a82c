//! PINs that a person who does not know the user would try first.

use super::pin::Pin;
use crate::model::id::Extension;

/// Digits in a row, in both directions; a PIN within a row is easy to guess.
const ROWS: [&str; 4] = [
    "01234567890123456789",
    // The columns of a keypad, downwards and upwards.
    "147258369",
    "741852963",
    "2580",
];
/// The most common PINs that no other rule here refuses.
const COMMON: [&str; 12] = [
    "1004", "112233", "112358", "11223344", "123123", "12341234", "123321", "147147", "159357", "159753",
    "456123", "520131",
];

/// Why `pin` is too easy to guess for the user with this extension; none, if it is not. Checked when a PIN is chosen,
/// never when one is entered.
pub fn weak_pin(pin: &Pin, extension: &Extension) -> Option<&'static str> {
    let digits = pin.reveal();
    let turned = |text: &str| text.chars().rev().collect::<String>();
    let within = |row: &str| row.contains(digits) || turned(row).contains(digits);
    let different = ('0'..='9').filter(|digit| digits.contains(*digit)).count();
    if digits == extension.as_str() || turned(extension.as_str()) == digits {
        Some("it is the extension")
    } else if different < 3 {
        Some("it has fewer than three different digits")
    } else if ROWS.into_iter().any(within) {
        Some("its digits lie in a row")
    } else if COMMON.contains(&digits) {
        Some("it is one of those that are tried first")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(pin: &str, extension: &str) -> Option<&'static str> {
        weak_pin(&Pin::new(pin).unwrap(), &Extension::new(extension).unwrap())
    }

    #[test]
    fn a_pin_that_is_tried_first_is_weak() {
        for (pin, says) in [
            ("4711", "extension"),
            ("1174", "extension"),
            ("0000", "three different"),
            ("1212", "three different"),
            ("7777777", "three different"),
            ("1234", "row"),
            ("7890", "row"),
            ("8901", "row"),
            ("9876543210", "row"),
            ("2580", "row"),
            ("0852", "row"),
            ("147258", "row"),
            ("963852", "row"),
            ("741852", "row"),
            ("369258", "row"),
            ("123123", "first"),
        ] {
            assert!(why(pin, "4711").is_some_and(|why| why.contains(says)), "{pin}: {:?}", why(pin, "4711"));
        }
    }

    #[test]
    fn other_pins_are_accepted() {
        for pin in ["0042137", "729154", "4718", "1357", "12345789", "4711"] {
            assert_eq!(why(pin, "101"), None, "{pin}");
        }
    }

    #[test]
    fn no_other_rule_refuses_a_common_pin() {
        for pin in COMMON {
            assert_eq!(why(pin, "101"), Some("it is one of those that are tried first"), "{pin}");
        }
    }
}
