//! Emergency numbers, country by country.

use super::id::{EmergencyNumber, InvalidId};

/// The largest number of emergency numbers: the row of a device must fit in every switch.
pub const MOST: usize = 10;

/// For how many seconds an emergency call is remembered: a call back to its caller ID rings the device that made it.
pub const CALL_BACK: u32 = 60 * 60;

/// Countries and their numbers. 933 is NENA's test line: it reads back the address that 911 would send on the same route.
const PRESETS: [(&str, &[&str]); 5] = [
    ("de", &["110", "112"]),
    ("eu", &["112"]),
    ("nl", &["112"]),
    ("uk", &["112", "999"]),
    ("us", &["911", "933"]),
];

/// The numbers of this list, sorted, each once. An entry is a number or a country's preset: `eu`, `nl`, `de`, `uk`, `us`.
///
/// # Errors
/// [`InvalidId`] names the one that is neither, or says that there are more than [`MOST`].
pub fn numbers<'a>(named: impl IntoIterator<Item = &'a str>) -> Result<Vec<EmergencyNumber>, InvalidId> {
    let mut numbers = vec![];
    for name in named {
        let of_country = PRESETS.iter().find(|(country, _)| *country == name).map(|(_, numbers)| *numbers);
        for number in of_country.unwrap_or(&[name]) {
            numbers.push(EmergencyNumber::new(*number).map_err(|error| InvalidId {
                rule: "2 to 15 digits, or a country's preset: de, eu, nl, uk or us",
                ..error
            })?);
        }
    }
    numbers.sort();
    numbers.dedup();
    if numbers.len() > MOST {
        let value = numbers.iter().map(EmergencyNumber::as_str).collect::<Vec<_>>().join(" ");
        return Err(InvalidId { kind: "a list of emergency numbers", value, rule: "10 numbers at most" });
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_name_countries_and_numbers() {
        let of = |named: &[&str]| {
            let numbers = numbers(named.iter().copied()).unwrap();
            numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(&["nl"]), "112");
        assert_eq!(of(&["de", "uk", "eu"]), "110 112 999");
        assert_eq!(of(&["us", "144", "112"]), "112 144 911 933");
        for bad in ["NL", "xx", "1", "+112", "", "112 "] {
            assert!(numbers([bad]).unwrap_err().to_string().contains("preset"), "{bad}");
        }
        let many: Vec<String> = (100..111).map(|n| n.to_string()).collect();
        assert!(numbers(many.iter().map(String::as_str)).is_err());
    }
}
