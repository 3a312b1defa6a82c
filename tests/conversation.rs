//! Conversations with callers, on a scripted phone, a real store and a switch that fails when a test says so.

mod codes;
mod hold;
mod random;
mod safety;
mod sessions;
mod settings;
mod table;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotdesk::asterisk::namespace::Namespace;
use hotdesk::asterisk::table::rows;
use hotdesk::controller::Controller;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::controller::reconcile::{Kept, Reconciler};
use hotdesk::model::codes::{Codes, Preset};
use hotdesk::model::desired::{About, Desired, Edit, Key, Reading, Records, Subjects};
use hotdesk::model::directory::Device;
use hotdesk::model::id::{DeviceName, Language, TenantId};
use hotdesk::model::login::limits::TenantLimits;
use hotdesk::model::login::prompt::Prompt;
use hotdesk::model::login::transition::SessionCommand;
use hotdesk::model::routes::Routes;
use hotdesk::store::{self, Store};
use hotdesk::switch::device_state::{DeviceEvent, DeviceState, DeviceStates};
use hotdesk::switch::{Call, Caller, Dialled, Digits, Entry, Gone, Outcome, Switch, SwitchError, Utterance};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::harness::asking::What;
use crate::harness::records::{self, device, journal, name, pin, sessions_of, switch, user};

/// How long the switch may take to acknowledge records. Shorter than in `hotdesk serve`, to wait less for one that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the switch does when rows are written.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Away,
    Silent,
    Well,
}

struct ToySwitch {
    /// Records as an Asterisk has them in AstDB.
    table: Mutex<Records>,
    /// The mark of the store, as it has it there too.
    mark: Mutex<Option<String>>,
    mood: Mutex<Mood>,
    in_doubt: watch::Sender<u64>,
    /// Which phones have a call; the others are free.
    busy: Mutex<BTreeSet<DeviceName>>,
    device_events: broadcast::Sender<DeviceEvent>,
}

impl ToySwitch {
    fn is(&self) -> Result<Mood, SwitchError> {
        match *self.mood.lock().unwrap() {
            Mood::Away => Err(SwitchError::Away("gone for the test".into())),
            mood => Ok(mood),
        }
    }
}

impl Default for ToySwitch {
    fn default() -> Self {
        Self {
            table: Mutex::default(),
            mark: Mutex::default(),
            mood: Mutex::new(Mood::Well),
            in_doubt: watch::Sender::new(0),
            busy: Mutex::default(),
            device_events: broadcast::Sender::new(16),
        }
    }
}

#[async_trait::async_trait]
impl Switch for ToySwitch {
    async fn read(&self, subjects: &Subjects) -> Result<Reading, SwitchError> {
        self.is()?;
        let held = self.table.lock().unwrap().clone();
        let mark = self.mark_key().zip(self.mark.lock().unwrap().clone());
        let records = held.into_iter().filter(|(key, _)| subjects.contains(&key.about)).chain(mark).collect();
        Ok(Reading { records, ..Reading::default() })
    }

    fn project(&self, desired: &Desired, found: &Records) -> Records {
        rows::project(&Namespace::of(&TenantId::default()), desired, found)
    }

    fn mark_key(&self) -> Option<Key> {
        rows::key_of(&Namespace::of(&TenantId::default()), About::Store)
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        if self.is()? == Mood::Silent {
            std::future::pending().await
        }
        let mut table = self.table.lock().unwrap();
        for Edit { key, is, .. } in edits {
            if key.about == About::Store {
                self.mark.lock().unwrap().clone_from(is);
                continue;
            }
            match is {
                Some(row) => table.insert(key.clone(), row.clone()),
                None => table.remove(key),
            };
        }
        Ok(())
    }

    async fn device_states(&self, devices: &[Device]) -> Result<DeviceStates, SwitchError> {
        let busy = self.busy.lock().unwrap();
        let does =
            |device: &Device| if busy.contains(&device.name) { DeviceState::Busy } else { DeviceState::Free };
        Ok(DeviceStates { up: Duration::from_secs(3600), states: devices.iter().map(does).collect() })
    }

    async fn ring(&self, _: &Device, _: Timestamp) -> Result<(), SwitchError> {
        Ok(())
    }

    fn device_events(&self) -> broadcast::Receiver<DeviceEvent> {
        self.device_events.subscribe()
    }

    fn in_doubt(&self) -> watch::Receiver<u64> {
        self.in_doubt.subscribe()
    }
}

/// Answers each question with the next entry. Hangs up when no entry is left.
struct ScriptedPhone {
    entries: VecDeque<String>,
    /// Hangs up at this prompt.
    hangs_up_at: Option<Prompt>,
    heard: Arc<Mutex<Vec<String>>>,
    ended: Arc<Mutex<Option<Outcome>>>,
}

impl Caller for ScriptedPhone {
    async fn ask(&mut self, prompt: Prompt, _: &Digits) -> Result<Entry, Gone> {
        self.heard.lock().unwrap().push(format!("{}?", prompt.name()));
        let entry = self.entries.pop_front().ok_or(Gone)?;
        Ok(Dialled(entry.into()))
    }

