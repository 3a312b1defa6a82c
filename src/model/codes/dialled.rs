//! What the dialplans of both switches make of a dialled string before they look for a code in it.

/// The string without parameters, which begin with a semicolon (RFC 3261, section 19.1.1), without visual separators (RFC 3966,
/// section 5.1.1), and as a code without a plus. None if it has another character: then the dialplan refuses it.
pub fn normalised(dialled: &str) -> Option<String> {
    let (number, _) = dialled.split_once(';').unwrap_or((dialled, ""));
    let keys: String = number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect();
    let known = !keys.is_empty() && keys.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | '+'));
    known.then(|| match keys.strip_prefix('+') {
        Some(code) if code.starts_with(['*', '#']) => code.to_owned(),
        _ => keys,
    })
}
