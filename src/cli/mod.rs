//! The command line: which commands there are, and the exit code of each.

mod adopt;
mod allocator;
mod auto_logout;
mod backup;
mod check;
mod codes;
mod connected;
mod context;
mod control;
mod device;
mod dialplan;
mod discover;
mod doubts;
mod examples;
mod explain;
mod export;
mod extend;
mod import;
mod init;
mod inspected;
mod journal;
mod known;
mod location;
mod lockout;
mod login;
mod manual;
mod output;
mod pepper;
mod personal;
mod plan;
mod profile;
mod progress;
mod serve;
mod status;
mod user;
mod web;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Config, ConfigError};
use crate::model::id::TenantId;
use crate::telemetry;
use context::{Absent, CommandContext};

/// What `hotdesk --help` says of exit codes; the numbers below are the same.
const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   not done, or a check failed: the reason is on standard error, findings are on standard output
  2   the arguments are wrong
  3   no check failed, but some could not be made (hotdesk check)
  64  the configuration cannot be used

Examples:
  hotdesk serve
  hotdesk check
  hotdesk user add 101 --name Ann --class from-internal
  hotdesk user add --help

Results go to standard output; notes, warnings, progress and the log go to standard error.
NO_COLOR=1 switches colour off; without a terminal there is none.";

/// The heading of options that every command has.
const EVERYWHERE: &str = "Options of every command";

const NOT_DONE: u8 = 1;
const USAGE: u8 = 2;
const CONFIGURATION: u8 = 64;

/// Run hotdesking beside an Asterisk or FreeSWITCH: users log in at any device by dialling a feature code
#[derive(Debug, Parser)]
#[command(name = "hotdesk", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    /// Configuration file; without it, hotdesk.toml in the current folder, else /etc/hotdesk/hotdesk.toml
    #[arg(short, long, global = true, help_heading = EVERYWHERE, env = "HOTDESK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Tenant whose users, devices and locations the command works on; without it the only tenant of the configuration, else
    /// `default`. `check` then checks every tenant
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "TENANT")]
    tenant: Option<TenantId>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Adopt this store for a switch that is held, after a restore or a move of the store
    ///
    /// Hotdesk holds a switch, and writes nothing to it, while the store is empty, older or another one, or while too many
    /// rows would be emptied at once. This command shows what would change, asks, and writes it.
    Adopt(adopt::Adopt),
    /// Back up the SQLite file of the store, also while hotdesk serve runs
    Backup(backup::Backup),
    /// Check the store, each switch and each device, and say how to repair what is wrong
    Check(check::Check),
    /// List the feature codes, or explain how a dialled string is read
    Codes(codes::Codes),
    /// Print the completions for a shell
    Completions(manual::Completions),
    /// Add, change, list and remove devices
    #[command(subcommand)]
    Device(device::Command),
    /// Print or write the dialplan files that a switch includes
    #[command(subcommand)]
    Dialplan(dialplan::Dialplan),
    /// List the phones that a switch knows, and add them as devices
    Discover(discover::Discover),
    /// Explain why a device or a user's calls behave as they do now
    Explain(explain::Explain),
    /// Write locations, users and devices to the CSV files that hotdesk import takes; never PINs
    Export(export::Export),
    /// Postpone a user's automatic logout
    Extend(extend::Extend),
    /// Import users, devices and locations from CSV files or a FreePBX: all rows or none
    Import(import::Import),
    /// Add Hotdesk to the switch on this machine: its files, users, devices and PINs
    ///
    /// Finds the switch, asks for what no option says, and shows each change of a file. With a yes (--yes without a terminal) it
    /// keeps a copy of each file, changes them, and has the switch read them. After a failure everything is as before.
    Init(Box<init::Init>),
    /// Show the journal: logins, logouts, refusals and changes
    Journal(journal::Journal),
    /// Add, change, list and remove the locations where devices stand
    #[command(subcommand)]
    Location(location::Command),
    /// List and clear lockouts after too many wrong PINs
    #[command(subcommand)]
    Lockout(lockout::Lockout),
    /// Log a user in at a device, without a PIN
    Login(login::Login),
    /// Log out a user, or the user of a device
    Logout(login::Logout),
    /// Print the manual page, or write one for each command
    Man(manual::Man),
    /// Change the key that PINs are hashed with
    #[command(subcommand)]
    Pepper(pepper::Pepper),
    /// Reload the configuration of the running hotdesk serve, and say what it answers
    Reload,
    /// Restore the store from a file of hotdesk backup, and keep the old store
    Restore(backup::Restore),
    /// Run the controller: take calls, and keep the switch tables equal to the store
    ///
    /// SIGTERM and SIGINT stop it after the calls that it serves, at the latest after 20 seconds; a second one
    /// stops it at once. SIGHUP reads the configuration again, as hotdesk reload does.
    Serve,
    /// Show login sessions: who is logged in where, since when, and until when
    Status(status::Status),
    /// Add, change, list and remove users, and set their PINs
    #[command(subcommand)]
    User(user::Command),
    /// Add, list and remove accounts of the console and keys of the API
    #[command(subcommand)]
    Web(web::Web),
}

