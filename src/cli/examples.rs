//! Examples for the help of each command, and for its manual page.

use clap::Command;

/// Command lines as they are typed. Each stands in the help of its command, and of the group that the command is in.
const EXAMPLES: [&str; 74] = [
    "hotdesk adopt",
    "hotdesk adopt --switch pbx --yes",
    "hotdesk backup /backup/hotdesk.db",
    "hotdesk check",
    "hotdesk check --emergency",
    "hotdesk codes",
    "hotdesk codes explain '*35*101*1234'",
    "hotdesk codes explain 112",
    "hotdesk completions bash",
    "hotdesk device add desk1 --switch pbx --dial PJSIP/desk1 --location ams",
    "hotdesk device add soft-101 --switch pbx --dial PJSIP/soft-101 --kind softphone --owner 101",
    "hotdesk device set desk1 --owner 101 --allow-from 192.0.2.0/24",
    "hotdesk device list",
    "hotdesk device show desk1",
    "hotdesk device remove desk1",
    "hotdesk dialplan asterisk --out site",
    "hotdesk dialplan freeswitch --out site",
    "hotdesk dialplan freeswitch --users",
    "hotdesk dialplan fusionpbx",
    "hotdesk dialplan fusionpbx --rows --out site",
    "hotdesk dialplan install",
    "hotdesk dialplan install --switch pbx --no-reload",
    "hotdesk discover",
    "hotdesk discover --add-all --location ams --dry-run",
    "hotdesk explain desk1",
    "hotdesk explain 101 --json",
    "hotdesk export directory",
    "hotdesk extend 101",
    "hotdesk extend 101 --for 90m",
    "hotdesk import users.csv devices.csv --dry-run",
    "hotdesk import users.csv --pins-out pins.csv",
    "hotdesk import freepbx --switch pbx --location hq --dry-run",
    "hotdesk init --phones all --emergency-caller-id 0205550100 --zone Europe/Amsterdam --yes",
    "hotdesk init --undo",
    "hotdesk journal --limit 20",
    "hotdesk journal --since 2h --follow",
    "hotdesk journal --counts",
    "hotdesk location add ams --emergency-caller-id 0205550100 --zone Europe/Amsterdam",
    "hotdesk location set ams --language nl --auto-logout-at 22:00",
    "hotdesk location list",
    "hotdesk location show ams",
    "hotdesk location remove ams",
    "hotdesk lockout list",
    "hotdesk lockout clear 101",
    "hotdesk lockout clear --device desk1",
    "hotdesk login 101 desk1",
    "hotdesk logout 101",
    "hotdesk logout --device desk1",
    "hotdesk man",
    "hotdesk man --out /usr/local/share/man/man1",
    "hotdesk pepper add",
    "hotdesk pepper rotate",
    "hotdesk reload",
    "hotdesk restore /backup/hotdesk.db",
    "hotdesk serve --config /etc/hotdesk/hotdesk.toml",
    "hotdesk status",
    "hotdesk status --json --tenant acme",
    "hotdesk user add 101 --name Ann --class from-internal",
    "hotdesk user set 101 --caller-id 0205550101 --language nl",
    "hotdesk user set 101 --mailbox ''",
    "hotdesk user pin 101",
    "hotdesk user pin 101 --generate",
    "hotdesk user ring 101 soft-101 off",
    "hotdesk user group 101 sales in",
    "hotdesk user list",
    "hotdesk user show 101",
    "hotdesk user remove 101",
    "hotdesk web admin eva",
    "hotdesk web invite jan --role operator",
    "hotdesk web key add crm --role operator --days 365",
    "hotdesk web key list",
    "hotdesk web key remove crm",
    "hotdesk web list",
    "hotdesk web remove jan",
];

/// The command with the examples of `path`, its words from the program on, and its subcommands with theirs.
pub(super) fn with_examples(command: Command, path: &str) -> Command {
    let own = EXAMPLES
        .iter()
        .filter(|line| line.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')));
    let lines: String = own.map(|line| format!("\n  {line}")).collect();
    let command = match command.get_after_help() {
        // The program itself: its help has other things to say.
        Some(_) => command,
        None => command.after_help(format!("Examples:{lines}")),
    };
    command.mut_subcommands(|sub| {
        let path = format!("{path} {}", sub.get_name());
        with_examples(sub, &path)
    })
}
