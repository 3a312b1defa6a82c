//! The files that a site copies: the dialplan, the user of the manager interface, and the prompts.

use std::borrow::Cow;

use crate::asterisk::dialplan::{Settings, hotdesk_conf};
use crate::switch::prompts;

/// A file by its path within the tree, and what is in it.
pub type File = (String, Cow<'static, [u8]>);

/// All files: `hotdesk.conf` for these tenants, `hotdesk-manager.conf`, and `sounds/<language>/hotdesk/<name>.wav`,
/// 8 kHz 16-bit mono.
#[must_use]
pub fn files(tenants: &[Settings]) -> Vec<File> {
    let manager = include_bytes!("../../../dialplan/asterisk/manager.conf").as_slice();
    let mut files: Vec<File> = vec![
        (
            "hotdesk.conf".into(),
            Cow::Owned(tenants.iter().map(hotdesk_conf).collect::<String>().into_bytes()),
        ),
        ("hotdesk-manager.conf".into(), Cow::Borrowed(manager)),
    ];
    // Asterisk looks for `hotdesk/<name>` in the folder of each language.
    files.extend(prompts::files().iter().map(|prompt| {
        (format!("sounds/{}/hotdesk/{}.wav", prompt.language, prompt.name), Cow::Borrowed(prompt.wav))
    }));
    files
}
