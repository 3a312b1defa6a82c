//! Sending a call on: REFER, blind and attended (RFC 3515, RFC 3891), and 302.

use anyhow::{Context, Result, ensure};

use super::event::Event;
use super::line::Line;
use super::{PATIENCE, Phone};

impl Phone {
    /// Sends the other end of the call to `number`, unasked; waits until the switch has agreed to.
    pub fn transfer(&self, number: &str) -> Result<()> {
        let to = self.line().address_of(number);
        self.refer(&to)
    }

    /// Joins the other end of the call with that of `line`, a second phone of the same account that has called there.
    pub fn transfer_to(&self, line: &Self) -> Result<()> {
        let to = line.line().replacing().context("the other line has no call to transfer to")?;
        self.refer(&to)
    }

    /// Forwards the call that rings to `number`.
    pub fn forward(&self, number: &str) -> Result<()> {
        self.line().forward(number)
    }

    fn refer(&self, to: &str) -> Result<()> {
        self.events.new_request();
        self.line().refer(to)?;
        let answered = |event: &Event| if let Event::Referred(code) = event { Some(*code) } else { None };
        let code = self.events.wait("the answer to the REFER", PATIENCE, answered)?;
        ensure!((200..300).contains(&code), "{}: the switch refused the REFER with {code}", self.name);
        Ok(())
    }
}

impl Line {
    fn refer(&mut self, to: &str) -> Result<()> {
        let call = self.call.as_mut().filter(|call| call.up).context("there is no call to transfer")?;
        call.sequence += 1;
        let (target, dialog, sequence) = (call.target.clone(), call.dialog.clone(), call.sequence);
        let me = self.address_of(&self.account.user);
        let refer = self.request("REFER", &target, &dialog, sequence);
        self.start(refer.with("Refer-To", format!("<{to}>")).with("Referred-By", format!("<{me}>")));
        Ok(())
    }

    /// The address of the call's other end, with what makes a call to it take this one's place.
    fn replacing(&self) -> Option<String> {
        let dialog = &self.call.as_ref().filter(|call| call.up)?.dialog;
        let tag = |party: &str| party.rsplit_once("tag=").map(|(_, tag)| tag.to_owned());
        let (to, from) = (tag(&dialog.remote)?, tag(&dialog.local)?);
        let escaped = dialog.id.replace('@', "%40");
        let party = super::message::address(&dialog.remote);
        Some(format!("{party}?Replaces={escaped}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}"))
    }
}
