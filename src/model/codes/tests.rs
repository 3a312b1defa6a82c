use proptest::prelude::*;

use super::*;
use crate::model::id::{EmergencyNumber, Extension, Number};
use crate::model::login::pin::Pin;
use crate::model::number_pattern::NumberPattern;

fn numbers(patterns: &[&str]) -> Vec<NumberPattern> {
    patterns.iter().map(|pattern| NumberPattern::new(*pattern).unwrap()).collect()
}

fn emergency(numbers: &[&str]) -> Vec<EmergencyNumber> {
    numbers.iter().map(|number| EmergencyNumber::new(*number).unwrap()).collect()
}

fn own(dial: &str, action: Action) -> CustomCode {
    CustomCode { dial: Pattern::parse(dial).unwrap(), action, pin: None }
}

fn request(action: Action, user: Option<&str>, pin: Proof) -> Option<Request> {
    Some(Request { action, user: user.map(|user| Extension::new(user).unwrap()), pin, operand: None })
}

/// A request for a user setting.
fn setting(action: Action, operand: Option<Operand>) -> Option<Request> {
    Some(Request { action, user: None, pin: Proof::Waived, operand })
}

fn number(number: &str) -> Option<Operand> {
    Some(Operand::Number(Number::new(number).unwrap()))
}

fn group(keys: &str) -> Option<Operand> {
    Some(Operand::Group(Spelled::keyed(keys).unwrap()))
}

fn dialled(pin: &str) -> Proof {
    Proof::Dialled(Pin::new(pin).unwrap())
}

/// Every preset that goes with the others.
const TOGETHER: [Preset; 7] = [
    Preset::Simmpl,
    Preset::ThreeCx,
    Preset::Xelion,
    Preset::Freepbx,
    Preset::Kazoo,
    Preset::Extras,
    Preset::Personal,
];

fn presets() -> impl Iterator<Item = Preset> {
    TOGETHER.into_iter().chain([Preset::Avaya])
}

#[test]
fn the_key_of_a_device_toggles_with_any_codes() {
    for preset in presets() {
        let Ok(codes) = Codes::of(&[preset]) else { continue };
        assert_eq!(
            codes.read(DEVICE_LAMP),
            Some(Request { action: Action::Toggle, user: None, pin: Proof::Asked, operand: None }),
            "{preset}"
        );
        assert_eq!(codes.read("device+desk1"), None);
    }
}

#[test]
fn each_row_of_each_preset_is_read_with_and_without_the_dial_key() {
    use Action::{ChangePin, Login, Logout, LogoutEverywhere, Toggle, WhoIsHere};
    for (preset, digits, means) in [
        (Preset::Simmpl, "*35", request(Toggle, None, Proof::Asked)),
        (Preset::Simmpl, "*35*101", request(Toggle, Some("101"), Proof::Asked)),
        (Preset::Simmpl, "*35*001*0042", request(Toggle, Some("001"), dialled("0042"))),
        (Preset::ThreeCx, "*77*201*", request(Login, Some("201"), Proof::Asked)),
        (Preset::ThreeCx, "*77*5*", request(Logout, None, Proof::Waived)),
        (Preset::Xelion, "8345", request(Toggle, Some("345"), Proof::Waived)),
        (Preset::Freepbx, "*11", request(Login, None, Proof::Asked)),
        (Preset::Freepbx, "*11101", request(Login, Some("101"), Proof::Asked)),
        (Preset::Freepbx, "*12", request(Logout, None, Proof::Waived)),
        (Preset::Kazoo, "*13", request(Toggle, None, Proof::Asked)),
        (Preset::Avaya, "*35*101*1234", request(Login, Some("101"), dialled("1234"))),
        (Preset::Avaya, "*35*101*1234#", request(Login, Some("101"), dialled("1234"))),
        (Preset::Avaya, "*36", request(Logout, None, Proof::Waived)),
    ] {
        let codes = Codes::of(&[preset]).unwrap();
        for sent in [digits.to_owned(), format!("{digits}#")] {
            assert_eq!(codes.read(&sent), means, "{preset}: {sent}");
        }
    }
    let codes = Codes::of(&[Preset::Simmpl, Preset::Extras]).unwrap();
    assert_eq!(codes.read("*34"), request(WhoIsHere, None, Proof::Waived));
    assert_eq!(codes.read("*350"), request(LogoutEverywhere, None, Proof::Asked));
    assert_eq!(codes.read("*3500#"), request(ChangePin, None, Proof::Asked));
    assert_eq!(Codes::default(), Codes::of(&[Preset::Simmpl]).unwrap());
}

