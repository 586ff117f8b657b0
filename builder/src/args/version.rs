//! What `--version` says: the version, the commit that was built, and PID 1's hash, which is what records of two programs have to have
//! in common.

use crate::hash;
use serde_json::{Value, json};

/// The version of the program that runs.
pub struct Version {
    /// Of the source, 40 hex digits and perhaps `-dirty`; nothing where whoever built it did not say it.
    pub commit: Option<String>,
    /// The sha256 of PID 1, in hex.
    pub init: String,
    /// The sha256 of footing, in hex.
    pub footing: String,
}

impl Version {
    /// Of what the build said, or of the file that git fills in when it makes an archive.
    pub fn new(built: Option<&str>, archived: &str) -> Version {
        let archived = Some(archived.trim()).filter(|text| !text.starts_with('$') && !text.is_empty());
        Version {
            commit: built.or(archived).map(str::to_owned),
            init: hash(images::INIT),
            footing: hash(images::FOOTING),
        }
    }

    /// In one line: what `-V` says after the program's name.
    pub fn short(&self) -> String {
        let commit =
            self.commit.as_deref().map_or("commit not recorded", |commit| &commit[..commit.len().min(12)]);
        format!("{} ({commit})", env!("CARGO_PKG_VERSION"))
    }

    /// In lines: what `--version` says.
    pub fn long(&self) -> String {
        let (version, init, footing) = (env!("CARGO_PKG_VERSION"), &self.init, &self.footing);
        let commit = self.commit.as_deref().unwrap_or("not recorded when this was built");
        format!("{version}\ncommit   {commit}\nPID 1    {init}\nfooting  {footing}")
    }

    /// For a program.
    pub fn json(&self) -> Value {
        json!({
            "version": env!("CARGO_PKG_VERSION"), "commit": self.commit, "init": self.init, "footing": self.footing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_is_the_builds_or_the_archives_or_unknown() {
        let of = |built, archived| Version::new(built, archived).commit;
        assert_eq!(of(Some("1234"), "5678\n").as_deref(), Some("1234"));
        assert_eq!(of(None, "5678\n").as_deref(), Some("5678"));
        assert_eq!(of(None, "$Format:%H$\n"), None);
        assert!(Version::new(None, "$").long().contains("commit   not recorded"));
    }
}
