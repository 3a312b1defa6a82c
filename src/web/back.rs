//! Where a form leads back to: a page of the console, never another site.

/// The console's first page.
pub(super) const START: &str = "/c";

/// `path`, if it is a page of the console; else its first page.
pub(super) fn own(path: &str) -> &str {
    let rest = path.strip_prefix(START);
    let is_own = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    if is_own && !path.contains(|c: char| c.is_control() || c == '\\') { path } else { START }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_the_console_and_never_to_another_site() {
        for path in ["/c", "/c?state=free&q=a", "/c/people"] {
            assert_eq!(own(path), path);
        }
        for other in [
            "",
            "//evil.example",
            "https://evil.example/c",
            "/cc",
            "/c?\r\nx: y",
            "/\\evil",
            "/c.evil",
            "/c/\\evil",
        ] {
            assert_eq!(own(other), START, "{other}");
        }
    }
}
