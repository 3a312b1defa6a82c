//! The least rights at an event socket that everything here works with, for a user of the directory who has no more
//! (`userauth`), and what of them FreeSWITCH does not give him.
//!
//! `esl-allowed-api` is asked for each API command (1.10.12). `bgapi`, `sched_api`, `eval` and `expand` are not among
//! these: whoever has one of them has all. `sendmsg` and `sendevent` are asked for nothing: this user, too, may run any
//! application in any call.
//!
//! The reply to `userauth` names them all, and is cut at 511 bytes, its end as well: all of these fit into it, to the byte.

use super::esl::Reply;

/// The API commands; `hotdesk check` and reading the directory need some of them.
pub const API: [&str; 17] = [
    "db",
    "file_exists",
    "global_getvar",
    "list_users",
    "module_exists",
    "regex",
    "sched_del",
    "show",
    "sofia_contact",
    "uptime",
    "user_data",
    "uuid_dump",
    "uuid_getvar",
    "uuid_setvar",
    "uuid_transfer",
    "version",
    "xml_locate",
];

/// What has a phone ring, to ask who stays. Not among [`API`]: it makes calls of any kind, and by it its user may run any
/// application without a call that there is.
pub const RING: &str = "originate";

/// Keeps the members of queues, where there are groups of that kind. It may do all to any queue.
pub const QUEUES: &str = "callcenter_config";

/// The subclass of the events that tell of them: what goes with [`QUEUES`].
pub const QUEUED: &str = "callcenter::info";

/// The events; what comes after `CUSTOM` are subclasses of it.
pub const EVENTS: [&str; 14] = [
    "BACKGROUND_JOB",
    "CHANNEL_CREATE",
    "CHANNEL_DESTROY",
    "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_PARK",
    "MESSAGE_WAITING",
    "PRESENCE_PROBE",
    "SHUTDOWN",
    "CUSTOM",
    TAKEN,
    "sofia::register",
    "sofia::unregister",
    "sofia::expire",
];

/// The subclass of the event by which a controller says that it takes calls.
pub(super) const TAKEN: &str = "hotdesk::taken";

/// Of these rights, and those to hear these `events`, the ones that the reply to `userauth` does not name; `None`, if it
/// names all.
pub(super) fn missing(reply: &Reply, events: &[&str]) -> Option<String> {
    let lacks = |header: &str, parameter: &str, needed: &[&str]| {
        let allowed = reply.header(header)?;
        let allowed: Vec<&str> = allowed.split([' ', ',']).collect();
        let all = allowed.iter().any(|word| word.eq_ignore_ascii_case("all"));
        let lacking: Vec<&str> =
            needed.iter().copied().filter(|word| !all && !allowed.contains(word)).collect();
        (!lacking.is_empty()).then(|| format!("{parameter} lacks {}", lacking.join(", ")))
    };
    let queues = events.contains(&QUEUED);
    let needed: Vec<&str> = API.into_iter().chain(queues.then_some(QUEUES)).collect();
    let api = lacks("Allowed-API", "esl-allowed-api", &needed);
    let needed: Vec<&str> = EVENTS.into_iter().chain(queues.then_some(QUEUED)).collect();
    let events = lacks("Allowed-Events", "esl-allowed-events", &needed);
    let found: Vec<String> = api.into_iter().chain(events).collect();
    (!found.is_empty()).then(|| found.join(", and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rights_there_are_fit_into_the_reply_that_names_them() {
        let api = [&API[..], &[RING, QUEUES]].concat().join(" ");
        let events = [&EVENTS[..], &[QUEUED]].concat().join(" ");
        let reply = format!(
            "~Reply-Text: +OK accepted\nAllowed-Events: {events}\nAllowed-API: {api}\nAllowed-LOG: false\n\n"
        );
        assert!(reply.len() <= 511, "{}", reply.len());
    }
}
