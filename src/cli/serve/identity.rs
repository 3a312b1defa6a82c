//! The name of this controller, for switches that several controllers share.

use std::path::Path;

use base16ct::lower::encode_string;
use sha2::{Digest, Sha256};

/// The host's name and a digest of the configuration's path, `pbx1-5f3a90c1`: the same after a restart, and another for each
/// controller.
pub(in crate::cli) fn of(file: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.into());
    named(&host(), &file)
}

fn named(host: &str, file: &Path) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || ".-".contains(*c);
    let host: String = host.trim().chars().filter(plain).take(64).collect();
    let digest = Sha256::digest(file.as_os_str().as_encoded_bytes());
    format!("{host}-{}", encode_string(digest.split_at(4).0))
}

/// Empty, if it is not known.
fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_controller_on_a_host_has_another_name_of_one_word() {
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
        let file = Path::new("hotdesk.toml");
        assert_eq!(of(file), of(&std::env::current_dir().unwrap().join(file)));
    }
}
