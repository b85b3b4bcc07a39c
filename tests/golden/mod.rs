//! Texts that are kept beside the tests and reviewed like code.

use std::path::Path;

/// What differs from the kept text; with `HYPOSTYLE_BLESS` set the kept text is replaced instead.
pub fn difference(path: &Path, actual: &str) -> Option<String> {
    if std::env::var_os("HYPOSTYLE_BLESS").is_some() {
        std::fs::write(path, actual).expect("the kept text can be written");
        return None;
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept == actual {
        return None;
    }
    let line = kept.lines().zip(actual.lines()).take_while(|(kept, actual)| kept == actual).count();
    let at = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_owned();
    Some(format!(
        "{}, line {}:\n  kept:   {}\n  actual: {}\n  if that is meant, run `make bless`",
        path.display(),
        line + 1,
        at(&kept),
        at(actual)
    ))
}
