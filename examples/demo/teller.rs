//! Prints what happens, line by line, with the seconds since the start.

use std::fmt::Display;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::stop::Stop;

pub(crate) struct Teller<'a> {
    began: Instant,
    stop: &'a Stop,
}

impl<'a> Teller<'a> {
    pub(crate) fn new(stop: &'a Stop) -> Self {
        Self { began: Instant::now(), stop }
    }

    pub(crate) fn say(&self, what: impl Display) {
        println!("{:5.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    /// Prints the next step; fails if a stop was requested.
    pub(crate) fn step(&self, what: impl Display) -> Result<()> {
        ensure!(!self.stop.asked(), "asked to end");
        self.say(what);
        Ok(())
    }

    /// Prints the result of a step.
    pub(crate) fn then(&self, what: impl Display) {
        self.say(format_args!("  {what}"));
    }
}
