//! The forms in which phones dial, for the tests of both switches.

use std::time::Duration;

use super::phone::Phone;
use super::wait;

/// All of them mean 112.
pub const EMERGENCY: [&str; 18] = [
    "112",
    "112#",
    "+112",
    "+112#",
    "112;phone-context=+31",
    "112;phone-context=example.com",
    "112;user=phone",
    "+112;phone-context=example.com",
    "112#;phone-context=+31",
    "1-1-2",
    "(112)",
    "1.1.2",
    "%2B1%2012;cpc=1",
    "%20112",
    "112%20",
    "-112",
    "112;isub=%0A%20",
    "1.-.1.-.2",
];

/// Codes, and what the controller reads.
pub const CODES: [(&str, &str); 11] = [
    ("*35", "*35"),
    ("*35;phone-context=+31", "*35"),
    ("*35#;phone-context=+31", "*35#"),
    ("*35*101*80246197", "*35*101*80246197"),
    ("*35*101*80246197;phone-context=+31", "*35*101*80246197"),
    ("*35*101*80246197#;cpc=1", "*35*101*80246197#"),
    ("*35*101;npdi;rn=+15551234", "*35*101"),
    ("%20*35", "*35"),
    ("+*35*101*80246197", "*35*101*80246197"),
    ("(*35)*101*80246197", "*35*101*80246197"),
    ("*35*1-0-1*8.0.2.4.6.1.9.7", "*35*101*80246197"),
];

/// All of them mean 0101234567.
pub const NUMBERS: [&str; 10] = [
    "0101234567",
    "0101234567;phone-context=+31",
    "0101234567;npdi;rn=+15551234",
    "0101234567;cpc=1",
    "010-123.45.67",
    "(010)1234567",
    "010%20123%204567",
    "(010)-123-4567;isub=1234",
    "%200101234567",
    "0-1-0-1-2-3-4-5-6-7",
];

/// All of them mean 0205550100, as trunks write a number that is called.
pub const CALLED_BACK: [&str; 7] = [
    "+31205550100",
    "+31205550100;npdi;rn=+15551234",
    "0205550100;cpc=1",
    "0031205550100",
    "31205550100",
    "0205550100",
    "5550100",
];

/// Neither numbers nor codes.
pub const REFUSED: [&str; 6] = [
    "0101234567x5",
    "010a1234567",
    "();cpc=1",
    "*35*101*8024x6197",
    "*35*101*8024%0A6197",
    "*35*101$%7Bx%7D",
];

/// Dials every form of 112 at desk1, without a user and with one. `put_row` writes the row of the device. Each call must reach
/// `trunk` with the number of the location.
pub fn each_emergency_form_reaches(trunk: &Phone, desk: &Phone, mut put_row: impl FnMut(&str)) {
    for row in ["|0|0205550101", "101|1|0205550101"] {
        put_row(row);
        for dialled in EMERGENCY {
            desk.dial(dialled).unwrap();
            let caller = trunk.wait_ringing().unwrap_or_else(|error| panic!("{dialled} with {row}: {error}"));
            assert_eq!(caller.from.number, "0205550101", "{dialled} with {row}");
            desk.hang_up().unwrap();
            trunk.wait_ended().unwrap();
        }
    }
}

/// Dials every form of a number at a device without a user, `outside` as the site writes it. Each call must be refused.
pub fn each_number_form_is_refused(desk: &Phone, outside: fn(&str) -> String) {
    for dialled in NUMBERS {
        desk.dial(&outside(dialled)).unwrap();
        assert_eq!(desk.wait_ended().unwrap().code, 403, "{dialled} without a user");
    }
}

/// Dials every form of a number at a device with a user. Each call must reach `phone`, and `channels` must list it as `called`.
/// What is neither a number nor a code must be refused.
pub fn each_number_form_reaches(
    phone: &Phone,
    desk: &Phone,
    outside: fn(&str) -> String,
    channels: impl Fn() -> String,
    called: &str,
) {
    for dialled in NUMBERS {
        desk.dial(&outside(dialled)).unwrap();
        phone.wait_ringing().unwrap_or_else(|error| panic!("{dialled}: {error}"));
        wait::until(Duration::from_secs(2), || channels().contains(called), &channels);
        desk.hang_up().unwrap();
        phone.wait_ended().unwrap();
    }
    for dialled in REFUSED {
        desk.dial(dialled).unwrap();
        assert_eq!(desk.wait_ended().unwrap().code, 404, "{dialled}");
    }
}
