//! Groups that ring all their members: what is dialled for them.

use std::fmt::Write as _;

use crate::desk::group::{Groups, Kind};
use crate::desk::id::Extension;

/// An extension for each group that has a number. It rings who signed in and is somewhere, wherever he sits; nobody's
/// forwards, and nobody's voicemail.
pub(super) fn extensions(groups: &Groups, ring: u16) -> String {
    let mut lines = String::new();
    for (name, group) in groups.iter().filter(|(_, group)| group.kind == Kind::Ring) {
        let Some(number) = group.number.clone().or_else(|| Extension::new(name.as_str()).ok()) else {
            continue;
        };
        let _ = write!(
            lines,
            r#"; the group {name}
exten => {number},1,Set(HD_MEMBERS=${{DB_KEYS(hotdesk/member/{name})}})
 same => n,Set(HD_DIAL=)
 same => n(member),Set(HD_MEMBER=${{SHIFT(HD_MEMBERS)}})
 same => n,GotoIf($["${{HD_MEMBER}}" = ""]?ring)
 same => n,ExecIf($["${{DB(hotdesk/member/{name}/${{HD_MEMBER}})}}" = "rings"]?Set(HD_DIAL=${{HD_DIAL}}&Local/${{HD_MEMBER}}@hotdesk-ring/n))
 same => n,Goto(member)
 same => n(ring),GotoIf($["${{HD_DIAL}}" = ""]?nobody)
 same => n,Dial(${{HD_DIAL:1}},{ring})
 same => n,Hangup(19)
 same => n(nobody),Hangup(20)
"#
        );
    }
    lines
}