#[test]
fn a_setting_is_read_with_the_number_group_or_choice_that_was_dialled() {
    use Action::{
        DoNotDisturb, DoNotDisturbOff, DoNotDisturbOn, ForwardAlways, ForwardBusy, ForwardUnanswered, Group,
        Pause, Pickup, RingDesk, RingHotdesk, RingInTurn, RingMobile, RingSoftphone, ShowNumber, Voicemail,
    };
    let codes = Codes::of(&TOGETHER).unwrap();
    for (digits, action, operand) in [
        ("*76", DoNotDisturb, None),
        ("*78", DoNotDisturbOn, None),
        ("*79", DoNotDisturbOff, None),
        ("*720612345678", ForwardAlways, number("0612345678")),
        ("*72112", ForwardAlways, number("112")),
        ("*73", ForwardAlways, None),
        ("*900", ForwardBusy, number("0")),
        ("*91", ForwardBusy, None),
        ("*52102", ForwardUnanswered, number("102")),
        ("*53", ForwardUnanswered, None),
        ("*371", RingHotdesk, None),
        ("*372", RingDesk, None),
        ("*373", RingSoftphone, None),
        ("*374", RingMobile, None),
        ("*375", RingInTurn, None),
        ("*38", ShowNumber, None),
        ("*380", ShowNumber, Some(Operand::Choice(0))),
        ("*389", ShowNumber, Some(Operand::Choice(9))),
        ("*4572537", Group, group("72537")),
        ("*46", Pause, None),
        ("*8", Pickup, None),
        ("*97", Voicemail, None),
    ] {
        for sent in [digits.to_owned(), format!("{digits}#")] {
            assert_eq!(codes.read(&sent), setting(action, operand.clone()), "{sent}");
        }
    }
    let longest = format!("*72{}", "1".repeat(32));
    assert_eq!(codes.read(&longest), setting(ForwardAlways, number(&"1".repeat(32))));
    for digits in [
        "*72",
        "*72*",
        "*72061#2",
        "*7206##",
        "*72+31612345678",
        &format!("{longest}1"),
        "*45",
        "*389*",
        "*3811",
        "*370",
    ] {
        assert_eq!(codes.read(digits), None, "{digits}");
    }
}

#[test]
fn codes_of_the_switch_are_not_sent_to_the_controller() {
    let codes = Codes::of(&TOGETHER).unwrap();
    let nets = codes.dialplan_matches();
    let here: Vec<(&str, &str)> = nets
        .iter()
        .filter_map(|net| match net.served {
            Served::Switch(context) => Some((net.bare.as_str(), context)),
            Served::Controller => None,
        })
        .collect();
    assert_eq!(here, [("*8", "pickup"), ("*97", "voicemail")]);
    let ours = |net: &&DialplanMatch| net.served == Served::Controller;
    for digits in ["*8", "*8#", "*97", "*97#"] {
        assert!(!nets.iter().filter(ours).any(|net| net.shape().matches(digits)), "{digits}");
    }
}

#[test]
fn strings_that_are_no_code_are_not_read() {
    let codes = Codes::of(&TOGETHER).unwrap();
    for digits in [
        "",
        "#",
        "35",
        "*3",
        "*355",
        "*35*",
        "*35**",
        "*35*101*",
        "*35*101*123",
        "*35*101*12345678901",
        "*35*1011*1234",
        "*35*101*1234*",
        "*35*101*1234##",
        "*35*10a",
        "112",
        "*35*٣",
        "*77*201",
        "8",
        "81000",
        "*3500##",
        "*11*101",
        "345",
    ] {
        assert_eq!(codes.read(digits), None, "{digits}");
    }
}

#[test]
fn a_code_of_two_presets_counts_once() {
    let both = Codes::of(&[Preset::Freepbx, Preset::Kazoo]).unwrap();
    assert_eq!(both, Codes::of(&[Preset::Freepbx]).unwrap());
}

