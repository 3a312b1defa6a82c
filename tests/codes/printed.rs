//! The printed dialplan sends hotdesk what the grammar reads, and mistyped codes, and nothing else. Real switches are asked
//! string by string.

use std::collections::BTreeSet;

use hotdesk::asterisk;
use hotdesk::freeswitch;
use hotdesk::model::codes::{Action, CodeSettings, Codes, CustomCode, Pattern, Preset};
use hotdesk::model::id::{EmergencyContext, EmergencyNumber, TenantId};
use hotdesk::model::login::token::Token;
use hotdesk::model::number_pattern::NumberPattern;
use hotdesk::model::routes::Routes;

use crate::harness::asterisk::Site;
use crate::harness::debian::Version;
use crate::harness::freeswitch::{Site as FreeSwitchSite, installed};

/// Sets of codes that cover every way in which one is printed.
fn sets() -> Vec<Codes> {
    let users: Vec<_> = ["1XX", "2[0-4]X", "5X"].iter().map(|it| NumberPattern::new(*it).unwrap()).collect();
    let emergency = [EmergencyNumber::new("112").unwrap()];
    let own =
        |dial: &str| CustomCode { dial: Pattern::parse(dial).unwrap(), action: Action::Login, pin: None };
    let all =
        [Preset::Simmpl, Preset::ThreeCx, Preset::Xelion, Preset::Freepbx, Preset::Kazoo, Preset::Extras];
    [
        (&all[..], &[][..]),
        (&[Preset::Simmpl, Preset::Personal], &[]),
        (&[Preset::Avaya], &["7{ext}*{pin}", "*90{ext}*{pin}", "#31#{ext}", "66{ext}*#", "444#"]),
    ]
    .map(|(presets, dials)| CodeSettings {
        presets: presets.to_vec(),
        custom: dials.iter().map(|dial| own(dial)).collect(),
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

/// Checks that `sends` agrees with the grammar on every string.
fn agree(codes: &Codes, mut sends: impl FnMut(&str) -> bool) {
    let (mut sent, mut kept) = (0, 0);
    for dialled in strings(codes) {
        let ours = codes.dialplan_matches().iter().any(|net| net.shape().matches(&dialled));
        assert_eq!(sends(&dialled), ours, "{dialled}");
        assert!(ours || codes.read(&dialled).is_none(), "{dialled} is a code and is not sent to hotdesk");
        *(if ours { &mut sent } else { &mut kept }) += 1;
    }
    assert!(sent > 100 && kept > 100, "{sent} sent, {kept} kept");
}

#[test]
fn an_asterisk_sends_hotdesk_exactly_the_codes_and_mistyped_ones() {
    let sets = sets();
    // The codes alone, without the extensions for all other strings.
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
        fallback_context: None,
        emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
        emergency_context: EmergencyContext::new("emergency").unwrap(),
        agi: "127.0.0.1:4573".into(),
        ring: 30,
        ring_each: 15,
        recording_context: None,
        voicemail_password: true,
        routes: Routes::default(),
        freepbx: false,
        token: Token::sample(),
    };
    let printed = asterisk::dialplan::hotdesk_conf(&settings);
    let ours = [
        "Set(HD_DIALLED=${FILTER(",
        // What a prefix matches is refused if it has a letter, before it is filtered.
        ",1,GotoIf($[${LEN(${FILTER(0-9*#.",
        ",1,Goto(hotdesk-voicemail,s,1)",
        ",1,Goto(hotdesk-pickup,s,1)",
    ];
    let is_ours = |line: &&str| line.starts_with("exten => ") && ours.iter().any(|part| line.contains(part));
    let lines: Vec<&str> = printed.lines().filter(is_ours).collect();
    assert!(lines.len() > 5, "{printed}");
    lines.join("\n") + "\n"
}

#[test]
fn a_freeswitch_sends_hotdesk_exactly_the_codes_and_mistyped_ones() {
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
    let users = NumberPattern::new("1XX").unwrap();
    let settings = freeswitch::dialplan::Settings {
        emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
        ..freeswitch::dialplan::Settings::sample(codes.clone().into(), users)
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
