//! The codes in the dialplan: what is sent to us, and as what its call goes on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::desk::code::{Codes, Net, Piece, Served};

/// An extension for each thing that a code is matched by; its PIN stays behind in `HD_DIALLED`.
pub(super) fn codes(codes: &Codes) -> String {
    let nets = codes.nets();
    let extensions: BTreeMap<String, &Net> = nets
        .iter()
        .flat_map(|net| extensions(net).into_iter().map(move |extension| (extension, net)))
        .collect();
    extensions.iter().fold(String::new(), |mut lines, (extension, net)| {
        let _ = match net.served {
            Served::Here(context) => writeln!(lines, "exten => {extension},1,Goto({context},s,1)"),
            Served::Controller => writeln!(
                lines,
                "exten => {extension},1,Set(HD_DIALLED=${{FILTER(0-9*#,${{EXTEN}})}})\n same => n,Goto(hotdesk-code,{},1)",
                net.bare
            ),
        };
        lines
    })
}

/// What Asterisk matches it by, once for each number of dial keys that may follow.
fn extensions(net: &Net) -> Vec<String> {
    let literal = net.pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)));
    let start = if literal { "" } else { "_" };
    let pattern = net.pieces.iter().fold(String::from(start), |pattern, piece| match piece {
        Piece::Digit => pattern + "X",
        Piece::Literal(keys) => pattern + keys,
        Piece::Number(number) => pattern + number.as_str(),
        Piece::Rest => pattern + "!",
    });
    (0..=net.hashes).map(|hashes| format!("{pattern}{}", "#".repeat(hashes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::code::Preset;

    fn printed(presets: &[Preset]) -> Vec<(String, String)> {
        let printed = codes(&Codes::of(presets).unwrap());
        let lines: Vec<&str> = printed.lines().collect();
        let extension =
            |line: &str| line.strip_prefix("exten => ").unwrap().split_once(',').unwrap().0.to_owned();
        let bare =
            |line: &str| line.split_once("hotdesk-code,").unwrap().1.trim_end_matches(",1)").to_owned();
        lines.chunks(2).map(|pair| (extension(pair[0]), bare(pair[1]))).collect()
    }

    #[test]
    fn a_code_with_an_extension_takes_whatever_follows_its_star() {
        let extensions = [("*35", "*35"), ("*35#", "*35"), ("_*35*!", "*35")];
        assert_eq!(
            printed(&[Preset::Simmpl]),
            extensions.map(|(extension, bare)| (extension.to_owned(), bare.to_owned()))
        );
    }

    #[test]
    fn a_code_that_begins_with_a_digit_or_runs_on_into_the_extension_takes_extensions_alone() {
        let extensions: Vec<String> =
            printed(&[Preset::Xelion, Preset::Freepbx]).into_iter().map(|(extension, _)| extension).collect();
        assert_eq!(
            extensions,
            ["*11", "*11#", "*12", "*12#", "*13", "*13#", "_*11XXX", "_*11XXX#", "_8XXX", "_8XXX#"]
        );
    }
}