    async fn say(&mut self, what: &[Utterance]) -> Result<(), Gone> {
        for utterance in what {
            let text = match utterance {
                Utterance::Prompt(prompt) if Some(*prompt) == self.hangs_up_at => return Err(Gone),
                Utterance::Prompt(prompt) => prompt.name().to_owned(),
                Utterance::Extension(extension) => extension.to_string(),
                Utterance::Number(number) => number.to_string(),
                // A busy machine decides how long a comparison takes.
                Utterance::Wait => continue,
            };
            self.heard.lock().unwrap().push(text);
        }
        Ok(())
    }

    async fn speak(&mut self, language: &Language) -> Result<(), Gone> {
        self.heard.lock().unwrap().push(format!("({language})"));
        Ok(())
    }

    async fn end(self, outcome: Outcome) {
        *self.ended.lock().unwrap() = Some(outcome);
    }
}

struct Scene {
    store: Arc<dyn Store>,
    controller: Controller,
    rules: watch::Sender<Arc<TenantLimits>>,
    toy: Arc<ToySwitch>,
    _stop: DropGuard,
    _dir: Option<tempfile::TempDir>,
}

impl Scene {
    async fn new() -> Self {
        Self::with(&[Preset::Simmpl]).await
    }

    /// With the codes of these presets.
    async fn with(presets: &[Preset]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store::open("sqlite:hotdesk.db", dir.path()).await.unwrap();
        records::furnish(&store).await;
        Self { _dir: Some(dir), ..Self::over(store, presets, Arc::default(), Clock::machine()) }
    }

    /// With a new controller, on a store that has all records.
    fn over(store: Arc<dyn Store>, presets: &[Preset], toy: Arc<ToySwitch>, clock: Clock) -> Self {
        let stop = CancellationToken::new();
        let (name, tenant) = (switch("pbx"), TenantId::default());
        let kept = Kept { name, tenant, routes: Routes::default(), patience: PATIENCE };
        let (reconciler, _) = Reconciler::start(kept, store.clone(), toy.clone(), stop.clone());
        let (rules, watched) = watch::channel(Arc::default());
        let controller = Controller {
            store: store.clone(),
            pins: Pins::new(records::pepper()),
            codes: watch::channel(Arc::new(Codes::of(presets).unwrap().into())).1,
            rules: watched,
            switches: BTreeMap::from([((switch("pbx"), TenantId::default()), reconciler)]),
            clock,
        };
        Self { store, controller, rules, toy, _stop: stop.drop_guard(), _dir: None }
    }

    /// Dials `code` at `desk` and enters `entries` one by one. Returns the prompts and the outcome.
    async fn dial(&self, desk: &str, code: &str, entries: &[&str]) -> (Vec<String>, Outcome) {
        self.dial_until(desk, code, entries, None).await
    }

    async fn dial_until(
        &self,
        desk: &str,
        code: &str,
        entries: &[&str],
        hangs_up_at: Option<Prompt>,
    ) -> (Vec<String>, Outcome) {
        self.call(desk, code, None, (entries, hangs_up_at)).await
    }

    async fn call(
        &self,
        desk: &str,
        code: &str,
        extends_to: Option<Timestamp>,
        (entries, hangs_up_at): (&[&str], Option<Prompt>),
    ) -> (Vec<String>, Outcome) {
        let (heard, ended) = (Arc::default(), Arc::default());
        let phone = ScriptedPhone {
            entries: entries.iter().map(ToString::to_string).collect(),
            hangs_up_at,
            heard: Arc::clone(&heard),
            ended: Arc::clone(&ended),
        };
        let call = Call {
            id: "1795283486.1".into(),
            switch: switch("pbx"),
            tenant: TenantId::default(),
            device: name(desk),
            extend_until: extends_to,
            dialled: Dialled(code.to_owned().into()),
            from: Some("127.0.0.1".parse().unwrap()),
        };
        self.controller.converse(call, phone).await;
        let heard = heard.lock().unwrap().clone();
        let ended = ended.lock().unwrap().unwrap();
        (heard, ended)
    }

    async fn log_in(&self, user: &str, desk: &str) {
        let (heard, outcome) = self.dial(desk, &one_touch(user), &[]).await;
        assert_eq!(outcome, Outcome::LoggedIn, "{heard:?}");
    }

    /// The user in the record of a device.
    fn row_of(&self, desk: &str) -> Option<String> {
        let user = self.field(About::Device(name(desk)));
        user.filter(|user| !user.is_empty())
    }

    /// A user's ring targets, by their record.
    fn rings(&self, user: &str) -> Option<String> {
        self.field(About::User(records::ext(user))).filter(|dial| !dial.is_empty())
    }

    /// The first field of a record.
    fn field(&self, about: About) -> Option<String> {
        let table = self.toy.table.lock().unwrap();
        let record = table.iter().find(|(key, _)| key.about == about)?.1;
        record.split('|').next().map(str::to_owned)
    }
}

fn logged_out(desk: &str) -> SessionCommand {
    SessionCommand::LogOutDevice(name(desk))
}

fn one_touch(user: &str) -> String {
    format!("*35*{user}*{}", pin(user))
}
