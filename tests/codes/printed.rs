//! The printed dialplan sends us what the grammar reads, and what is a mistyped code, and nothing else: asked of real
//! switches, string by string.

use std::collections::BTreeSet;

use hotdesk::asterisk;
use hotdesk::desk::code::{Action, Codes, Own, Pattern, Preset, Wanted};
use hotdesk::desk::id::{Context, EmergencyNumber, TenantId};
use hotdesk::desk::pattern::NumberPattern;
use hotdesk::desk::reach::Reach;
use hotdesk::freeswitch;

use crate::support::asterisk::Site;
use crate::support::debian::Version;
use crate::support::freeswitch::{Site as FreeSwitchSite, installed};

/// Sets of codes that cover every way in which one is printed.
fn sets() -> Vec<Codes> {
    let users: Vec<_> = ["1XX", "2[0-4]X", "5X"].iter().map(|it| NumberPattern::new(*it).unwrap()).collect();
    let emergency = [EmergencyNumber::new("112").unwrap()];
    let own = |dial: &str| Own { dial: Pattern::parse(dial).unwrap(), does: Action::Login, pin: None };
    let all =
        [Preset::Simmpl, Preset::ThreeCx, Preset::Xelion, Preset::Freepbx, Preset::Kazoo, Preset::Extras];
    [
        (&all[..], &[][..]),
        (&[Preset::Simmpl, Preset::Personal], &[]),
        (&[Preset::Avaya], &["7{ext}*{pin}", "*90{ext}*{pin}", "#31#{ext}", "66{ext}*#", "444#"]),
    ]
    .map(|(presets, dials)| Wanted {
        presets: presets.to_vec(),
        own: dials.iter().map(|dial| own(dial)).collect(),
        one_touch: true,
        pinless: true,
    })
    .iter()
    .map(|wanted| wanted.codes(&users, &emergency).unwrap())
    .collect()
}

/// Strings near the codes: each pattern with extensions and PINs put in, then a key more, less, or another.
fn strings(codes: &Codes) -> BTreeSet<String> {
    const KEYS: &str = "0158*#";
    let mut strings = BTreeSet::from(["112", "101", "0", "*", "#", "00441234", "55"].map(String::from));
    for code in codes.iter() {
        for (ext, pin) in
            [("101", "1234"), ("245", "0042137"), ("57", "123"), ("999", "12345678901"), ("1", "1")]
        {
            let dialled = code.pattern.to_string().replace("{ext}", ext).replace("{pin}", pin);
            let dialled =
                dialled.replace("{number}", pin).replace("{group}", ext).replace("{choice}", &pin[..1]);
            let (body, last) = dialled.split_at(dialled.len() - 1);
            strings.extend(["", "#", "##", "###"].map(|end| format!("{dialled}{end}")));
            strings.extend(KEYS.chars().map(|key| format!("{dialled}{key}")));
            strings.extend(KEYS.chars().map(|key| format!("{body}{key}")));
            strings.extend(KEYS.chars().map(|key| format!("{body}{key}{last}")));
            strings.extend((1..dialled.len()).map(|keys| dialled[..keys].to_owned()));
        }
    }
    strings
}

/// Whether `sends` says of every string what the grammar does.
fn agree(codes: &Codes, mut sends: impl FnMut(&str) -> bool) {
    let (mut sent, mut kept) = (0, 0);
    for dialled in strings(codes) {
        let ours = codes.nets().iter().any(|net| net.shape().matches(&dialled));
        assert_eq!(sends(&dialled), ours, "{dialled}");
        assert!(ours || codes.read(&dialled).is_none(), "{dialled} is a code and does not come to us");
        *(if ours { &mut sent } else { &mut kept }) += 1;
    }
    assert!(sent > 100 && kept > 100, "{sent} sent, {kept} kept");
}

#[test]
fn an_asterisk_sends_us_exactly_the_codes_and_what_begins_like_one() {
    let sets = sets();
    // The codes alone, without what takes all other strings in their context.
    let contexts: String =
        sets.iter().enumerate().map(|(n, codes)| format!("[set{n}]\n{}", asterisk_lines(codes))).collect();
    let pbx = Site::new().unwrap().dialplan(&contexts).start(Version::Current).unwrap();
    let mut ami = pbx.ami().unwrap();
    for (n, codes) in sets.iter().enumerate() {
        agree(codes, |dialled| {
            let function = format!("DIALPLAN_EXISTS(set{n},{dialled},1)");
            let answer = ami.act("Getvar", &[("Variable", &function)]).unwrap();
            assert_eq!(answer.get("Response"), "Success", "{answer:?}");
            answer.get("Value") == "1"
        });
    }
}

fn asterisk_lines(codes: &Codes) -> String {
    let settings = asterisk::dialplan::Settings {
        tenant: TenantId::default(),
        codes: codes.clone(),
        users: vec![NumberPattern::new("1XX").unwrap()],
        otherwise: None,
        emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
        emergency_context: Context::new("emergency").unwrap(),
        agi: "127.0.0.1:4573".into(),
        ring: 30,
        turn: 15,
        recording: None,
        voicemail_password: true,
        reach: Reach::default(),
        freepbx: false,
    };
    let printed = asterisk::dialplan::hotdesk_conf(&settings);
    let ours = ["Set(HD_DIALLED=${FILTER(", ",1,Goto(hotdesk-voicemail,s,1)", ",1,Goto(hotdesk-pickup,s,1)"];
    let is_ours = |line: &&str| line.starts_with("exten => ") && ours.iter().any(|part| line.contains(part));
    let lines: Vec<&str> = printed.lines().filter(is_ours).collect();
    assert!(lines.len() > 5, "{printed}");
    lines.join("\n") + "\n"
}

#[test]
fn a_freeswitch_sends_us_exactly_the_codes_and_what_begins_like_one() {
    let Some(install) = installed() else { return };
    let fs = FreeSwitchSite::new().unwrap().start(&install).unwrap();
    let mut esl = fs.esl().unwrap();
    for codes in sets() {
        let expressions = freeswitch_expressions(&codes);
        agree(&codes, |dialled| {
            expressions.iter().any(|expression| {
                // `regex` takes a backslash for an escape.
                let asked = format!("regex m:~{dialled}~{}", expression.replace('\\', r"\\"));
                esl.api(&asked).unwrap() == "true"
            })
        });
    }
}

fn freeswitch_expressions(codes: &Codes) -> Vec<String> {
    let settings = freeswitch::dialplan::Settings {
        controllers: vec![],
        tenant: TenantId::default(),
        codes: codes.clone().into(),
        users: vec![NumberPattern::new("1XX").unwrap()],
        emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
        emergency_context: Context::new("emergency").unwrap(),
        ring: 30,
        turn: 15,
        recording: None,
        voicemail_password: true,
        reach: Reach::default(),
        groups: std::collections::BTreeMap::new(),
    };
    let printed = freeswitch::dialplan::hotdesk_xml(&settings);
    let expressions: Vec<String> = printed
        .split("<extension name=\"hotdesk-code-")
        .skip(1)
        .filter_map(|extension| extension.split("expression=\"").nth(1)?.split('"').next().map(str::to_owned))
        .collect();
    assert!(expressions.len() > 5, "{printed}");
    expressions
}
