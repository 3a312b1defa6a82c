use std::collections::BTreeMap;

use super::*;
use crate::desk::rules::{Multi, Rules, Seating};

fn parsed(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let env: BTreeMap<_, _> = env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Config::parse(text, Path::new("/etc/hotdesk/hotdesk.toml"), &|name| env.get(name).cloned())
        .map_err(|error| error.to_string())
}

fn refusal(text: &str) -> String {
    parsed(text, &[]).unwrap_err()
}

const SMALLEST: &str = "[[switch]]\n";

/// An Asterisk and a FreeSWITCH that reach each other.
fn two_switches(to_fs: &str, to_pbx: &str) -> String {
    format!(
        "[[switch]]\nreach.fs = \"{to_fs}\"\n\
         [[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\nreach.pbx = \"{to_pbx}\"\n"
    )
}

#[test]
fn switches_say_how_they_reach_each_other() {
    let config = parsed(&two_switches("PJSIP/{user}@fs", "sofia/gateway/pbx/{user}"), &[]).unwrap();
    let [pbx, fs] = [0, 1].map(|n| config.switches[n].reach());
    assert_eq!(pbx.routes[&SwitchName::new("fs").unwrap()].with("101"), "PJSIP/101@fs");
    assert_eq!(fs.routes[&SwitchName::new("pbx").unwrap()].with("101"), "sofia/gateway/pbx/101");
    let error = refusal(&two_switches("PJSIP/fs", "sofia/gateway/pbx/{user}"));
    assert!(error.contains("line 2") && error.contains("one {user}"), "{error}");
}

#[test]
fn the_example_holds_every_default() {
    let example = include_str!("../../hotdesk.example.toml");
    assert_eq!(parsed(example, &[]), parsed(SMALLEST, &[]));
}

#[test]
fn the_configuration_of_the_containers_is_one() {
    let config = parsed(include_str!("../../docker/hotdesk/hotdesk.toml"), &[]).unwrap();
    let compose = include_str!("../../docker-compose.yml");
    // What it counts on in the other file.
    for agreed in
        ["redis:", "hotdesk:", "asterisk:", "site:/site:ro", "hotdesk:/var/lib/hotdesk", "172.30.35.0/24"]
    {
        assert!(compose.contains(agreed), "{agreed}");
    }
    let switch = &config.switches[0];
    assert_eq!(switch.agi_advertise().to_string(), "hotdesk:4573");
    assert_eq!(switch.allow(), ["172.30.35.0/24".parse().unwrap()]);
}

#[test]
fn the_example_shows_every_key() {
    let example = include_str!("../../hotdesk.example.toml");
    // A key that does not exist is answered with the ones that do.
    for section in [
        "[store]",
        "[codes]",
        "[login]",
        "[pin]",
        "[dialplan]",
        "[emergency]",
        "[[switch]]",
        "[[tenant]]",
        "[leave]",
        "[log]",
        "[metrics]",
    ] {
        let error = refusal(&format!("{section}\nnonsense = 1\n"));
        let (_, keys) = error.split_once("expected ").unwrap();
        for key in keys.split('`').skip(1).step_by(2) {
            let shown = [format!("\n{section}\n"), format!("\n# {section}\n")]
                .iter()
                .find_map(|section| example.split(section).nth(1))
                .and_then(|after| after.split("\n[").next())
                .map(|shown| format!("\n{shown}"))
                .unwrap();
            assert!(
                shown.contains(&format!("\n{key} = "))
                    || shown.contains(&format!("\n# {key} = "))
                    || shown.contains(&format!("\n# {key}.")),
                "{section} {key}"
            );
        }
    }
}

#[test]
fn relative_paths_are_relative_to_the_file_and_others_stay() {
    let config =
        parsed("[store]\npepper_file = \"keys/p\"\n[[switch]]\nami_secret_file = \"/run/s\"\n", &[]).unwrap();
    assert_eq!(config.folder, Path::new("/etc/hotdesk"));
    assert_eq!(config.store.pepper_file, Path::new("/etc/hotdesk/keys/p"));
    assert_eq!(config.switches[0].ami_secret_file, Path::new("/run/s"));
}

