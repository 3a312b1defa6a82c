//! `hotdesk status`: who sits where, since when.

use std::io::Write;

use super::print;
use super::site::Site;
use crate::desk::model::Binding;

#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// As JSON: [{"device", "user", "since", "revision"}], by device
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let office = site.office().await?;
        if self.json {
            let bindings: Vec<&Binding> = office.bindings.values().collect();
            return print::json(out, &bindings);
        }
        if office.bindings.is_empty() {
            writeln!(out, "nobody is logged in")?;
            return Ok(());
        }
        let row = |binding: &Binding| {
            let name = office.users.get(&binding.user).and_then(|user| user.name.as_ref());
            vec![
                binding.device.to_string(),
                binding.user.to_string(),
                print::or_dash(name),
                print::time(binding.since),
            ]
        };
        let rows: Vec<_> = office.bindings.values().map(row).collect();
        print::table(out, &["DEVICE", "USER", "NAME", "SINCE"], &rows)
    }
}
