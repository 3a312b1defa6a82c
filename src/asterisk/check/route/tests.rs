use super::*;

/// A dialplan as in extensions.conf, with `n` already counted.
fn known(text: &str) -> Known {
    let mut known = Known::default();
    let mut name = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(context) = line.strip_prefix('[') {
            name = context.trim_end_matches(']').into();
            known.contexts.insert(name.clone(), Some(Context::default()));
            continue;
        }
        if let Some((variable, value)) = line.split_once(" == ") {
            known.variables.insert(variable.into(), value.into());
            continue;
        }
        let context = known.contexts.get_mut(&name).unwrap().as_mut().unwrap();
        if let Some(include) = line.strip_prefix("include ") {
            context.includes.push(include.into());
        } else if line == "switch" {
            context.switches = true;
        } else {
            let mut parts = line.splitn(3, ',');
            let mut part = || parts.next().unwrap();
            let (extension, priority, rest) = (part().to_owned(), part(), part());
            let (priority, label) =
                priority.split_once('(').map_or((priority, ""), |(p, l)| (p, l.trim_end_matches(')')));
            let (application, data) = rest.split_once('(').unwrap();
            context.lines.push(Line {
                extension,
                priority: priority.parse().unwrap(),
                label: label.into(),
                application: application.into(),
                data: data.strip_suffix(')').unwrap().into(),
            });
        }
    }
    known
}

#[test]
fn a_call_is_followed_to_its_dial_with_the_number_that_leaves() {
    for (text, target, number) in [
        ("112,1,Dial(PJSIP/trunk,20)", "PJSIP/trunk", None),
        ("_X.,1,Dial(PJSIP/${EXTEN}@trunk)", "PJSIP/112@trunk", Some("112")),
        ("_1XX,1,Dial(PJSIP/${EXTEN:1}@trunk)", "PJSIP/12@trunk", Some("12")),
        ("_11[0-2],1,Dial(SIP/trunk/${EXTEN:-2:1})", "SIP/trunk/1", Some("1")),
        ("112,1,Dial(PJSIP/trunk/sip:0${EXTEN}@192.0.2.1)", "PJSIP/trunk/sip:0112@192.0.2.1", Some("0112")),
        (
            "112,1,NoOp()\n112,2,Set(OUT=+31${EXTEN})\n112,3,Dial(PJSIP/${OUT}@t)",
            "PJSIP/+31112@t",
            Some("+31112"),
        ),
        ("TRUNK == prov\n112,1,Dial(PJSIP/112@${TRUNK})", "PJSIP/112@prov", Some("112")),
        ("112,1,Goto(out,9${EXTEN},1)\n[out]\n_9.,1,Dial(DAHDI/g1/${EXTEN:1})", "DAHDI/g1/112", Some("112")),
        ("112,1,Goto(go)\n112,2,Hangup()\n112,3(go),Dial(PJSIP/112@t)", "PJSIP/112@t", Some("112")),
        (
            "112,1,GotoIf($[\"${A(x)}\" = \"1\"]?a:b)\n112,2(a),Dial(PJSIP/112@a)\n112,3(b),Dial(PJSIP/112@b)",
            "PJSIP/112@a",
            Some("112"),
        ),
        ("include later\n[later]\n_X.,1,Dial(PJSIP/${EXTEN}@t)", "PJSIP/112@t", Some("112")),
        ("112,1,Dial(PJSIP/112@t&PJSIP/112@u,30)", "PJSIP/112@t", Some("112")),
        ("112,1,Gosub(out,s,1(${EXTEN}))\n[out]\ns,1,Dial(PJSIP/${ARG1}@t)", "PJSIP/112@t", Some("112")),
        ("112,1,Macro(out,t)\n[macro-out]\ns,1,Dial(PJSIP/112@${ARG1})", "PJSIP/112@t", Some("112")),
        ("include day,9:00-17:00,*,*,*\n112,1,Dial(PJSIP/t)\n[day]", "PJSIP/t", None),
    ] {
        let known = known(&format!("[emergency]\n{text}"));
        let found =
            known.follow("hotdesk", "emergency", "112").unwrap_or_else(|stop| panic!("{text}: {stop:?}"));
        assert_eq!((found.target.as_str(), found.number.as_deref()), (target, number), "{text}");
    }
}

