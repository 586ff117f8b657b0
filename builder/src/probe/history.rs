//! What was found out before: of each step, by its key, what makes it differ. Kept in the cache folder; others' comes in statements
//! that they signed.

use crate::compare::files::{read_file, signature_beside};
use crate::failure::Failure;
use crate::sign::{self, Keys};
use graphs::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Display;
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
    /// Who vouches for it; nobody where it was found out here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
}

/// What the predicate of a statement is.
const PREDICATE: &str = "urn:groundup:probe:1";

/// A statement of what was found out, to be signed: an in-toto Statement whose subjects are the outputs that were made when
/// nothing was varied, given by name and hash.
pub fn statement(known: &[Known], outputs: &BTreeMap<String, String>) -> Value {
    let subject = |(name, sha256): (&String, &String)| json!({ "name": name, "digest": { "sha256": sha256 }, "mediaType": "application/x-nix-nar" });
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": outputs.iter().map(subject).collect::<Vec<_>>(),
        "predicateType": PREDICATE,
        "predicate": { "known": known },
    })
}

/// What others found out, by the key of the step: of each statement, which must be signed with one of these keys. A step that
/// several know is known by all of them.
pub fn others(files: &[PathBuf], keys: &Keys) -> Result<BTreeMap<String, Known>, Failure> {
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    for file in files {
        let refuse = |why: &dyn Display| {
            let help = "name statements that `groundup probe --record` wrote and `groundup sign` signed";
            Failure::help(format!("--others {}: {why}", file.display()), help)
        };
        let single = |problem: Box<Problem>| Failure::several(vec![*problem]);
        let bytes = read_file(file).map_err(single)?;
        let detached = signature_beside(file).map_err(single)?;
        let (signers, text) =
            sign::statement(&bytes, detached.as_deref(), keys).map_err(|error| refuse(&error))?;
        let mut statement = crate::compare::read::json::parse(&text).map_err(|error| refuse(&error))?;
        if statement["predicateType"] != PREDICATE {
            return Err(refuse(&"it is a statement about something else"));
        }
        let known: Vec<Known> =
            serde_json::from_value(statement["predicate"]["known"].take()).map_err(|error| refuse(&error))?;
        for mut one in known {
            one.by = signers.iter().cloned().collect();
            match all.get_mut(&one.key) {
                Some(known) => {
                    let new = |list: &[String], one: &String| !list.contains(one);
                    one.by.retain(|signer| new(&known.by, signer));
                    one.causes.retain(|cause| new(&known.causes, cause));
                    one.subjects.retain(|subject| new(&known.subjects, subject));
                    known.by.append(&mut one.by);
                    known.causes.append(&mut one.causes);
                    known.subjects.append(&mut one.subjects);
                }
                None => drop(all.insert(one.key.clone(), one)),
            }
        }
    }
    Ok(all)
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
            by: vec![],
        };
        assert_eq!(recall(folder.path(), &known.key), None);
        keep(folder.path(), &known).unwrap();
        assert_eq!(recall(folder.path(), &known.key), Some(known.clone()));
        fs::rename(place(folder.path(), &known.key), place(folder.path(), &"1".repeat(64))).unwrap();
        assert_eq!(recall(folder.path(), &"1".repeat(64)), None);
    }
}
