//! `hotdesk dialplan install`: an update is loaded, or nothing of it stays. Emergency calls work all the time.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::emergency::help_answers;
use crate::company::Company;
use crate::harness::check::all_is_well;
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::process::Signal;

on_each! {
    an_update_is_loaded_and_the_old_file_is_kept
    a_refused_update_leaves_the_old_file_and_emergency_calls
}

/// A company whose configuration names the folders of its switch, and where the dialplan is.
struct Installed {
    company: Company,
    /// `hotdesk.conf` or `hotdesk.xml`.
    file: PathBuf,
    keys: String,
}

impl Installed {
    fn open(version: Option<Version>) -> Option<Self> {
        let mut company = Company::open(version, "")?;
        let (folder, file) = match version {
            Some(_) => ("etc", "hotdesk.conf"),
            None => ("conf/dialplan", "hotdesk.xml"),
        };
        let (folder, sounds) = (company.path(folder), company.hotdesk().path("sounds"));
        fs::create_dir(&sounds).unwrap();
        let keys = format!("dialplan_dir = \"{}\"\nsounds_dir = \"sounds\"\n", folder.display());
        company.hotdesk().configure(&keys).unwrap();
        let file = folder.join(file);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        Some(Self { company, file, keys })
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    fn before(&self) -> PathBuf {
        self.file.with_file_name(format!("{}.before", self.file.file_name().unwrap().to_string_lossy()))
    }

    /// Other codes, so another dialplan.
    fn change(&mut self) {
        let more = format!("{}[codes]\npresets = [\"simmpl\", \"extras\"]\n", self.keys);
        self.company.hotdesk().configure(&more).unwrap();
    }

    fn install(&self) -> String {
        self.company.run(&["dialplan", "install"])
    }

    /// What an install says that is refused.
    fn refused(&mut self) -> String {
        let output = self.company.hotdesk().output(&["dialplan", "install"], "").unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{said}");
        said
    }

    /// Allows Hotdesk's user of a FreeSWITCH to reload, which is not among the least rights.
    fn allow_reload(&self) {
        if let Company::FreeSwitch(company) = &self.company {
            let path = company.pbx.path("conf/freeswitch.xml");
            let conf = fs::read_to_string(&path).unwrap();
            assert!(conf.contains(" xml_locate\""), "{conf}");
            fs::write(&path, conf.replace(" xml_locate\"", " xml_locate reloadxml\"")).unwrap();
            company.pbx.api("reloadxml").unwrap();
        }
    }

    /// Changes the site's own files so that the switch cannot read them.
    fn break_site(&self) -> (PathBuf, String) {
        let (path, wrong) = match &self.company {
            // A file that is included by one that is not read before the reload.
            Company::Asterisk(_) => (self.company.path("etc/extensions.conf"), "\n[x\nexten => 1,1,NoOp()\n"),
            Company::FreeSwitch(_) => (self.company.path("conf/freeswitch.xml"), "<broken>"),
        };
        let site = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{site}{wrong}")).unwrap();
        (path, site)
    }
}

fn an_update_is_loaded_and_the_old_file_is_kept(version: Option<Version>) {
    let Some(mut installed) = Installed::open(version) else { return };
    installed.allow_reload();
    let old = installed.text();
    let said = installed.install();
    assert!(said.contains(&format!("{}: unchanged\n", installed.file.display())), "{said}");
    assert!(said.contains("sounds: ") && said.contains(" prompts written\n"), "{said}");
    let loaded = "dialplan of switch pbx: is the one that this configuration prints\n";
    assert!(said.ends_with(loaded) && !installed.before().exists(), "{said}");

    let manager = installed.file.with_file_name("hotdesk-manager.conf");
    if version.is_some() {
        // The first install wrote it, with the secret that is in the file of the configuration.
        assert!(fs::read_to_string(&manager).unwrap().contains("secret = ami-secret-of-the-test\n"));
        fs::write(&manager, "secret = mine\n").unwrap();
    }
    installed.change();
    let said = installed.install();
    let kept =
        format!("{}: replaced; the old one is {}\n", installed.file.display(), installed.before().display());
    assert!(
        said.contains(&kept) && said.contains(" prompts, unchanged\n") && said.ends_with(loaded),
        "{said}"
    );
    assert_ne!(installed.text(), old);
    assert_eq!(fs::read_to_string(installed.before()).unwrap(), old);
    if version.is_some() {
        assert_eq!(fs::read_to_string(&manager).unwrap(), "secret = mine\n");
    }
    let mark = installed.company.hotdesk().log().len();
    installed.company.hotdesk().signal(Signal::HUP).unwrap();
    installed.company.hotdesk().wait_for_log(mark, "reload.done").unwrap();
    if version != Some(Version::V16) {
        all_is_well(installed.company.hotdesk());
    }
    let [desk1, trunk] = ["desk1", "trunk"].map(|name| installed.company.phone(name));
    help_answers(&desk1, &trunk);
}

fn a_refused_update_leaves_the_old_file_and_emergency_calls(version: Option<Version>) {
    let Some(mut installed) = Installed::open(version) else { return };
    let [desk1, trunk] = ["desk1", "trunk"].map(|name| installed.company.phone(name));
    let old = installed.text();
    let unchanged = |installed: &Installed| {
        assert_eq!(installed.text(), old);
        let names = fs::read_dir(installed.file.parent().unwrap()).unwrap();
        let names: Vec<_> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
        assert!(!names.iter().any(|name| name.ends_with(".new")), "{names:?}");
        help_answers(&desk1, &trunk);
    };
    installed.change();
    if version.is_none() {
        let said = installed.refused();
        assert!(said.contains("add `reloadxml` to its esl-allowed-api"), "{said}");
        unchanged(&installed);
    }
    installed.allow_reload();

    // The switch cannot read the site's own files.
    let (path, site) = installed.break_site();
    let said = installed.refused();
    let says = match version {
        Some(_) => "has not loaded the new files. The old ones are back, and not reloaded (",
        None => "nothing was changed: ",
    };
    assert!(said.contains(says), "{said}");
    unchanged(&installed);
    fs::write(&path, site).unwrap();

    // The new file cannot be written beside the old one.
    let new = PathBuf::from(format!("{}.new", installed.file.display()));
    fs::create_dir(&new).unwrap();
    let said = installed.refused();
    assert!(said.contains("nothing was changed: cannot write "), "{said}");
    fs::remove_dir(&new).unwrap();
    unchanged(&installed);

    // The new dialplan would send emergency calls to a context that is not there.
    let toml = installed.company.hotdesk().path("hotdesk.toml");
    let right = fs::read_to_string(&toml).unwrap();
    fs::write(&toml, right.replace("context = \"emergency\"", "context = \"emergensy\"")).unwrap();
    let said = installed.refused();
    assert!(
        said.contains("nothing was changed: emergency numbers of switch pbx: ") && said.contains("emergensy"),
        "{said}"
    );
    unchanged(&installed);
    fs::write(&toml, &right).unwrap();

    if version.is_some() {
        // The site's file no longer includes it: a reload would remove what is loaded.
        let path = installed.company.path("etc/extensions.conf");
        let site = fs::read_to_string(&path).unwrap();
        for (more, says) in
            [("", "does not include hotdesk.conf"), ("#include gone.conf\n", "includes gone.conf, which is")]
        {
            fs::write(&path, site.replace("#include hotdesk.conf\n", more)).unwrap();
            let said = installed.refused();
            assert!(said.contains("nothing was changed: ") && said.contains(says), "{said}");
            unchanged(&installed);
        }
        fs::write(&path, site).unwrap();
    }

    // Hotdesk cannot log in to the switch.
    let secret =
        installed.company.hotdesk().path(if version.is_some() { "ami.secret" } else { "esl.secret" });
    let kept = fs::read(&secret).unwrap();
    fs::write(&secret, "wrong").unwrap();
    let said = installed.refused();
    assert!(
        said.contains("nothing was changed: add --no-reload to write the files without the switch: "),
        "{said}"
    );
    unchanged(&installed);
    fs::write(&secret, kept).unwrap();
    assert!(installed.install().ends_with("is the one that this configuration prints\n"));
}
