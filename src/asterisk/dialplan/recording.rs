//! Recording: which calls go to the site's own context, that records them. It is put in only where the site has one.
//!
//! A user's calls are recorded at his own end: it begins when he calls or answers, and ends when he is gone. So a call that
//! he sends on is recorded as far as he took part in it.

use crate::desk::id::Context;

/// What makes the key of the site's `automixmon` work for who has this channel, whichever `Dial` the call comes from.
const ON_DEMAND: &str = "Set(CHANNEL(dtmf_features)=X)";

/// Before a call of the user's own goes on.
pub(super) fn outbound(context: &Context) -> String {
    let gosub = gosub(context, "${HD_USER}", "outbound", "${EXTEN}");
    format!(
        r#" ; recorded, if he sits here and it is no call that he sends on
 same => n,Set(HD_RECORDING=${{IF($["${{HD_SENT_BY}}" = ""]?${{CUT(HD_PROFILE,|,4)}})}})
 same => n,ExecIf($["${{HD_RECORDING}}" = "on-demand"]?{ON_DEMAND})
 same => n,{gosub}
"#
    )
}

/// The option of `Dial` that has a call recorded once it is answered.
pub(super) const ANSWERED: &str = "U(hotdesk-answered^${EXTEN}^${FILTER(0-9*#+,${CALLERID(num)})})";

/// What becomes of a call that was answered: for the user who did, who may have picked it up from another.
pub(super) fn answered(context: &Context) -> String {
    let gosub = gosub(context, "${HD_USER}", "inbound", "${ARG2}");
    format!(
        r#"
; ---- A phone answered a call to user ARG1 from ARG2: it is recorded, if whoever sits there wants it.
[hotdesk-answered]
exten => s,1,Set(HD_USER=)
 same => n,ExecIf($["${{CHANNEL(channeltype)}}" = "PJSIP"]?Set(HD_USER=${{CUT(DB(hotdesk/device/${{CHANNEL(endpoint)}}),|,1)}}))
 ; a mobile, or a phone at another switch
 same => n,ExecIf($["${{HD_USER}}" = ""]?Set(HD_USER=${{ARG1}}))
 same => n,Set(HD_RECORDING=${{CUT(DB(hotdesk/profile/${{HD_USER}}),|,4)}})
 same => n,ExecIf($["${{HD_RECORDING}}" = "on-demand"]?{ON_DEMAND})
 same => n,{gosub}
 same => n,Return()
"#
    )
}

/// Without the site's context the call would end.
fn gosub(context: &Context, user: &str, direction: &str, other: &str) -> String {
    format!(
        r#"GosubIf($[("${{HD_RECORDING}}" = "always" | "${{HD_RECORDING}}" = "{direction}") & "${{DIALPLAN_EXISTS({context},s,1)}}" = "1"]?{context},s,1({user},{direction},{other}))"#
    )
}
