//! A scripted FreeSWITCH that runs its commands for scripted callers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hotdesk::freeswitch::calls::parked::{EVENTS, PARKED, filters};
use hotdesk::freeswitch::esl::client::{Client, Settings};
use hotdesk::freeswitch::esl::event::Event;
use hotdesk::model::id::SwitchName;
use hotdesk::switch::connection::events::Subscription;
use tokio::io::duplex;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{DEADLINE, Fs, is_up};

/// What a caller does, one after the other: presses a key, lets a question's time pass, hangs up, or does nothing.
pub const NO_KEY: char = ' ';
pub const HANGS_UP: char = '!';
pub const NEVER: char = '~';

/// A FreeSWITCH, and its commands so far.
pub struct Line {
    pub client: Client,
    pub events: Option<Subscription<Event>>,
    script: Arc<Mutex<Script>>,
    /// Cuts the connection that there is.
    cut: watch::Sender<()>,
    /// Puts an event on the wire.
    happens: mpsc::UnboundedSender<Vec<(String, String)>>,
}

#[derive(Default)]
struct Script {
    files: BTreeSet<String>,
    callers: BTreeMap<String, Caller>,
    commands: Vec<String>,
}

struct Caller {
    headers: Vec<(String, String)>,
    does: VecDeque<char>,
    /// Its dialplan's time-out waits.
    waits: bool,
}

impl Line {
    /// It is up, has these files and no caller.
    pub async fn up(files: &[&str]) -> Self {
        let script = Arc::new(Mutex::new(Script {
            files: files.iter().map(ToString::to_string).collect(),
            ..Script::default()
        }));
        let settings = Settings {
            name: SwitchName::new("fs").unwrap(),
            address: "fs:8021".into(),
            user: None,
            password: Zeroizing::new("ClueCon".into()),
            deadline: DEADLINE,
            events: [&PARKED[..], &EVENTS].concat(),
            filters: filters(),
        };
        let (cut, cuts) = watch::channel(());
        let (happens, happening) = mpsc::unbounded_channel();
        let happening = Arc::new(tokio::sync::Mutex::new(happening));
        let served = script.clone();
        let (client, connection) = Client::over(settings, CancellationToken::new(), move || {
            let (near, far) = duplex(1024 * 1024);
            let (script, mut cuts, happening) = (served.clone(), cuts.clone(), happening.clone());
            tokio::spawn(async move {
                cuts.mark_unchanged();
                let mut happening = happening.lock().await;
                tokio::select! {
                    () = serve(Fs { stream: far }, script, &mut happening) => {}
                    _ = cuts.changed() => {}
                }
            });
            std::future::ready(Ok(near))
        });
        let events = client.subscribe();
        tokio::spawn(connection);
        is_up(&client).await;
        Self { client, events: Some(events), script, cut, happens }
    }

    /// A caller waits in a code: the `CHANNEL_PARK`, not sent yet. `headers` come beside, or in place of, the usual ones.
    pub fn dials(&self, call: &str, does: &str, headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let usual = [
            ("Event-Name", "CHANNEL_PARK"),
            ("Unique-ID", call),
            ("Caller-Context", "hotdesk@code"),
            ("variable_sip_auth_username", "desk1"),
            ("variable_domain_name", "hotdesk.test"),
            ("variable_sip_network_ip", "192.0.2.7"),
            ("variable_hd_dialled", "*99"),
            ("variable_last_sched_id", call),
        ];
        let kept = usual.iter().filter(|(name, _)| headers.iter().all(|(other, _)| other != name));
        let headers: Vec<_> =
            kept.chain(headers).map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let caller = Caller { headers: headers.clone(), does: does.chars().collect(), waits: true };
        self.script().callers.insert(call.into(), caller);
        headers
    }

    /// The same, and the event is sent.
    pub fn parks(&self, call: &str, does: &str, headers: &[(&str, &str)]) {
        self.happens.send(self.dials(call, does, headers)).unwrap();
    }

    /// The dialplan's time-out is over, or another controller deleted it.
    pub fn taken_elsewhere(&self, call: &str) {
        self.script().callers.get_mut(call).unwrap().waits = false;
    }

    /// The caller hangs up.
    pub fn hangs_up(&self, call: &str) {
        self.script().callers.remove(call).unwrap();
        let over = [("Event-Name", "CHANNEL_HANGUP"), ("Unique-ID", call)];
        let over = over.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        self.happens.send(over.collect()).unwrap();
    }

    /// As the controller that takes a call makes it.
    pub fn forgets_what_was_dialled(&self, call: &str) {
        let mut script = self.script();
        let headers = &mut script.callers.get_mut(call).unwrap().headers;
        headers.retain(|(name, _)| name != "variable_hd_dialled");
    }

    /// Loses the connection, and waits until it is made again.
    pub async fn reconnects(&self) {
        let mut unsettled = self.client.connections();
        self.cut.send_replace(());
        timeout(Duration::from_secs(60), unsettled.changed()).await.unwrap().unwrap();
    }

    /// The commands since this was asked last, without looks at what is there.
    pub fn commands(&self) -> Vec<String> {
        std::mem::take(&mut self.script().commands)
    }

