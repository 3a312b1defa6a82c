//! What `hotdesk check` says.

use super::hotdesk::Hotdesk;

/// What was said of one thing that was looked at.
type Said = (String, String, Option<String>);

/// Each thing, whether it is well, how it is and what to do.
fn findings(hotdesk: &Hotdesk) -> (Option<i32>, Vec<(bool, Said)>) {
    let output = hotdesk.output(&["check", "--json"], "").unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let findings = findings.as_array().unwrap().iter().map(|finding| {
        let said = (text(&finding["check"]).unwrap(), text(&finding["found"]).unwrap(), text(&finding["do"]));
        (finding["ok"].as_bool().unwrap(), said)
    });
    (output.status.code(), findings.collect())
}

/// Each thing is well, and nothing is to be done.
pub fn all_is_well(hotdesk: &Hotdesk) {
    let (code, findings) = findings(hotdesk);
    assert!(code == Some(0) && findings.iter().all(|(ok, said)| *ok && said.2.is_none()), "{findings:#?}");
}

/// What is wrong, one a line; each with what to do.
pub fn broken(hotdesk: &Hotdesk) -> String {
    let (code, findings) = findings(hotdesk);
    let wrong = findings.into_iter().filter(|(ok, _)| !ok).map(|(_, (check, found, remedy))| {
        assert!(remedy.is_some_and(|remedy| !remedy.is_empty()), "{check}: what is to be done?");
        format!("{check}: {found}")
    });
    let wrong = wrong.collect::<Vec<_>>().join("\n");
    assert_eq!(code, Some(i32::from(!wrong.is_empty())), "{wrong}");
    wrong
}
