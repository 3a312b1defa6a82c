//! A small company for trials of Hotdesk: a real Asterisk, Hotdesk beside it, and phones that call each other.
//!
//! ```text
//! cargo run --example demo                   prints what happens, then waits for a softphone of yours
//! cargo run --example demo -- --once         prints what happens, and ends
//! target/debug/examples/demo hotdesk …        the command line of Hotdesk
//! ```
//!
//! Everything runs on 127.0.0.1, in folders that the program removes at its end. If no Asterisk is installed, the demo
//! fetches one from Debian into Cargo's target folder, once, without root.

mod guide;
mod stop;
mod story;
mod teller;

// The demo uses the company of the tests. Only the tests use the rest of this module.
#[allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]
#[path = "../../tests/harness/mod.rs"]
mod harness;

use std::env;
use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use harness::company::{Company, DESKS, USERS};
use harness::debian::{self, Version};
use stop::Stop;
use story::Story;
use teller::Teller;

/// Run a small company on a real Asterisk, for trials of Hotdesk
#[derive(Parser)]
#[command(name = "demo")]
struct Demo {
    /// End after the story, with exit code 0 when every step of it worked
    #[arg(long)]
    once: bool,
}

/// Exit code after a signal before the end of the story.
const STOPPED: u8 = 130;

fn main() -> ExitCode {
    // Cargo does not build the `hotdesk` program for an example, so this program contains it.
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
    // The first error is reported.
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

    tell.step("starting Asterisk and hotdesk")?;
    let program = [env::current_exe().context("finding this program")?, "hotdesk".into()];
    let console = TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .context("a port for the console")?;
    let console = format!("[web]\nlisten = \"{console}\"\n");
    let company = Company::open_with(&program, Version::Current, "sqlite:hotdesk.db", &console)?;
    tell.then(format!("desks: {}", DESKS.map(|(desk, _)| desk).join(", ")));
    for (extension, name, pin) in USERS {
        tell.then(format!("user {extension}, {name}, PIN {pin}"));
    }
    tell.then(format!("Asterisk's files: {}", company.pbx.path("").display()));
    tell.then(format!("hotdesk's files:  {}", company.hotdesk.folder().display()));
    tell.then("both are up, and the switch table equals the store");
    Ok(company)
}

/// Asterisk may have ended already, because a Ctrl-C at a terminal reaches all its processes.
fn close(mut company: Company, tell: &Teller) -> Result<()> {
    tell.say("ending hotdesk and Asterisk");
    let stopped = company.hotdesk.stop().context("ending hotdesk");
    let _ = company.pbx.stop();
    drop(company);
    stopped?;
    tell.say("both have ended, and their files are gone");
    Ok(())
}

/// The last log lines, read before the files are removed.
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
