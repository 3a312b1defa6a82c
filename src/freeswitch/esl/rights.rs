//! The least rights that Hotdesk needs of a directory user at the event socket (`userauth`), and which of them are missing.
//!
//! FreeSWITCH checks each API command against `esl-allowed-api` (1.10.12). `bgapi`, `sched_api`, `eval` and `expand` are not
//! in the list, as each of them gives all rights. `sendmsg` and `sendevent` are not checked: any user may run any application
//! in any call.
//!
//! The reply to `userauth` names the rights, and FreeSWITCH cuts it at 511 bytes: these fit, to the byte.

use super::codec::Reply;

/// The API commands; `hotdesk check` and reading the directory need some of them.
pub const API: &str = "db file_exists global_getvar list_users module_exists regex sched_del show sofia_contact uptime \
                       user_data uuid_dump uuid_getvar uuid_setvar uuid_transfer version xml_locate";

/// Rings a device, to ask its user to extend the session. Not among [`API`]: it makes calls of any kind, and runs any
/// application in them.
pub const RING: &str = "originate";

/// Keeps the members of queues, where there are groups of that kind. It may change any queue.
pub const QUEUES: &str = "callcenter_config";

/// The subclass of the events of queues, needed with [`QUEUES`].
pub const QUEUED: &str = "callcenter::info";

/// The events; what comes after `CUSTOM` are subclasses of it, [`TAKEN`] among them.
pub const EVENTS: &str = "BACKGROUND_JOB CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_EXECUTE_COMPLETE \
                          CHANNEL_HANGUP_COMPLETE CHANNEL_PARK MESSAGE_WAITING PRESENCE_PROBE SHUTDOWN CUSTOM \
                          hotdesk::taken sofia::register sofia::unregister sofia::expire";

/// The subclass of the event by which a controller says that it takes calls.
pub const TAKEN: &str = "hotdesk::taken";

/// Of these rights, and those to hear these `events`, the ones that the reply to `userauth` does not name; `None`, if it
/// names all.
pub(crate) fn missing(reply: &Reply, events: &[&str]) -> Option<String> {
    let queues = events.contains(&QUEUED);
    let lacks = |header: &str, parameter: &str, needed: &'static str, of_queues: &'static str| {
        let allowed = reply.header(header)?;
        let allowed: Vec<&str> = allowed.split([' ', ',']).collect();
        let all = allowed.iter().any(|word| word.eq_ignore_ascii_case("all"));
        let needed = needed.split(' ').chain(queues.then_some(of_queues));
        let lacking: Vec<&str> = needed.filter(|word| !all && !allowed.contains(word)).collect();
        (!lacking.is_empty()).then(|| format!("{parameter} lacks {}", lacking.join(", ")))
    };
    let api = lacks("Allowed-API", "esl-allowed-api", API, QUEUES);
    let events = lacks("Allowed-Events", "esl-allowed-events", EVENTS, QUEUED);
    let found: Vec<String> = api.into_iter().chain(events).collect();
    (!found.is_empty()).then(|| found.join(", and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rights_there_are_fit_into_the_reply_that_names_them() {
        assert!(EVENTS.contains(TAKEN));
        let reply = format!(
            "~Reply-Text: +OK accepted\nAllowed-Events: {EVENTS} {QUEUED}\nAllowed-API: {API} {RING} {QUEUES}\n\
             Allowed-LOG: false\n\n"
        );
        assert!(reply.len() <= 511, "{}", reply.len());
    }
}
