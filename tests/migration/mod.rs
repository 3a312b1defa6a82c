//! Coming to Hotdesk: what a switch has already is found, and taken over with one command.

mod freepbx;
mod freeswitch;
mod pjsip;

use std::path::{Path, PathBuf};

use crate::harness::asterisk::{Asterisk, Endpoint, Site};
use crate::harness::debian::Version;
use crate::harness::each::on_both;
use crate::harness::hotdesk::{Hotdesk, SECRET};

const DIALPLAN: &str =
    "[from-internal]\ninclude => hotdesk-users\n[from-trunk]\n[emergency]\n#include hotdesk.conf\n";

/// An Asterisk with the phones 2001 to 2003, a trunk and another company's phone, and a hotdesk that knows none of them.
fn start(version: Version) -> (Asterisk, Hotdesk) {
    let site = Site::new().unwrap();
    let hotdesk = Hotdesk::new(&program(), "sqlite:hotdesk.db", site.ports.ami, site.ports.agi).unwrap();
    let manager = include_str!("../../dialplan/asterisk/manager.conf").replace("CHANGE-ME", SECRET);
    let pbx = ["2001", "2002", "2003"]
        .iter()
        .fold(site, |site, name| site.endpoint(Endpoint::new(name)))
        .endpoint(Endpoint::new("trunk").context("from-trunk"))
        .endpoint(Endpoint::new("acme1").context("acme-hotdesk"))
        .dialplan(DIALPLAN)
        .sounds("en", "hotdesk", &Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplan/sounds/en"))
        .file("hotdesk.conf", &hotdesk.run(&["dialplan", "asterisk"]).unwrap())
        .manager(&manager)
        .start(version)
        .unwrap();
    (pbx, hotdesk)
}

fn program() -> Vec<PathBuf> {
    vec![env!("CARGO_BIN_EXE_hotdesk").into()]
}

/// What a command says when it cannot.
fn fails(hotdesk: &Hotdesk, args: &[&str]) -> String {
    let output = hotdesk.output(args, "").unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn json(hotdesk: &Hotdesk, args: &[&str]) -> serde_json::Value {
    serde_json::from_str(&hotdesk.run(args).unwrap()).unwrap()
}