#[test]
fn an_unknown_key_is_shown_with_its_line_and_a_caret() {
    let error = refusal("[store]\nurl = \"sqlite:x\"\npeper_file = \"x\"\n[[switch]]\n");
    assert!(error.starts_with("/etc/hotdesk/hotdesk.toml: TOML parse error at line 3"), "{error}");
    assert!(error.contains("^^^^^^^^^^") && error.contains("pepper_file"), "{error}");
}

#[test]
fn a_value_that_cannot_be_one_is_shown_where_it_stands() {
    for (text, line, says) in [
        ("[dialplan]\nusers = [\"1XX\", \"2XX.\"]\n", "line 2", "pattern of extensions"),
        ("[dialplan]\notherwise = \"from internal\"\n", "line 2", "a dialplan context"),
        ("[codes]\npresets = [\"simpel\"]\n", "line 2", "simmpl"),
        ("[codes]\nown = [{ dial = \"*1 1\", does = \"login\" }]\n", "line 2", "it takes digits"),
        ("[codes]\nown = [{ dial = \"*11\", does = \"log in\" }]\n", "line 2", "logout_everywhere"),
        ("[emergency]\nnumbers = [\"1 1 2\"]\n", "line 2", "an emergency number"),
        ("[emergency]\nnumbers = [\"112\", \"*35\"]\n", "line 2", "an emergency number"),
        ("[login]\nmulti = \"stay\"\n", "line 2", "move, refuse or keep"),
        ("[login]\nkeep = 0\n", "line 2", "nonzero"),
        ("[pin]\nexpires_days = -1\n", "line 2", "u16"),
        ("[emergency]\nnumbers = [\"fr\"]\n", "line 2", "de, eu, nl, uk or us"),
        ("[log]\n\nformat = \"xml\"\n", "line 3", "text or json"),
        ("[log]\nlevel = \"loud\"\n", "line 2", "no log level"),
        ("[store]\nurl = \"postgres://x:secret@y\"\n", "line 2", "sqlite:FILE"),
        ("[[switch]]\nagi_listen = \"pbx\"\n", "line 2", "socket address"),
        ("[[switch]]\nami = \"pbx\"\n", "line 2", "HOST:PORT"),
        ("[[switch]]\nkind = \"3cx\"\n", "line 2", "asterisk"),
        ("[[switch]]\nlayout = \"3cx\"\n", "line 2", "freepbx"),
        ("[[switch]]\nkind = \"freeswitch\"\nlayout = \"freepbx\"\n", "line 1", "layout is no key of kind"),
        ("[[switch]]\nagi_allow = [\"10.0.0.0/33\"]\n", "line 2", "IP"),
        ("[[switch]]\nesl = \"127.0.0.1:8021\"\n", "line 1", "switch pbx: esl is no key of kind asterisk"),
        (
            "[[switch]]\nkind = \"freeswitch\"\nami_user = \"x\"\n",
            "line 1",
            "ami_user is no key of kind freeswitch",
        ),
    ] {
        let error = refusal(text);
        assert!(error.contains(line) && error.contains(says), "{text}{error}");
    }
}

