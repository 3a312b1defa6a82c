//! The called side of the dialplan: which phones ring, on this switch and on others, and where a call goes that none takes.

use std::fmt::Write as _;

use super::{Settings, recording};
use crate::desk::id::Context;
use crate::desk::reach::{HEADER, Reach};

const TEMPLATE: &str = include_str!("../called.conf.in");

/// The contexts that a call to a user goes through.
pub(super) fn contexts(settings: &Settings) -> String {
    let (here, sent_here, tell) = match settings.reach.routes.is_empty() {
        true => Default::default(),
        false => (here(&settings.reach), SENT_HERE, tell()),
    };
    let recorded = settings.recording.as_ref();
    let values: [(&str, &str); 8] = [
        ("@answered@", recorded.map_or("", |_| recording::ANSWERED)),
        ("@here@", &here),
        ("@otherwise@", &otherwise(settings.otherwise.as_ref())),
        ("@recording@", &recorded.map(recording::answered).unwrap_or_default()),
        ("@ring@", &settings.ring.to_string()),
        ("@sent-here@", sent_here),
        ("@tell@", &tell),
        ("@turn@", &settings.turn.to_string()),
    ];
    values.iter().fold(TEMPLATE.into(), |text: String, (name, value)| text.replace(name, value))
}

/// The switch that sent a call here knows what becomes of it, when nothing here is answered.
const SENT_HERE: &str = " same => n,GotoIf($[\"${HD_HERE}\" = \"1\"]?end)\n";

/// A call that another switch sent on for this user rings here or nowhere. Each target is ended by `&` meanwhile, so that
/// no route is found in the beginning of another.
fn here(reach: &Reach) -> String {
    let mut lines = format!(
        r#" ; a call that another switch sent here for him rings here or nowhere: it is not sent on once more, unless it was
 ; transferred meanwhile
 same => n,Set(HD_HERE=)
 same => n,GotoIf($["${{CHANNEL(channeltype)}}${{BLINDTRANSFER}}" != "PJSIP"]?shown)
 same => n,GotoIf($["${{FILTER(0-9,${{PJSIP_HEADER(read,{HEADER})}})}}" != "${{EXTEN}}"]?shown)
 same => n,Set(HD_HERE=1)
"#
    );
    for targets in ["HD_DIAL", "HD_THEN"] {
        let _ = writeln!(lines, " same => n,Set({targets}=${{{targets}}}&)");
        for route in reach.routes.values() {
            let _ = writeln!(
                lines,
                " same => n,Set({targets}=${{STRREPLACE({targets},{}&)}})",
                route.with("${EXTEN}")
            );
        }
        let _ = writeln!(lines, " same => n,Set({targets}=${{{targets}:0:-1}})");
    }
    lines + " same => n(shown),NoOp()\n"
}

/// Tells the switch that a call is sent on to for whom it is. A phone is told too, and does not mind.
fn tell() -> String {
    format!(
        r#" ; to another switch: for whom the call is
 same => n,ExecIf($["${{CHANNEL(channeltype)}}" = "PJSIP"]?Set(PJSIP_HEADER(add,{HEADER})=${{EXTEN}}))
"#
    )
}

/// The site's context may include ours: a number that has been there once does not go there again.
fn otherwise(context: Option<&Context>) -> String {
    let Some(context) = context else { return " same => n(otherwise),NoOp()".into() };
    format!(
        r#" same => n(otherwise),GotoIf($["${{HD_OTHERWISE}}" = "${{EXTEN}} ${{BLINDTRANSFER}}"]?invalid)
 same => n,Set(HD_OTHERWISE=${{EXTEN}} ${{BLINDTRANSFER}})
 same => n,GotoIf($["${{DIALPLAN_EXISTS({context},${{EXTEN}},1)}}${{DIALPLAN_EXISTS({context},i,1)}}" != "00"]?{context},${{EXTEN}},1)"#
    )
}
