//! A small office to try Hotdesk in: a real Asterisk, hotdesk beside it, and phones that log in and call each other.
//!
//! ```text
//! cargo run --release --example demo              tells what happens, then stays up for a softphone of your own
//! cargo run --release --example demo -- --once    tells what happens, and ends
//! target/release/examples/demo hotdesk …          hotdesk's own command line
//! ```
//!
//! Everything is on 127.0.0.1 and in folders that are gone with it. Where no Asterisk is installed, one is fetched from
//! Debian into Cargo's target folder, once, without root.

mod guide;
mod stop;
mod story;
mod teller;

// The office is the one that the tests have; what only they use of it is theirs.
#[allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]
#[path = "../../tests/support/mod.rs"]
mod support;

use std::env;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use stop::Stop;
use story::Story;
use support::company::{Company, DESKS, USERS};
use support::debian::{self, Version};
use teller::Teller;

/// A small office on a real Asterisk, to try Hotdesk in
#[derive(Parser)]
#[command(name = "demo")]
struct Demo {
    /// End after the story, with exit code 0 when every step of it worked
    #[arg(long)]
    once: bool,
}

/// Ended by a signal before the story was over.
const STOPPED: u8 = 130;

fn main() -> ExitCode {
    // Cargo does not build the `hotdesk` program for an example: this one is it, too.
    if env::args_os().nth(1).is_some_and(|first| first == "hotdesk") {
        return hotdesk::cli::run(env::args_os().skip(1));
    }
    let once = Demo::parse().once;
    let stop = match Stop::listen() {
        Ok(stop) => stop,
        Err(error) => return failed(&error),
    };
    match run(&stop, once) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if stop.asked() => ExitCode::from(STOPPED),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("demo: {error:#}");
    ExitCode::FAILURE
}

fn run(stop: &Stop, once: bool) -> Result<()> {
    let tell = Teller::new(stop);
    let company = open(&tell)?;
    let told = Story::begin(&company, &tell).and_then(|story| {
        story.tell()?;
        Ok(story)
    });
    let result = match told {
        Ok(_) if once => Ok(()),
        Ok(story) => guide::stay(&story, &company, stop),
        Err(error) if stop.asked() => Err(error),
        Err(error) => Err(error.context(logs(&company))),
    };
    let closed = close(company, &tell);
    // What went wrong first is what is to be told.
    result.and(closed)?;
    if once {
        tell.say("every step worked");
    }
    Ok(())
}

fn open(tell: &Teller) -> Result<Company> {
    tell.step(
        "looking for an Asterisk; where none is installed, one is fetched once, which takes some 20 s",
    )?;
    let asterisk = debian::asterisk(Version::Current)?;
    tell.then(format!("{}: {}", asterisk.banner, asterisk.program.display()));

    tell.step("opening the office")?;
    let program = [env::current_exe().context("finding this program")?, "hotdesk".into()];
    let company = Company::open(&program, Version::Current, "sqlite:hotdesk.db")?;
    tell.then(format!("desks: {}", DESKS.map(|(desk, _)| desk).join(", ")));
    for (extension, name, pin) in USERS {
        tell.then(format!("user {extension}, {name}, PIN {pin}"));
    }
    tell.then(format!("Asterisk's files: {}", company.pbx.path("").display()));
    tell.then(format!("hotdesk's files:  {}", company.hotdesk.folder().display()));
    tell.then("both are up, and Asterisk's table is in step with hotdesk's store");
    Ok(company)
}

/// Asterisk may have ended already: a Ctrl-C at a terminal is told to all that run there.
fn close(mut company: Company, tell: &Teller) -> Result<()> {
    tell.say("ending hotdesk and Asterisk");
    let stopped = company.hotdesk.stop().context("ending hotdesk");
    let _ = company.pbx.stop();
    drop(company);
    stopped?;
    tell.say("both have ended, and their files are gone");
    Ok(())
}

/// What was logged last, while its files are still there.
fn logs(company: &Company) -> String {
    let last = |log: String| {
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(25)..).unwrap_or_default().join("\n  ")
    };
    format!(
        "a step did not work. What Asterisk logged last:\n  {}\nWhat hotdesk logged last:\n  {}\nWhat went wrong",
        last(company.pbx.log()),
        last(company.hotdesk.log())
    )
}
