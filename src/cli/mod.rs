//! The command line: what can be asked, and the exit code of the answer.
//!
//! Exit codes: 0 done; 1 it could not be done; 2 the arguments make no sense; 64 the configuration cannot be used.

mod check;
mod codes;
mod connected;
mod device;
mod dialplan;
mod difference;
mod discover;
mod explain;
mod import;
mod journal;
mod leave;
mod location;
mod lock;
mod login;
mod pepper;
mod personal;
mod plan;
mod print;
mod profile;
mod progress;
mod serve;
mod site;
mod status;
mod stay;
mod user;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError};
use crate::desk::id::TenantId;
use crate::telemetry;
use site::Site;

/// Hotdesking for an Asterisk that already runs: sit down at any phone, dial a code, and it is yours.
#[derive(Debug, Parser)]
#[command(name = "hotdesk", version, arg_required_else_help = true)]
struct Cli {
    /// The configuration; without it, hotdesk.toml in the current folder
    #[arg(short, long, global = true, env = "HOTDESK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The company whose people and phones are meant
    #[arg(long, global = true, value_name = "TENANT", default_value = "default")]
    tenant: TenantId,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say of the store, each switch and each phone whether all is well, and what to do if not; exits with 1 then
    Check(check::Check),
    /// List what is dialled for what, or say how a string is read
    Codes(codes::Codes),
    /// Add, change, list and remove phones
    #[command(subcommand)]
    Device(device::Device),
    /// Print or write what a site includes into its switch
    #[command(subcommand)]
    Dialplan(dialplan::Dialplan),
    /// List the phones that a switch knows, and enable them
    Discover(discover::Discover),
    /// Say in plain words why a phone, or a user's calls, behave as they do now
    Explain(explain::Explain),
    /// Add and change users and devices of CSV files, or of a FreePBX: all or nothing, and what is not named stays
    Import(import::Import),
    /// Show what happened
    Journal(journal::Journal),
    /// Add, change, list and remove places where phones stand
    #[command(subcommand)]
    Location(location::Location),
    /// List who is locked after too many failures, and unlock
    #[command(subcommand)]
    Lock(lock::Lock),
    /// Log a user in at a device, without a PIN
    Login(login::Login),
    /// Log out a user, or whoever sits at a device
    Logout(login::Logout),
    /// Change the key that PINs are hashed with
    #[command(subcommand)]
    Pepper(pepper::Pepper),
    /// Take calls and keep the switches true. SIGTERM lets calls end, 20 s at most, and a second one ends it at once; SIGHUP
    /// reads the configuration anew
    Serve,
    /// Show who sits where, since when, and when he is logged out by himself
    Status(status::Status),
    /// Let a user stay who is to be logged out by himself
    Stay(stay::Stay),
    /// Add, change, list and remove users, and set their PINs
    #[command(subcommand)]
    User(user::User),
}

/// Does what `args`, the program's name first, ask for, and says how it went.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, with code 0; if nobody listens, so be it.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match obey(cli) {
        Ok(code) => code,
        Err(error) if reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "hotdesk: {error:#}");
            let configuration = error.downcast_ref::<ConfigError>().is_some();
            ExitCode::from(if configuration { 64 } else { 1 })
        }
    }
}

fn obey(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = Config::load(cli.config.as_deref(), &|name| std::env::var(name).ok())?;
    let mut out = io::stdout().lock();
    // Opened by those who await it: `dialplan` needs none, and `serve` has all tenants.
    let site = Site::open(config.clone(), cli.tenant.clone());
    tokio::runtime::Runtime::new()?.block_on(async {
        match cli.command {
            Command::Check(check) => return check.run(&site.await?, &mut out).await,
            Command::Codes(codes) => codes.run(&config, &cli.tenant, &mut out)?,
            Command::Device(device) => device.run(&site.await?, &mut out).await?,
            Command::Dialplan(dialplan) => dialplan.run(&config, &mut out)?,
            Command::Discover(discover) => discover.run(&site.await?, &mut out).await?,
            Command::Explain(explain) => explain.run(&site.await?, &mut out).await?,
            Command::Import(import) => import.run(&site.await?, &mut out).await?,
            Command::Journal(journal) => journal.run(&site.await?, &mut out).await?,
            Command::Location(location) => location.run(&site.await?, &mut out).await?,
            Command::Lock(lock) => lock.run(&site.await?, &mut out).await?,
            Command::Login(login) => login.run(&site.await?, &mut out).await?,
            Command::Logout(logout) => logout.run(&site.await?, &mut out).await?,
            Command::Pepper(pepper) => pepper.run(&site.await?, &mut out)?,
            Command::Serve => {
                let metrics = telemetry::start(config.log.format, &config.log.level);
                serve::run(config, cli.config.as_deref(), metrics).await?;
            }
            Command::Status(status) => status.run(&site.await?, &mut out).await?,
            Command::Stay(stay) => stay.run(&site.await?, &mut out).await?,
            Command::User(user) => user.run(&site.await?, &mut out).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Whether the output went into a pipe whose reader has seen enough.
fn reader_left(error: &anyhow::Error) -> bool {
    let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(broken)
}
