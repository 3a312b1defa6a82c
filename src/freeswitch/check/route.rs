//! Follows a call through the site's own contexts, to where it is bridged: an emergency call to the trunk, a call to a user to
//! Hotdesk or past it.

use super::Inspection;
use super::context::{Action, Extension, Test, regex};
use crate::controller::emergency::Route;
use crate::freeswitch::dialplan::TO_USERS;
use crate::model::contexts::is_of_freeswitch;
use crate::switch::SwitchError;

/// Transfers before a call is taken to loop.
const TRANSFERS: usize = 20;
/// Applications after which the call goes on.
const GO_ON: [&str; 19] = [
    "answer",
    "bridge_export",
    "db",
    "export",
    "hash",
    "info",
    "limit",
    "log",
    "multiset",
    "nolocal",
    "playback",
    "pre_answer",
    "privacy",
    "record_session",
    "ring_ready",
    "set",
    "set_profile_var",
    "sleep",
    "unset",
];
/// Applications that end the call.
const ENDS: [&str; 3] = ["hangup", "respond", "reject"];

/// Whether a call matches an extension.
enum Matches {
    Yes,
    No,
    /// It depends on this.
    Depends(String),
}

/// What an extension does with a call.
enum Does {
    Route(Route),
    /// To this number in this context.
    Transfer(String, String),
    /// Nothing that ends it.
    GoesOn,
}

/// Which call is followed.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Call {
    /// The number that it shows matters.
    Emergency,
    User,
}

/// Where a call goes.
pub(super) enum Led {
    To(Route),
    /// It goes on in a context of Hotdesk.
    Own(String),
    /// The context does not know the number.
    Unknown,
}

/// Whether an extension sends calls on to the users of Hotdesk.
pub(super) fn to_users(extension: &Extension) -> bool {
    extension.actions.iter().any(|action| action.data.ends_with(TO_USERS))
}

/// Whether an extension only takes a call back after an emergency call; any other call goes on.
pub(super) fn calls_back(extension: &Extension) -> bool {
    extension.actions.iter().any(|action| action.data.ends_with("XML hotdesk@callback"))
}

impl Inspection<'_> {
    /// Where a call for `number` goes from `context`.
    pub(super) async fn route(&self, call: Call, context: &str, number: &str) -> Result<Led, SwitchError> {
        let (mut context, mut number) = (context.to_owned(), number.to_owned());
        for transfers in 0..TRANSFERS {
            if is_of_freeswitch(&context) && transfers > 0 {
                return Ok(Led::Own(context));
            }
            let Some(known) = self.context(&context).await? else {
                return Ok(Led::To(Route::Ends(format!("there is no context {context}"))));
            };
            let mut next = None;
            let mut matched = false;
            for extension in &known.extensions {
                let place = format!("extension {} of {context}", extension.name);
                match self.matches(extension, &number).await? {
                    Matches::No => continue,
                    Matches::Depends(_) if call == Call::User && to_users(extension) => {
                        return Ok(Led::Own(extension.name.clone()));
                    }
                    // It says nothing of numbers, or of calls to users.
                    Matches::Depends(_)
                        if call == Call::User
                            && (calls_back(extension) || !extension.tests.iter().any(Test::is_of_number)) =>
                    {
                        continue;
                    }
                    Matches::Depends(_) if extension.actions.iter().all(goes_on) && extension.continues => {
                        continue;
                    }
                    Matches::Depends(on) => {
                        let why = format!("cannot be followed: whether {place} takes it depends on {on}");
                        return Ok(Led::To(Route::Unknown(why)));
                    }
                    Matches::Yes => matched = true,
                }
                match self.does(call, extension, &number, &place).await? {
                    Does::Route(route) => return Ok(Led::To(route)),
                    Does::Transfer(to, there) => {
                        next = Some((to, there));
                        break;
                    }
                    Does::GoesOn if extension.continues => {}
                    Does::GoesOn => {
                        return Ok(Led::To(Route::Ends(format!("{place} ends before it bridges"))));
                    }
                }
            }
            match next {
                Some((to, there)) => (number, context) = (to, there),
                None if matched || transfers > 0 => {
                    return Ok(Led::To(Route::Ends(format!(
                        "the context {context} does not bridge {number}"
                    ))));
                }
                None => return Ok(Led::Unknown),
            }
        }
        Ok(Led::To(Route::Ends(format!("it loops at {number} in the context {context}"))))
    }

    /// FreeSWITCH itself matches the number. Other conditions are not known before a call.
    async fn matches(&self, extension: &Extension, number: &str) -> Result<Matches, SwitchError> {
        let tests = extension.tests.iter().filter(|test| test.is_of_number());
        let true_ones = self.are_true(tests.map(|test| regex(number, &test.expression))).await?;
        let other = extension.tests.iter().find(|test| !test.is_of_number());
        Ok(match other {
            _ if !extension.plain && !true_ones.contains(&true) && !true_ones.is_empty() => Matches::No,
            _ if !extension.plain => Matches::Depends("several conditions".into()),
            _ if true_ones.contains(&false) => Matches::No,
            None => Matches::Yes,
            Some(test) => Matches::Depends(test.field.clone()),
        })
    }

    async fn does(
        &self,
        call: Call,
        extension: &Extension,
        number: &str,
        place: &str,
    ) -> Result<Does, SwitchError> {
        let stopped = |why: String| Ok(Does::Route(Route::Unknown(why)));
        for action in &extension.actions {
            let Action { application, data } = action;
            let application = application.as_str();
            let Some(data) = self.filled(extension, number, data).await? else {
                return stopped(format!("cannot be followed further than {application} in {place}"));
            };
            let shown = ["caller_id_number", "caller_id_name"]
                .iter()
                .any(|name| data.split('=').next().is_some_and(|variable| variable.ends_with(name)));
            match application {
                "set" | "export" | "set_profile_var" if shown && call == Call::Emergency => {
                    return stopped(format!("may show another number: {place} has {application} {data}"));
                }
                _ if goes_on(action) => {}
                _ if ENDS.contains(&application) => {
                    return Ok(Does::Route(Route::Ends(format!(
                        "it ends at {application} {data} in {place}"
                    ))));
                }
                "bridge" => return Ok(Does::Route(leaves(&data, place))),
                "transfer" => {
                    let mut words = data.split_whitespace();
                    return match (words.next(), words.next().unwrap_or("XML"), words.next()) {
                        (Some(to), dialplan, Some(context)) if dialplan.eq_ignore_ascii_case("XML") => {
                            Ok(Does::Transfer(to.into(), context.into()))
                        }
                        _ => stopped(format!("cannot be followed further than transfer {data} in {place}")),
                    };
                }
                _ => {
                    return stopped(format!(
                        "cannot be followed further than {application} {data} in {place}"
                    ));
                }
            }
        }
        Ok(Does::GoesOn)
    }

    /// The data of an action, with the number and what the expression found. None if that is not known.
    async fn filled(
        &self,
        extension: &Extension,
        number: &str,
        data: &str,
    ) -> Result<Option<String>, SwitchError> {
        let data = data.replace("${destination_number}", number);
        let digits = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
        if !data.split('$').skip(1).any(digits) {
            return Ok(Some(data));
        }
        let last = extension.tests.iter().rfind(|test| test.is_of_number());
        let Some(test) = last.filter(|_| !data.contains('~')) else { return Ok(None) };
        let ask = format!("{}~{}", regex(number, &test.expression), data.replace('\\', r"\\"));
        self.client.api(&ask).await
    }
}

