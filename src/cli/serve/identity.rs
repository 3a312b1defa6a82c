//! What this controller is called where several share a switch.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::config::FILE;

/// The host's name and a digest of the configuration's path, `pbx1-5f3a90c1`: the same after a restart, and another for each
/// controller.
pub(super) fn of(file: Option<&Path>) -> String {
    let file = file.unwrap_or(Path::new(FILE));
    let file = std::path::absolute(file).unwrap_or_else(|_| file.into());
    named(&host(), &file)
}

fn named(host: &str, file: &Path) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || ".-".contains(*c);
    let host: String = host.trim().chars().filter(plain).take(64).collect();
    let digest = Sha256::digest(file.as_os_str().as_encoded_bytes());
    digest.iter().take(4).fold(host + "-", |name, byte| format!("{name}{byte:02x}"))
}

/// Empty, if nobody says.
fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_on_one_host_or_with_one_path_are_told_apart_and_named_in_one_word() {
        let name = |host, file| named(host, Path::new(file));
        let one = name("pbx1\n", "/etc/hotdesk/hotdesk.toml");
        assert!(one.starts_with("pbx1-") && one.len() == 13, "{one}");
        assert_eq!(one, name("pbx1", "/etc/hotdesk/hotdesk.toml"));
        assert_ne!(one, name("pbx1", "/etc/hotdesk/b.toml"));
        assert_ne!(one, name("pbx2", "/etc/hotdesk/hotdesk.toml"));
        assert!(name("a b ${c}'", "/x").starts_with("abc-"));
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        assert_eq!(of(None), of(Some(&std::env::current_dir().unwrap().join(FILE))));
    }
}