#[test]
fn what_does_not_leave_is_said_and_what_is_not_known_is_not_claimed() {
    for (text, ends, says) in [
        ("113,1,Dial(PJSIP/t)", true, "does not know 112"),
        ("112,1,Hangup()", true, "it ends at [emergency] 112,1: Hangup()"),
        ("112,1,NoOp()", true, "ends before it dials"),
        ("112,1,Goto(emergency,${EXTEN},1)", true, "loops"),
        ("112,1,Goto(nowhere)", true, "has no priority nowhere"),
        (
            "112,1,Gosub(s,1)\ns,1,Return()",
            false,
            "cannot be followed further than [emergency] 112,1: Gosub(s,1)",
        ),
        ("112,1,AGI(out.sh)", false, "AGI(out.sh)"),
        (
            "112,1,Set(CALLERID(num)=0201)\n112,2,Dial(PJSIP/t)",
            false,
            "may change the number that the call shows",
        ),
        ("112,1,Dial(${DB(out/trunk)})", false, "is not known"),
        ("112,1,Dial(Local/112@x)", false, "Local/112@x"),
        ("include day,9:00-17:00,mon-fri,*,*\n[day]\n112,1,Dial(PJSIP/t)", false, "depends on the time"),
        ("switch", false, "asks another switch"),
        ("112,1,GotoIf(1?a)\n112,2,Dial(PJSIP/t)\n112,3(a),Hangup()", false, "on one way it ends at"),
    ] {
        let known = known(&format!("[emergency]\n{text}"));
        let stop = known.follow("hotdesk", "emergency", "112").unwrap_err();
        let (Stop::Ends(said) | Stop::Unknown(said)) = &stop else { panic!("{text}: {stop:?}") };
        assert!(matches!(stop, Stop::Ends(_)) == ends && said.contains(says), "{text}: {stop:?}");
    }
    let need = |text: &str| known(text).follow("hotdesk", "emergency", "112").unwrap_err();
    let context = |name: &str| Stop::Needs(Need::Context(name.into()));
    assert_eq!(need("[other]"), context("emergency"));
    assert_eq!(need("[emergency]\n112,1,Goto(out,112,1)"), context("out"));
    let variable = Stop::Needs(Need::Variable("TRUNK".into()));
    assert_eq!(need("[emergency]\n112,1,Dial(PJSIP/112@${TRUNK})"), variable);
}

/// The context of the phones, and Hotdesk's own for 2XX.
fn led(text: &str) -> Result<Leaves, Stop> {
    let known = known(&format!("[phones]\n{text}\n[hotdesk-users]\n_2XX,1,Goto(hotdesk-user,${{EXTEN}},1)"));
    known.follow_user("hotdesk", "phones", "202")
}

#[test]
fn a_call_to_a_user_is_followed_to_hotdesk_or_past_it() {
    for own in [
        "include hotdesk-users",
        "include fixed\ninclude hotdesk-users\n[fixed]\n_3XX,1,Dial(PJSIP/${EXTEN})",
        "_2XX,1,Goto(hotdesk-users,${EXTEN},1)",
        "_X.,1,Gosub(hotdesk-callback,${EXTEN},1)\n_X.,2,Goto(acme-hotdesk-users,${EXTEN},1)",
        "_2XX,1,Set(CALLERID(name)=x)\n_2XX,2,Dial(Local/${EXTEN}@hotdesk-users/n,20)",
    ] {
        assert!(matches!(led(own), Err(Stop::Own(_))), "{own}: {:?}", led(own));
    }
    for (past, target) in [
        ("include hotdesk-users\n_2XX,1,Dial(PJSIP/${EXTEN})", "PJSIP/202"),
        ("include fixed\ninclude hotdesk-users\n[fixed]\n_2XX,1,Dial(PJSIP/${EXTEN},20)", "PJSIP/202"),
        ("_2XX,1,Dial(${PJSIP_DIAL_CONTACTS(${EXTEN})},20)", "PJSIP/202"),
        ("_2XX,1,Gosub(stdexten,${EXTEN},1(PJSIP/desk))\n[stdexten]\n_X.,1,Dial(${ARG1})", "PJSIP/desk"),
        ("202,1,Set(CALLERID(name)=x)\n202,2,Dial(SIP/bob)", "SIP/bob"),
    ] {
        assert_eq!(led(past).unwrap().target, target, "{past}");
    }
    for unknown in [
        "_2XX,1,GotoIf($[${DB_EXISTS(x)}]?hotdesk-users,${EXTEN},1)\n_2XX,2,Dial(PJSIP/${EXTEN})",
        "_2XX,1,AGI(where.sh)",
        "_2XX,1,Dial(${DB(dev/${EXTEN})})",
    ] {
        assert!(matches!(led(unknown), Err(Stop::Unknown(_))), "{unknown}: {:?}", led(unknown));
    }
    let twice = "112,1,GotoIf(1?hotdesk,112,1)\n112,2,Goto(hotdesk,112,1)";
    let back = known(&format!("[emergency]\n{twice}")).follow("hotdesk", "emergency", "112");
    assert_eq!(back, Err(Stop::Own("hotdesk".into())));
}

#[test]
fn the_first_extension_that_matches_is_that_of_the_context_before_an_included_one() {
    let known = known("[phones]\ninclude hotdesk-users\n_3XX,1,Busy()\n[hotdesk-users]\n_XXX,1,NoOp()");
    let by = |number: &str| known.matched("phones", number).unwrap();
    assert_eq!(by("302"), Some(("phones".into(), "_3XX".into())));
    assert_eq!(by("202"), Some(("hotdesk-users".into(), "_XXX".into())));
    assert_eq!(by("9"), None);
    assert!(["hotdesk", "hotdesk-users", "acme-hotdesk-users"].into_iter().all(is_of_any));
    assert!(!["from-hotdesk-out", "myhotdesk", "hotdesk-emergency-out", "phones"].into_iter().any(is_of_any));
}