    /// Waits for this command.
    pub async fn wait_for_command(&self, what: &str) {
        let sent = async {
            while !self.script().commands.iter().any(|command| command == what) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        if timeout(Duration::from_secs(60), sent).await.is_err() {
            panic!("{what:?} is not among {:#?}", self.commands());
        }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

/// Lets a client in, and runs its commands.
async fn serve(
    mut fs: Fs,
    script: Arc<Mutex<Script>>,
    happening: &mut mpsc::UnboundedReceiver<Vec<(String, String)>>,
) {
    fs.say("Content-Type: auth/request\n\n").await;
    loop {
        let asked = tokio::select! {
            asked = fs.asked() => asked,
            Some(event) = happening.recv() => {
                let headers: Vec<_> = event.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                fs.event(&headers, "").await;
                continue;
            }
        };
        if let Some(command) = asked.strip_prefix("api ") {
            let answer = script.lock().unwrap().api(command);
            fs.response(&answer).await;
        } else if let Some(message) = asked.strip_prefix("sendmsg ") {
            let (reply, events) = script.lock().unwrap().message(message);
            fs.reply(reply).await;
            for event in events {
                let headers: Vec<_> = event.iter().map(|(n, v)| (*n, v.as_str())).collect();
                fs.event(&headers, "").await;
            }
        } else {
            fs.reply("+OK").await;
        }
    }
}

impl Script {
    fn api(&mut self, command: &str) -> String {
        let mut words = command.split(' ');
        let (name, first) = (words.next().unwrap(), words.next().unwrap_or_default());
        if !matches!(name, "version" | "global_getvar" | "file_exists" | "show" | "uuid_dump") {
            self.commands.push(command.into());
        }
        let known = self.callers.contains_key(first);
        match name {
            "version" => "FreeSWITCH Version 1.10.12-release-64bit (-release 64bit)\n".into(),
            "global_getvar" if first == "core_uuid" => super::CORE.into(),
            // As tests write them: the folder by its name.
            "global_getvar" => format!("${{{first}}}"),
            "sched_del" => {
                let caller = self.callers.get_mut(first);
                let deleted = caller.is_some_and(|caller| std::mem::take(&mut caller.waits));
                format!("+OK Deleted: {}\n", u8::from(deleted))
            }
            "file_exists" => self.files.contains(first).to_string(),
            "show" => {
                let rows: Vec<_> = self.callers.iter().map(|(uuid, caller)| caller.row(uuid)).collect();
                serde_json::json!({"row_count": rows.len(), "rows": rows}).to_string()
            }
            "uuid_dump" if known => {
                let headers: BTreeMap<_, _> = self.callers[first].headers.iter().cloned().collect();
                serde_json::json!(headers).to_string()
            }
            _ if known => "+OK\n".into(),
            _ => "-ERR No such channel!\n".into(),
        }
    }

    /// What it replies, and what happens then.
    fn message(&mut self, message: &str) -> (&'static str, Vec<Vec<(&'static str, String)>>) {
        let header = |name: &str| {
            let line = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_default().to_owned()
        };
        let call = message.lines().next().unwrap().to_owned();
        let Some(caller) = self.callers.get_mut(&call) else {
            return ("-ERR invalid session id", vec![]);
        };
        let over = |name: &str| vec![("Event-Name", name.into()), ("Unique-ID", call.clone())];
        if header("call-command") == "hangup" {
            self.commands.push(format!("hangup {}", header("hangup-cause")));
            self.callers.remove(&call);
            return ("+OK", vec![over("CHANNEL_HANGUP"), over("CHANNEL_DESTROY")]);
        }
        let (application, argument) = (header("execute-app-name"), header("execute-app-arg"));
        self.commands.push(format!("{application} {argument}").trim_end().into());
        if header("event-lock") != "true" {
            return ("+OK", vec![]);
        }
        let mut done = over("CHANNEL_EXECUTE_COMPLETE");
        done.push(("Application-UUID", header("Event-UUID")));
        if application == "push" {
            let (name, value) = argument.split_once('=').unwrap();
            let name = format!("variable_{name}");
            match caller.headers.iter_mut().find(|(header, _)| *header == name) {
                Some((_, values)) => {
                    *values = format!("ARRAY::{}|:{value}", values.trim_start_matches("ARRAY::"))
                }
                None => caller.headers.push((name.clone(), value.into())),
            }
            let taker = caller.headers.iter().find(|(header, _)| *header == name).unwrap().1.clone();
            done.push(("variable_hd_controller", taker));
        }
        if application == "read" {
            match caller.does.pop_front() {
                Some(NEVER) => return ("+OK", vec![]),
                Some(HANGS_UP) => {
                    // A key that is pressed during the hang-up looks as if it was entered.
                    done.extend([("variable_hd_entry", "9".into()), ("Answer-State", "hangup".into())]);
                    self.callers.remove(&call);
                    return ("+OK", vec![done, over("CHANNEL_HANGUP_COMPLETE"), over("CHANNEL_DESTROY")]);
                }
                None | Some(NO_KEY) => {}
                Some(key) => done.push(("variable_hd_entry", key.into())),
            }
        }
        ("+OK", vec![done])
    }
}

impl Caller {
    fn row(&self, uuid: &str) -> serde_json::Value {
        let context = self.headers.iter().find(|(name, _)| name == "Caller-Context");
        serde_json::json!({"uuid": uuid, "context": context.map(|(_, value)| value)})
    }
}
