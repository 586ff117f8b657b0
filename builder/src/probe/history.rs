//! What was found out before: of each step, by its key, what makes it differ. Kept in the cache folder.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// What is known of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its name when it was probed.
    pub step: String,
    /// The sha256 of what its outputs follow from.
    pub key: String,
    /// The machine.
    pub machine: String,
    /// The smallest sets of variations that make it differ; none if nothing did.
    pub causes: Vec<String>,
    /// The subjects of these.
    pub subjects: Vec<String>,
}

fn place(cache: &Path, key: &str) -> PathBuf {
    cache.join("probed").join(format!("{key}.json"))
}

/// What is known of the step with this key. What can not be read is not known.
pub fn recall(cache: &Path, key: &str) -> Option<Known> {
    let known: Known = serde_json::from_slice(&fs::read(place(cache, key)).ok()?).ok()?;
    (known.key == key).then_some(known)
}

/// Keeps what was found out, whole or not at all.
pub fn keep(cache: &Path, known: &Known) -> Result<(), Failure> {
    let path = place(cache, &known.key);
    let folder = cache.join("probed");
    let write = || {
        fs::create_dir_all(&folder)?;
        let file = tempfile::Builder::new().prefix(".probed-").tempfile_in(&folder)?;
        serde_json::to_writer_pretty(&file, known)?;
        file.persist(&path).map_err(|error| error.error)
    };
    write().map(drop).map_err(|error| Failure::machine(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_recalled_by_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known {
            step: "a".into(),
            key: "0".repeat(64),
            machine: "strict".into(),
            causes: vec!["date+locale".into()],
            subjects: vec!["build timestamp".into(), "locale".into()],
        };
        assert_eq!(recall(folder.path(), &known.key), None);
        keep(folder.path(), &known).unwrap();
        assert_eq!(recall(folder.path(), &known.key), Some(known.clone()));
        fs::rename(place(folder.path(), &known.key), place(folder.path(), &"1".repeat(64))).unwrap();
        assert_eq!(recall(folder.path(), &"1".repeat(64)), None);
    }
}
