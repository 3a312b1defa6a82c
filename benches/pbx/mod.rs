//! A real Asterisk with our dialplan, and the way to it.

use std::time::Duration;

use hotdesk::asterisk::ami::client::{Manager, Settings as Ami, State};
use hotdesk::asterisk::dialplan::{Settings, hotdesk_conf};
use hotdesk::asterisk::events::EVENTS;
use hotdesk::model::codes::Codes;
use hotdesk::model::id::{EmergencyContext, EmergencyNumber, SwitchName, TenantId};
use hotdesk::model::login::token::Token;
use hotdesk::model::number_pattern::NumberPattern;
use hotdesk::model::routes::Routes;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::harness::asterisk::{ADMIN, Asterisk, Site};
use crate::harness::debian::Version;

/// Users are 10000 to 19999; its queues are those of `routes`.
pub fn asterisk(routes: &Routes) -> Asterisk {
    let settings = Settings {
        tenant: TenantId::default(),
        codes: Codes::default(),
        users: vec![NumberPattern::new("1XXXX").unwrap()],
        fallback_context: None,
        emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
        emergency_context: EmergencyContext::default(),
        agi: "127.0.0.1:4573".into(),
        ring: 30,
        ring_each: 15,
        recording_context: None,
        voicemail_password: true,
        routes: routes.clone(),
        freepbx: false,
        token: Token::sample(),
    };
    let queues: String = routes.groups.keys().map(|name| format!("[{name}]\nstrategy = ringall\n")).collect();
    let site = Site::new().unwrap().desks(1).dialplan("#include hotdesk.conf\n");
    site.file("hotdesk.conf", &hotdesk_conf(&settings))
        .file("queues.conf", &queues)
        .start(Version::Current)
        .unwrap()
}

/// Connected to it.
pub async fn manager(pbx: &Asterisk, stop: &CancellationToken) -> Manager {
    let (user, secret) = ADMIN;
    let settings = Ami {
        name: SwitchName::default(),
        address: pbx.ami_address().to_string(),
        user: user.into(),
        secret: Zeroizing::new(secret.into()),
        deadline: Duration::from_secs(20),
        events: EVENTS.to_vec(),
    };
    let (manager, connection) = Manager::new(settings, stop.clone());
    tokio::spawn(connection);
    manager.state().wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    manager
}
