//! A plain Asterisk whose phones are named as extensions: what `hotdesk init` reads of it, and the changes that let its phones
//! become hotdesks. `docs/existing-extensions.md` has the same by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::contexts::{self, Contexts, Renamed, Taker};
use super::manager::{self, ManagerAddress};
use super::phones::{self, Phone};
use super::tree::Tree;
use crate::switch::config_file::{CannotChange, Changed};

/// The files of a site.
#[derive(Clone, Debug)]
pub struct Site {
    extensions: Tree,
    pjsip: Tree,
    manager: Tree,
    phones: Vec<Phone>,
}

/// What is to become of it.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Endpoints that become hotdesks.
    pub hotdesks: &'a BTreeSet<String>,
    /// Extensions of users.
    pub users: &'a BTreeSet<String>,
    /// Emergency numbers.
    pub emergency_numbers: &'a [String],
    /// The context that sends them out.
    pub emergency_context: &'a str,
    /// The classes of service of the users.
    pub classes: &'a BTreeSet<String>,
}

impl Site {
    /// Reads the files in the folder of Asterisk's configuration.
    ///
    /// # Errors
    /// [`CannotChange`] names the file and what cannot be read in it.
    pub fn read(folder: &Path) -> Result<Self, CannotChange> {
        let read = |main: &str| Tree::read(folder, main);
        let (extensions, pjsip, manager) =
            (read("extensions.conf")?, read("pjsip.conf")?, read("manager.conf")?);
        let phones = phones::phones(&pjsip)?;
        manager::refuse_files(folder, &[&extensions, &manager])?;
        manager::refuse_user(&manager)?;
        Ok(Self { extensions, pjsip, manager, phones })
    }

    /// All endpoints of `pjsip.conf`.
    #[must_use]
    pub fn phones(&self) -> &[Phone] {
        &self.phones
    }

    /// The contexts where only calls from outside begin: those of endpoints that are no phones of the site.
    #[must_use]
    pub fn outside(&self, hotdesks: &BTreeSet<String>) -> BTreeSet<&str> {
        let inside = |phone: &Phone| phone.is_extension || hotdesks.contains(&phone.name);
        let contexts = |is: bool| self.phones.iter().filter(move |phone| inside(phone) == is);
        let inside: BTreeSet<&str> = contexts(true).map(|phone| phone.context.as_str()).collect();
        contexts(false)
            .map(|phone| phone.context.as_str())
            .filter(|context| !inside.contains(context))
            .collect()
    }

    /// Where the manager interface listens, or will listen.
    #[must_use]
    pub fn manager(&self) -> ManagerAddress {
        ManagerAddress::of(&self.manager)
    }

    /// The changes of its files.
    ///
    /// # Errors
    /// [`CannotChange`] says what is not supported, and where.
    pub fn change(mut self, wanted: &Wanted<'_>) -> Result<Vec<Changed>, CannotChange> {
        let before = Contexts::of(&self.extensions)?;
        let callers: BTreeSet<&str> = self.phones.iter().map(|phone| phone.context.as_str()).collect();
        for context in callers.iter().copied().chain([wanted.emergency_context]) {
            if !before.has(context) {
                return CannotChange::unsupported(format!(
                    "the context {context} is not in {}: if it is in extensions.ael, in Lua or in a database, Hotdesk does not \
                     change it",
                    self.extensions.path().display()
                ));
            }
        }
        let lost = |contexts: &Contexts| {
            let numbers = wanted.emergency_numbers.iter();
            let lost = numbers.filter(|number| !contexts.takes(wanted.emergency_context, number));
            lost.cloned().collect::<Vec<_>>().join(", ")
        };
        match lost(&before) {
            none if none.is_empty() => {}
            numbers => {
                return CannotChange::unsupported(format!(
                    "no extension of [{}] takes {numbers}: name the context that sends emergency calls out",
                    wanted.emergency_context
                ));
            }
        }
        for change in self.renamed(&before, wanted, &callers)? {
            contexts::rename(&mut self.extensions, &before, &change)?;
        }
        self.extensions.append("\n#include \"hotdesk.conf\"");
        for name in wanted.hotdesks {
            phones::to_hotdesk(&mut self.pjsip, name)?;
        }
        manager::open(&mut self.manager);
        Ok([self.extensions, self.pjsip, self.manager].iter().flat_map(Tree::changed).collect())
    }

