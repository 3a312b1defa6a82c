use proptest::prelude::*;

use super::*;

fn numbers(patterns: &[&str]) -> Vec<NumberPattern> {
    patterns.iter().map(|pattern| NumberPattern::new(*pattern).unwrap()).collect()
}

fn emergency(numbers: &[&str]) -> Vec<EmergencyNumber> {
    numbers.iter().map(|number| EmergencyNumber::new(*number).unwrap()).collect()
}

fn own(dial: &str, does: Action) -> Own {
    Own { dial: Pattern::parse(dial).unwrap(), does, pin: None }
}

fn request(does: Action, user: Option<&str>, pin: Proof) -> Option<Request> {
    Some(Request { does, user: user.map(|user| Extension::new(user).unwrap()), pin, operand: None })
}

/// What somebody wants of his own otherwise.
fn setting(does: Action, operand: Option<Operand>) -> Option<Request> {
    Some(Request { does, user: None, pin: Proof::Waived, operand })
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

#[test]
fn the_key_of_a_device_toggles_whatever_the_codes_are() {
    for preset in Preset::ALL {
        let Ok(codes) = Codes::of(&[preset]) else { continue };
        assert_eq!(
            codes.read(SEAT),
            Some(Request { does: Action::Toggle, user: None, pin: Proof::Asked, operand: None }),
            "{preset}"
        );
        assert_eq!(codes.read("seat+desk1"), None);
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
fn what_a_user_changes_himself_is_read_with_the_number_group_or_choice_that_was_dialled_along() {
    use Action::{
        DoNotDisturb, DoNotDisturbOff, DoNotDisturbOn, ForwardAlways, ForwardBusy, ForwardUnanswered, Group,
        Pause, Pickup, RingDesk, RingHotdesk, RingInTurn, RingMobile, RingSoftphone, ShowNumber, Voicemail,
    };
    let codes = Codes::of(&TOGETHER).unwrap();
    for (digits, does, operand) in [
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
            assert_eq!(codes.read(&sent), setting(does, operand.clone()), "{sent}");
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
fn what_the_switch_does_itself_is_not_sent_to_us() {
    let codes = Codes::of(&TOGETHER).unwrap();
    let nets = codes.nets();
    let here: Vec<(&str, &str)> = nets
        .iter()
        .filter_map(|net| match net.served {
            Served::Here(context) => Some((net.bare.as_str(), context)),
            Served::Controller => None,
        })
        .collect();
    assert_eq!(here, [("*8", "hotdesk-pickup"), ("*97", "hotdesk-voicemail")]);
    let ours = |net: &&Net| net.served == Served::Controller;
    for digits in ["*8", "*8#", "*97", "*97#"] {
        assert!(!nets.iter().filter(ours).any(|net| net.shape().matches(digits)), "{digits}");
    }
}

#[test]
fn what_is_no_code_is_not_read() {
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
fn what_two_presets_have_in_common_is_one_code() {
    let both = Codes::of(&[Preset::Freepbx, Preset::Kazoo]).unwrap();
    assert_eq!(both, Codes::of(&[Preset::Freepbx]).unwrap());
}

#[test]
fn what_does_not_go_together_is_refused_with_both_named_and_the_digits() {
    let wanted = |presets: &[Preset], own: &[Own]| Wanted {
        presets: presets.to_vec(),
        own: own.to_vec(),
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
        (wanted(&[Preset::Extras], &[]), &["XXX"], "no code logs anybody in"),
        (wanted(&[], &[]), &["XXX"], "no code logs anybody in"),
        (wanted(&simmpl, &[own("*36*{ext}", Action::Logout)]), &["XXX"], "leave out {ext}"),
        (wanted(&simmpl, &[own("*36*{ext}*{pin}", Action::ChangePin)]), &["XXX"], "leave out {pin}"),
        (
            wanted(&[Preset::Simmpl, Preset::Personal], &[own("*7{number}", Action::ForwardBusy)]),
            &["XXX"],
            "*76 would be read as *76 (do_not_disturb, preset personal) and as *7{number} (forward_busy, own)",
        ),
        (wanted(&simmpl, &[own("*72{number}", Action::Login)]), &["XXX"], "goes with forward_always"),
        (wanted(&simmpl, &[own("*72{group}", Action::ForwardAlways)]), &["XXX"], "goes with forward_always"),
        (wanted(&simmpl, &[own("*38{choice}", Action::Pause)]), &["XXX"], "{choice} with show_number"),
        (wanted(&simmpl, &[own("*45", Action::Group)]), &["XXX"], "add {group}"),
        (wanted(&simmpl, &[own("*97{ext}", Action::Voicemail)]), &["XXX"], "leave out {ext}"),
    ] {
        let error = wanted.codes(&numbers(users), &emergency(&["110", "112"])).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(wanted(&[Preset::Xelion], &[]).codes(&numbers(&["XXX"]), &emergency(&["112"])).is_ok());
}

#[test]
fn a_code_without_a_pin_is_there_only_where_it_was_switched_on() {
    let mut wanted = Wanted { presets: vec![Preset::Xelion], ..Wanted::default() };
    let error = wanted.codes(&numbers(&["XXX"]), &[]).unwrap_err().to_string();
    assert!(error.contains("8{ext} (toggle, preset xelion)") && error.contains("pinless = true"), "{error}");
    let quick = Own { pin: Some(PinRule::None), ..own("*88*{ext}", Action::Login) };
    wanted.presets = vec![Preset::Simmpl];
    wanted.own = vec![quick.clone()];
    assert!(matches!(wanted.codes(&numbers(&["XXX"]), &[]), Err(BadCodes::Pinless(_))));
    wanted.pinless = true;
    let codes = wanted.codes(&numbers(&["XXX"]), &[]).unwrap();
    assert_eq!(codes.read("*88*101"), request(Action::Login, Some("101"), Proof::Waived));
    for odd in [
        Own { pin: Some(PinRule::Dialled), ..quick.clone() },
        Own { pin: Some(PinRule::None), ..own("*88", Action::Login) },
        Own { pin: Some(PinRule::None), ..own("*88*{ext}*{pin}", Action::Login) },
        Own { pin: Some(PinRule::None), ..own("*88*{ext}", Action::LogoutEverywhere) },
        Own { pin: Some(PinRule::None), ..own("*88*{ext}", Action::ChangePin) },
    ] {
        wanted.own = vec![odd];
        assert!(matches!(wanted.codes(&numbers(&["XXX"]), &[]), Err(BadCodes::Unfit { .. })), "{wanted:?}");
    }
}

#[test]
fn without_one_touch_no_pin_is_dialled_along() {
    let mut wanted = Wanted { one_touch: false, ..Wanted::default() };
    let codes = wanted.codes(&numbers(&["XXX"]), &[]).unwrap();
    assert_eq!(codes.read("*35*101*1234"), None);
    assert_eq!(codes.read("*35*101"), request(Action::Toggle, Some("101"), Proof::Asked));
    // A key that somebody set up before still comes to us, and leaves no trace.
    assert!(codes.nets().iter().any(|net| net.shape().matches("*35*101*1234")));
    wanted.own = vec![own("*88*{ext}*{pin}", Action::Login)];
    assert!(matches!(wanted.codes(&numbers(&["XXX"]), &[]), Err(BadCodes::OneTouch(_))));
    let avaya = Wanted { presets: vec![Preset::Avaya], one_touch: false, ..Wanted::default() };
    assert_eq!(avaya.codes(&numbers(&["XXX"]), &[]), Err(BadCodes::NoLogin));
}

#[test]
fn what_begins_with_a_digit_is_taken_no_further_than_it_is_read() {
    let codes = Codes::of(&TOGETHER).unwrap();
    let taken = |digits: &str| codes.nets().iter().any(|net| net.shape().matches(digits));
    for digits in ["*35*", "*35*1*2*3##", "*77*5", "8345", "8345#", "*11101", "*11", "*3500#"] {
        assert!(taken(digits), "{digits}");
    }
    for digits in ["8", "83456", "8345*", "*1110", "*110", "*36", "*355", "112", "101"] {
        assert!(!taken(digits), "{digits}");
    }
    let own = Wanted { own: vec![own("9{ext}*{pin}", Action::Login)], ..Wanted::default() };
    let codes = own.codes(&numbers(&["XXX"]), &[]).unwrap();
    let taken = |digits: &str| codes.nets().iter().any(|net| net.shape().matches(digits));
    assert!(taken("9101*12") && !taken("9101") && !taken("91011234"));
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let does = prop::sample::select(Action::ALL.to_vec());
    let dial =
        "[*]?[0-3]{1,3}([*#]?\\{ext\\}([*][0-3]?|[*]\\{pin\\}#?)?|[*]?\\{(number|group|choice)\\}[*]?|[*#])?";
    let own = (dial, does).prop_filter_map("no pattern", |(dial, does)| {
        Some(Own { dial: Pattern::parse(&dial).ok()?, does, pin: None })
    });
    let presets = prop::collection::vec(prop::sample::select(Preset::ALL.to_vec()), 0..3);
    (presets, prop::collection::vec(own, 0..4), any::<bool>()).prop_map(|(presets, own, one_touch)| Wanted {
        presets,
        own,
        one_touch,
        pinless: true,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_string_has_at_most_one_reading_and_comes_to_us_if_it_has_one(
        wanted in wanted(),
        users in prop::collection::vec(prop::sample::select(vec!["X", "1X", "[0-2]XX", "XXX"]), 1..3),
        digits in "\\PC{0,8}|[0-9*#]{0,12}|[*]?[0-3]{1,3}[*#]?[0-3]{1,3}([*#]([0-9]{4})?)?#?#?",
    ) {
        let users = numbers(&users);
        let refused = wanted.codes(&users, &emergency(&["112"]));
        if let Err(BadCodes::Twice { digits, .. } | BadCodes::Extension { digits, .. } | BadCodes::Emergency { digits, .. }) = &refused {
            // The digits that are named are read by a code indeed.
            let lone = wanted.presets.iter().flat_map(|preset| preset.codes()).map(|(pattern, _)| Pattern::parse(pattern).unwrap());
            let read = lone.chain(wanted.own.iter().map(|own| own.dial.clone())).filter(|pattern| {
                let code = Code { pattern: pattern.clone(), does: Action::Toggle, pin: PinRule::Asked, source: Source::Own };
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
            let served = codes.nets().iter().find(|net| net.shape().matches(&digits)).map(|net| net.served);
            match codes.read(&digits) {
                Some(request) => prop_assert_eq!(served, Some(request.does.served()), "{}", digits),
                None => prop_assert!(matches!(served, None | Some(Served::Controller)), "{digits}"),
            }
        }
    }

    #[test]
    fn what_was_dialled_is_what_is_read(user in "[0-9]{3}", pin in "[0-9]{4,10}") {
        prop_assert_eq!(
            Codes::default().read(&format!("*35*{user}*{pin}")),
            request(Action::Toggle, Some(&user), dialled(&pin))
        );
    }
}
