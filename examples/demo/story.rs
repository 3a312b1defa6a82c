//! The story: two phones log in, call each other, and switch users. Each step is checked and printed with its result.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::harness::company::{Company, DESKS, USERS, one_touch};
use crate::harness::phone::{Ended, Phone};
use crate::teller::Teller;

/// Time within which the switch table must equal the store.
const SOON: Duration = Duration::from_secs(2);
/// Longest prompt, with the extension read aloud.
const PROMPT: Duration = Duration::from_secs(20);
/// Length of a conversation.
const TALK: Duration = Duration::from_millis(500);
/// A spoken sentence is longer than this.
const SENTENCE: Duration = Duration::from_millis(500);

/// The registered phones of the company.
pub(crate) struct Story<'a> {
    company: &'a Company,
    tell: &'a Teller<'a>,
    desk1: Phone,
    desk2: Phone,
    /// A phone of the company without hotdesking, with a BLF for 101.
    colleague: Phone,
    /// The outside line.
    trunk: Phone,
}

impl<'a> Story<'a> {
    pub(crate) fn begin(company: &'a Company, tell: &'a Teller) -> Result<Self> {
        tell.step(
            "registering the phones: desk1, desk2, a colleague's phone with a BLF for 101, and the trunk",
        )?;
        let [desk1, desk2, colleague, trunk] =
            ["desk1", "desk2", "colleague", "trunk"].map(|name| company.pbx.phone(name));
        let story =
            Self { company, tell, desk1: desk1?, desk2: desk2?, colleague: colleague?, trunk: trunk? };
        story.colleague.watch("101")?;
        story.colleague.wait_lamp("101", "terminated")?;
        tell.then("they are registered; the BLF is dark; no user is logged in");
        Ok(story)
    }

    pub(crate) fn tell(&self) -> Result<()> {
        let Self { desk1, desk2, .. } = self;
        self.log_in(desk1, "101", &["101@desk1"])?;
        self.log_in(desk2, "102", &["101@desk1", "102@desk2"])?;
        self.call(desk1, "101", "102", desk2)?;
        self.call(desk2, "102", "101", desk1)?;
        // 101 moves to desk2. This logs 102 out, and desk1 has no session.
        self.log_in(desk2, "101", &["101@desk2"])?;
        self.lamp_follows()?;
        self.empty_desk_is_refused()?;
        self.help_is_reached()?;
        self.log_in(desk1, "102", &["102@desk1", "101@desk2"])?;
        self.tell.step("hotdesk status")?;
        self.company.hotdesk.run(&["status"])?.lines().for_each(|line| self.tell.then(line));
        Ok(())
    }

    /// Lets the phones answer calls automatically, so that you can call them.
    pub(crate) fn answer_calls(&self) {
        for phone in [&self.desk1, &self.desk2, &self.colleague, &self.trunk] {
            phone.auto_answer(true);
        }
    }

    fn log_in(&self, phone: &Phone, user: &str, sessions: &[&str]) -> Result<()> {
        let code = one_touch(user);
        self.tell.step(format!("{} dials {code}", phone.name()))?;
        let (first, ended) = dial_and_listen(phone, &code)?;
        said(&ended, "the confirmation")?;
        let agreed = self.company.agreed(SOON)?;
        ensure!(agreed == sessions, "after {code} the sessions should be {sessions:?}, and are {agreed:?}");
        self.tell.then(format!(
            "heard the first word after {} ms, {} ms of speech in all",
            first.as_millis(),
            ended.heard.as_millis()
        ));
        let sessions: Vec<String> = sessions.iter().map(|session| spelled_out(session)).collect();
        self.tell.then(format!("logged in now: {}", sessions.join(", ")));
        Ok(())
    }

