//! The MWI of devices: the voicemail box of each, the last message counts that were sent, and the devices that are due.
//!
//! The due devices are a set, so there is never more to do than there are devices. Nothing here grows with the users.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::desired::{Desired, Subjects};
use crate::model::id::{DeviceName, Mailbox};

/// The message counts for a device. Without a box and without messages the MWI is off.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Messages {
    /// The voicemail box, as the switch names it.
    pub mailbox: Option<String>,
    /// New messages.
    pub new: u32,
    /// Old messages.
    pub old: u32,
}

/// The devices of a switch, with their boxes.
#[derive(Debug, Default)]
pub struct Boxes {
    boxes: HashMap<DeviceName, Option<String>>,
    shown_by: HashMap<String, BTreeSet<DeviceName>>,
    /// The new and old messages that were sent.
    sent: HashMap<DeviceName, (u32, u32)>,
    due: BTreeSet<DeviceName>,
}

impl Boxes {
    /// The switch holds what is desired for these subjects; `name` is the switch's name of a device's box.
    pub fn follow(
        &mut self,
        subjects: &Subjects,
        desired: &Desired,
        name: impl Fn(&DeviceName, &Mailbox) -> String,
    ) {
        let lost = |device: &&DeviceName| !desired.devices.contains_key(*device);
        let gone: Vec<DeviceName> = match subjects.others {
            true => self.boxes.keys().filter(lost).cloned().collect(),
            false => subjects.devices.iter().filter(lost).cloned().collect(),
        };
        gone.iter().for_each(|device| self.forget(device));
        for (device, is) in &desired.devices {
            self.shows(device, is.mailbox.as_ref().map(|mailbox| name(device, mailbox)));
        }
    }

    /// A device may have forgotten its counts: they are sent again.
    pub fn again(&mut self, device: &DeviceName) {
        if self.boxes.contains_key(device) {
            self.sent.remove(device);
            self.due.insert(device.clone());
        }
    }

    /// Every device may have forgotten its counts.
    pub fn all_again(&mut self) {
        self.sent.clear();
        self.due = self.boxes.keys().cloned().collect();
    }

    /// The messages of a box changed.
    pub fn changed(&mut self, mailbox: &str) {
        self.due.extend(self.shown_by.get(mailbox).into_iter().flatten().cloned());
    }

    /// The devices that show a box.
    #[must_use]
    pub fn showing(&self, mailbox: &str) -> Vec<DeviceName> {
        self.shown_by.get(mailbox).into_iter().flatten().cloned().collect()
    }

    /// At most this many due devices, each with its current box. They are no longer due.
    pub fn take(&mut self, most: usize) -> BTreeMap<DeviceName, Option<String>> {
        let mut taken = BTreeMap::new();
        while taken.len() < most
            && let Some(device) = self.due.pop_first()
        {
            if let Some(mailbox) = self.boxes.get(&device) {
                taken.insert(device, mailbox.clone());
            }
        }
        taken
    }

