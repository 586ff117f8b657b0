//! What was found out before: of each step, by its key, what makes it differ, and by which question that was found: the machine
//! and what was varied. Kept in the cache folder; others' comes in statements that they signed.

use crate::args::MachineName;
use crate::compare::files::{read_file, signature_beside};
use crate::failure::Failure;
use formats::digest::Sha256;
use graphs::Problem;
use graphs::vary::{VARIATIONS, Variation};
use records::sign::{self, Keys};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

/// What is known of a step, by which question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its name when it was probed.
    pub step: String,
    /// The sha256 of what its outputs follow from.
    pub key: String,
    /// The machine.
    pub machine: String,
    /// What else was asked for and may matter: kernels, memory, other versions, seed; as a hash.
    pub settings: String,
    /// Which variations there were, and what each meant ([`version`]).
    pub variations: String,
    /// The sets that were varied.
    pub varied: Vec<String>,
    /// The sets that were asked for and could not be varied.
    pub not_varied: Vec<String>,
    /// The smallest sets of variations that make it differ; none if nothing did.
    pub causes: Vec<String>,
    /// The subjects of these.
    pub subjects: Vec<String>,
    /// Who vouches for it; nobody where it was found out here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
}

/// What is asked, to be answered by what is known.
pub struct Question {
    /// The machine.
    pub machine: MachineName,
    /// As in [`Known`].
    pub settings: String,
    /// Names of sets.
    pub sets: Vec<String>,
    /// Whether an answer to a part of it will do.
    pub partly: bool,
}

impl Question {
    /// Whether this answers it: found on a machine that varies at least as much, where everything was varied that is asked for,
    /// but for what this machine can't vary either.
    pub fn is_answered_by(&self, known: &Known) -> bool {
        let is_same = known.machine == self.machine.word();
        // Everything that `host` varies is varied by `strict`, and not the other way round.
        let is_stronger = known.machine == MachineName::Strict.word();
        let has = |set: &String| {
            known.varied.contains(set)
                || is_same && known.settings == self.settings && known.not_varied.contains(set)
        };
        (is_same && (self.partly || known.settings == self.settings) || !is_same && is_stronger)
            && known.variations == version()
            && (self.partly || self.sets.iter().all(has))
    }
}

/// Changed by hand when a variation of the same name and description comes to mean something else.
const REVISION: u32 = 2;

/// What tells the variations of one version of this program from those of another.
pub fn version() -> String {
    let line = |one: &Variation| format!("{}\n{}\n{}\n", one.name, one.subject, one.about);
    let lines: String = VARIATIONS.iter().map(line).collect();
    crate::hash(format!("{REVISION}\n{lines}").as_bytes())[..16].to_owned()
}

/// What the predicate of a statement is.
const PREDICATE: &str = "urn:groundup:probe:2";

/// A statement of what was found out, to be signed: an in-toto Statement whose subjects are the outputs that were made when
/// nothing was varied, by name and hash.
pub fn statement(known: &[Known], outputs: &BTreeMap<String, Sha256>) -> Value {
    let subject = |(name, sha256): (&String, &Sha256)| json!({ "name": name, "digest": { "sha256": sha256 }, "mediaType": "application/x-nix-nar" });
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": outputs.iter().map(subject).collect::<Vec<_>>(),
        "predicateType": PREDICATE,
        "predicate": { "known": known },
    })
}

/// What others found out: of each statement, which must be signed with one of these keys. Where several answer the same
/// question about a step, it is known by all of them.
pub fn others(files: &[PathBuf], keys: &Keys) -> Result<Vec<Known>, Failure> {
    let mut all: Vec<Known> = Vec::new();
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
        let mut statement = records::read::json::parse(&text).map_err(|error| refuse(&error))?;
        if statement["predicateType"] != PREDICATE {
            return Err(refuse(&"it is a statement about something else"));
        }
        let known: Vec<Known> =
            serde_json::from_value(statement["predicate"]["known"].take()).map_err(|error| refuse(&error))?;
        for mut one in known {
            one.by = signers.iter().cloned().collect();
            match all.iter_mut().find(|known| name(known) == name(&one) && known.key == one.key) {
                Some(known) => {
                    let new = |list: &[String], one: &String| !list.contains(one);
                    one.by.retain(|signer| new(&known.by, signer));
                    one.causes.retain(|cause| new(&known.causes, cause));
                    one.subjects.retain(|subject| new(&known.subjects, subject));
                    known.by.append(&mut one.by);
                    known.causes.append(&mut one.causes);
                    known.subjects.append(&mut one.subjects);
                }
                None => all.push(one),
            }
        }
    }
    Ok(all)
}

/// A file for each question, so that no answer takes the place of a fuller one.
fn name(known: &Known) -> String {
    let Known { machine, settings, variations, .. } = known;
    let sets = [&known.varied[..], &known.not_varied].map(|sets| sets.join(","));
    crate::hash(format!("{machine}\n{settings}\n{variations}\n{}", sets.join("\n")).as_bytes())
}

