use std::collections::BTreeMap;
use std::num::NonZeroU8;

use super::*;
use crate::model::login::limits::{LoginLimits, LoginRules, MultipleLogins};

fn parsed(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let env: BTreeMap<_, _> = env.iter().map(|(name, value)| (*name, OsString::from(value))).collect();
    Config::parse(text, Path::new("/etc/hotdesk/hotdesk.toml"), &|name| env.get(name).cloned())
        .map_err(|error| error.to_string())
}

fn refusal(text: &str) -> String {
    parsed(text, &[]).unwrap_err()
}

const SMALLEST: &str = "[[switch]]\n";

/// An Asterisk and a FreeSWITCH with routes to each other.
fn two_switches(to_fs: &str, to_pbx: &str) -> String {
    format!(
        "[[switch]]\nroutes.fs = '{to_fs}'\n\
         [[switch]]\nname = 'fs'\nkind = 'freeswitch'\nroutes.pbx = '{to_pbx}'\n"
    )
}

#[test]
fn a_switch_has_routes_to_other_switches() {
    let config = parsed(&two_switches("PJSIP/{user}@fs", "sofia/gateway/pbx/{user}"), &[]).unwrap();
    let [pbx, fs] = [0, 1].map(|n| &config.switches[n].routes);
    assert_eq!(pbx[&SwitchName::new("fs").unwrap()].with("101"), "PJSIP/101@fs");
    assert_eq!(fs[&SwitchName::new("pbx").unwrap()].with("101"), "sofia/gateway/pbx/101");
    let error = refusal(&two_switches("PJSIP/fs", "sofia/gateway/pbx/{user}"));
    assert!(error.contains("line 2") && error.contains("one {user}"), "{error}");
}

#[test]
fn the_example_has_every_default() {
    let example = include_str!("../../hotdesk.example.toml");
    assert_eq!(parsed(example, &[]), parsed(SMALLEST, &[]));
}

