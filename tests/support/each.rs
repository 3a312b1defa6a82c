//! One story, told on each switch that it is for: a test of its own on each.

/// Each story on the newest Asterisk and on the oldest that Hotdesk is for, given which.
macro_rules! on_both {
    ($($story:ident)+) => {$(
        mod $story {
            use crate::support::debian::Version;

            #[test]
            fn on_the_current_asterisk() {
                super::$story(Version::Current);
            }

            #[test]
            fn on_asterisk_16() {
                super::$story(Version::V16);
            }
        }
    )+};
}

/// Each story on both, and on a FreeSWITCH, which is none of these versions.
macro_rules! on_each {
    ($($story:ident)+) => {$(
        mod $story {
            use crate::support::debian::Version;

            #[test]
            fn on_the_current_asterisk() {
                super::$story(Some(Version::Current));
            }

            #[test]
            fn on_asterisk_16() {
                super::$story(Some(Version::V16));
            }

            #[test]
            fn on_a_freeswitch() {
                super::$story(None);
            }
        }
    )+};
}

pub(crate) use {on_both, on_each};