impl Command {
    /// What it does when the file of the store does not exist. Commands that add something, make it.
    const fn absent(&self) -> Absent {
        match self {
            Self::Adopt(_)
            | Self::Web(
                web::Web::Admin { .. } | web::Web::Invite { .. } | web::Web::Key(web::Key::Add { .. }),
            )
            | Self::Device(device::Command::Add { .. })
            | Self::Location(location::Command::Add { .. })
            | Self::User(user::Command::Add { .. }) => Absent::Make,
            Self::Discover(discover) if discover.changes() => Absent::Make,
            Self::Import(import) if import.changes() => Absent::Make,
            // They compare what they find elsewhere with the store.
            Self::Discover(_) | Self::Import(_) => Absent::Empty,
            _ => Absent::Refuse,
        }
    }
}

/// Runs the command that `args` ask for, the program's name first, and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let found = command().try_get_matches_from(args).and_then(|found| Cli::from_arg_matches(&found));
    let cli = match found {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, with code 0. A closed output leaves nothing to report to.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    match execute(cli) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("{error:#}"));
            let configuration = error.downcast_ref::<ConfigError>().is_some();
            ExitCode::from(if configuration { CONFIGURATION } else { NOT_DONE })
        }
    }
}

/// The whole command line, for what describes it: help, manual pages, completions, and the tests of those.
#[must_use]
pub fn command() -> clap::Command {
    examples::with_examples(Cli::command(), "hotdesk")
}

fn execute(cli: Cli) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    match cli.command {
        Command::Completions(completions) => completions.run(command(), &mut out)?,
        Command::Man(man) => man.run(command(), &mut out)?,
        Command::Init(init) => {
            tokio::runtime::Runtime::new()?.block_on(init.run(cli.config, &mut out))?;
        }
        Command::Serve => {
            allocator::keep_little();
            // Its tasks write to standard output, too.
            drop(out);
            return execute_with_config(cli, &mut io::stdout());
        }
        _ => return execute_with_config(cli, &mut out),
    }
    Ok(ExitCode::SUCCESS)
}

fn execute_with_config(cli: Cli, mut out: &mut dyn Write) -> Result<ExitCode> {
    let file = Config::find(cli.config)?;
    let config = Config::load(&file, &|name| std::env::var_os(name))?;
    let served: BTreeSet<TenantId> = config.served_tenants().cloned().collect();
    let only = served.first().filter(|_| served.len() == 1).cloned();
    let of_all = cli.tenant.is_none();
    let tenant = cli.tenant.or(only).unwrap_or_default();
    // Awaited by the commands that need the store: `codes` does not, and `dialplan` and `serve` open all tenants.
    let context = CommandContext::open(config.clone(), tenant.clone(), cli.command.absent());
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(async {
        match cli.command {
            // These need no configuration, so they have been run already.
            Command::Completions(_) | Command::Init(_) | Command::Man(_) => {}
            Command::Adopt(adopt) => adopt.run(&context.await?, &mut out).await?,
            Command::Backup(backup) => backup.run(&config, &mut out).await?,
            Command::Check(check) if of_all && served.len() > 1 => {
                return check.every_tenant(&config, served, &mut out).await;
            }
            Command::Check(check) => return check.run(context.await, &mut out).await,
            Command::Codes(codes) => codes.run(&config, &tenant, &mut out).await?,
            Command::Device(device) => device.run(&context.await?, &mut out).await?,
            Command::Dialplan(dialplan) => dialplan.run(&config, &tenant, &mut out).await?,
            Command::Discover(discover) => discover.run(&context.await?, &mut out).await?,
            Command::Explain(explain) => explain.run(&context.await?, &mut out).await?,
            Command::Export(export) => export.run(&context.await?, &mut out).await?,
            Command::Extend(extend) => extend.run(&context.await?, &mut out).await?,
            Command::Import(import) => import.run(&context.await?, &mut out).await?,
            Command::Journal(journal) => journal.run(&context.await?, &mut out).await?,
            Command::Location(location) => location.run(&context.await?, &mut out).await?,
            Command::Lockout(lockout) => lockout.run(&context.await?, &mut out).await?,
            Command::Login(login) => login.run(&context.await?, &mut out).await?,
            Command::Logout(logout) => logout.run(&context.await?, &mut out).await?,
            Command::Pepper(pepper) => pepper.run(&context.await?, &mut out)?,
            Command::Reload => control::reload(&config, &file, &mut out).await?,
            Command::Restore(restore) => restore.run(&config, &file, &mut out).await?,
            Command::Serve => {
                let metrics = telemetry::start(config.log.format, &config.log.level);
                serve::run(config, &file, metrics).await?;
            }
            Command::Status(status) => status.run(&context.await?, &mut out).await?,
            Command::User(user) => user.run(&context.await?, &mut out).await?,
            Command::Web(web) => web.run(&context.await?, &mut out).await?,
        }
        Ok(ExitCode::SUCCESS)
    });
    // What still blocks must not keep a process that has failed.
    runtime.shutdown_timeout(Duration::from_millis(500));
    done
}

/// Whether the output went into a pipe that its reader has closed, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(broken)
}
