//! The records that each kind of command reads, and the decision from them. The rules themselves are with their subjects.

use jiff::Timestamp;

use super::change::{Change, Command};
use super::decision::{Decision, Outcome};
use super::directory;
use super::loaded::Loaded;
use super::reads::{Reads, Set, Step};
use super::record::{Index, Kind, Record};
use crate::model::access::{self, AccessCommand};
use crate::model::directory::Session;
use crate::model::id::{Extension, Revision};
use crate::model::journal::Event;
use crate::model::login::lockout::{self, Guess, Unlock};
use crate::model::login::refusal::Refusal;
use crate::model::login::transition::SessionCommand;
use crate::model::observation::{Note, Noted};
use crate::model::settings::SettingsCommand;

const USERS: Step = Step::Load(Kind::User, Set::Users, &[]);
const DEVICES: Step = Step::Load(Kind::Device, Set::Devices, &[]);
const SESSIONS: Step = Step::Load(Kind::Session, Set::Devices, &[]);
const OBSERVATIONS: Step = Step::Load(Kind::Observation, Set::Devices, &[]);

impl Command {
    /// What must be loaded to decide it.
    pub fn reads(&self) -> Reads {
        let of_devices = |reads: Reads| reads.then(SESSIONS).then(OBSERVATIONS);
        match &self.change {
            Change::Access(command) if command.needs_all() => Reads::accounts(),
            Change::Access(command) => Reads::account(command.account()),
            Change::Attempt(guess) | Change::Forgive(guess) | Change::TakeBack(guess) => Reads::guess(guess),
            Change::Directory(command) => directory::reads(command),
            Change::Extend(session, _) => of_devices(Reads::of(Set::Devices, [&session.device])),
            Change::Observe(notes) => {
                of_devices(Reads::of(Set::Devices, notes.iter().map(|note| &note.device)))
            }
            Change::Identified(guess, command) => session_reads(command).and(Reads::guess(guess)),
            Change::Record(_) | Change::Unlock(Unlock::Device(_) | Unlock::User(..)) => Reads::default(),
            Change::Rehash(user, ..) => Reads::pin(user),
            Change::Session(command) => session_reads(command),
            Change::Settings(SettingsCommand { user, .. }) => Reads::of(Set::Users, [user]).then(USERS),
            Change::Prune | Change::Unlock(Unlock::All) => Reads::failures(),
        }
    }
}

fn session_reads(command: &SessionCommand) -> Reads {
    let of_user = |user: &Extension| Reads::of(Set::Users, [user]).then(USERS);
    let everywhere = |reads: Reads| reads.then(Step::Find(Index::User, Set::Users)).then(SESSIONS);
    match command {
        SessionCommand::LogOutDevice(device) => {
            Reads::of(Set::Devices, [device]).then(DEVICES).then(SESSIONS)
        }
        SessionCommand::Expire(session) => Reads::of(Set::Devices, [&session.device]).then(SESSIONS),
        SessionCommand::LogOut(user, device) => {
            of_user(user).with(Set::Devices, [device]).then(DEVICES).then(SESSIONS)
        }
        SessionCommand::LogOutEverywhere(user) => everywhere(of_user(user)),
        SessionCommand::LogIn(user, device, _) => {
            everywhere(of_user(user).with(Set::Devices, [device]).then(DEVICES))
        }
        SessionCommand::Move(session, device, _) => {
            everywhere(of_user(&session.user).with(Set::Devices, [&session.device, device]).then(DEVICES))
        }
        SessionCommand::Undo { begun, ended, .. } => {
            let sessions = || begun.iter().chain(ended);
            let reads = Reads::of(Set::Users, sessions().map(|session| &session.user))
                .with(Set::Devices, sessions().map(|session| &session.device));
            everywhere(reads.then(USERS).then(DEVICES))
        }
    }
}

/// The decision on `command`, from `loaded`, which contains what [`Command::reads`] requests.
///
/// # Errors
/// The [`Refusal`], and then nothing changes.
pub fn decide(loaded: &Loaded, command: &Command) -> Result<Decision, Refusal> {
    let now = loaded.snapshot.revision;
    let mut decision = Decision::nothing(Outcome::Done { revision: now });
    match &command.change {
        Change::Access(change) => accounts(loaded, change, command.at, &mut decision)?,
        Change::Attempt(guess) => attempt(loaded, guess, &mut decision)?,
        Change::Directory(changes) => directory::decide(loaded, changes, &mut decision)?,
        Change::Extend(session, until) => {
            let Session { user, device, revision, .. } = session.clone();
            let note = Note { device: device.clone(), revision, what: Noted::Extended(*until) };
            let extended = observe(loaded, &[note], &mut decision) == [true];
            if extended {
                decision.events.push(Event::Extended { user, device, until: *until });
            }
            decision.outcome = Outcome::Extended(extended);
        }
        Change::Forgive(guess) => forgive(loaded, guess, &mut decision),
        Change::Identified(guess, session) => {
            sessions(loaded, session, command.at, &mut decision)?;
            forgive(loaded, guess, &mut decision);
        }
        Change::Observe(notes) => {
            decision.outcome = Outcome::Observed(observe(loaded, notes, &mut decision));
        }
        Change::Prune => {
            for ((kind, name), failures) in &loaded.failures {
                if failures.are_over(*kind, command.at) {
                    decision.forget(*kind, name);
                }
            }
        }
        Change::Record(events) => decision.events.clone_from(events),
        Change::Rehash(user, was, is) => {
            if loaded.pins.get(user).is_some_and(|now| now.salt() == was.salt()) {
                decision.put(Record::Pin(user.clone(), is.clone()));
            }
        }
        Change::Session(session) => sessions(loaded, session, command.at, &mut decision)?,
        Change::Settings(command) => settings(loaded, command, &mut decision)?,
        Change::TakeBack(guess) => take_back(loaded, guess, &mut decision),
        Change::Unlock(unlock) => end_lockouts(loaded, unlock, &mut decision),
    }
    if let Outcome::Done { revision } = &mut decision.outcome {
        *revision = Revision(now.0 + decision.events.len() as u64);
    }
    Ok(decision)
}

