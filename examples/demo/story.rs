//! The story: two phones log in, call each other, and change places. Each step is checked, and told with what was heard.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::support::company::{Company, DESKS, USERS, one_touch};
use crate::support::phone::{Ended, Phone};
use crate::teller::Teller;

/// How long store and switch may take to agree.
const SOON: Duration = Duration::from_secs(2);
/// How long a prompt may take, with the extension read out.
const PROMPT: Duration = Duration::from_secs(20);
/// How long they talk.
const TALK: Duration = Duration::from_millis(500);
/// Less than this is no spoken sentence.
const SENTENCE: Duration = Duration::from_millis(500);

/// The phones, registered, in an open office.
pub(crate) struct Story<'a> {
    company: &'a Company,
    tell: &'a Teller<'a>,
    desk1: Phone,
    desk2: Phone,
    /// A phone of the office that is no hotdesk, with a lamp for 101.
    colleague: Phone,
    /// The world outside.
    trunk: Phone,
}

impl<'a> Story<'a> {
    pub(crate) fn begin(company: &'a Company, tell: &'a Teller) -> Result<Self> {
        tell.step(
            "switching on the phones: desk1, desk2, a colleague's with a lamp for 101, and the trunk's",
        )?;
        let [desk1, desk2, colleague, trunk] =
            ["desk1", "desk2", "colleague", "trunk"].map(|name| company.pbx.phone(name));
        let story =
            Self { company, tell, desk1: desk1?, desk2: desk2?, colleague: colleague?, trunk: trunk? };
        story.colleague.watch("101")?;
        story.colleague.wait_lamp("101", "terminated")?;
        tell.then("they are registered; the lamp is dark; nobody sits anywhere");
        Ok(story)
    }

    pub(crate) fn tell(&self) -> Result<()> {
        let Self { desk1, desk2, .. } = self;
        self.log_in(desk1, "101", &["101@desk1"])?;
        self.log_in(desk2, "102", &["101@desk1", "102@desk2"])?;
        self.call(desk1, "101", "102", desk2)?;
        self.call(desk2, "102", "101", desk1)?;
        // She takes the place of whoever sat there, and leaves the other desk empty.
        self.log_in(desk2, "101", &["101@desk2"])?;
        self.lamp_follows()?;
        self.empty_desk_is_refused()?;
        self.help_is_reached()?;
        self.log_in(desk1, "102", &["102@desk1", "101@desk2"])?;
        self.tell.step("hotdesk status")?;
        self.company.hotdesk.run(&["status"])?.lines().for_each(|line| self.tell.then(line));
        Ok(())
    }

    /// From now on the phones answer by themselves, so that somebody can call them.
    pub(crate) fn answer_calls(&self) {
        for phone in [&self.desk1, &self.desk2, &self.colleague, &self.trunk] {
            phone.auto_answer(true);
        }
    }

    fn log_in(&self, phone: &Phone, user: &str, seats: &[&str]) -> Result<()> {
        let code = one_touch(user);
        self.tell.step(format!("{} dials {code}", phone.name()))?;
        let (first, ended) = dial_and_listen(phone, &code)?;
        said(&ended, "the confirmation")?;
        let agreed = self.company.agreed(SOON)?;
        ensure!(agreed == seats, "after {code} there should sit {seats:?}, and there sit {agreed:?}");
        self.tell.then(format!(
            "heard the first word after {} ms, {} ms of speech in all",
            first.as_millis(),
            ended.heard.as_millis()
        ));
        let seated: Vec<String> = seats.iter().map(|seat| spelled_out(seat)).collect();
        self.tell.then(format!("now there sit {}", seated.join(", ")));
        Ok(())
    }

    /// A call to a user: it rings where he sits, with the caller's own number and name.
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
            "answered: {} heard {} ms, {} heard {} ms; the colleague's lamp for 101 was lit meanwhile",
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
        let shown = self.desk2.wait_ringing().context("101 sits at desk2 now")?.from;
        self.colleague.wait_lamp("101", "early")?;
        self.colleague.hang_up()?;
        self.desk2.wait_ended()?;
        self.colleague.wait_lamp("101", "terminated")?;
        self.tell.then(format!(
            "desk2 rings, and shows \"{}\" <{}>; the lamp, subscribed to once, blinks with it",
            shown.name, shown.number
        ));
        Ok(())
    }

    fn empty_desk_is_refused(&self) -> Result<()> {
        self.tell.step("desk1, where nobody sits now, dials 102")?;
        let (_, ended) = dial_and_listen(&self.desk1, "102")?;
        said(&ended, "why")?;
        ensure!(ended.code == 403, "it should be refused with 403, and it ended with {ended:?}");
        self.tell.then(format!("heard why for {} ms, refused with 403", ended.heard.as_millis()));
        Ok(())
    }

    fn help_is_reached(&self) -> Result<()> {
        self.tell.step("desk1, where nobody sits, dials 112")?;
        self.desk1.dial("112")?;
        let shown = self.trunk.wait_ringing().context("an emergency call goes out by the trunk")?.from.number;
        let place = DESKS.iter().find(|(desk, _)| *desk == "desk1").map_or("", |(_, number)| *number);
        ensure!(shown == place, "the call should show {place}, where desk1 stands, and it shows {shown}");
        self.trunk.answer()?;
        self.desk1.wait_answered()?;
        self.desk1.hang_up()?;
        self.trunk.wait_ended()?;
        self.tell.then(format!("it goes out by the trunk, with the number of the place: {shown}"));
        Ok(())
    }
}

/// Dials and listens to the end: after how long the first word came, and how it ended.
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
fn spelled_out(seat: &str) -> String {
    let (user, desk) = seat.split_once('@').unwrap_or((seat, ""));
    format!("{} ({user}) at {desk}", name(user))
}