#[test]
fn the_configuration_of_the_containers_is_valid() {
    let config = parsed(include_str!("../../docker/hotdesk/hotdesk.toml"), &[]).unwrap();
    let compose = include_str!("../../docker-compose.yml");
    // What it relies on in the other file.
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
    let sections = "[store] [codes] [login] [pin] [dialplan] [emergency] [[switch]] [[tenant]] [auto_logout] [log] \
                    [metrics] [web]";
    for section in sections.split(' ') {
        let error = refusal(&format!("{section}\nnonsense = 1\n"));
        let (_, keys) = error.split_once("Here the keys are ").unwrap();
        for key in keys.split(", ") {
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
        parsed("[store]\npepper_file = 'keys/p'\n[[switch]]\nami_secret_file = '/run/s'\n", &[]).unwrap();
    assert_eq!(config.folder, Path::new("/etc/hotdesk"));
    assert_eq!(config.store.pepper_file, Path::new("/etc/hotdesk/keys/p"));
    assert_eq!(config.switches[0].ami_secret_file, Path::new("/run/s"));
    assert_eq!(config.switches[0].esl_password_file, Path::new("/etc/hotdesk/esl.secret"));
}

#[test]
fn a_wrong_value_is_shown_with_its_line() {
    for (text, line, says) in [
        ("[dialplan]\nusers = ['1XX', '2XX.']\n", "line 2", "pattern of extensions"),
        ("[dialplan]\nfallback_context = 'from internal'\n", "line 2", "a dialplan context"),
        ("[codes]\npresets = ['simpel']\n", "line 2", "simmpl"),
        ("[codes]\ncustom = [{ dial = '*1 1', action = 'login' }]\n", "line 2", "it may contain digits"),
        ("[codes]\ncustom = [{ dial = '*11', action = 'log in' }]\n", "line 2", "logout_everywhere"),
        ("[emergency]\nnumbers = ['1 1 2']\n", "line 2", "an emergency number"),
        ("[emergency]\nnumbers = ['112', '*35']\n", "line 2", "an emergency number"),
        ("[login]\nmultiple_logins = 'stay'\n", "line 2", "move, refuse or keep"),
        ("[login]\nkeep = 0\n", "line 2", "from 1 to 255"),
        ("[pin]\nexpires_days = -1\n", "line 2", "from 0 to 65535"),
        ("[emergency]\nnumbers = ['fr']\n", "line 2", "de, eu, nl, uk or us"),
        ("[log]\n\nformat = 'xml'\n", "line 3", "text or json"),
        ("[log]\nlevel = 'loud'\n", "line 2", "not a log level"),
        ("[store]\nurl = 'postgres://x:secret@y'\n", "line 2", "sqlite:FILE"),
        ("[[switch]]\nagi_listen = 'pbx'\n", "line 2", "IP:PORT"),
        ("[[switch]]\nami = 'pbx'\n", "line 2", "HOST:PORT"),
        ("[[switch]]\nkind = '3cx'\n", "line 2", "asterisk"),
        ("[[switch]]\nlayout = '3cx'\n", "line 2", "freepbx"),
        ("[[switch]]\nkind = 'freeswitch'\nlayout = 'freepbx'\n", "line 1", "kind freeswitch has no layout"),
        ("[[switch]]\nagi_allow = ['10.0.0.0/33']\n", "line 2", "write a network"),
        ("[[switch]]\nesl = 'x:8021'\n", "line 1", "switch pbx: a switch of kind asterisk has no esl"),
        ("[[switch]]\nkind = 'freeswitch'\nami_user = 'x'\n", "line 1", "kind freeswitch has no ami_user"),
    ] {
        let error = refusal(text);
        assert!(error.contains(line) && error.contains(says), "{text}{error}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused_with_both_named() {
    for (text, says) in [
        ("", "[[switch]]"),
        ("[[switch]]\n[[switch]]\nagi_listen = '127.0.0.1:1'\n", "two [[switch]] are named pbx"),
        ("[[switch]]\n[[switch]]\nname = 'b'\n", "pbx and b have the same address, 127.0.0.1:5038"),
        ("[[switch]]\n[[switch]]\nname = 'b'\nami = '10.0.0.1:5038'\n", "pbx and b have the same agi_listen"),
        ("[[switch]]\ntenants = []\n", "tenants is empty"),
        ("[[switch]]\ntenants = ['a', 'b', 'a']\n", "tenants has a twice"),
        ("[[switch]]\nkind = 'freeswitch'\ntenants = ['a.example', 'default']\n", "stands for every domain"),
        ("[[switch]]\nlayout = 'freepbx'\ntenants = ['a', 'b']\n", "serves one tenant"),
        (
            "[[switch]]\nlayout = 'freepbx'\nroutes.b = 'PJSIP/{user}@b'\n[[switch]]\nname = 'b'\nami = 'b:5038'\n\
             agi_listen = '127.0.0.1:4574'\n",
            "rings its own devices only",
        ),
        ("[[switch]]\nagi_listen = '0.0.0.0:4573'\n", "agi_advertise"),
        ("[[switch]]\nagi_allow = []\n", "no call can come in"),
        ("[[switch]]\nami_user = 'a b'\n", "ami_user"),
        ("[dialplan]\nusers = []\n[[switch]]\n", "users is empty"),
        ("[[switch]]\nroutes.fs = 'PJSIP/{user}@fs'\n", "routes.fs: there is no [[switch]] named fs"),
        ("[[switch]]\nroutes.pbx = 'PJSIP/{user}@fs'\n", "routes.pbx leads to itself"),
        (&two_switches("PJSIP/{user}@fs", "PJSIP/{user}@pbx"), "routes.pbx must begin with sofia/"),
        (&two_switches("Local/{user}@fs", "sofia/gateway/pbx/{user}"), "routes.fs must begin with PJSIP/"),
        (
            &two_switches("PJSIP/{user}@fs", "sofia/gateway/pbx/{user}'\ntenants = ['b'] #"),
            "routes.fs leads to a switch without the tenant default",
        ),
        (
            "[[switch]]\nkind = 'freeswitch'\n[[switch]]\nname = 'b'\nkind = 'freeswitch'\n",
            "pbx and b have the same address",
        ),
        ("[emergency]\nnumbers = []\n[[switch]]\n", "no emergency call would be possible"),
        ("[login]\nkeep = 17\n[[switch]]\n", "use 16 at most"),
        ("[codes]\npresets = []\n[[switch]]\n", "no code logs a user in"),
        ("[codes]\npresets = ['xelion']\n[[switch]]\n", "[codes]: the code 8{ext}"),
        (
            "[codes]\npresets = ['simmpl', 'avaya']\n[[switch]]\n",
            "*35*000*0000 would be read as *35*{ext}*{pin} (toggle, preset simmpl) and as *35*{ext}*{pin}# (login",
        ),
        (
            "[[switch]]\ntenants = ['acme']\n[[tenant]]\nname = 'acme'\ncodes.presets = ['xelion']\n",
            "[codes] of [[tenant]] acme: the code 8{ext}",
        ),
        ("[[switch]]\n[[tenant]]\nname = 'acme'\n", "[[tenant]] acme: no [[switch]]"),
        ("[[switch]]\n[[tenant]]\nname = 'default'\n[[tenant]]\nname = 'default'\n", "two [[tenant]]"),
    ] {
        let error = refusal(text);
        assert!(error.starts_with("/etc/hotdesk/hotdesk.toml: ") && error.contains(says), "{text}{error}");
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let config = parsed(
        "[store]\nurl = 'sqlite:file.db'\n[log]\nformat = 'text'\n[dialplan]\nfallback_context = 'site'\n[[switch]]\n",
        &[
            ("HOTDESK_STORE_URL", "redis://127.0.0.1:6379/1"),
            ("HOTDESK_STORE_PEPPER_FILE", "/run/pepper"),
            ("HOTDESK_DIALPLAN_FALLBACK_CONTEXT", ""),
            ("HOTDESK_EMERGENCY_CONTEXT", "sos"),
            ("HOTDESK_LOG_FORMAT", "json"),
            ("HOTDESK_LOG_LEVEL", "warn"),
            ("HOTDESK_AUTO_LOGOUT_AT", "never"),
            ("HOTDESK_AUTO_LOGOUT_IDLE", "45m"),
        ],
    )
    .unwrap();
    assert_eq!(config.store.url.as_str(), "redis://127.0.0.1:6379/1");
    assert_eq!(config.store.pepper_file, Path::new("/run/pepper"));
    assert_eq!(config.dialplan.fallback_context, None);
    assert_eq!(config.emergency.context.as_str(), "sos");
    assert_eq!(config.log.format, Format::Json);
    let auto_logout = config.auto_logout.rules();
    assert_eq!((auto_logout.at, auto_logout.idle), ("never".parse().ok(), "45m".parse().ok()));
    let level = |name: &str| Level::try_from(name.to_owned()).unwrap();
    assert_eq!(config.log.level, level("warn"));
    let short = parsed(SMALLEST, &[("HOTDESK_LOG", "debug"), ("HOTDESK_LOG_LEVEL", "warn")]).unwrap();
    assert_eq!(short.log.level, level("debug"));
}

#[test]
fn login_rules_come_from_the_file_and_the_environment() {
    let text = "[login]\nmultiple_logins = 'keep'\nkeep = 3\ntake_over = false\n[pin]\nexpires_days = 90\n[[switch]]\n";
    let rules = |env| parsed(text, env).unwrap().rules().of(&TenantId::default());
    let keep = |most| MultipleLogins::Keep(NonZeroU8::new(most).unwrap());
    let expected = LoginLimits {
        login: LoginRules { multiple_logins: keep(3), take_over: false },
        pin_days: std::num::NonZeroU16::new(90),
    };
    assert_eq!(rules(&[]), expected);
    let over =
        [("HOTDESK_LOGIN_KEEP", "4"), ("HOTDESK_LOGIN_TAKE_OVER", "true"), ("HOTDESK_PIN_EXPIRES_DAYS", "0")];
    assert_eq!(
        rules(&over),
        LoginLimits { login: LoginRules { multiple_logins: keep(4), take_over: true }, pin_days: None }
    );
    assert_eq!(
        rules(&[("HOTDESK_LOGIN_MULTIPLE_LOGINS", "refuse")]).login.multiple_logins,
        MultipleLogins::Refuse
    );
    assert_eq!(parsed(SMALLEST, &[]).unwrap().rules(), crate::model::login::limits::TenantLimits::default());
}

#[test]
fn a_bad_value_in_the_environment_is_named() {
    for (name, value) in [
        ("HOTDESK_LOGIN_MULTIPLE_LOGINS", "stay"),
        ("HOTDESK_LOGIN_KEEP", "0"),
        ("HOTDESK_STORE_URL", "mysql:x"),
        ("HOTDESK_EMERGENCY_CONTEXT", "a b"),
        ("HOTDESK_LOG_FORMAT", "xml"),
        ("HOTDESK_LOG", "loud"),
        ("HOTDESK_AUTO_LOGOUT_DAYS", "someday"),
    ] {
        let error = parsed(SMALLEST, &[(name, value)]).unwrap_err();
        assert!(error.starts_with(&format!("environment variable {name}: ")), "{error}");
    }
}

#[test]
fn the_password_in_a_stores_url_is_not_shown() {
    for text in [
        "[store]\nurl = 'redis:/:s3cret@host\n",
        "[store]\nurl = 'mysql://:s3cret@host/0'\n",
        "[store]\nurll = 'redis://:s3cret@host/0'\n",
        "[store]\nurl = 'redis://:s3cret@host/0' x\n",
        "[store]\npassword = 's3cret'\n",
        "[[switch]]\nami_secret = 's3cret'\n",
    ] {
        let error = refusal(text);
        assert!(error.contains("line 2") && !error.contains("s3cret"), "{error}");
    }
    let config = parsed("[store]\nurl = 'redis://:s3cret@host/0'\n[[switch]]\n", &[]).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    let error = parsed(SMALLEST, &[("HOTDESK_STORE_URL", "redis+s3cret")]).unwrap_err();
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn beside_a_freepbx_the_port_of_its_own_fast_agi_server_is_not_the_default() {
    for (keys, listens, takes_it) in [
        ("", "127.0.0.1:4573", false),
        ("layout = 'freepbx'", "127.0.0.1:4574", false),
        ("layout = 'freepbx'\nagi_listen = '127.0.0.1:4573'", "127.0.0.1:4573", true),
        ("layout = 'freepbx'\nagi_listen = '0.0.0.0:4573'\nagi_advertise = 'pbx:4573'", "0.0.0.0:4573", true),
        // On another machine than the FreePBX.
        (
            "layout = 'freepbx'\nagi_listen = '192.0.2.7:4573'\nami = '192.0.2.8:5038'",
            "192.0.2.7:4573",
            false,
        ),
    ] {
        let config = parsed(&format!("[[switch]]\n{keys}\n"), &[]).unwrap();
        let switch = &config.switches[0];
        assert_eq!(switch.agi_listen.to_string(), listens);
        assert_eq!(switch.has_port_of_freepbx(), takes_it, "{keys}");
    }
}

#[test]
fn by_default_this_machine_and_the_host_of_ami_may_connect_to_agi_listen() {
    assert_eq!(parsed(SMALLEST, &[]).unwrap().switches[0].agi_advertise().to_string(), "127.0.0.1:4573");
    let allowed = |text: &str| parsed(text, &[]).unwrap().switches[0].allow();
    let nets = |nets: &[&str]| nets.iter().map(|net| net.parse().unwrap()).collect::<Vec<ipnet::IpNet>>();
    assert_eq!(
        allowed("[[switch]]\nami = '192.0.2.7:5038'\n"),
        nets(&["127.0.0.1/32", "::1/128", "192.0.2.7/32"])
    );
    assert_eq!(allowed("[[switch]]\nagi_allow = ['192.0.2.0/24']\n"), nets(&["192.0.2.0/24"]));
}

#[test]
fn a_missing_file_is_named() {
    let missing = Config::load(Path::new("/nonexistent/hotdesk.toml"), &|_| None).unwrap_err();
    assert!(missing.to_string().starts_with("/nonexistent/hotdesk.toml cannot be read: "), "{missing}");
}

#[test]
fn a_tenant_has_its_own_codes_or_the_default() {
    let config = parsed(
        "[codes]\npresets = ['freepbx']\none_touch = false\n[[switch]]\n\
         [[switch]]\nname = 'a'\nkind = 'freeswitch'\ntenants = ['a.example']\n\
         [[tenant]]\nname = 'a.example'\ncodes.presets = ['xelion']\ncodes.pinless = true\n\
         codes.custom = [{ dial = '*99*{ext}', action = 'login' }]\n",
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
fn a_key_that_a_tenant_omits_has_the_value_of_all() {
    let config = parsed(
        "[login]\nkeep = 3\n[auto_logout]\nidle = '2h'\n[pin]\nexpires_days = 90\n[dialplan]\nusers = ['1XX']\n\
         [[switch]]\ntenants = ['acme', 'globex']\n\
         [[tenant]]\nname = 'acme'\nlogin.multiple_logins = 'keep'\nauto_logout.at = '19:00'\npin.expires_days = 30\n\
         dialplan.users = ['2XX']\nauto_logout.warn = 'never'\nauto_logout.extend = '30m'\nauto_logout.extend_call = true\n\
         emergency = { numbers = ['uk'], context = 'sos' }\n",
        &[],
    )
    .unwrap();
    let [acme, globex] = ["acme", "globex"].map(|tenant| TenantId::new(tenant).unwrap());
    let rules = config.rules();
    let days = |tenant| rules.of(tenant).pin_days.unwrap().get();
    assert_eq!((days(&acme), days(&globex)), (30, 90));
    let most = |tenant| rules.of(tenant).login.multiple_logins.most();
    assert_eq!((most(&acme), most(&globex)), (3, 1));
    let (of_acme, of_globex) = (config.of(&acme).auto_logout(), config.of(&globex).auto_logout());
    let warning =
        |leave: &AutoLogout| (leave.warn.is().is_some(), leave.extend.to_string(), leave.extend_call);
    assert_eq!(
        (warning(&of_acme), warning(&of_globex)),
        ((false, "30m".into(), true), (true, "1h".into(), false))
    );
    let (of_acme, of_globex) = (of_acme.rules(), of_globex.rules());
    assert_eq!((of_acme.idle, of_acme.unregistered), (of_globex.idle, of_globex.unregistered));
    assert_eq!(of_acme.at.unwrap().is().unwrap().to_string(), "19:00");
    assert_eq!(of_globex.at.unwrap().is().unwrap().to_string(), "23:00");
    let emergency = |tenant| {
        let of = config.of(tenant);
        let numbers: Vec<String> = of.emergency_numbers().iter().map(ToString::to_string).collect();
        format!("{} by {}", numbers.join(" "), of.emergency_context())
    };
    assert_eq!(
        (emergency(&acme).as_str(), emergency(&globex).as_str()),
        ("112 999 by sos", "112 by emergency")
    );
    let users = |tenant| config.of(tenant).users().iter().map(ToString::to_string).collect::<String>();
    assert_eq!((users(&acme).as_str(), users(&globex).as_str()), ("2XX", "1XX"));
    for (says, why) in [
        ("login.keep = 99", "99"),
        ("dialplan.users = []", "dialplan.users is empty"),
        ("auto_logout.att = 1", "unknown key. Did you mean at? Here the keys are at, days"),
        ("emergency.numbers = []", "emergency.numbers is empty"),
        ("emergency.numbers = ['+1']", "preset"),
    ] {
        let error = refusal(&format!("[[switch]]\n[[tenant]]\nname = 'default'\n{says}\n"));
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn tenants_of_a_freeswitch_share_their_emergency_numbers() {
    let with = |kind: &str, more: &str| {
        format!(
            "[codes]\npresets = ['xelion']\npinless = true\n[[switch]]\n{kind}\
             tenants = ['a.example', 'b.example']\n[[switch]]\nname = 'c'\nagi_listen = '127.0.0.1:4574'\n\
             ami = 'c:5038'\ntenants = ['c.example']\n[[tenant]]\nname = 'a.example'\n{more}\n"
        )
    };
    let freeswitch = "kind = 'freeswitch'\n";
    let config = parsed(&with(freeswitch, "emergency.numbers = ['de']"), &[]).unwrap();
    let emergency = |tenant: &str| {
        let numbers = config.of(&TenantId::new(tenant).unwrap()).emergency_numbers();
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((emergency("a.example"), emergency("b.example")), ("110 112".into(), "110 112".into()));
    assert_eq!(emergency("c.example"), "112");
    let on = |n: usize| config.emergency_numbers_on(&config.switches[n]).len();
    assert_eq!((on(0), on(1)), (2, 1));
    // Codes are validated against the shared numbers: 8111 is a login of b's.
    let clash = "emergency.numbers = ['8111']";
    assert!(refusal(&with(freeswitch, clash)).contains("8111"));
    let acme = "codes.presets = ['simmpl']\nemergency.numbers = ['8111']";
    assert!(refusal(&with(freeswitch, acme)).contains("8111"));
    parsed(&with("", acme), &[]).unwrap();

    let context = "emergency.context = 'sos'";
    let error = refusal(&with(freeswitch, context));
    assert!(error.contains("sos for a.example and emergency for b.example"), "{error}");
    parsed(&with("", context), &[]).unwrap();
}

#[test]
fn a_group_is_on_a_switch_of_its_tenant_and_has_a_number_of_its_own() {
    let switch = "[[switch]]\nname = 'pbx'\n[[switch]]\nname = 'fs'\nkind = 'freeswitch'\n\
                  [[switch]]\nname = 'freepbx'\nlayout = 'freepbx'\nami = 'freepbx:5038'\nagi_listen = '127.0.0.1:4574'\n";
    let parsed = |groups: &str| parsed(&format!("{switch}{groups}"), &[]);
    let group = |name: &str, more: &str| format!("[[group]]\nname = '{name}'\nkind = 'queue'\n{more}\n");
    let config = parsed(&(group("sales", "number = '500'") + &group("650", ""))).unwrap();
    let routes = config.routes(&config.switches[0], &TenantId::default());
    assert_eq!(routes.groups.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["650", "sales"]);
    assert!(config.routes(&config.switches[1], &TenantId::default()).groups.is_empty());
    let config = parsed(&group("sales", "switch = 'fs'")).unwrap();
    assert_eq!(config.routes(&config.switches[1], &TenantId::default()).groups.len(), 1);
    for (groups, why) in [
        (group("sales", "switch = 'freepbx'"), "is a FreePBX, which keeps the members of its groups itself"),
        (group("sales", "switch = 'x'"), "there is no [[switch]] named x"),
        (group("sales", "tenant = 'acme'"), "does not serve the tenant acme"),
        (group("sales", "") + &group("sales", ""), "are named sales"),
        (group("sales", "number = '650'") + &group("650", ""), "has the same number"),
    ] {
        let error = parsed(&groups).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn the_first_file_that_is_there_is_read_and_one_that_is_named_before_all() {
    let folder = tempfile::tempdir().unwrap();
    let [here, etc] = ["hotdesk.toml", "etc/hotdesk.toml"].map(|name| folder.path().join(name));
    std::fs::create_dir(folder.path().join("etc")).unwrap();
    let found = || first_of([here.as_path(), etc.as_path()].into_iter());
    assert_eq!(found(), None);
    std::fs::write(&etc, "").unwrap();
    assert_eq!(found(), Some(etc.clone()));
    // A link to nowhere is an error of its own, and not skipped.
    std::os::unix::fs::symlink("gone", &here).unwrap();
    assert_eq!(found(), Some(here.clone()));
    assert_eq!(Config::find(Some(etc.clone())).unwrap(), etc);
    assert_eq!(PLACES, ["hotdesk.toml", "/etc/hotdesk/hotdesk.toml"]);
}
