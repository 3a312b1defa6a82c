//! Wrong PINs, counted in the store of a hotdesk as a controller counts them.

use std::fs;
use std::path::Path;

use hotdesk::model::id::{DeviceName, Extension, TenantId};
use hotdesk::model::login::pin::Pepper;
use jiff::Timestamp;

use super::asking::{Ask as _, Guess};

/// Counts failures of `user` at `device`, in the store of the hotdesk in this folder.
pub fn fail(folder: &Path, (user, device): (&str, &str), times: usize, at: Timestamp) {
    let key: [u8; 64] = fs::read(folder.join("hotdesk.pepper")).unwrap().try_into().unwrap();
    let tenant = TenantId::default();
    let alias = Pepper::new(key).alias(&tenant, &Extension::new(user).unwrap());
    let guess = Guess { tenant, user: alias, device: DeviceName::new(device).unwrap(), at };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = hotdesk::store::open("sqlite:hotdesk.db", folder).await.unwrap();
        for _ in 0..times {
            store.attempt(&guess).await.unwrap();
        }
    });
}
