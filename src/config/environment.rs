//! Environment variables, which override keys of the file.

use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;

use super::ConfigError;

/// The values of variables by their names.
pub(super) struct Environment<'a>(pub(super) &'a dyn Fn(&str) -> Option<OsString>);

impl Environment<'_> {
    /// Replaces `value` by that of a variable, if it is set.
    pub(super) fn parse<T: FromStr<Err: Display>>(
        &self,
        name: &'static str,
        value: &mut T,
    ) -> Result<(), ConfigError> {
        self.read(name, value, |text| text.parse())
    }

    /// The same for true or false.
    pub(super) fn flag(&self, name: &'static str, value: &mut bool) -> Result<(), ConfigError> {
        self.read(name, value, |text| text.parse().map_err(|_| "write true or false"))
    }

    /// The same for a whole number in this range.
    pub(super) fn number<T: FromStr>(
        &self,
        name: &'static str,
        value: &mut T,
        range: &str,
    ) -> Result<(), ConfigError> {
        let wrong = |_| format!("write a whole number from {range}");
        self.read(name, value, |text| text.parse().map_err(wrong))
    }

    /// The same for a value that `read` makes of the text.
    pub(super) fn read<T, E: Display>(
        &self,
        name: &'static str,
        value: &mut T,
        read: impl FnOnce(String) -> Result<T, E>,
    ) -> Result<(), ConfigError> {
        if let Some(given) = (self.0)(name) {
            let not_text = |_| ConfigError::Environment(name, "its value is not UTF-8".into());
            let given = given.into_string().map_err(not_text)?;
            *value = read(given.clone())
                .map_err(|why| ConfigError::environment(name, &why.to_string(), &given))?;
        }
        Ok(())
    }
}
