//! The codes in the dialplan: the extensions that Asterisk matches them by, and the context or code that the call goes on to.

use std::collections::BTreeMap;

use crate::model::codes::{Codes, DialplanMatch, Piece, Served};

pub(super) struct CodeExtension {
    /// What Asterisk matches.
    pub(super) extension: String,
    /// Who serves the call.
    pub(super) served: Served,
    /// The code without what may be secret.
    pub(super) bare: String,
    /// Whether it matches whatever follows.
    pub(super) open: bool,
}

/// The extensions for all codes, in order.
pub(super) fn extensions(codes: &Codes) -> Vec<CodeExtension> {
    let matches = codes.dialplan_matches();
    let by_extension: BTreeMap<String, &DialplanMatch> =
        matches.iter().flat_map(|of_code| forms(of_code).into_iter().map(move |it| (it, of_code))).collect();
    let code = |(extension, of_code): (String, &DialplanMatch)| CodeExtension {
        open: extension.ends_with('!') && !extension.ends_with(PARAMETERS),
        extension,
        served: of_code.served,
        bare: of_code.bare.clone(),
    };
    by_extension.into_iter().map(code).collect()
}

/// What a user part with parameters ends with, in a pattern of extensions.conf.
const PARAMETERS: &str = r"\;!";

/// What Asterisk matches a code by, once for each number of `#` that may follow, and with parameters behind it.
fn forms(code: &DialplanMatch) -> Vec<String> {
    let literal = code.pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)));
    let pattern = code.pieces.iter().fold(String::new(), |pattern, piece| match piece {
        Piece::Digit => pattern + "X",
        Piece::Literal(keys) => pattern + keys,
        Piece::Number(number) => pattern + number.as_str(),
        Piece::Rest => pattern + "!",
    });
    let start = if literal { "" } else { "_" };
    let exact = (0..=code.hashes).map(|hashes| format!("{pattern}{}", "#".repeat(hashes)));
    let with_parameters =
        exact.clone().filter(|_| !pattern.ends_with('!')).map(|it| format!("_{it}{PARAMETERS}"));
    exact.map(|it| format!("{start}{it}")).chain(with_parameters).collect()
}