    /// A call to a user rings the device of the session and shows the caller's number and name.
    fn call(&self, from: &Phone, caller: &str, number: &str, to: &Phone) -> Result<()> {
        self.tell.step(format!("{} dials {number}", from.name()))?;
        let dialled = Instant::now();
        from.dial(number)?;
        let shown = to.wait_ringing()?;
        let rang = dialled.elapsed();
        let asserted = shown.asserted.context("the call has no P-Asserted-Identity")?;
        for (header, who) in [("From", &shown.from), ("P-Asserted-Identity", &asserted)] {
            ensure!(
                who.number == caller && who.name == name(caller),
                "{header} should show {} <{caller}>, and it shows {} <{}>",
                name(caller),
                who.name,
                who.number
            );
        }
        self.tell.then(format!(
            "{} rings after {} ms; From and P-Asserted-Identity show \"{}\" <{}>",
            to.name(),
            rang.as_millis(),
            shown.from.name,
            shown.from.number
        ));
        to.answer()?;
        from.wait_answered()?;
        self.colleague.wait_lamp("101", "confirmed")?;
        for (speaker, listener) in [(from, to), (to, from)] {
            speaker.tone(true);
            listener.wait_audio().context("they should hear each other")?;
        }
        thread::sleep(TALK);
        let (caller_heard, callee_heard) = (from.hang_up()?.heard, to.wait_ended()?.heard);
        self.colleague.wait_lamp("101", "terminated")?;
        self.tell.then(format!(
            "answered: {} heard {} ms, {} heard {} ms; the BLF for 101 was lit during the call",
            from.name(),
            caller_heard.as_millis(),
            to.name(),
            callee_heard.as_millis()
        ));
        Ok(())
    }

    fn lamp_follows(&self) -> Result<()> {
        self.tell.step("the colleague dials 101")?;
        self.colleague.dial("101")?;
        let shown = self.desk2.wait_ringing().context("101 is logged in at desk2 now")?.from;
        self.colleague.wait_lamp("101", "early")?;
        self.colleague.hang_up()?;
        self.desk2.wait_ended()?;
        self.colleague.wait_lamp("101", "terminated")?;
        self.tell
            .then(format!("desk2 rings, and shows \"{}\" <{}>; the BLF blinks", shown.name, shown.number));
        Ok(())
    }

    fn empty_desk_is_refused(&self) -> Result<()> {
        self.tell.step("desk1, where no user is logged in now, dials 102")?;
        let (_, ended) = dial_and_listen(&self.desk1, "102")?;
        said(&ended, "why")?;
        ensure!(ended.code == 403, "it should be refused with 403, and it ended with {ended:?}");
        self.tell.then(format!("heard why for {} ms, refused with 403", ended.heard.as_millis()));
        Ok(())
    }

    fn help_is_reached(&self) -> Result<()> {
        self.tell.step("desk1, where no user is logged in, dials 112")?;
        self.desk1.dial("112")?;
        let shown = self.trunk.wait_ringing().context("an emergency call goes out by the trunk")?.from.number;
        let place = DESKS.iter().find(|(desk, _)| *desk == "desk1").map_or("", |(_, number)| *number);
        ensure!(
            shown == place,
            "the call should show {place}, the number of the location of desk1, and shows {shown}"
        );
        self.trunk.answer()?;
        self.desk1.wait_answered()?;
        self.desk1.hang_up()?;
        self.trunk.wait_ended()?;
        self.tell.then(format!("it leaves by the trunk with the number of the location: {shown}"));
        Ok(())
    }
}

/// Dials and listens to the end. Returns the time to the first word, and how the call ended.
fn dial_and_listen(phone: &Phone, number: &str) -> Result<(Duration, Ended)> {
    let dialled = Instant::now();
    phone.dial(number)?;
    phone.wait_audio()?;
    let first = dialled.elapsed();
    Ok((first, phone.wait_ended_within(PROMPT)?))
}

fn said(ended: &Ended, what: &str) -> Result<()> {
    ensure!(ended.heard > SENTENCE, "{what} should be spoken, and {:?} of sound were heard", ended.heard);
    Ok(())
}

fn name(user: &str) -> &'static str {
    USERS.iter().find(|(extension, ..)| *extension == user).map_or("", |(_, name, _)| name)
}

/// `101@desk1` as `Alice (101) at desk1`.
fn spelled_out(session: &str) -> String {
    let (user, desk) = session.split_once('@').unwrap_or((session, ""));
    format!("{} ({user}) at {desk}", name(user))
}
