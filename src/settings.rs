//! Settings of a session by name: `SET threads = 2`, `SET memory_limit = '1GiB'`.

use hypostyle_engine::Configuration;
use hypostyle_functions::Value;
use hypostyle_functions::scalar::Settings;

use crate::error::{Error, Result};

/// A setting: its name, what it means, and its value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Name.
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Value as `SET` takes it.
    pub value: String,
}

/// What `SET` changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionSettings {
    pub(crate) configuration: Configuration,
    pub(crate) functions: Settings,
}

/// Names and descriptions of all settings.
const SETTINGS: [(&str, &str); 6] = [
    ("threads", "Workers of a query; 1 runs everything on the caller's thread."),
    ("memory_limit", "Most bytes that queries of the session hold: '1GiB', '500MB', or 'none'."),
    ("batch_rows", "Rows of a batch."),
    ("temp_directory", "Where spill files go."),
    ("time_zone", "Zone in which TIMESTAMP WITH TIME ZONE values are shown and taken apart."),
    (
        "fuse_expressions",
        "Whether chains of fixed-width functions run as fused programs; the bits are the same.",
    ),
];

/// Other names that people know from DuckDB.
fn canonical(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "worker_threads" => "threads".into(),
        "max_memory" => "memory_limit".into(),
        "timezone" => "time_zone".into(),
        "batch_size" => "batch_rows".into(),
        other => other.into(),
    }
}

impl SessionSettings {
    /// All settings with their values.
    pub(crate) fn list(&self) -> Vec<Setting> {
        let setting = |(name, description): (&'static str, &'static str)| Setting {
            name,
            description,
            value: self.get(name).unwrap_or_default(),
        };
        SETTINGS.into_iter().map(setting).collect()
    }

    /// The value of a setting as text.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let configuration = &self.configuration;
        Some(match canonical(name).as_str() {
            "threads" => configuration.threads.to_string(),
            "memory_limit" => {
                configuration.memory_limit_bytes.map_or("none".into(), |bytes| format!("{bytes} bytes"))
            }
            "batch_rows" => configuration.batch_rows.to_string(),
            "temp_directory" => {
                configuration.temp_directory.as_ref().map_or(String::new(), |path| path.display().to_string())
            }
            "time_zone" => self.functions.time_zone.clone(),
            "fuse_expressions" => configuration.fuse.to_string(),
            _ => return None,
        })
    }

    /// Changes a setting.
    pub(crate) fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        let wrong = |right: &str| Error::user(format!("setting \"{name}\" takes {right}"));
        match canonical(name).as_str() {
            "threads" => {
                let threads = value.as_i64().filter(|threads| (1..=1024).contains(threads));
                self.configuration.threads =
                    threads.ok_or_else(|| wrong("a number from 1 to 1024"))? as usize;
            }
            "batch_rows" => {
                let rows = value.as_i64().filter(|rows| (1..=1 << 20).contains(rows));
                self.configuration.batch_rows =
                    rows.ok_or_else(|| wrong("a number from 1 to 1048576"))? as usize;
            }
            "memory_limit" => {
                let text = match value {
                    Value::Text(text) => text.clone(),
                    other => {
                        other.as_i64().ok_or_else(|| wrong("a size such as '1GiB', or 'none'"))?.to_string()
                    }
                };
                self.configuration.memory_limit_bytes = match text.to_ascii_lowercase().as_str() {
                    "none" | "-1" | "" => None,
                    _ => Some(parse_bytes(&text).ok_or_else(|| wrong("a size such as '1GiB', or 'none'"))?),
                };
            }
            "temp_directory" => {
                let text = value.as_text().ok_or_else(|| wrong("a path"))?;
                self.configuration.temp_directory = (!text.is_empty()).then(|| text.into());
            }
            "time_zone" => {
                let text =
                    value.as_text().ok_or_else(|| wrong("the name of a zone such as 'Europe/Zurich'"))?;
                self.functions.time_zone = text.into();
            }
            "fuse_expressions" => {
                self.configuration.fuse = value.as_bool().ok_or_else(|| wrong("true or false"))?;
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// Puts a setting back to its default.
    pub(crate) fn reset(&mut self, name: &str) -> Result<()> {
        let default = Self::default();
        match canonical(name).as_str() {
            "threads" => self.configuration.threads = default.configuration.threads,
            "memory_limit" => {
                self.configuration.memory_limit_bytes = default.configuration.memory_limit_bytes
            }
            "batch_rows" => self.configuration.batch_rows = default.configuration.batch_rows,
            "temp_directory" => self.configuration.temp_directory = default.configuration.temp_directory,
            "time_zone" => self.functions.time_zone = default.functions.time_zone,
            "fuse_expressions" => self.configuration.fuse = default.configuration.fuse,
            _ => return Err(unknown(name)),
        }
        Ok(())
    }
}

/// The error for a name that is no setting.
pub(crate) fn unknown(name: &str) -> Error {
    let names = SETTINGS.map(|(name, _)| name).join(", ");
    Error::user(format!("no setting \"{name}\"; there are {names}"))
}

/// Bytes of a size: a number with an optional unit, decimal (kB, MB, GB, TB) or binary (KiB, MiB, GiB, TiB).
///
/// ```
/// assert_eq!(hypostyle::parse_bytes("1.5 GiB"), Some(1_610_612_736));
/// assert_eq!(hypostyle::parse_bytes("64MB"), Some(64_000_000));
/// assert_eq!(hypostyle::parse_bytes("many"), None);
/// ```
pub fn parse_bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let bytes = number * unit;
    (bytes.is_finite() && bytes >= 1.0 && bytes < usize::MAX as f64).then_some(bytes as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_take_their_values_and_refuse_others() {
        let mut settings = SessionSettings::default();
        assert!(settings.set("memory_limit", &Value::text("64MiB")).is_ok());
        assert_eq!(settings.configuration.memory_limit_bytes, Some(64 << 20));
        assert!(settings.set("threads", &Value::Int32(0)).is_err());
        assert!(settings.set("treads", &Value::Int32(2)).is_err());
        assert!(settings.reset("memory_limit").is_ok());
        assert_eq!(settings.get("MEMORY_LIMIT").as_deref(), Some("none"));
    }
}
