//! The names of Hotdesk's own dialplan contexts. A context of Hotdesk that sends a call on to one of them makes a loop.

/// What the names begin with on a FreeSWITCH. With the `@`, FusionPBX (5.3 and later) leaves them to the file.
pub const OF_FREESWITCH: &str = "hotdesk@";

/// The names without the namespace, in the dialplan of Asterisk.
const OF_ASTERISK: [&str; 21] = [
    "-answered",
    "-callback",
    "-caller",
    "-code",
    "-codes",
    "-contacts",
    "-dial",
    "-emergency",
    "-end",
    "-extend",
    "-hints",
    "-identity",
    "-leg",
    "-pickup",
    "-ring",
    "-token",
    "-user",
    "-users",
    "-version",
    "-voicemail",
    "",
];

/// Whether Hotdesk's dialplan of an Asterisk has a context of this name, with names that begin with `namespace`.
pub fn is_own(context: &str, namespace: &str) -> bool {
    let (context, namespace) = (context.to_ascii_lowercase(), namespace.to_ascii_lowercase());
    context.strip_prefix(&namespace).is_some_and(|rest| OF_ASTERISK.contains(&rest))
}

/// Whether a context is Hotdesk's on a FreeSWITCH, which finds a context by its name in any case (1.10.12).
pub fn is_of_freeswitch(context: &str) -> bool {
    context.get(..OF_FREESWITCH.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(OF_FREESWITCH))
}
