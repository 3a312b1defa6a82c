//! `docs/existing-extensions.md`, followed step by step on a real Asterisk: phones that are named as extensions become hotdesks.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::asterisk::{Asterisk, Endpoint, Site};
use crate::harness::check::broken;
use crate::harness::company::{call, dial_code};
use crate::harness::debian::Version;
use crate::harness::each::on_both;
use crate::harness::hotdesk::Hotdesk;

on_both! {
    phones_that_are_named_as_extensions_become_hotdesks_by_the_steps_of_the_page
}

const PAGE: &str = include_str!("../docs/existing-extensions.md");

/// The blocks of the page in this language, in order, as they are to be typed.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut blocks = vec![];
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if line.trim() != fence {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        let block: String = block.map(|line| format!("{}\n", line.get(indent..).unwrap_or(""))).collect();
        // The trunk of the test is a phone, which takes calls to its own name only.
        blocks.push(
            block
                .replace("@trunk)", "")
                .replace("PJSIP/112", "PJSIP/trunk)")
                .replace("_0X.,1,Dial(PJSIP/${EXTEN}", "_0X.,1,Dial(PJSIP/trunk)"),
        );
    }
    blocks
}

/// The text after the changes of a diff without positions, which names every line.
fn changed(text: &str, diff: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { line[1..].to_owned() };
    let of = |sign: char| {
        let lines = diff.lines().filter(|it| !it.starts_with(sign)).map(line);
        lines.map(|line| line + "\n").collect::<String>()
    };
    assert_eq!(of('+').trim_end(), text.trim_end(), "the diff is of the site before");
    of('-')
}

/// The words of a command; one in quotes is one word.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('\'').enumerate().flat_map(|(n, part)| match n % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    quoted.collect()
}

struct Followed {
    pbx: Asterisk,
    hotdesk: Hotdesk,
}

impl Followed {
    /// Runs the commands of a block; what the last one printed.
    fn run(&self, block: &str) -> String {
        let mut said = String::new();
        for line in block.lines() {
            let words = words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            said = match words[..] {
                ["hotdesk", ref args @ ..] => self.hotdesk.run(args).unwrap(),
                ["asterisk", "-rx", command] => self.pbx.cli(command).unwrap(),
                _ => panic!("{line} is not a command of the page"),
            };
        }
        said
    }

    fn edit(&self, file: &str, change: impl Fn(String) -> String) {
        let text = fs::read_to_string(self.pbx.path(&format!("etc/{file}"))).unwrap();
        self.pbx.write(file, &change(text)).unwrap();
    }
}

fn phones_that_are_named_as_extensions_become_hotdesks_by_the_steps_of_the_page(version: Version) {
    let [ini, toml, diff, sh, warned] = ["ini", "toml", "diff", "sh", "text"].map(blocks);
    let (before, toml, diff, warned) = (&ini[0], &toml[0], &diff[0], &warned[0]);
    let [install, reload, people, pjsip] = &sh[..] else { panic!("{sh:?}") };
    let site = Site::new().unwrap();
    let hotdesk = Hotdesk::new(
        &[PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))],
        "sqlite:hotdesk.db",
        site.ports.ami,
        site.ports.agi,
    );
    let hotdesk = hotdesk.unwrap();
    let fixed = |name: &str| {
        let caller = format!("callerid=Phone <{name}>");
        Endpoint::new(name).context("phones").subscribe_context("phones").with(&caller)
    };
    let site = ["201", "202", "203"].into_iter().fold(site, |site, name| site.endpoint(fixed(name)));
    let pbx = site.endpoint(Endpoint::new("trunk").context("from-trunk")).dialplan(before).start(version);
    let mut at = Followed { pbx: pbx.unwrap(), hotdesk };
    let [fixed, bobs, carols, trunk] = ["201", "202", "203", "trunk"].map(|name| at.pbx.phone(name).unwrap());

    // As it was.
    let as_before = || {
        call(&fixed, "202", &bobs, "201").unwrap();
        call(&bobs, "201", &fixed, "202").unwrap();
        call(&trunk, "203", &carols, "").unwrap();
        call(&fixed, "112", &trunk, "201").unwrap();
    };
    as_before();

    // 1 to 3: Hotdesk is there, and nothing changes.
    let folders = format!("dialplan_dir = \"{}\"\n", at.pbx.path("etc").display());
    at.hotdesk.configure(&(folders + toml)).unwrap();
    at.run(install);
    at.edit("manager.conf", |text| text + "#include \"hotdesk-manager.conf\"\n");
    as_before();

    // The mistake that the page warns of: the pattern stays beside the include.
    let mistake = changed(before, diff).replacen(
        "include => fixed-phones\n",
        "exten => _2XX,1,Dial(PJSIP/${EXTEN},30)\n same => n,Hangup()\n",
        1,
    );
    let general = "[general]\nstatic=yes\nwriteprotect=no\n\n";
    at.pbx.write("extensions.conf", &format!("{general}{mistake}")).unwrap();
    at.run(reload);
    at.hotdesk.start().unwrap();
    for command in people.lines() {
        at.run(command);
    }
    let said = at.hotdesk.output(&["check"], "").unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains(warned), "{warned} is not in {said}");
    let explained = at.hotdesk.run(&["explain", "202"]).unwrap();
    assert!(
        explained.contains("202 are reached past Hotdesk: [phones] _2XX,1: Dial(PJSIP/202,30)"),
        "{explained}"
    );
    for user in ["202", "203"] {
        at.hotdesk.run(&["device", "remove", user]).unwrap();
        at.hotdesk.run(&["user", "remove", user]).unwrap();
    }
    at.hotdesk.run(&["location", "remove", "office"]).unwrap();

    // 4: the pattern moves. Without users all phones ring as before.
    at.pbx.write("extensions.conf", &format!("{general}{}", changed(before, diff))).unwrap();
    at.run(reload);
    as_before();

    // 5: two phones become hotdesks.
    let pin = at.run(people);
    at.edit("pjsip.conf", |text| {
        ["202", "203"].iter().fold(text, |text, name| {
            let was = format!("auth={name}\ncontext=phones\n");
            assert!(text.contains(&was), "{text}");
            text.replace(&was, &format!("auth={name}\ncontext=hotdesk\nsend_pai=yes\n"))
        })
    });
    at.run(pjsip);

    // 6: nothing is wrong, and each user rings where they are.
    let wrong = broken(&at.hotdesk);
    assert_eq!(wrong, "");
    let said = at.hotdesk.run(&["check"]).unwrap();
    assert!(
        said.contains(
            "ok     calls to users of switch pbx: reach Hotdesk from every context: from-trunk, phones\n"
        ),
        "{said}"
    );
    call(&fixed, "202", &bobs, "201").unwrap();
    call(&bobs, "201", &fixed, "202").unwrap();
    call(&trunk, "203", &carols, "").unwrap();
    let heard = dial_code(&carols, &format!("*35*202*{}", pin.trim()), &[]).unwrap();
    assert!(heard > Duration::from_millis(300), "{heard:?}");
    call(&fixed, "202", &carols, "201").unwrap();
    call(&carols, "201", &fixed, "202").unwrap();
    call(&trunk, "202", &carols, "").unwrap();
    call(&carols, "112", &trunk, "0205550100").unwrap();
    call(&fixed, "112", &trunk, "201").unwrap();
    dial_code(&carols, "*35", &[]).unwrap();
    call(&fixed, "202", &bobs, "201").unwrap();
    call(&bobs, "203", &carols, "202").unwrap();
}