    /// The counts for these devices were not sent.
    pub fn not_sent<'a>(&mut self, devices: impl Iterator<Item = &'a DeviceName>) {
        self.due.extend(devices.cloned());
    }

    /// Whether to send these counts to a device: it shows that box, and other counts were sent last.
    #[must_use]
    pub fn lacks(&self, device: &DeviceName, messages: &Messages) -> bool {
        let Messages { mailbox, new, old } = messages;
        self.boxes.get(device) == Some(mailbox) && self.sent.get(device) != Some(&(*new, *old))
    }

    /// These counts were sent to a device.
    pub fn sent(&mut self, device: &DeviceName, messages: &Messages) {
        self.sent.insert(device.clone(), (messages.new, messages.old));
    }

    fn shows(&mut self, device: &DeviceName, mailbox: Option<String>) {
        if self.boxes.get(device) == Some(&mailbox) {
            return;
        }
        self.unlink(device);
        if let Some(mailbox) = &mailbox {
            self.shown_by.entry(mailbox.clone()).or_default().insert(device.clone());
        }
        self.boxes.insert(device.clone(), mailbox);
        self.due.insert(device.clone());
    }

    fn forget(&mut self, device: &DeviceName) {
        self.unlink(device);
        self.boxes.remove(device);
        self.sent.remove(device);
        self.due.remove(device);
    }

    fn unlink(&mut self, device: &DeviceName) {
        let Some(Some(mailbox)) = self.boxes.get(device) else { return };
        if let Some(devices) = self.shown_by.get_mut(mailbox) {
            devices.remove(device);
            if devices.is_empty() {
                self.shown_by.remove(mailbox);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::desired::DesiredDevice;
    use crate::model::id::DialTarget;

    fn name(device: &str) -> DeviceName {
        DeviceName::new(device).unwrap()
    }

    /// The switch holds these devices with their desired boxes, and no others if these are all.
    fn follow(boxes: &mut Boxes, devices: &[(&str, &str)], all: bool) {
        let device = |(device, mailbox): &(&str, &str)| {
            let is = DesiredDevice::of(DialTarget::new(format!("PJSIP/{device}")).unwrap());
            (name(device), DesiredDevice { mailbox: Mailbox::new(*mailbox).ok(), ..is })
        };
        let desired = Desired { devices: devices.iter().map(device).collect(), ..Desired::default() };
        let devices = desired.devices.keys().cloned().collect();
        boxes.follow(&Subjects { devices, others: all, ..Subjects::default() }, &desired, whole);
    }

    fn whole(_: &DeviceName, mailbox: &Mailbox) -> String {
        format!("{mailbox}@default")
    }

    fn two_messages() -> Messages {
        Messages { mailbox: Some("101@default".into()), new: 2, old: 0 }
    }

    fn due(boxes: &mut Boxes, most: usize) -> Vec<DeviceName> {
        boxes.take(most).into_keys().collect()
    }

    #[test]
    fn a_device_is_due_only_when_its_box_or_the_messages_change() {
        let (mut boxes, desk1, desk2) = (Boxes::default(), name("desk1"), name("desk2"));
        follow(&mut boxes, &[("desk1", "101"), ("desk2", "")], true);
        let taken = [(desk1.clone(), Some("101@default".into())), (desk2.clone(), None)];
        assert_eq!(boxes.take(9), taken.into());
        assert!(boxes.lacks(&desk1, &two_messages()) && boxes.lacks(&desk2, &Messages::default()));
        boxes.sent(&desk1, &two_messages());
        follow(&mut boxes, &[("desk1", "101"), ("desk2", "")], true);
        assert!(due(&mut boxes, 9).is_empty() && !boxes.lacks(&desk1, &two_messages()));

        boxes.changed("101@default");
        boxes.changed("102@default");
        assert_eq!(due(&mut boxes, 9), std::slice::from_ref(&desk1));
        follow(&mut boxes, &[("desk1", ""), ("desk2", "101")], false);
        assert_eq!(due(&mut boxes, 1), std::slice::from_ref(&desk1));
        assert_eq!(due(&mut boxes, 9), std::slice::from_ref(&desk2));
        assert_eq!(boxes.showing("101@default"), [desk2]);
        assert!(!boxes.lacks(&desk1, &two_messages()), "it shows another box by now");
    }

    #[test]
    fn a_device_that_registers_is_due_again_and_a_removed_one_is_not() {
        let (mut boxes, desk1) = (Boxes::default(), name("desk1"));
        follow(&mut boxes, &[("desk1", "101")], false);
        boxes.take(9);
        boxes.sent(&desk1, &two_messages());
        for _ in 0..3 {
            boxes.again(&desk1);
            boxes.again(&name("elsewhere"));
        }
        assert!(boxes.lacks(&desk1, &two_messages()));
        assert_eq!(due(&mut boxes, 9).len(), 1);
        boxes.not_sent([desk1.clone()].iter());
        assert_eq!(due(&mut boxes, 9).len(), 1);
        let removed = Subjects { devices: [desk1].into(), ..Subjects::default() };
        boxes.follow(&removed, &Desired::default(), whole);
        boxes.all_again();
        boxes.changed("101@default");
        assert!(boxes.take(9).is_empty());
    }
}
