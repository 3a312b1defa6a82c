//! Whether a code hides a number that the site's own dialplan has: at a hotdesk phone the code goes first.

use std::collections::BTreeSet;

use super::Inspection;
use super::contexts::{attribute, is_number, test};
use crate::controller::inspect;
use crate::desk::code::keys::{Shape, common};
use crate::desk::finding::Finding;
use crate::desk::model::Office;
use crate::switch::SwitchError;

/// Hidden numbers that are named one by one.
const NAMED: usize = 5;

/// Something that is dialled for a code.
struct Sample {
    code: String,
    digits: String,
    /// As long as no number is, and begins alike: what takes this takes whatever is left.
    leftovers: String,
}

impl Inspection<'_> {
    /// Of the classes of service. FreeSWITCH itself matches: of each code the shortest string for each kind of extension.
    pub(super) async fn hidden(&self, office: &Office) -> Result<Finding, SwitchError> {
        let check = self.of("codes");
        let samples = self.samples();
        let mut hidden = BTreeSet::new();
        for class in inspect::classes(office).into_keys() {
            let Some(xml) = self.context(class.as_str()).await? else { continue };
            for extension in xml.split("<extension").skip(1) {
                let name =
                    attribute(extension.split('>').next().unwrap_or_default(), "name").unwrap_or_default();
                let tests = extension.split('<').filter_map(test).filter(|(field, _)| is_number(field));
                for (_, expression) in tests.filter(|_| !name.starts_with("hotdesk")) {
                    for Sample { code, digits, .. } in self.taken(&expression, &samples).await? {
                        hidden.insert(format!("{digits} is the code {code} and {name} of {class}"));
                    }
                }
            }
        }
        if hidden.is_empty() {
            return Ok(Finding::fine(check, "hide no number of the site's"));
        }
        let named: Vec<&str> = hidden.iter().take(NAMED).map(String::as_str).collect();
        let more = hidden.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        Ok(Finding::wrong(
            check,
            format!("{}{more}: at a hotdesk phone it is the code", named.join("; ")),
            "change [codes] here, or that extension of the dialplan",
        ))
    }

    fn samples(&self) -> Vec<Sample> {
        let codes = self.dialplan.codes.of(self.tenant);
        let any = [Shape::default().rest()];
        let of_code = codes
            .iter()
            .flat_map(|code| codes.shapes(code).into_iter().map(move |shape| (code.to_string(), shape)));
        of_code
            .filter_map(|(code, shape)| {
                let digits = common(&[shape], &any)?;
                let first: String = digits.chars().take_while(|key| !key.is_ascii_digit()).take(1).collect();
                Some(Sample { code, leftovers: format!("{first}{}", "0".repeat(30)), digits })
            })
            .collect()
    }

    /// Which of them an expression takes, and not as leftovers.
    async fn taken<'s>(
        &self,
        expression: &str,
        samples: &'s [Sample],
    ) -> Result<Vec<&'s Sample>, SwitchError> {
        // `regex` takes a backslash for an escape.
        let expression = expression.replace('\\', r"\\");
        let asked = samples.iter().flat_map(|sample| [&sample.digits, &sample.leftovers]);
        let answers = self.ask(asked.map(|dialled| format!("regex m:~{dialled}~{expression}"))).await?;
        let takes: Vec<bool> = answers.iter().map(|answer| answer.as_deref() == Some("true")).collect();
        let taken = samples.iter().zip(takes.chunks(2)).filter(|(_, takes)| **takes == [true, false]);
        Ok(taken.map(|(sample, _)| sample).collect())
    }
}
