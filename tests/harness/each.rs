//! One test function for several switches: a separate test on each.

/// Runs each function on these switches: a module of its name with a test for each pair of a name and what the function gets.
macro_rules! on_switches {
    ($switches:tt $($test:ident)+) => {$(
        mod $test {
            use $crate::harness::debian::Version;

            $crate::harness::each::on_switches! { @ $test $switches }
        }
    )+};
    (@ $test:ident { $($name:ident $switch:expr,)+ }) => {$(
        #[test]
        fn $name() {
            super::$test($switch);
        }
    )+};
}

/// Runs each function on the newest Asterisk and on the oldest that Hotdesk supports. It gets the version.
macro_rules! on_both {
    ($($test:ident)+) => {
        $crate::harness::each::on_switches! {
            { on_the_current_asterisk Version::Current, on_asterisk_16 Version::V16, }
            $($test)+
        }
    };
}

/// Runs each function on both, and on a FreeSWITCH. It gets the version of the Asterisk.
macro_rules! on_each {
    ($($test:ident)+) => {
        $crate::harness::each::on_switches! {
            {
                on_the_current_asterisk Some(Version::Current),
                on_asterisk_16 Some(Version::V16),
                on_a_freeswitch None,
            }
            $($test)+
        }
    };
}

/// Runs each function on the newest Asterisk and on a FreeSWITCH, for tests that take long.
macro_rules! on_newest {
    ($($test:ident)+) => {
        $crate::harness::each::on_switches! {
            { on_the_current_asterisk Some(Version::Current), on_a_freeswitch None, }
            $($test)+
        }
    };
}

pub(crate) use {on_both, on_each, on_newest, on_switches};
