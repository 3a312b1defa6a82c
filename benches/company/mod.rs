//! A large company: 10,000 records.

use hotdesk::model::desired::{Blf, Desired, DesiredDevice, DesiredUser, Subjects};
use hotdesk::model::id::{Context, DeviceName, DialTarget, Extension, Number, Revision};

/// So many users, and so many devices.
pub const HALF: usize = 5_000;

/// 5,000 devices and 5,000 users; each user logged in at a device, which is dialled like that, or none.
pub fn desired(logged_in: Option<&dyn Fn(usize) -> String>) -> Desired {
    let mut desired = Desired { whole: true, ..Desired::default() };
    for n in 0..HALF {
        let user = Extension::new(format!("{}", 10_000 + n)).unwrap();
        let dial = logged_in.map(|dial| DialTarget::new(dial(n)).unwrap());
        let revision = Revision(if logged_in.is_some() { 7 } else { 0 });
        let device = DesiredDevice {
            user: logged_in.map(|_| user.clone()),
            revision,
            emergency: Some(Number::new("0205550100").unwrap()),
            ..DesiredDevice::of(DialTarget::new(format!("PJSIP/desk{n}")).unwrap())
        };
        desired.devices.insert(DeviceName::new(format!("desk{n}")).unwrap(), device);
        let is = DesiredUser {
            blf: Blf { watch: dial.clone(), rings: dial.clone(), lit: false },
            dial,
            revision,
            class: Some(Context::new("from-internal").unwrap()),
            ..DesiredUser::of(user.clone())
        };
        desired.users.insert(user, Box::new(is));
    }
    desired
}

/// All of these, and all else.
pub fn subjects(desired: &Desired) -> Subjects {
    Subjects {
        users: desired.users.keys().cloned().collect(),
        devices: desired.devices.keys().cloned().collect(),
        others: true,
    }
}

/// The `n`th user and device of these.
pub fn nth(desired: &Desired, n: usize) -> (Desired, Subjects) {
    let user = Extension::new(format!("{}", 10_000 + n)).unwrap();
    let device = DeviceName::new(format!("desk{n}")).unwrap();
    let one = Desired {
        users: [(user.clone(), desired.users[&user].clone())].into(),
        devices: [(device.clone(), desired.devices[&device].clone())].into(),
        whole: false,
    };
    (one, Subjects { users: [user].into(), devices: [device].into(), others: false })
}