#[test]
fn values_that_do_not_go_together_are_refused_with_both_named() {
    for (text, says) in [
        ("", "[[switch]]"),
        ("[[switch]]\n[[switch]]\nagi_listen = \"127.0.0.1:1\"\n", "two switches are named pbx"),
        ("[[switch]]\n[[switch]]\nname = \"b\"\n", "pbx and b are the same, 127.0.0.1:5038"),
        (
            "[[switch]]\n[[switch]]\nname = \"b\"\nami = \"10.0.0.1:5038\"\n",
            "pbx and b have the same agi_listen",
        ),
        ("[[switch]]\ntenants = []\n", "nobody's phones"),
        ("[[switch]]\ntenants = [\"a\", \"b\", \"a\"]\n", "names a twice"),
        (
            "[[switch]]\nkind = \"freeswitch\"\ntenants = [\"a.example\", \"default\"]\n",
            "whatever domain a phone registers in",
        ),
        ("[[switch]]\nlayout = \"freepbx\"\ntenants = [\"a\", \"b\"]\n", "the users of one company"),
        (
            "[[switch]]\nlayout = \"freepbx\"\nreach.b = \"PJSIP/{user}@b\"\n[[switch]]\nname = \"b\"\nami = \"b:5038\"\n\
             agi_listen = \"127.0.0.1:4574\"\n",
            "rings its own devices only",
        ),
        ("[[switch]]\nagi_listen = \"0.0.0.0:4573\"\n", "agi_advertise"),
        ("[[switch]]\nagi_allow = []\n", "lets nobody in"),
        ("[[switch]]\nami_user = \"a b\"\n", "ami_user"),
        ("[dialplan]\nusers = []\n[[switch]]\n", "users is empty"),
        ("[[switch]]\nreach.fs = \"PJSIP/{user}@fs\"\n", "reach.fs names no [[switch]]"),
        ("[[switch]]\nreach.pbx = \"PJSIP/{user}@fs\"\n", "reach.pbx leads to itself"),
        (&two_switches("PJSIP/{user}@fs", "PJSIP/{user}@pbx"), "reach.pbx must begin with sofia/"),
        (&two_switches("Local/{user}@fs", "sofia/gateway/pbx/{user}"), "reach.fs must begin with PJSIP/"),
        (
            &two_switches("PJSIP/{user}@fs", "sofia/gateway/pbx/{user}\"\ntenants = [\"b\"] #"),
            "reach.fs leads to a switch without the tenant default",
        ),
        (
            "[[switch]]\nkind = \"freeswitch\"\n[[switch]]\nname = \"b\"\nkind = \"freeswitch\"\n",
            "pbx and b are the same",
        ),
        ("[emergency]\nnumbers = []\n[[switch]]\n", "call for help"),
        ("[login]\nkeep = 17\n[[switch]]\n", "16 are the most"),
        ("[codes]\npresets = []\n[[switch]]\n", "no code logs anybody in"),
        ("[codes]\npresets = [\"xelion\"]\n[[switch]]\n", "[codes]: the code 8{ext}"),
        (
            "[codes]\npresets = [\"simmpl\", \"avaya\"]\n[[switch]]\n",
            "*35*000*0000 would be read as *35*{ext}*{pin} (toggle, preset simmpl) and as *35*{ext}*{pin}# (login",
        ),
        (
            "[[switch]]\ntenants = [\"acme\"]\n[[tenant]]\nname = \"acme\"\ncodes.presets = [\"xelion\"]\n",
            "[codes] of [[tenant]] acme: the code 8{ext}",
        ),
        ("[[switch]]\n[[tenant]]\nname = \"acme\"\n", "[[tenant]] acme: no [[switch]]"),
        ("[[switch]]\n[[tenant]]\nname = \"default\"\n[[tenant]]\nname = \"default\"\n", "two [[tenant]]"),
    ] {
        let error = refusal(text);
        assert!(error.starts_with("/etc/hotdesk/hotdesk.toml: ") && error.contains(says), "{text}{error}");
    }
}

#[test]
fn the_environment_stands_over_the_file() {
    let config = parsed(
        "[store]\nurl = \"sqlite:file.db\"\n[log]\nformat = \"text\"\n[dialplan]\notherwise = \"site\"\n[[switch]]\n",
        &[
            ("HOTDESK_STORE_URL", "redis://127.0.0.1:6379/1"),
            ("HOTDESK_STORE_PEPPER_FILE", "/run/pepper"),
            ("HOTDESK_DIALPLAN_OTHERWISE", ""),
            ("HOTDESK_EMERGENCY_CONTEXT", "sos"),
            ("HOTDESK_LOG_FORMAT", "json"),
            ("HOTDESK_LOG_LEVEL", "warn"),
            ("HOTDESK_LEAVE_AT", "never"),
            ("HOTDESK_LEAVE_IDLE", "45m"),
        ],
    )
    .unwrap();
    assert_eq!(config.store.url.as_str(), "redis://127.0.0.1:6379/1");
    assert_eq!(config.store.pepper_file, Path::new("/run/pepper"));
    assert_eq!(config.dialplan.otherwise, None);
    assert_eq!(config.emergency.context.as_str(), "sos");
    assert_eq!(config.log.format, Format::Json);
    let leave = config.leave.rules();
    assert_eq!((leave.at, leave.idle), ("never".parse().ok(), "45m".parse().ok()));
    assert_eq!(config.log.level, Level::new("warn").unwrap());
    let short = parsed(SMALLEST, &[("HOTDESK_LOG", "debug"), ("HOTDESK_LOG_LEVEL", "warn")]).unwrap();
    assert_eq!(short.log.level, Level::new("debug").unwrap());
}

