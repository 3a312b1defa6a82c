//! How much memory the allocator of the C library keeps for `hotdesk serve`.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What glibc reads when a program starts. By default it has eight arenas a core, and each keeps the most that its threads ever
/// had: with 100,000 users 706 MB in place of 250 MB (glibc 2.36, two cores). Other C libraries ignore it.
const SETTINGS: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "1000000"), ("MALLOC_MMAP_THRESHOLD_", "1000000")];

/// Starts this program again, as the same process, with [`SETTINGS`], unless an administrator has set one of them. Returns if
/// that is so or cannot be done; the program works all the same.
pub(super) fn keep_little() {
    if SETTINGS.iter().any(|(name, _)| env::var_os(name).is_some()) {
        return;
    }
    let mut args = env::args_os();
    if let (Ok(program), Some(name)) = (env::current_exe(), args.next()) {
        let _ = Command::new(program).arg0(name).args(args).envs(SETTINGS).exec();
    }
}
