//! Prints what you can do in the demo, and shows the journal until Ctrl-C.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::harness::company::{Company, one_touch};
use crate::stop::Stop;
use crate::story::Story;

/// Shows the journal of Hotdesk until a stop is requested.
pub(crate) fn stay(story: &Story, company: &Company, stop: &Stop) -> Result<()> {
    story.answer_calls();
    print(company)?;
    let journal = company
        .hotdesk
        .command()
        .args(["journal", "--follow", "--since", "1s"])
        .spawn()
        .context("following the journal")?;
    let _journal = Following(journal);
    while !stop.asked() {
        thread::sleep(Duration::from_millis(100));
    }
    println!();
    Ok(())
}

struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn print(company: &Company) -> Result<()> {
    let program = short(env::current_exe().context("finding this program")?);
    let account = company.pbx.account("desk3");
    let (desk, secret) = (account.user, account.password);
    let (address, port) = (account.server.ip(), account.server.port());
    let carol = one_touch("103");
    let console = company.hotdesk.run(&["web", "admin", "you"]).context("making a link to the console")?;
    let console = console.trim();
    println!(
        "
The demo keeps running, and desk3 is yours. Register a softphone of this machine there:

    user        {desk}
    password    {secret}
    domain      {address}
    port        {port}
    transport   UDP

and dial

    {carol}   to log in as Carol, and once more to log out; *35*103 and *35 ask for what is missing
    101, 102         to call Alice and Bob, whose phones answer by themselves, and are silent
    600              to hear yourself
    112              for help, which shows the number of desk3, 0205550103

In a browser, the console shows who is logged in where, live. Choose a password there; the link is good once:

    {console}

In another terminal:

    alias hotdesk='{} hotdesk -c {}'
    hotdesk status
    hotdesk login 103 desk3
    hotdesk check

Ctrl-C ends it all. The journal until then:
",
        program.display(),
        company.hotdesk.path("hotdesk.toml").display()
    );
    Ok(())
}

/// The path as you type it in the current folder.
fn short(program: PathBuf) -> PathBuf {
    let here = env::current_dir().ok();
    here.and_then(|here| program.strip_prefix(here).map(Path::to_owned).ok()).unwrap_or(program)
}