#[test]
fn who_may_sit_where_is_said_by_the_file_and_by_the_environment() {
    let text =
        "[login]\nmulti = \"keep\"\nkeep = 3\ntake_over = false\n[pin]\nexpires_days = 90\n[[switch]]\n";
    let rules = |env| parsed(text, env).unwrap().rules().of(&TenantId::default());
    let keep = |most| Multi::Keep(NonZeroU8::new(most).unwrap());
    let said = Rules {
        seating: Seating { multi: keep(3), take_over: false },
        pin_days: std::num::NonZeroU16::new(90),
    };
    assert_eq!(rules(&[]), said);
    let over =
        [("HOTDESK_LOGIN_KEEP", "4"), ("HOTDESK_LOGIN_TAKE_OVER", "true"), ("HOTDESK_PIN_EXPIRES_DAYS", "0")];
    assert_eq!(rules(&over), Rules { seating: Seating { multi: keep(4), take_over: true }, pin_days: None });
    assert_eq!(rules(&[("HOTDESK_LOGIN_MULTI", "refuse")]).seating.multi, Multi::Refuse);
    assert_eq!(parsed(SMALLEST, &[]).unwrap().rules(), crate::desk::rules::Rulebook::default());
}

#[test]
fn a_bad_value_in_the_environment_is_named() {
    for (name, value) in [
        ("HOTDESK_LOGIN_MULTI", "stay"),
        ("HOTDESK_LOGIN_KEEP", "0"),
        ("HOTDESK_STORE_URL", "mysql:x"),
        ("HOTDESK_EMERGENCY_CONTEXT", "a b"),
        ("HOTDESK_LOG_FORMAT", "xml"),
        ("HOTDESK_LOG", "loud"),
        ("HOTDESK_LEAVE_DAYS", "someday"),
    ] {
        let error = parsed(SMALLEST, &[(name, value)]).unwrap_err();
        assert!(error.starts_with(name), "{error}");
    }
}

