//! The known name that a mistyped one is most like.

/// Similarity from which a name is taken for a slip: 1 is equal, 0 has nothing in common. clap uses the same for options.
const LIKE: f64 = 0.7;

/// The known name that is most like `name`, if one is so like it that `name` may be a slip. The first, if several are equally like.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // In short names, one key that is wrong, missing, too much or out of its order is a slip, too.
    let slip = |known| name.chars().count() > 1 && strsim::osa_distance(name, known) == 1;
    let like = known.into_iter().map(|known| (strsim::jaro(name, known) + f64::from(slip(known)), known));
    let like = like.filter(|(similarity, _)| *similarity > LIKE);
    like.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_and_another_name_finds_none() {
        let known = ["101", "102", "2001", "sketch", "switch", "pepper_file"];
        for (name, found) in [
            ("110", Some("101")),
            ("201", Some("2001")),
            ("swich", Some("switch")),
            ("peper", Some("pepper_file")),
            ("999", None),
            ("", None),
            ("7", None),
            ("zzz", None),
        ] {
            assert_eq!(nearest(name, known), found, "{name}");
        }
        assert_eq!(nearest("103", ["101", "102"]), Some("101"));
        assert_eq!(nearest("103", []), None);
    }
}
