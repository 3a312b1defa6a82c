//! A FreeSWITCH in the shape of its vanilla configuration: what `hotdesk init` reads of it, and the changes that let its phones
//! become hotdesks. `dialplan/README.md` has the same by hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::dialplan::{self, CONTEXT, Dialplan, Taker};
use super::directory::{Directory, Phone};
use crate::freeswitch::check::regex;
use crate::freeswitch::esl::client::Client;
use crate::model::id::EmergencyNumber;
use crate::switch::SwitchError;
use crate::switch::config_file::{CannotChange, Changed};

/// The file that is put beside those of the phones.
const ENTRIES: &str = "hotdesk.xml";

/// Whether FreeSWITCH finds that one of these expressions matches.
async fn matches(client: &Client, expressions: &[String], number: &str) -> Result<bool, SwitchError> {
    for expression in expressions {
        if client.api(&regex(number, expression)).await?.as_deref() == Some("true") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files of a site.
#[derive(Clone, Debug)]
pub struct Site {
    folder: PathBuf,
    directory: Directory,
    dialplan: Dialplan,
}

/// The changes of its files.
#[derive(Debug)]
pub struct Changes {
    /// The dialplan, which must be read before the phones are hotdesks.
    pub dialplan: Option<Changed>,
    /// The entries of the phones.
    pub phones: Vec<Changed>,
}

impl Site {
    /// Reads the files in the folder of FreeSWITCH's configuration.
    ///
    /// # Errors
    /// [`CannotChange`] names the file and what cannot be read in it.
    pub fn read(folder: &Path) -> Result<Self, CannotChange> {
        let present = folder.join("dialplan/hotdesk.xml");
        if present.exists() {
            return CannotChange::unsupported(format!(
                "Hotdesk is in this FreeSWITCH already: there is {}",
                present.display()
            ));
        }
        let (directory, dialplan) = (Directory::read(folder)?, Dialplan::read(folder)?);
        Ok(Self { folder: folder.into(), directory, dialplan })
    }

    /// All phones of the directory.
    #[must_use]
    pub fn phones(&self) -> &[Phone] {
        &self.directory.phones
    }

    /// Where Hotdesk's own entries go: beside that of this phone.
    ///
    /// # Errors
    /// [`CannotChange`], if FreeSWITCH would not read it there.
    pub fn entries(&self, phone: &str) -> Result<PathBuf, CannotChange> {
        self.directory.clone().beside(phone, ENTRIES)
    }

    /// The numbers that no extension of a context takes, as FreeSWITCH itself compares them.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer, [`CannotChange`] when the context cannot be read.
    pub async fn lost<'n>(
        &self,
        client: &Client,
        context: &str,
        numbers: &'n [EmergencyNumber],
    ) -> anyhow::Result<Vec<&'n EmergencyNumber>> {
        let Some(expressions) = dialplan::expressions_of(&self.folder, context)? else {
            return Ok(numbers.iter().collect());
        };
        let mut lost = vec![];
        for number in numbers {
            if !matches(client, &expressions, number.as_str()).await? {
                lost.push(number);
            }
        }
        Ok(lost)
    }

    /// The first extension of the context `default` that takes calls to one of these users before Hotdesk, as FreeSWITCH itself
    /// compares the numbers.
    ///
    /// # Errors
    /// [`SwitchError`] when FreeSWITCH does not answer.
    pub async fn taker(
        &self,
        client: &Client,
        users: &BTreeSet<String>,
    ) -> Result<Option<Taker>, SwitchError> {
        for taker in &self.dialplan.takers {
            // What a variable of the configuration stands for is not known here.
            let unknown = taker.expressions.iter().any(|expression| expression.contains("$$"));
            for user in users {
                if unknown || matches(client, &taker.expressions, user).await? {
                    return Ok(Some(taker.clone()));
                }
            }
        }
        Ok(None)
    }

    /// The changes that make these phones hotdesks.
    ///
    /// # Errors
    /// [`CannotChange`] says what is not supported, and where.
    pub fn change(
        mut self,
        hotdesks: &BTreeSet<String>,
        taker: Option<&Taker>,
    ) -> Result<Changes, CannotChange> {
        for phone in self.directory.phones.clone().iter().filter(|phone| hotdesks.contains(&phone.name)) {
            match phone.context.as_deref() {
                Some(CONTEXT) => {}
                Some(other) => {
                    return CannotChange::unsupported(format!(
                        "phone {} has the context {other}, and Hotdesk's file is read in {CONTEXT} only",
                        phone.name
                    ));
                }
                None => {
                    return CannotChange::unsupported(format!(
                        "phone {} has no user_context of its own",
                        phone.name
                    ));
                }
            }
            self.directory.make_hotdesk(&phone.name)?;
        }
        taker.into_iter().for_each(|taker| self.dialplan.ask_before(taker));
        Ok(Changes { dialplan: self.dialplan.changed(), phones: self.directory.changed() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ANN: &str = "<include>\r\n\t<user id='1001'>\r\n\t\t<params>\r\n\t\t\t<param name='password' value='x'/>\r\n\t\t</params>\r\n\
                       \t\t<variables>\r\n\t\t\t<variable name='user_context' value='default'/><!-- ours -->  \r\n\t\t</variables>\r\n\
                       \t</user>\r\n</include>";
    const DIRECTORY: &str = "<include><domain name=\"$${domain}\"><groups><group><users>\n\
                             <X-PRE-PROCESS cmd=\"include\" data=\"default/*.xml\"/>\n<user id=\"1001\" type=\"pointer\"/>\n\
                             </users></group></groups></domain></include>\n";
    const DEFAULT: &str = "<include>\n <context name=\"default\">\n  <extension name=\"global\" continue=\"true\"/>\n  \
                           <extension name=\"Local_Extension\"><condition field=\"destination_number\" \
                           expression=\"^(10[01][0-9])$\"/></extension>\n\
                           <X-PRE-PROCESS cmd=\"include\" data=\"default/*.xml\"/>\n </context>\n</include>\n";

    fn site(ann: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let main = include_str!("../../../tests/fixtures/freeswitch.xml");
        for (name, text) in [
            ("freeswitch.xml", main),
            ("directory/default.xml", DIRECTORY),
            ("directory/default/1001.xml", ann),
            ("dialplan/default.xml", DEFAULT),
            (
                "dialplan/default/01_out.xml",
                "<include><extension name=\"out\"><condition field=\"destination_number\" expression=\"^112$\"/></extension></include>",
            ),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn only_the_entries_of_the_phones_and_one_line_of_the_dialplan_are_changed() {
        let folder = site(ANN);
        let site = Site::read(folder.path()).unwrap();
        let taker = site.dialplan.takers[0].clone();
        assert_eq!((taker.name.as_str(), site.dialplan.takers.len()), ("Local_Extension", 1));
        assert_eq!(
            dialplan::expressions_of(folder.path(), "default").unwrap().unwrap(),
            ["^(10[01][0-9])$", "^112$"]
        );
        assert!(dialplan::expressions_of(folder.path(), "emergency").unwrap().is_none());
        assert!(site.entries("1001").unwrap().ends_with("directory/default/hotdesk.xml"));
        let changes = site.change(&["1001".to_owned()].into(), Some(&taker)).unwrap();
        let include = "<X-PRE-PROCESS cmd=\"include\" data=\"default/00_hotdesk.xml\"/>\n  ";
        let after = DEFAULT.replace("<extension name=\"Local", &format!("{include}<extension name=\"Local"));
        assert_eq!(changes.dialplan.unwrap().after, after);
        let dial = "<param name=\"dial-string\" value=\"${expand(echo ${db(select/hotdesk-lamp-default/${dialed_user})})}\"/>\r\n\t\t\t";
        let after = ANN
            .replace("value='default'", "value='hotdesk@desk'")
            .replace("<param name=", &format!("{dial}<param name="));
        assert_eq!(changes.phones.iter().map(|it| it.after.as_str()).collect::<Vec<_>>(), [after]);
    }

    #[test]
    fn a_phone_without_parameters_is_named_with_its_line() {
        let folder = site(&ANN.replace("params>", "x>"));
        // Without a password it is no phone.
        assert!(Site::read(folder.path()).unwrap().phones().is_empty());
        let folder =
            site(&ANN.replace("id='1001'", "id='1001' cacheable='true'").replace("variables>", "x>"));
        let site = Site::read(folder.path()).unwrap();
        let said = site.change(&["1001".to_owned()].into(), None).unwrap_err().to_string();
        assert!(said.contains("phone 1001 has no user_context of its own"), "{said}");
    }

    /// FreeSWITCH's own files, if the folder is named.
    #[test]
    fn the_vanilla_configuration_is_read() {
        let Some(folder) = std::env::var_os("HOTDESK_FREESWITCH_VANILLA") else { return };
        let site = Site::read(Path::new(&folder)).unwrap();
        let extensions = site.phones().iter().filter(|phone| phone.is_extension);
        assert_eq!(extensions.filter(|phone| phone.context.as_deref() == Some(CONTEXT)).count(), 20);
        assert!(site.dialplan.takers.iter().any(|taker| taker.name == "Local_Extension"));
        let socket = super::super::event_socket(Path::new(&folder)).unwrap();
        assert_eq!((socket.port, socket.local), (8021, false));
    }
}