fn goes_on(action: &Action) -> bool {
    GO_ON.contains(&action.application.as_str())
}

/// The first target of a `bridge`.
fn leaves(data: &str, place: &str) -> Route {
    let mut target = data.trim();
    // {variables} for all targets, [variables] for one.
    for (open, close) in [('{', '}'), ('[', ']')] {
        while let Some((_, rest)) = target.strip_prefix(open).and_then(|rest| rest.split_once(close)) {
            target = rest;
        }
    }
    let target = target.split([',', '|']).next().unwrap_or_default();
    let number = match target.split('/').collect::<Vec<_>>()[..] {
        ["loopback", ..] => {
            return Route::Unknown(format!("cannot be followed further than bridge {data} in {place}"));
        }
        ["sofia", "gateway", _, number] => Some(number),
        ["sofia", _, address] => address.split_once('@').map(|(user, _)| user.trim_start_matches("sip:")),
        _ => None,
    };
    if number.unwrap_or(target).contains("${") {
        return Route::Unknown(format!(
            "leaves by bridge {data} in {place}: the number is not known before a call"
        ));
    }
    let (number, target, place) =
        (number.map(str::to_owned), target.to_owned(), format!("{place}: bridge {data}"));
    Route::Leaves { place, target, number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_of_every_kind_of_target() {
        for (data, target, number) in [
            ("sofia/gateway/prov/112", "sofia/gateway/prov/112", Some("112")),
            ("{a=b,c=d}[e=f]sofia/gateway/prov/0112", "sofia/gateway/prov/0112", Some("0112")),
            ("sofia/external/sip:112@192.0.2.1", "sofia/external/sip:112@192.0.2.1", Some("112")),
            ("user/trunk@example.com", "user/trunk@example.com", None),
            ("sofia/gateway/a/112|sofia/gateway/b/112", "sofia/gateway/a/112", Some("112")),
        ] {
            let number = number.map(str::to_owned);
            let place = format!("here: bridge {data}");
            assert_eq!(leaves(data, "here"), Route::Leaves { place, target: target.into(), number });
        }
        for data in ["loopback/112/out", "sofia/gateway/prov/${out}", "${gateway}"] {
            assert!(matches!(leaves(data, "here"), Route::Unknown(_)), "{data}");
        }
    }
}
