//! The company of the matrix: its users with their settings, its phones, and its switch.

use std::fs;
use std::path::Path;

use crate::company::{Company, Contexts};
use crate::harness::debian::Version;
use crate::harness::phone::Phone;

/// Codes, recording, and a queue.
const MORE: &str = "[codes]\npresets = [\"simmpl\", \"personal\"]\n\
                    [dialplan]\nusers = [\"1XX\"]\nrecording_context = \"recording\"\nvoicemail_password = false\n\
                    [[group]]\nname = \"sales\"\nkind = \"queue\"\n";

/// Two classes of service. A call to the trunk carries the dialled number and the language of the caller.
const CONTEXTS: Contexts = Contexts {
    asterisk: "
[national]
include => hotdesk-users
exten => _0[1-9]X.,1,Goto(outside,${EXTEN},1)
[international]
include => national
exten => _00X.,1,Goto(outside,${EXTEN},1)
[outside]
exten => _0X.,1,Set(__DIALLED=${EXTEN})
 same => n,Set(__SPOKEN=${CHANNEL(language)})
 same => n,Dial(PJSIP/trunk,,b(outside-leg^s^1))
 same => n,Hangup()
[outside-leg]
exten => s,1,Set(PJSIP_HEADER(add,X-Dialled)=${DIALLED})
 same => n,Set(PJSIP_HEADER(add,X-Spoken)=${SPOKEN})
 same => n,Return()
[recording]
exten => s,1,MixMonitor(${ARG1}-${ARG2}-${UNIQUEID}.wav,b)
 same => n,Return()
",
    freeswitch: r#"
<context name="national">
  <X-PRE-PROCESS cmd="include" data="dialplan/default/*.xml"/>
  <extension name="national"><condition field="destination_number" expression="^0[1-9]\d+$">
    <action application="transfer" data="${destination_number} XML beyond"/>
  </condition></extension>
</context>
<context name="international">
  <X-PRE-PROCESS cmd="include" data="dialplan/default/*.xml"/>
  <extension name="all"><condition field="destination_number" expression="^0\d+$">
    <action application="transfer" data="${destination_number} XML beyond"/>
  </condition></extension>
</context>
<context name="beyond">
  <extension name="trunk"><condition>
    <action application="export" data="nolocal:sip_h_X-Dialled=${destination_number}"/>
    <action application="export" data="nolocal:sip_h_X-Spoken=${default_language}"/>
    <action application="bridge" data="user/trunk@hotdesk.test"/>
  </condition></extension>
</context>
"#,
};

/// The phones, registered.
pub(super) struct Phones {
    pub(super) desk1: Phone,
    pub(super) desk2: Phone,
    /// The fixed device of 103, where no other user logs in.
    pub(super) desk3: Phone,
    /// Two that are always 101's.
    pub(super) softphone: Phone,
    pub(super) mobile: Phone,
    /// No hotdesk: it calls, and its lamps watch the others.
    pub(super) colleague: Phone,
    /// A telephone beyond the trunk.
    pub(super) trunk: Phone,
}

/// Opens the company, with one message for 102 and two for 101.
pub(super) fn open(version: Option<Version>) -> Option<(Company, Phones)> {
    let company = Company::open_with(version, MORE, CONTEXTS)?;
    hurry(&company);
    let user = |user: &str, set: &[&str]| drop(company.run(&[&["user", "set", user], set].concat()));
    let alice = ["--class", "international", "--language", "de", "--recording", "always"];
    let alice = [&alice[..], &["--caller-id", "0205550177", "--numbers", "0205550177,0205550178"]].concat();
    let alice = [&alice[..], &["--pickup", "sales", "--account", "project-a", "--in-turn", "on"]].concat();
    user("101", &[&alice[..], &["--forward-busy", "0209990101", "--forward-unanswered", "103"]].concat());
    let bob = ["--class", "national", "--language", "en", "--recording", "on-demand", "--anonymous"];
    let bob = [&bob[..], &["--pickup", "legal", "--forward-unanswered", "0209990102"]].concat();
    user("102", &bob);
    user("103", &["--class", "national", "--pickup", "sales"]);
    for (one, stands) in [("101", &["in"][..]), ("102", &["in", "pause"])] {
        user(one, &["--groups", "sales"]);
        stands.iter().for_each(|to| drop(company.run(&["user", "group", one, "sales", to])));
    }
    company.run(&["device", "set", "desk1", "--owner", "102"]);
    company.run(&["device", "set", "desk3", "--owner", "103"]);
    for (phone, kind) in [("softphone", "softphone"), ("mobile", "mobile")] {
        company.add_desk(phone, "0205550101");
        company.run(&["device", "set", phone, "--kind", kind, "--owner", "101", "--no-hotdesk"]);
    }
    let [desk1, desk2, desk3, softphone, mobile, colleague, trunk] =
        ["desk1", "desk2", "desk3", "softphone", "mobile", "colleague", "trunk"]
            .map(|name| company.phone(name));
    let phones = Phones { desk1, desk2, desk3, softphone, mobile, colleague, trunk };
    for watched in ["101", "102", "device+desk1", "device+desk2"] {
        phones.colleague.watch(watched).unwrap();
    }
    company.messages("101", 2);
    company.messages("102", 1);
    company.sessions();
    Some((company, phones))
}

/// Makes prompts short, so that a refusal ends at once. Other tests check the prompts.
fn hurry(company: &Company) {
    match company {
        Company::Asterisk(company) => {
            let sounds = company.pbx.path("data/sounds/en");
            let ours = cut(&sounds.join("hotdesk"));
            // Of Asterisk's own: what a number is read out in, and that there is no such number.
            fs::remove_file(sounds.join("digits")).unwrap();
            fs::create_dir(sounds.join("digits")).unwrap();
            (0..=9).for_each(|digit| fs::write(sounds.join(format!("digits/{digit}.wav")), &ours).unwrap());
            fs::remove_file(sounds.join("pbx-invalid.gsm")).unwrap();
            fs::write(sounds.join("pbx-invalid.wav"), &ours).unwrap();
        }
        Company::FreeSwitch(company) => {
            ["en", "de"].iter().for_each(|language| {
                cut(&company.pbx.path(&format!("sounds/hotdesk/{language}")));
            });
        }
    }
}

/// Cuts the prompts in `folder`, which may be a link to where they are kept; one of them.
fn cut(folder: &Path) -> Vec<u8> {
    const HEADER: usize = 44;
    const MOMENT: usize = 2 * 8000 / 5;
    let whole: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    if folder.is_symlink() {
        fs::remove_file(folder).unwrap();
        fs::create_dir(folder).unwrap();
    }
    let mut one = vec![];
    for (name, mut wav) in whole {
        // Not of the silence that it begins with.
        let loud = wav[HEADER..].chunks_exact(2).position(|s| i16::from_le_bytes([s[0], s[1]]).abs() > 2000);
        let from = HEADER + 2 * loud.unwrap_or(0);
        let said: Vec<u8> = wav[from..].iter().copied().take(MOMENT).collect();
        wav.truncate(HEADER);
        wav[4..8].copy_from_slice(&(36 + said.len() as u32).to_le_bytes());
        wav[40..44].copy_from_slice(&(said.len() as u32).to_le_bytes());
        wav.extend(said);
        fs::write(folder.join(name), &wav).unwrap();
        one = wav;
    }
    one
}
