//! What an administrator makes as root can be read by the service.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use super::Desk;

/// Another user than root.
const SERVICE: u32 = 65534;

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    let desk = Desk::bare();
    desk.configure("[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\n");
    if chown(desk.path(""), Some(SERVICE), Some(SERVICE)).is_err() {
        eprintln!("NOT TRIED as root, only that a user owns what they make");
    }
    let owner = fs::metadata(desk.path("")).unwrap().uid();
    desk.ok("user add 101 --name Ann");
    assert_eq!(desk.run("user pin 101 --generate").code, 0);
    desk.ok("dialplan asterisk --out .");
    for file in ["hotdesk.db", "hotdesk.pepper", "hotdesk.conf"] {
        assert_eq!(fs::metadata(desk.path(file)).unwrap().uid(), owner, "{file}");
    }
}