    /// The contexts to rename: those whose extensions take calls to users, and those where calls from outside begin.
    fn renamed(
        &self,
        before: &Contexts,
        wanted: &Wanted<'_>,
        callers: &BTreeSet<&str>,
    ) -> Result<Vec<Renamed>, CannotChange> {
        let classes: BTreeSet<&str> = wanted.classes.iter().map(String::as_str).collect();
        let mut renamed: BTreeMap<String, (bool, bool)> = BTreeMap::new();
        for context in callers.union(&classes) {
            for user in wanted.users {
                let taker = before.taker(context, user).map_err(|why| {
                    CannotChange::NotSupported(format!(
                        "cannot tell what takes calls to {user} from [{context}]: {why}"
                    ))
                })?;
                match taker {
                    Taker::Context(within) => renamed.entry(within).or_default().0 = true,
                    // Users must be able to call each other.
                    Taker::None if classes.contains(context) => {
                        renamed.entry((*context).into()).or_default().0 = true;
                    }
                    Taker::None | Taker::Hotdesk => {}
                }
            }
        }
        for context in self.outside(wanted.hotdesks) {
            renamed.entry(context.into()).or_default().1 = true;
        }
        let of = |(name, (users, outside))| Renamed { name, users, outside };
        Ok(renamed.into_iter().map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PJSIP: &str = "[phone](!)\ntype=endpoint\ncontext=phones ; of all\n[202](phone)\ncallerid=Bob <202>\n\
                         [202]\ntype=aor\n[prov]\ntype = endpoint\ncontext = from-trunk\n";
    const MANAGER: &str = "[general]\nenabled = no\n";

    /// The files after the change, by name, or why they are not changed.
    fn changed(extensions: &str, pjsip: &str, manager: &str) -> Result<BTreeMap<String, String>, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [("extensions.conf", extensions), ("pjsip.conf", pjsip), ("manager.conf", manager)]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::write(folder.path().join("more.conf"), "exten => 9,1,NoOp()\n").unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let site = Site::read(folder.path()).map_err(|error| error.to_string())?;
        let wanted = Wanted {
            hotdesks: &names(&["202"]),
            users: &names(&["202", "209"]),
            emergency_numbers: &["112".to_owned()],
            emergency_context: "phones",
            classes: &names(&["phones"]),
        };
        let files = site.change(&wanted).map_err(|error| error.to_string())?;
        let named = |it: Changed| (it.path.file_name().unwrap().to_string_lossy().into_owned(), it.after);
        Ok(files.into_iter().map(named).collect())
    }

    #[test]
    fn hotdesk_is_asked_first_where_the_sites_own_extension_takes_calls_to_users() {
        let outside = |users: &str| {
            format!(
                "[from-trunk]\n; after an emergency call, a call back reaches that phone\n\
                 exten => _[0-9+]!,1,Gosub(hotdesk-callback,${{EXTEN}},1)\n same => n,Goto(from-trunk-next,${{EXTEN}},1)\n\
                 include => from-trunk-as-before\n\n[from-trunk-next]\n{users}include => from-trunk-as-before\n\
                 exten => i,1,Hangup(1)\n\n[from-trunk-as-before]\n"
            )
        };
        let users =
            |name: &str| format!("[{name}]\ninclude => hotdesk-users\ninclude => {name}-as-before\n\n");
        let end = "\n#include \"hotdesk.conf\"\n";
        let own = "exten => 112,1,Dial(PJSIP/112@prov)\nexten => _X.,1,Dial(PJSIP/${EXTEN}@prov)\n";
        let pattern = "exten => _2XX,1,Dial(PJSIP/${EXTEN})\n same => n,Hangup()\n";
        for (before, after) in [
            // In the phones' own context, which calls from outside do not reach.
            (
                format!("[phones] ; all\n{pattern}{own}[from-trunk]\nexten => s,1,Goto(phones,202,1)\n"),
                format!(
                    "{}[phones-as-before] ; all\n{pattern}{own}{}exten => s,1,Goto(phones,202,1)\n{end}",
                    users("phones"),
                    outside("")
                ),
            ),
            // In a context that both include.
            (
                format!("[in]\n{pattern}[phones]\ninclude => in\n{own}[from-trunk]\ninclude => in\n"),
                format!(
                    "{}[in-as-before]\n{pattern}{}[phones-as-before]\ninclude => in\n{own}{}include => in\n{end}",
                    users("in"),
                    users("phones"),
                    outside("")
                ),
            ),
            // In the context of calls from outside itself, and added to in a second section.
            (
                format!(
                    "[phones]\n{own}[from-trunk]\n{pattern}[phones](+)\n#include \"more.conf\"\n[from-trunk]"
                ),
                format!(
                    "{}[phones-as-before]\n{own}{}{pattern}[phones-as-before](+)\n#include \"more.conf\"\n\
                     [from-trunk-as-before]\n{end}",
                    users("phones"),
                    outside("include => hotdesk-users\n")
                ),
            ),
        ] {
            let files = changed(&before, PJSIP, MANAGER).unwrap();
            assert_eq!(files["extensions.conf"], after, "{before}");
        }
    }

    #[test]
    fn a_phone_and_the_manager_interface_are_changed_where_they_say_it_themselves() {
        let extensions = "[phones]\nexten => 112,1,Dial(PJSIP/112@prov)\n[from-trunk]\n";
        let files = changed(extensions, PJSIP, MANAGER).unwrap();
        let phone = "[202](phone)\ncallerid=Bob <202>\n";
        let hotdesk = "[202](phone)\nsubscribe_context = phones\nsend_pai = yes\ncontext = hotdesk\ncallerid=Bob <202>\n";
        assert_eq!(files["pjsip.conf"], PJSIP.replace(phone, hotdesk));
        let include = "\n#include \"hotdesk-manager.conf\"\n";
        assert_eq!(
            files["manager.conf"],
            format!("[general]\nbindaddr = 127.0.0.1\nenabled = yes\n{include}")
        );

        let own =
            "[202]\r\ntype=endpoint\r\nsend_pai=yes\r\ncontext => phones ; Bob\r\nsubscribe_context=x\r\n";
        let files = changed(extensions, own, "[general]\nenabled=yes\nport = 5039\n").unwrap();
        assert_eq!(files["pjsip.conf"], own.replace("phones", "hotdesk"));
        assert_eq!(files["manager.conf"], format!("[general]\nenabled=yes\nport = 5039\n{include}"));
        let files = changed(extensions, own, "[admin]\nsecret=x\n").unwrap();
        let opened = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\n\n[admin]\nsecret=x\n";
        assert_eq!(files["manager.conf"], format!("{opened}{include}"));
    }

    #[test]
    fn what_cannot_be_read_for_certain_is_named_and_not_changed() {
        let phones = "[phones]\nexten => 112,1,Dial(PJSIP/112@prov)\n";
        let extensions = format!("{phones}[from-trunk]\n");
        for (more, why) in [
            ("#exec /bin/print\n", "extensions.conf line 4: what #exec gives is not known"),
            ("#include \"lost.conf\"\n", "line 4: it includes lost.conf, which is not there"),
            ("#include \"/etc/passwd\"\n", "/etc/passwd: it is outside"),
            ("exten 5\n", "line 4: Hotdesk cannot read this line"),
            ("pattern => 5\n", "line 4: Hotdesk does not know what this says"),
            ("exten => ${RECEPTION},1,NoOp()\n", "line 4: Hotdesk cannot read this extension"),
            ("[other](lost)\n", "line 4: the template lost of [other] is not there"),
            ("[other](phones)\n", "line 4: [phones] is a template of this section and a context too"),
            ("#include \"hotdesk.conf\"\n", "it includes hotdesk.conf, which is not there"),
            ("include => day,9:00-17:00,*,*,*\n[day]\nexten => 209,1,Busy()\n", "which depends on the time"),
            (
                "switch => Realtime/x\n",
                "cannot tell what takes calls to 202 from [from-trunk]: [from-trunk] asks another switch",
            ),
        ] {
            let said = changed(&format!("{extensions}{more}"), PJSIP, MANAGER).unwrap_err();
            assert!(said.contains(why), "{more}: {said}");
        }
        for (extensions, pjsip, manager, why) in [
            (
                "a = b\n",
                PJSIP,
                MANAGER,
                "extensions.conf line 1: it is not clear to which [section] it belongs",
            ),
            ("[phones]\n[from-trunk]\n", PJSIP, MANAGER, "no extension of [phones] takes 112"),
            ("[phones]\n", PJSIP, MANAGER, "the context from-trunk is not in"),
            (
                extensions.as_str(),
                "[202](gone)\ntype=endpoint\n",
                MANAGER,
                "the template gone of [202] is not there",
            ),
            (
                extensions.as_str(),
                "[202]\ntype=endpoint\n[202](+)\ncontext=x\n",
                MANAGER,
                "line 3: Hotdesk does not read",
            ),
            (
                extensions.as_str(),
                PJSIP,
                "[hotdesk]\nsecret=x\n",
                "manager.conf line 1: there is a user hotdesk already",
            ),
        ] {
            let said = changed(extensions, pjsip, manager).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
