//! Versions of the tables that functions are built with: what was computed under others may differ.

/// The tables and their versions: time zones of the IANA, character classes of Unicode.
pub fn tables() -> Vec<(&'static str, String)> {
    let (major, minor, update) = char::UNICODE_VERSION;
    vec![
        ("time zones", chrono_tz::IANA_TZDB_VERSION.to_owned()),
        ("unicode", format!("{major}.{minor}.{update}")),
    ]
}
