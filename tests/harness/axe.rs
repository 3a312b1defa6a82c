//! axe-core, which finds what keeps people with a disability from using a page: fetched from the npm registry into `target`.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha512};

use super::debian::target;

const VERSION: &str = "4.14.1";
/// SHA-512 of the package, in hexadecimal.
const SUM: &str = "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73\
                   4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5";

/// The script. None where npm is not installed: that is said loudly, as its tests then show nothing.
pub fn script() -> Option<&'static str> {
    static SCRIPT: LazyLock<Option<Result<String, String>>> = LazyLock::new(|| {
        let npm = Command::new("npm").arg("--version").stdout(Stdio::null()).status();
        if !npm.is_ok_and(|status| status.success()) {
            eprintln!("NOT TESTED FOR ACCESSIBILITY: install npm, which fetches axe-core");
            return None;
        }
        Some(fetched().map_err(|error| format!("{error:#}")))
    });
    SCRIPT.as_ref().map(|script| script.as_deref().unwrap_or_else(|error| panic!("axe-core: {error}")))
}

fn fetched() -> Result<String> {
    let folder = target().join("axe-core");
    let package = folder.join(format!("axe-core-{VERSION}.tgz"));
    if !package.exists() {
        fs::create_dir_all(&folder)?;
        let mut npm = Command::new("npm");
        npm.arg("pack").arg(format!("axe-core@{VERSION}")).arg("--pack-destination").arg(&folder);
        let done = npm.current_dir(&folder).output().context("running npm pack")?;
        ensure!(done.status.success(), "npm pack: {}", String::from_utf8_lossy(&done.stderr));
    }
    let sum = Sha512::digest(fs::read(&package)?);
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(sum == SUM, "{} is not the package that was chosen: its SHA-512 is {sum}", package.display());
    let file = "package/axe.min.js";
    let tar = Command::new("tar").arg("-xzOf").arg(&package).arg(file).output().context("running tar")?;
    ensure!(tar.status.success(), "tar: {}", String::from_utf8_lossy(&tar.stderr));
    Ok(String::from_utf8(tar.stdout)?)
}
