//! Recording in the dialplan: which calls go to the site's own context, that records them. It is put in only where the site
//! has one.
//!
//! A user's calls are recorded at his own end: it begins when he answers or is answered, and ends when he is gone. So a call
//! that he sends on is recorded as far as he took part in it. `execute_on_answer_hotdesk` stands beside an
//! `execute_on_answer` of the site's: FreeSWITCH (1.10.12) runs each variable whose name begins so.

use crate::desk::id::Context;

/// What of recording stands where in the text; empty where no call is recorded.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// Of a call that a user makes.
    pub(super) outbound: String,
    /// Of a call to him, on the leg that answered.
    pub(super) inbound: String,
    /// What that leg is told.
    pub(super) leg: &'static str,
    /// What is his who picked a call up.
    pub(super) picked: &'static str,
}

impl Recording {
    /// By this context of the site's.
    pub(super) fn by(context: &Context) -> Self {
        Self {
            outbound: format!(
                r#"      <!-- The site's context records it once it is answered, see `recording` in hotdesk.toml. -->
      <condition field="${{destination_number}} ${{hd_recording}}" expression="^[0-9*#+]+ (?:always|outbound|on-demand)$" break="never">
        <action application="set" data="hd_record_user=${{hd_user}}"/>
        <action application="set" data="hd_record_direction=outbound"/>
        <action application="set" data="execute_on_answer_hotdesk=execute_extension ${{hd_recording}} XML {context}"/>
      </condition>
"#
            ),
            inbound: format!(
                r#"      <condition field="${{hd_leg_recording}}" expression="^(?:always|inbound|on-demand)$">
        <action application="set" data="hd_record_direction=inbound"/>
        <action application="execute_extension" data="${{hd_leg_recording}} XML {context}"/>
      </condition>
"#
            ),
            picked: r#"        <action application="set" data="hd_record_user=${hd_caller}"/>
        <action application="set" data="hd_leg_recording=${hd_recording}" inline="true"/>
"#,
            leg: ",hd_record_user=${destination_number},hd_leg_recording=${hd_leg_recording}",
        }
    }
}
