//! Large pages under what the allocator of the GNU library hands out.
//!
//! The columns of a kept table are many blocks of a megabyte or less, which share large pages only if the allocator asks for these as
//! its heap grows. It does so where a setting of the environment says so, which it reads before the program begins. So the program starts itself anew with
//! that setting, once and in the same process.

use std::ffi::{OsStr, OsString};

/// The variable that holds settings of the GNU library, with colons between them.
const VARIABLE: &str = "GLIBC_TUNABLES";
/// The setting that asks for large pages, and its value for asking where the system leaves that to programs.
const SETTING: &str = "glibc.malloc.hugetlb";
const ASK: &str = "=1";

/// Starts the program anew with the setting; comes back where it is there, or where that cannot be done.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn ask() {
    use std::os::unix::process::CommandExt;

    let held = std::env::var_os(VARIABLE);
    let (Some(settings), Ok(program)) = (with_setting(held.as_deref()), std::env::current_exe()) else {
        return;
    };
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // What comes back is the error of a start that failed, after which pages are small.
    let _ = command.args(arguments).env(VARIABLE, settings).exec();
}

/// Other libraries have no such setting.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn ask() {}

/// The settings with ours; `None` where they say something of it.
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), allow(dead_code))] // As `ask`.
fn with_setting(held: Option<&OsStr>) -> Option<OsString> {
    let mut settings = held.unwrap_or_default().to_owned();
    if settings.to_string_lossy().contains(SETTING) {
        return None;
    }
    if !settings.is_empty() {
        settings.push(":");
    }
    settings.push(SETTING);
    settings.push(ASK);
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_added_once_and_left_to_who_has_it() {
        let added = |held: Option<&str>| {
            let settings = with_setting(held.map(OsStr::new));
            settings.map(|settings| settings.to_string_lossy().into_owned())
        };
        assert_eq!(added(None).as_deref(), Some("glibc.malloc.hugetlb=1"));
        assert_eq!(added(Some("")).as_deref(), Some("glibc.malloc.hugetlb=1"));
        assert_eq!(
            added(Some("glibc.malloc.check=3")).as_deref(),
            Some("glibc.malloc.check=3:glibc.malloc.hugetlb=1")
        );
        assert_eq!(added(Some("glibc.malloc.hugetlb=1")), None);
        assert_eq!(added(Some("glibc.malloc.check=3:glibc.malloc.hugetlb=0")), None);
    }
}
