//! What `hotdesk check` says.

use super::hotdesk::Hotdesk;

/// A finding: what was checked, what was found, and the remedy.
type Said = (String, String, Option<String>);

/// Each thing, whether it is well, how it is and what to do.
fn findings(hotdesk: &Hotdesk) -> (Option<i32>, Vec<(Option<bool>, Said)>) {
    let output = hotdesk.output(&["check", "--json"], "").unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let findings = findings.as_array().unwrap().iter().map(|finding| {
        let said = (text(&finding["check"]).unwrap(), text(&finding["found"]).unwrap(), text(&finding["do"]));
        assert!(finding["ok"].is_boolean() || finding["ok"].is_null(), "{finding}");
        (finding["ok"].as_bool(), said)
    });
    (output.status.code(), findings.collect())
}

/// Each thing is well, and nothing is to be done.
pub fn all_is_well(hotdesk: &Hotdesk) {
    let (code, findings) = findings(hotdesk);
    assert!(
        code == Some(0) && findings.iter().all(|(ok, said)| *ok == Some(true) && said.2.is_none()),
        "{findings:#?}"
    );
}

/// The findings that need a remedy, one a line; `? ` before one that is not known.
pub fn broken(hotdesk: &Hotdesk) -> String {
    let (code, findings) = findings(hotdesk);
    let any = |is| findings.iter().any(|(ok, _)| *ok == is);
    let expected = if any(Some(false)) { 1 } else { 3 * i32::from(any(None)) };
    let broken = findings.iter().filter(|(ok, _)| *ok != Some(true)).map(|(ok, (check, found, remedy))| {
        assert!(remedy.as_ref().is_some_and(|it| !it.is_empty()), "{check}: what is to be done?");
        format!("{}{check}: {found}", if ok.is_none() { "? " } else { "" })
    });
    let broken = broken.collect::<Vec<_>>().join("\n");
    assert_eq!(code, Some(expected), "{broken}");
    broken
}
