//! The files that a site copies: the dialplan, the user of the manager interface, and the prompts.

use std::borrow::Cow;

use super::dialplan::{Settings, hotdesk_conf};

/// A file by its path within the tree, and what is in it.
pub type File = (&'static str, Cow<'static, [u8]>);

macro_rules! prompts {
    ($($language:literal),+ $(,)?) => {
        [$(prompts!(@ $language,
            "enter-extension", "enter-pin", "locked", "logged-in", "logged-out", "moved-from", "not-accepted",
            "not-allowed-here", "not-available",
        )),+].concat()
    };
    (@ $language:literal, $($name:literal,)+) => {
        // Asterisk looks for `hotdesk/<name>` in the folder of each language.
        [$((
            concat!("sounds/", $language, "/hotdesk/", $name, ".wav"),
            include_bytes!(concat!("../../dialplan/sounds/", $language, "/", $name, ".wav")).as_slice(),
        )),+]
    };
}

/// All files: `hotdesk.conf` for these settings, `hotdesk-manager.conf`, and `sounds/<language>/hotdesk/<name>.wav`,
/// 8 kHz 16-bit mono.
#[must_use]
pub fn files(settings: &Settings) -> Vec<File> {
    let sounds: Vec<(&str, &[u8])> = prompts!("de", "en", "nl");
    let manager = include_bytes!("../../dialplan/asterisk/manager.conf").as_slice();
    let mut files: Vec<File> = vec![
        ("hotdesk.conf", Cow::Owned(hotdesk_conf(settings).into_bytes())),
        ("hotdesk-manager.conf", Cow::Borrowed(manager)),
    ];
    files.extend(sounds.into_iter().map(|(path, bytes)| (path, Cow::Borrowed(bytes))));
    files
}
