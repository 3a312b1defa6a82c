//! The prompts in this program: 8 kHz, 16 bit, mono.

macro_rules! prompts {
    ($($language:literal),+ $(,)?) => {
        [$(prompts!(@ $language,
            "enter-extension", "enter-pin", "locked", "logged-in", "logged-out", "moved-from", "new-pin",
            "new-pin-again", "not-accepted", "not-allowed-here", "not-available", "pin-changed",
            "press-one-to-stay", "shows-no-number", "shows-number", "signed-in", "signed-out", "switched-off",
            "switched-on",
        )),+].concat()
    };
    (@ $language:literal, $($name:literal,)+) => {
        [$(File {
            language: $language,
            name: $name,
            wav: include_bytes!(concat!("../../dialplan/sounds/", $language, "/", $name, ".wav")),
        }),+]
    };
}

/// A prompt in a language.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// `de`, `en`, `nl`.
    pub language: &'static str,
    /// The name of its [`Prompt`](crate::model::login::prompt::Prompt).
    pub name: &'static str,
    /// The WAV file.
    pub wav: &'static [u8],
}

/// All of them.
#[must_use]
pub fn files() -> Vec<File> {
    prompts!("de", "en", "nl")
}
