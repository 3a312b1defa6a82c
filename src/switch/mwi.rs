//! Which device shows which voicemail box, what it was told of it, and which of them are to be told again.
//!
//! What is due is a set with one place for each device, so however much happens, there is no more to do than there are
//! devices. Nothing here grows with the users.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::desk::id::{DeviceName, Mailbox};
use crate::desk::table::{Edit, Key, Row, Table};

/// What a device was told, or is to be: nothing of no box is a lamp that is dark.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Messages {
    /// Whose box, as the switch names it.
    pub mailbox: Option<String>,
    /// Messages not listened to yet.
    pub new: u32,
    /// Others.
    pub old: u32,
}

/// The devices of a table, with the boxes that they show.
#[derive(Debug, Default)]
pub struct Boxes {
    boxes: HashMap<DeviceName, Option<String>>,
    shown_by: HashMap<String, BTreeSet<DeviceName>>,
    /// New and old messages.
    told: HashMap<DeviceName, (u32, u32)>,
    due: BTreeSet<DeviceName>,
}

impl Boxes {
    /// These rows were read, all there are; `name` is what the switch calls a device's box.
    pub fn read(&mut self, table: &Table, name: impl Fn(&DeviceName, &Mailbox) -> String) {
        let gone = |device: &&DeviceName| !table.contains_key(&Key::Device((*device).clone()));
        let gone: Vec<DeviceName> = self.boxes.keys().filter(gone).cloned().collect();
        gone.iter().for_each(|device| self.forget(device));
        for (key, row) in table {
            if let (Key::Device(device), Row::Device(row)) = (key, row) {
                self.shows(device, row.mailbox.as_ref().map(|mailbox| name(device, mailbox)));
            }
        }
    }

    /// These differences were written.
    pub fn written(&mut self, edits: &[Edit], name: impl Fn(&DeviceName, &Mailbox) -> String) {
        for Edit { key, is, .. } in edits {
            match (key, is) {
                (Key::Device(device), Some(Row::Device(row))) => {
                    self.shows(device, row.mailbox.as_ref().map(|mailbox| name(device, mailbox)));
                }
                (Key::Device(device), _) => self.forget(device),
                _ => {}
            }
        }
    }

    /// A device may have forgotten what it was told: it is told once more.
    pub fn again(&mut self, device: &DeviceName) {
        if self.boxes.contains_key(device) {
            self.told.remove(device);
            self.due.insert(device.clone());
        }
    }

    /// Every device may have forgotten.
    pub fn all_again(&mut self) {
        self.told.clear();
        self.due = self.boxes.keys().cloned().collect();
    }

    /// Something happened to a box.
    pub fn stirred(&mut self, mailbox: &str) {
        self.due.extend(self.shown_by.get(mailbox).into_iter().flatten().cloned());
    }

    /// The devices that show a box.
    #[must_use]
    pub fn showing(&self, mailbox: &str) -> Vec<DeviceName> {
        self.shown_by.get(mailbox).into_iter().flatten().cloned().collect()
    }

    /// At most so many of those that are due, with the box that each shows now. They are due no more.
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

    /// These were not told after all.
    pub fn untold<'a>(&mut self, devices: impl Iterator<Item = &'a DeviceName>) {
        self.due.extend(devices.cloned());
    }

    /// Whether a device is to be told this: it shows that box, and was told of other messages.
    #[must_use]
    pub fn lacks(&self, device: &DeviceName, messages: &Messages) -> bool {
        let Messages { mailbox, new, old } = messages;
        self.boxes.get(device) == Some(mailbox) && self.told.get(device) != Some(&(*new, *old))
    }

    /// A device was told this.
    pub fn told(&mut self, device: &DeviceName, messages: &Messages) {
        self.told.insert(device.clone(), (messages.new, messages.old));
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
        self.told.remove(device);
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
    use crate::desk::id::DialTarget;
    use crate::desk::table::DeviceRow;

    fn name(device: &str) -> DeviceName {
        DeviceName::new(device).unwrap()
    }

    fn row(device: &str, mailbox: &str) -> (Key, Row) {
        let dial = DialTarget::new(format!("PJSIP/{device}")).unwrap();
        let row = DeviceRow { mailbox: Mailbox::new(mailbox).ok(), ..DeviceRow::of(dial) };
        (Key::Device(name(device)), Row::Device(row))
    }

    fn whole(_: &DeviceName, mailbox: &Mailbox) -> String {
        format!("{mailbox}@default")
    }

    fn edit((key, row): (Key, Row)) -> Edit {
        Edit { key, was: None, is: Some(row) }
    }

    fn two_messages() -> Messages {
        Messages { mailbox: Some("101@default".into()), new: 2, old: 0 }
    }

    #[test]
    fn a_device_is_due_when_its_box_is_another_or_has_something_new_and_not_else() {
        let mut boxes = Boxes::default();
        boxes.read(&[row("desk1", "101"), row("desk2", "")].into(), whole);
        let due = boxes.take(9);
        assert_eq!(due, [(name("desk1"), Some("101@default".into())), (name("desk2"), None)].into());
        assert!(
            boxes.lacks(&name("desk1"), &two_messages()) && boxes.lacks(&name("desk2"), &Messages::default())
        );
        boxes.told(&name("desk1"), &two_messages());
        boxes.read(&[row("desk1", "101"), row("desk2", "")].into(), whole);
        assert!(boxes.take(9).is_empty() && !boxes.lacks(&name("desk1"), &two_messages()));

        boxes.stirred("101@default");
        boxes.stirred("102@default");
        assert_eq!(boxes.take(9).into_keys().collect::<Vec<_>>(), [name("desk1")]);
        boxes.written(&[edit(row("desk1", "")), edit(row("desk2", "101"))], whole);
        assert_eq!(boxes.take(1).into_keys().collect::<Vec<_>>(), [name("desk1")]);
        assert_eq!(boxes.take(9).into_keys().collect::<Vec<_>>(), [name("desk2")]);
        assert_eq!(boxes.showing("101@default"), [name("desk2")]);
        assert!(!boxes.lacks(&name("desk1"), &two_messages()), "it shows another box by now");
    }

    #[test]
    fn a_phone_that_registers_is_told_once_more_and_one_that_is_gone_is_not() {
        let mut boxes = Boxes::default();
        boxes.written(&[edit(row("desk1", "101"))], whole);
        boxes.take(9);
        boxes.told(&name("desk1"), &two_messages());
        for _ in 0..3 {
            boxes.again(&name("desk1"));
            boxes.again(&name("elsewhere"));
        }
        assert!(boxes.lacks(&name("desk1"), &two_messages()));
        assert_eq!(boxes.take(9).len(), 1);
        boxes.untold([name("desk1")].iter());
        assert_eq!(boxes.take(9).len(), 1);
        boxes.written(&[Edit { key: Key::Device(name("desk1")), was: None, is: None }], whole);
        boxes.all_again();
        boxes.stirred("101@default");
        assert!(boxes.take(9).is_empty());
    }
}