fn accounts(
    loaded: &Loaded,
    command: &AccessCommand,
    at: Timestamp,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let (changed, events) = access::decide(&loaded.accounts, command, at)?;
    match changed {
        Some((_, Some(account))) => decision.put(Record::Account(account)),
        Some((name, None)) => decision.remove(Kind::Account, name.as_str()),
        None => {}
    }
    decision.events = events;
    Ok(())
}

fn sessions(
    loaded: &Loaded,
    command: &SessionCommand,
    at: Timestamp,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let transition = command.transition(&loaded.snapshot, at)?;
    transition.ended.iter().for_each(|session| decision.end(session));
    for session in &transition.begun {
        decision.put(Record::Session(session.clone()));
    }
    if !transition.is_empty() {
        let (ended, begun) = (transition.ended.clone(), transition.begun.clone());
        let undo = matches!(command, SessionCommand::Undo { .. });
        decision.events.push(Event::SessionsChanged { ended, begun, undo });
    }
    decision.outcome = Outcome::Sessions(transition);
    Ok(())
}

fn attempt(loaded: &Loaded, guess: &Guess, decision: &mut Decision) -> Result<(), Refusal> {
    let (mut user, mut device) = failures(loaded, guess);
    let (alias, name) = (guess.user.as_str(), guess.device.as_str());
    let spray = lockout::attempt((&mut user, alias), (&mut device, name), guess.at)?;
    decision.put(Record::Failures(lockout::Kind::User, alias.into(), user));
    decision.put(Record::Failures(lockout::Kind::Device, name.into(), device));
    decision.outcome = Outcome::Attempt { spray };
    Ok(())
}

fn forgive(loaded: &Loaded, guess: &Guess, decision: &mut Decision) {
    let (_, mut device) = failures(loaded, guess);
    device.take_back_all(lockout::Kind::Device, guess.user.as_str());
    decision.forget(lockout::Kind::User, guess.user.as_str());
    keep(lockout::Kind::Device, guess.device.as_str(), device, decision);
}

fn take_back(loaded: &Loaded, guess: &Guess, decision: &mut Decision) {
    let (mut user, mut device) = failures(loaded, guess);
    let (alias, name) = (guess.user.as_str(), guess.device.as_str());
    user.take_back(lockout::Kind::User, guess.at, name);
    device.take_back(lockout::Kind::Device, guess.at, alias);
    keep(lockout::Kind::User, alias, user, decision);
    keep(lockout::Kind::Device, name, device, decision);
}

fn keep(kind: lockout::Kind, name: &str, failures: lockout::Failures, decision: &mut Decision) {
    if failures.is_empty() {
        decision.forget(kind, name);
    } else {
        decision.put(Record::Failures(kind, name.into(), failures));
    }
}

fn failures(loaded: &Loaded, guess: &Guess) -> (lockout::Failures, lockout::Failures) {
    let of = |kind: lockout::Kind, name: &str| {
        let failures = loaded.failures.get(&(kind, name.to_owned()));
        // A store may not have dropped them yet.
        failures.filter(|failures| !failures.are_over(kind, guess.at)).cloned().unwrap_or_default()
    };
    (of(lockout::Kind::User, guess.user.as_str()), of(lockout::Kind::Device, guess.device.as_str()))
}

fn end_lockouts(loaded: &Loaded, lockouts: &Unlock, decision: &mut Decision) {
    match lockouts {
        Unlock::All => loaded.failures.keys().for_each(|(kind, name)| decision.forget(*kind, name)),
        Unlock::Device(device) => decision.forget(lockout::Kind::Device, device.as_str()),
        Unlock::User(_, alias) => decision.forget(lockout::Kind::User, alias.as_str()),
    }
    decision.events.push(lockouts.event());
}

fn settings(loaded: &Loaded, command: &SettingsCommand, decision: &mut Decision) -> Result<(), Refusal> {
    let user = &command.user;
    let changed = command.apply(loaded.snapshot.user(user)?)?;
    for setting in &command.settings {
        decision.events.push(Event::SettingChanged { user: user.clone(), setting: setting.to_string() });
    }
    if !command.settings.is_empty() {
        decision.put(Record::User(changed));
    }
    Ok(())
}

/// For each note, whether it changes something. Several notes of one device build on each other.
fn observe(loaded: &Loaded, notes: &[Note], decision: &mut Decision) -> Vec<bool> {
    let mut observed = loaded.observations.clone();
    let mut changed = vec![];
    for Note { device, revision, what } in notes {
        let current =
            loaded.snapshot.sessions.get(device).is_some_and(|session| session.revision == *revision);
        let mut seen = observed.get(device).copied().unwrap_or_default();
        let news = current && what.apply(&mut seen);
        if news {
            observed.insert(device.clone(), seen);
            decision.put(Record::Observation(device.clone(), seen));
        }
        changed.push(news);
    }
    changed
}
