//! The allocator of the program, and large pages under what it hands out.
//!
//! Workers take and give back blocks all the time, and batches are freed by others than those who made them. mimalloc gives each thread pages
//! of its own; the system's allocator has a lock for each arena, and only its first arena asks for large pages.
//!
//! The columns of a kept table are many blocks of a megabyte or less, which share large pages only if the allocator asks for these
//! as its heap grows. mimalloc does so where its settings of the environment say so, which it reads before the program begins. So the
//! program starts itself anew with them, once and in the same process.

use std::ffi::OsString;

/// The settings: large pages are asked for; no part of one is given back alone, which would cut it into small ones; and what a query
/// frees is left for the next one for ten seconds. Where the system keeps a pool of huge pages, memory comes from there as long as it lasts.
const SETTINGS: [(&str, &str); 3] =
    [("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1"), ("MIMALLOC_ALLOW_THP", "2"), ("MIMALLOC_PURGE_DELAY", "10000")];

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Starts the program anew with settings that the environment lacks; comes back where there are none, or where that cannot be done.
#[cfg(target_os = "linux")]
pub fn ask_for_large_pages() {
    use std::os::unix::process::CommandExt;

    let lacking = lacking(|name| std::env::var_os(name));
    let (false, Ok(program)) = (lacking.is_empty(), std::env::current_exe()) else {
        return;
    };
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // What comes back is the error of a start that failed, after which pages are small.
    let _ = command.args(arguments).envs(lacking).exec();
}

/// Other systems give large pages unasked, or not at all.
#[cfg(not(target_os = "linux"))]
pub fn ask_for_large_pages() {}

/// The settings of which `held` has nothing: whoever has set one means it.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))] // As above.
fn lacking(held: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, &'static str)> {
    SETTINGS.into_iter().filter(|(name, _)| held(name).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_added_once_and_left_to_who_has_them() {
        assert_eq!(lacking(|_| None), SETTINGS);
        assert_eq!(lacking(|name| (name == SETTINGS[0].0).then(|| "0".into())), SETTINGS[1..]);
        assert!(lacking(|_| Some("0".into())).is_empty());
    }
}
