//! A real Asterisk with our dialplan, and the way to it.

use std::time::Duration;

use hotdesk::asterisk::dialplan::{Settings, hotdesk_conf};
use hotdesk::asterisk::manager::{Manager, Settings as Ami, State};
use hotdesk::desk::code::Codes;
use hotdesk::desk::id::{Context, EmergencyNumber, SwitchName, TenantId};
use hotdesk::desk::pattern::NumberPattern;
use hotdesk::desk::reach::Reach;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::support::asterisk::{ADMIN, Asterisk, Site};
use crate::support::debian::Version;

/// Users are 10000 to 19999; its queues are those of `reach`.
pub fn asterisk(reach: &Reach) -> Asterisk {
    let settings = Settings {
        tenant: TenantId::default(),
        codes: Codes::default(),
        users: vec![NumberPattern::new("1XXXX").unwrap()],
        otherwise: None,
        emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
        emergency_context: Context::emergency(),
        agi: "127.0.0.1:4573".into(),
        ring: 30,
        turn: 15,
        recording: None,
        voicemail_password: true,
        reach: reach.clone(),
        freepbx: false,
    };
    let queues: String = reach.groups.keys().map(|name| format!("[{name}]\nstrategy = ringall\n")).collect();
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
    };
    let manager = Manager::start(settings, stop.clone());
    manager.state().wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    manager
}
