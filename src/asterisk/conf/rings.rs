//! Lines of a site that name a phone, and not the user who is logged in there.

use std::collections::BTreeSet;
use std::path::Path;

/// Lines of the site that ring a hotdesk phone, whatever user is logged in there.
#[must_use]
pub fn names_phones(dir: &Path, phones: &BTreeSet<String>) -> Vec<String> {
    let mut found = vec![];
    for file in ["extensions.conf", "queues.conf", "followme.conf"] {
        let text = std::fs::read(dir.join(file)).unwrap_or_default();
        for (n, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            let line = line.split(';').next().unwrap_or_default();
            let named = line.split("PJSIP/").skip(1).map(|rest| {
                rest.chars()
                    .take_while(|key| key.is_alphanumeric() || "-_".contains(*key))
                    .collect::<String>()
            });
            if let Some(phone) = named.into_iter().find(|name| phones.contains(name)) {
                found.push(format!(
                    "{}/{file} line {} names PJSIP/{phone}, and goes on ringing that phone: to ring user {phone} instead, see the \
                     table in docs/existing-extensions.md",
                    dir.display(),
                    n + 1
                ));
            }
        }
    }
    found
}
