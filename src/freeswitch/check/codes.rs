//! Checks that no code hides a number of the site's own dialplan: at a hotdesk phone the code goes first.

use std::collections::BTreeSet;

use super::Inspection;
use super::context::regex;
use crate::controller::check;
use crate::model::check::Finding;
use crate::model::codes::dial_set::{Shape, common};
use crate::model::directory::Snapshot;
use crate::switch::SwitchError;

/// Hidden numbers to name; more are counted.
const NAMED: usize = 5;

/// A string that dials a code.
struct Sample {
    code: String,
    digits: String,
    /// Longer than any number, with the same first key: an extension that matches it takes any string that is left.
    leftovers: String,
}

impl Inspection<'_> {
    /// Checks the classes of service. FreeSWITCH itself matches the shortest strings of each code.
    pub(super) async fn hidden(&self, snapshot: &Snapshot) -> Result<Finding, SwitchError> {
        let check = self.of("codes");
        let samples = self.samples();
        let mut hidden = BTreeSet::new();
        for class in check::classes(snapshot).into_keys() {
            let Some(context) = self.context(class.as_str()).await? else { continue };
            for extension in context.extensions.iter().filter(|it| !it.name.starts_with("hotdesk")) {
                let name = &extension.name;
                for test in extension.tests.iter().filter(|test| test.is_of_number()) {
                    for Sample { code, digits, .. } in self.taken(&test.expression, &samples).await? {
                        hidden.insert(format!("{digits} is the code {code} and {name} of {class}"));
                    }
                }
            }
        }
        if hidden.is_empty() {
            return Ok(Finding::fine(check, "hide no number of the site"));
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
        let mut samples = vec![];
        for code in codes.iter() {
            for digits in codes.shapes(code).into_iter().filter_map(|shape| common(&[shape], &any)) {
                let first: String = digits.chars().take_while(|key| !key.is_ascii_digit()).take(1).collect();
                let leftovers = format!("{first}{}", "0".repeat(30));
                samples.push(Sample { code: code.to_string(), leftovers, digits });
            }
        }
        samples
    }

    /// The samples that an expression matches, unless it takes any string that is left.
    async fn taken<'s>(&self, pattern: &str, samples: &'s [Sample]) -> Result<Vec<&'s Sample>, SwitchError> {
        let asked = samples.iter().flat_map(|sample| [&sample.digits, &sample.leftovers]);
        let takes = self.are_true(asked.map(|dialled| regex(dialled, pattern))).await?;
        let taken = samples.iter().zip(takes.chunks(2)).filter(|(_, takes)| **takes == [true, false]);
        Ok(taken.map(|(sample, _)| sample).collect())
    }
}
