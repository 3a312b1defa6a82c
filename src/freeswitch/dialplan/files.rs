//! The files that a site copies, each at its place in FreeSWITCH's configuration, and the prompts.

use std::borrow::Cow;

use super::sounds;
use crate::freeswitch::dialplan::{Settings, directory_example, drop_in, from_outside, hotdesk_xml};
use crate::model::login::prompt::Prompt;
use crate::switch::prompts;

/// A file by its path within the tree, and what is in it.
pub type File = (String, Cow<'static, [u8]>);

/// All files: `dialplan/hotdesk.xml` and its drop-ins `00_hotdesk.xml` in `default` and `public` for these settings, examples of a directory
/// entry and of the event socket, and `sounds/hotdesk/<language>/<name>.wav`.
pub fn files(settings: &Settings) -> Vec<File> {
    let event_socket =
        include_bytes!("../../../dialplan/freeswitch/event_socket.conf.xml.example").as_slice();
    let mut files: Vec<File> = vec![
        ("dialplan/hotdesk.xml".into(), Cow::Owned(hotdesk_xml(settings).into_bytes())),
        ("dialplan/default/00_hotdesk.xml".into(), Cow::Owned(drop_in(settings).into_bytes())),
        ("dialplan/public/00_hotdesk.xml".into(), Cow::Owned(from_outside(settings).into_bytes())),
        ("directory.xml.example".into(), Cow::Owned(directory_example(settings).into_bytes())),
        ("event_socket.conf.xml.example".into(), Cow::Borrowed(event_socket)),
    ];
    for file in prompts::files() {
        let prompt = Prompt::ALL.into_iter().find(|prompt| prompt.name() == file.name);
        files.extend(prompt.map(|prompt| {
            (format!("sounds/{}", sounds::ours(prompt, file.language)), Cow::Borrowed(file.wav))
        }));
    }
    files
}