#[test]
fn a_conflict_is_refused_with_both_codes_and_the_digits() {
    let wanted = |presets: &[Preset], own: &[CustomCode]| CodeSettings {
        presets: presets.to_vec(),
        custom: own.to_vec(),
        one_touch: true,
        pinless: true,
    };
    let simmpl = [Preset::Simmpl];
    for (wanted, users, says) in [
        (
            wanted(&[Preset::Simmpl, Preset::Avaya], &[]),
            &["XXX"][..],
            "*35*000*0000 would be read as *35*{ext}*{pin} (toggle, preset simmpl) and as *35*{ext}*{pin}# (login, preset avaya)",
        ),
        (wanted(&simmpl, &[own("*35*1{ext}", Action::Login)]), &["XXX", "XXXX"], "*35*1000 would be read"),
        (
            wanted(&[Preset::ThreeCx], &[]),
            &["X", "XXX"],
            "*77*5* would be read as *77*{ext}* (login, preset 3cx)",
        ),
        (wanted(&[Preset::Xelion], &[]), &["XXX", "8XXX"], "8000 would be both an extension of 8XXX"),
        (wanted(&[Preset::Xelion], &[]), &["1XX", "[789]XXX"], "8100 would be both an extension of [789]XXX"),
        (
            wanted(&simmpl, &[own("11{ext}", Action::Login)]),
            &["X"],
            "110 would be both the emergency number 110",
        ),
        (wanted(&simmpl, &[own("112#", Action::Logout)]), &["XXX"], "112 would be both the emergency number"),
        (wanted(&[Preset::Extras], &[]), &["XXX"], "no code logs a user in"),
        (wanted(&[], &[]), &["XXX"], "no code logs a user in"),
        (wanted(&simmpl, &[own("*36*{ext}", Action::Logout)]), &["XXX"], "remove {ext}"),
        (wanted(&simmpl, &[own("*36*{ext}*{pin}", Action::ChangePin)]), &["XXX"], "remove {pin}"),
        (
            wanted(&[Preset::Simmpl, Preset::Personal], &[own("*7{number}", Action::ForwardBusy)]),
            &["XXX"],
            "*76 would be read as *76 (do_not_disturb, preset personal) and as *7{number} (forward_busy, custom)",
        ),
        (wanted(&simmpl, &[own("*72{number}", Action::Login)]), &["XXX"], "goes with forward_always"),
        (wanted(&simmpl, &[own("*72{group}", Action::ForwardAlways)]), &["XXX"], "goes with forward_always"),
        (wanted(&simmpl, &[own("*38{choice}", Action::Pause)]), &["XXX"], "{choice} with show_number"),
        (wanted(&simmpl, &[own("*45", Action::Group)]), &["XXX"], "add {group}"),
        (wanted(&simmpl, &[own("*97{ext}", Action::Voicemail)]), &["XXX"], "remove {ext}"),
    ] {
        let error = wanted.codes(&numbers(users), &emergency(&["110", "112"])).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(wanted(&[Preset::Xelion], &[]).codes(&numbers(&["XXX"]), &emergency(&["112"])).is_ok());
}

#[test]
fn a_code_without_a_pin_needs_pinless() {
    let mut wanted = CodeSettings { presets: vec![Preset::Xelion], ..CodeSettings::default() };
    let error = wanted.codes(&numbers(&["XXX"]), &[]).unwrap_err().to_string();
    assert!(error.contains("8{ext} (toggle, preset xelion)") && error.contains("pinless = true"), "{error}");
    let quick = CustomCode { pin: Some(PinRule::None), ..own("*88*{ext}", Action::Login) };
    wanted.presets = vec![Preset::Simmpl];
    wanted.custom = vec![quick.clone()];
    assert!(matches!(wanted.codes(&numbers(&["XXX"]), &[]), Err(BadCodes::Pinless(_))));
    wanted.pinless = true;
    let codes = wanted.codes(&numbers(&["XXX"]), &[]).unwrap();
    assert_eq!(codes.read("*88*101"), request(Action::Login, Some("101"), Proof::Waived));
    for odd in [
        CustomCode { pin: Some(PinRule::Dialled), ..quick.clone() },
        CustomCode { pin: Some(PinRule::None), ..own("*88", Action::Login) },
        CustomCode { pin: Some(PinRule::None), ..own("*88*{ext}*{pin}", Action::Login) },
        CustomCode { pin: Some(PinRule::None), ..own("*88*{ext}", Action::LogoutEverywhere) },
        CustomCode { pin: Some(PinRule::None), ..own("*88*{ext}", Action::ChangePin) },
    ] {
        wanted.custom = vec![odd];
        assert!(matches!(wanted.codes(&numbers(&["XXX"]), &[]), Err(BadCodes::Unfit { .. })), "{wanted:?}");
    }
}

#[test]
fn without_one_touch_no_code_contains_a_pin() {
    let mut wanted = CodeSettings { one_touch: false, ..CodeSettings::default() };
    let codes = wanted.codes(&numbers(&["XXX"]), &[]).unwrap();
    assert_eq!(codes.read("*35*101*1234"), None);
    assert_eq!(codes.read("*35*101"), request(Action::Toggle, Some("101"), Proof::Asked));
    // A key that was set up before is still sent to the controller, and leaves no trace.
    assert!(codes.dialplan_matches().iter().any(|net| net.shape().matches("*35*101*1234")));
    wanted.custom = vec![own("*88*{ext}*{pin}", Action::Login)];
    assert!(matches!(wanted.codes(&numbers(&["XXX"]), &[]), Err(BadCodes::OneTouch(_))));
    let avaya = CodeSettings { presets: vec![Preset::Avaya], one_touch: false, ..CodeSettings::default() };
    assert_eq!(avaya.codes(&numbers(&["XXX"]), &[]), Err(BadCodes::NoLogin));
}

#[test]
fn a_code_that_begins_with_a_digit_is_sent_only_as_it_is_read() {
    let codes = Codes::of(&TOGETHER).unwrap();
    let taken = |digits: &str| codes.dialplan_matches().iter().any(|net| net.shape().matches(digits));
    for digits in ["*35*", "*35*1*2*3##", "*77*5", "8345", "8345#", "*11101", "*11", "*3500#"] {
        assert!(taken(digits), "{digits}");
    }
    for digits in ["8", "83456", "8345*", "*1110", "*110", "*36", "*355", "112", "101"] {
        assert!(!taken(digits), "{digits}");
    }
    let own = CodeSettings { custom: vec![own("9{ext}*{pin}", Action::Login)], ..CodeSettings::default() };
    let codes = own.codes(&numbers(&["XXX"]), &[]).unwrap();
    let taken = |digits: &str| codes.dialplan_matches().iter().any(|net| net.shape().matches(digits));
    assert!(taken("9101*12") && !taken("9101") && !taken("91011234"));
}

fn wanted() -> impl Strategy<Value = CodeSettings> {
    let actions = presets().flat_map(Preset::codes).map(|(_, action)| *action);
    let action = prop::sample::select(actions.collect::<Vec<_>>());
    let dial =
        "[*]?[0-3]{1,3}([*#]?\\{ext\\}([*][0-3]?|[*]\\{pin\\}#?)?|[*]?\\{(number|group|choice)\\}[*]?|[*#])?";
    let own = (dial, action).prop_filter_map("no pattern", |(dial, action)| {
        Some(CustomCode { dial: Pattern::parse(&dial).ok()?, action, pin: None })
    });
    let presets = prop::collection::vec(prop::sample::select(presets().collect::<Vec<_>>()), 0..3);
    (presets, prop::collection::vec(own, 0..4), any::<bool>())
        .prop_map(|(presets, own, one_touch)| CodeSettings { presets, custom: own, one_touch, pinless: true })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_string_has_at_most_one_reading_and_is_then_sent_to_the_controller(
        wanted in wanted(),
        users in prop::collection::vec(prop::sample::select(vec!["X", "1X", "[0-2]XX", "XXX"]), 1..3),
        digits in "\\PC{0,8}|[0-9*#]{0,12}|[*]?[0-3]{1,3}[*#]?[0-3]{1,3}([*#]([0-9]{4})?)?#?#?",
    ) {
        let users = numbers(&users);
        let refused = wanted.codes(&users, &emergency(&["112"]));
        if let Err(BadCodes::Twice { digits, .. } | BadCodes::Extension { digits, .. } | BadCodes::Emergency { digits, .. }) = &refused {
            // The digits that are named are read by a code indeed.
            let lone = wanted.presets.iter().flat_map(|preset| preset.codes()).map(|(pattern, _)| Pattern::parse(pattern).unwrap());
            let read = lone.chain(wanted.custom.iter().map(|own| own.dial.clone())).filter(|pattern| {
                let code = Code { pattern: pattern.clone(), action: Action::Toggle, pin: PinRule::Asked, source: Source::Custom };
                code.read(digits, &users).is_some()
            });
            prop_assert!(read.count() >= 1, "{digits}");
        }
        if let Ok(codes) = refused {
            let readings = codes.iter().filter(|code| code.read(&digits, &users).is_some()).count();
            prop_assert!(readings <= 1, "{digits} by {codes:?}");
            for code in codes.iter() {
                let of_a_shape = codes.shapes(code).iter().any(|shape| shape.matches(&digits));
                prop_assert_eq!(of_a_shape, code.read(&digits, &users).is_some(), "{} by {}", digits, code);
            }
            // Where it is printed first of all that take it.
            let served = codes.dialplan_matches().iter().find(|net| net.shape().matches(&digits)).map(|net| net.served);
            match codes.read(&digits) {
                Some(request) => prop_assert_eq!(served, Some(request.action.served()), "{}", digits),
                None => prop_assert!(matches!(served, None | Some(Served::Controller)), "{digits}"),
            }
        }
    }

    #[test]
    fn a_dialled_code_is_read_unchanged(user in "[0-9]{3}", pin in "[0-9]{4,10}") {
        prop_assert_eq!(
            Codes::default().read(&format!("*35*{user}*{pin}")),
            request(Action::Toggle, Some(&user), dialled(&pin))
        );
    }
}