#[test]
fn a_password_in_the_stores_url_is_not_shown() {
    let config = parsed("[store]\nurl = \"redis://:s3cret@host/0\"\n[[switch]]\n", &[]).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    let error = parsed(SMALLEST, &[("HOTDESK_STORE_URL", "redis+s3cret")]).unwrap_err();
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn unless_configured_this_machine_and_the_host_of_ami_may_call() {
    let allowed = |text: &str| parsed(text, &[]).unwrap().switches[0].allow();
    let nets = |nets: &[&str]| nets.iter().map(|net| net.parse().unwrap()).collect::<Vec<ipnet::IpNet>>();
    assert_eq!(
        allowed("[[switch]]\nami = \"192.0.2.7:5038\"\n"),
        nets(&["127.0.0.1/32", "::1/128", "192.0.2.7/32"])
    );
    assert_eq!(allowed("[[switch]]\nagi_allow = [\"192.0.2.0/24\"]\n"), nets(&["192.0.2.0/24"]));
}

#[test]
fn the_dialplan_dials_where_we_listen_unless_configured() {
    let advertised = |text: &str| parsed(text, &[]).unwrap().switches[0].agi_advertise().to_string();
    assert_eq!(advertised("[[switch]]\nagi_listen = \"192.0.2.1:1\"\n"), "192.0.2.1:1");
    assert_eq!(
        advertised("[[switch]]\nagi_listen = \"0.0.0.0:4573\"\nagi_advertise = \"hotdesk:4573\"\n"),
        "hotdesk:4573"
    );
}

#[test]
fn without_a_file_one_is_told_what_to_do() {
    let missing = Config::load(Some(Path::new("/nonexistent/hotdesk.toml")), &|_| None).unwrap_err();
    assert!(missing.to_string().starts_with("/nonexistent/hotdesk.toml cannot be read"), "{missing}");
    assert!(ConfigError::NoFile.to_string().contains("hotdesk.example.toml"));
}

#[test]
fn a_freeswitch_has_an_event_socket() {
    let config =
        parsed("[[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\nesl = \"fs:8021\"\n", &[]).unwrap();
    assert_eq!(config.switches[0].kind, Kind::FreeSwitch);
    assert_eq!(config.switches[0].esl.to_string(), "fs:8021");
    assert_eq!(config.switches[0].esl_password_file, Path::new("/etc/hotdesk/esl.secret"));
}

#[test]
fn a_tenant_has_what_it_says_and_else_what_is_said_for_all() {
    let config = parsed(
        "[codes]\npresets = [\"freepbx\"]\none_touch = false\n[[switch]]\n\
         [[switch]]\nname = \"a\"\nkind = \"freeswitch\"\ntenants = [\"a.example\"]\n\
         [[tenant]]\nname = \"a.example\"\ncodes.presets = [\"xelion\"]\ncodes.pinless = true\n\
         codes.own = [{ dial = \"*99*{ext}\", does = \"login\" }]\n",
        &[],
    )
    .unwrap();
    let dialled = |tenant: &str| -> Vec<String> {
        let tenant = TenantId::new(tenant).unwrap();
        let codes = config.of(&tenant).codes();
        assert_eq!(config.book().of(&tenant), &codes);
        codes.iter().map(|code| code.pattern.to_string()).collect()
    };
    assert_eq!(dialled("a.example"), ["8{ext}", "*99*{ext}"]);
    assert_eq!(dialled("default"), ["*11", "*11{ext}", "*12", "*13"]);
}

#[test]
fn what_a_tenant_does_not_say_is_as_it_is_for_all() {
    let config = parsed(
        "[login]\nkeep = 3\n[leave]\nidle = \"2h\"\n[pin]\nexpires_days = 90\n[dialplan]\nusers = [\"1XX\"]\n\
         [[switch]]\ntenants = [\"acme\", \"globex\"]\n\
         [[tenant]]\nname = \"acme\"\nlogin.multi = \"keep\"\nleave.at = \"19:00\"\npin.expires_days = 30\n\
         dialplan.users = [\"2XX\"]\nleave.warn = \"never\"\nleave.stay = \"30m\"\nleave.stay_call = true\n\
         emergency = { numbers = [\"uk\"], context = \"sos\" }\n",
        &[],
    )
    .unwrap();
    let [acme, globex] = ["acme", "globex"].map(|tenant| TenantId::new(tenant).unwrap());
    let rules = config.rules();
    let days = |tenant| rules.of(tenant).pin_days.unwrap().get();
    assert_eq!((days(&acme), days(&globex)), (30, 90));
    let most = |tenant| rules.of(tenant).seating.multi.most();
    assert_eq!((most(&acme), most(&globex)), (3, 1));
    let (hers, theirs) = (config.of(&acme).leave(), config.of(&globex).leave());
    let told = |leave: &Leave| (leave.warn().is_some(), leave.stay().to_string(), leave.stay_call());
    assert_eq!((told(&hers), told(&theirs)), ((false, "30m".into(), true), (true, "1h".into(), false)));
    let (hers, theirs) = (hers.rules(), theirs.rules());
    assert_eq!((hers.idle, hers.unregistered), (theirs.idle, theirs.unregistered));
    assert_eq!(hers.at.unwrap().is().unwrap().to_string(), "19:00");
    assert_eq!(theirs.at.unwrap().is().unwrap().to_string(), "23:00");
    let help = |tenant| {
        let of = config.of(tenant);
        let numbers: Vec<String> = of.emergency_numbers().iter().map(ToString::to_string).collect();
        format!("{} by {}", numbers.join(" "), of.emergency_context())
    };
    assert_eq!((help(&acme).as_str(), help(&globex).as_str()), ("112 999 by sos", "112 by emergency"));
    let users = |tenant| config.of(tenant).users().iter().map(ToString::to_string).collect::<String>();
    assert_eq!((users(&acme).as_str(), users(&globex).as_str()), ("2XX", "1XX"));
    for (says, why) in [
        ("login.keep = 99", "99"),
        ("dialplan.users = []", "dialplan.users is empty"),
        ("leave.att = 1", "att"),
        ("emergency.numbers = []", "emergency.numbers is empty"),
        ("emergency.numbers = [\"+1\"]", "preset"),
    ] {
        let error = refusal(&format!("[[switch]]\n[[tenant]]\nname = \"default\"\n{says}\n"));
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn what_is_help_for_one_company_on_a_freeswitch_is_help_for_all_of_them_there() {
    let with = |kind: &str, more: &str| {
        format!(
            "[codes]\npresets = [\"xelion\"]\npinless = true\n[[switch]]\n{kind}\
             tenants = [\"a.example\", \"b.example\"]\n[[switch]]\nname = \"c\"\nagi_listen = \"127.0.0.1:4574\"\n\
             ami = \"c:5038\"\ntenants = [\"c.example\"]\n[[tenant]]\nname = \"a.example\"\n{more}\n"
        )
    };
    let freeswitch = "kind = \"freeswitch\"\n";
    let config = parsed(&with(freeswitch, "emergency.numbers = [\"de\"]"), &[]).unwrap();
    let help = |tenant: &str| {
        let numbers = config.of(&TenantId::new(tenant).unwrap()).emergency_numbers();
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((help("a.example"), help("b.example")), ("110 112".into(), "110 112".into()));
    assert_eq!(help("c.example"), "112");
    let on = |n: usize| config.emergency_numbers_on(&config.switches[n]).len();
    assert_eq!((on(0), on(1)), (2, 1));
    // So what they are dialled beside is looked through for each: 8111 is a login of b's.
    let clash = "emergency.numbers = [\"8111\"]";
    assert!(refusal(&with(freeswitch, clash)).contains("8111"));
    let acme = "codes.presets = [\"simmpl\"]\nemergency.numbers = [\"8111\"]";
    assert!(refusal(&with(freeswitch, acme)).contains("8111"));
    parsed(&with("", acme), &[]).unwrap();

    let context = "emergency.context = \"sos\"";
    let error = refusal(&with(freeswitch, context));
    assert!(error.contains("sos for a.example and emergency for b.example"), "{error}");
    parsed(&with("", context), &[]).unwrap();
}

#[test]
fn a_group_is_on_a_switch_that_has_its_tenant_and_is_dialled_by_a_number_of_its_own() {
    let switch = "[[switch]]\nname = \"pbx\"\n[[switch]]\nname = \"fs\"\nkind = \"freeswitch\"\n\
                  [[switch]]\nname = \"freepbx\"\nlayout = \"freepbx\"\nami = \"freepbx:5038\"\nagi_listen = \"127.0.0.1:4574\"\n";
    let parsed = |groups: &str| {
        Config::parse(&format!("{switch}{groups}"), Path::new("hotdesk.toml"), &|_| None)
            .map_err(|error| error.to_string())
    };
    let group = |name: &str, more: &str| format!("[[group]]\nname = \"{name}\"\nkind = \"queue\"\n{more}\n");
    let config = parsed(&(group("sales", "number = \"500\"") + &group("650", ""))).unwrap();
    let reach = config.reach(&config.switches[0], &TenantId::default());
    assert_eq!(reach.groups.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["650", "sales"]);
    assert!(config.reach(&config.switches[1], &TenantId::default()).groups.is_empty());
    let config = parsed(&group("sales", "switch = \"fs\"")).unwrap();
    assert_eq!(config.reach(&config.switches[1], &TenantId::default()).groups.len(), 1);
    for (groups, why) in [
        (
            group("sales", "switch = \"freepbx\""),
            "is a FreePBX, which keeps the members of its groups itself",
        ),
        (group("sales", "switch = \"x\""), "there is no [[switch]] named x"),
        (group("sales", "tenant = \"acme\""), "has no phones of the tenant acme"),
        (group("sales", "") + &group("sales", ""), "are named sales"),
        (group("sales", "number = \"650\"") + &group("650", ""), "dialled by the same number"),
    ] {
        let error = parsed(&groups).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