fn folder(cache: &Path, key: &str) -> PathBuf {
    cache.join("probed").join(key)
}

/// All that is known of the step with this key. What can not be read is not known.
pub fn all(cache: &Path, key: &str) -> Vec<Known> {
    let entries = fs::read_dir(folder(cache, key)).into_iter().flatten().flatten();
    let read = |entry: fs::DirEntry| serde_json::from_slice(&fs::read(entry.path()).ok()?).ok();
    let mut all: Vec<Known> =
        entries.filter_map(read).filter(|known: &Known| known.key == key && known.by.is_empty()).collect();
    all.sort_by_cached_key(name);
    all
}

/// The best answer: one that was found here, on the machine that is asked for, with most varied.
pub fn best<'a>(question: &Question, known: impl IntoIterator<Item = &'a Known>) -> Option<&'a Known> {
    let worth =
        |known: &&Known| (known.by.is_empty(), known.machine == question.machine.word(), known.varied.len());
    let answers = known.into_iter().filter(|known| question.is_answered_by(known));
    answers.filter(|known| !known.causes.is_empty()).max_by_key(worth)
}

/// Keeps what was found out, whole or not at all.
pub fn keep(cache: &Path, known: &Known) -> Result<(), Failure> {
    let folder = folder(cache, &known.key);
    let path = folder.join(format!("{}.json", name(known)));
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

    fn known(machine: &str, varied: &[&str], not_varied: &[&str]) -> Known {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Known {
            step: "a".into(),
            key: "0".repeat(64),
            machine: machine.into(),
            settings: "s".into(),
            variations: version(),
            varied: words(varied),
            not_varied: words(not_varied),
            causes: vec!["date+locale".into()],
            subjects: vec!["build timestamp".into(), "locale".into()],
            by: vec![],
        }
    }

    fn question(machine: MachineName, sets: &[&str]) -> Question {
        let sets = sets.iter().map(|&set| set.to_owned()).collect();
        Question { machine, settings: "s".into(), sets, partly: false }
    }

    #[test]
    fn only_what_varied_as_much_is_an_answer() {
        let full = known("strict", &["date", "home"], &["kernel"]);
        let of_host = known("host", &["home"], &["date", "kernel"]);
        let all = ["date", "home", "kernel"];
        let (strict, host) = (question(MachineName::Strict, &all), question(MachineName::Host, &all));
        assert!(strict.is_answered_by(&full));
        assert!(!strict.is_answered_by(&of_host));
        assert!(host.is_answered_by(&of_host));
        // What strict could not vary, it may be that host can.
        assert!(!host.is_answered_by(&full));
        assert!(question(MachineName::Host, &["date", "home"]).is_answered_by(&full));
        assert!(!question(MachineName::Strict, &["home"]).is_answered_by(&of_host));
        // A list is a part.
        assert!(!strict.is_answered_by(&known("strict", &["date", "kernel"], &[])));
        assert!(!strict.is_answered_by(&Known { variations: "others".into(), ..full.clone() }));
        assert!(!strict.is_answered_by(&Known { settings: "others".into(), ..full }));
        let partly = Question { partly: true, ..strict };
        assert!(partly.is_answered_by(&known("strict", &["date"], &[])));
        assert!(!partly.is_answered_by(&of_host));
    }

    #[test]
    fn the_best_answer_is_taken() {
        let partly = Question { partly: true, ..question(MachineName::Host, &["date", "home"]) };
        let (strict, host) = (known("strict", &["date", "home"], &[]), known("host", &["home"], &["date"]));
        let other = Known { by: vec!["alice".into()], ..strict.clone() };
        let clean = Known { causes: vec![], ..host.clone() };
        assert_eq!(best(&partly, [&strict, &host, &other]), Some(&host));
        assert_eq!(best(&partly, [&strict, &clean, &other]), Some(&strict));
        assert_eq!(best(&partly, [&other]), Some(&other));
        assert_eq!(best(&partly, [&clean]), None);
    }

    #[test]
    fn what_was_kept_is_recalled_by_its_key_and_no_answer_replaces_a_fuller_one() {
        let temporary = tempfile::tempdir().unwrap();
        let full = known("strict", &["date", "home"], &["kernel"]);
        assert_eq!(all(temporary.path(), &full.key), []);
        keep(temporary.path(), &full).unwrap();
        for weaker in [
            known("host", &["home"], &["date", "kernel"]),
            known("strict", &["home"], &[]),
            known("strict", &["date", "home"], &[]),
        ] {
            keep(temporary.path(), &Known { causes: vec![], ..weaker }).unwrap();
        }
        let kept = all(temporary.path(), &full.key);
        assert_eq!(kept.len(), 4);
        assert!(kept.contains(&full));
        fs::rename(folder(temporary.path(), &full.key), folder(temporary.path(), &"1".repeat(64))).unwrap();
        assert_eq!(all(temporary.path(), &"1".repeat(64)), []);
    }
}
