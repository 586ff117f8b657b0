//! Trees: made of archives once, then found again by what they were made of.

use super::{FetchedFile, Obtained, Store, starts_local};
use crate::inputs::{
    cache::discard,
    error::{self, Error},
    hash,
    lock::{Entry, Locked},
    progress::Reporter,
    spec::InputSpec,
    tree, unpack,
};
use graphs::Kind;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Counted up when the same archives would make another tree.
const FORMAT: &str = "groundup tree 1\n";

/// What lies beside a tree.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    nar: String,
    files: Vec<FetchedFile>,
}

impl Store {
    /// The tree of an input: found and verified, or made.
    pub(super) fn tree(
        &self,
        spec: &InputSpec,
        entry: Option<&Entry>,
        reporter: Reporter,
    ) -> Result<Obtained, Error> {
        let known: Option<Vec<&str>> = match (entry, &spec.input.sha256) {
            (Some(entry), _) => Some(entry.files.iter().map(Locked::sha256).collect()),
            (None, Some(sha256)) if !starts_local(spec) => Some(vec![sha256]),
            _ => None,
        };
        if let Some(known) = known {
            let key = key(spec, &known);
            let _lock = self.cache.lock(&key)?;
            if let Some(found) = self.find_tree(&key, reporter) {
                return Ok(named(found, spec, entry));
            }
        }
        let files = self.files(spec, entry, reporter)?;
        let key = key(spec, &files.iter().map(|file| &file.sha256[..]).collect::<Vec<_>>());
        let _lock = self.cache.lock(&key)?;
        match self.find_tree(&key, reporter) {
            Some(found) => Ok(named(found, spec, entry)),
            None => self.make_tree(spec, &key, files, reporter),
        }
    }

    /// A tree that is here and still what it was. One that is not is removed.
    fn find_tree(&self, key: &str, reporter: Reporter) -> Option<Obtained> {
        let folder = self.folder(key);
        if !folder.exists() {
            return None;
        }
        reporter.say("verifying");
        let about = fs::read(folder.join("about.json"))
            .ok()
            .and_then(|text| serde_json::from_slice::<About>(&text).ok());
        let path = folder.join("tree");
        match (about, tree::nar(&path)) {
            (Some(about), Ok((found, size))) if about.nar == found => {
                Some(Obtained { path, kind: Kind::Tree, sha256: found, size, files: about.files })
            }
            _ => {
                discard(&folder);
                None
            }
        }
    }

    fn make_tree(
        &self,
        spec: &InputSpec,
        key: &str,
        files: Vec<FetchedFile>,
        reporter: Reporter,
    ) -> Result<Obtained, Error> {
        reporter.say("unpacking");
        let folder = self.cache.temporary()?;
        let archives: Vec<(String, PathBuf)> =
            files.iter().map(|file| (label(file), self.cache.file(&file.sha256))).collect();
        let (strip, limits) = (spec.input.strip as usize, self.unpack);
        let recipe = unpack::Recipe { strip, pick: &spec.input.pick, limits };
        let root = folder.path().join("tree");
        unpack::unpack(&archives, recipe, &root).map_err(|(archive, source)| Error::Unpack {
            name: spec.name.clone(),
            archive,
            source,
        })?;
        let (nar, size) = error::cache(&root, tree::nar(&root))?;
        let about = About { nar, files };
        let text = serde_json::to_vec_pretty(&about).map_err(std::io::Error::other);
        self.cache.write(&folder.path().join("about.json"), &error::cache(&root, text)?)?;
        let to = self.folder(key);
        error::cache(&to, rename(folder.path(), &to))?;
        Ok(Obtained { path: to.join("tree"), kind: Kind::Tree, sha256: about.nar, size, files: about.files })
    }

    fn folder(&self, key: &str) -> PathBuf {
        self.cache.path("trees").join(key)
    }
}

/// Inputs with the same archive share its tree; the file goes by the name of the input that asks.
fn named(mut found: Obtained, spec: &InputSpec, entry: Option<&Entry>) -> Obtained {
    if let (None, [file]) = (entry, &mut found.files[..]) {
        file.name.clone_from(&spec.name);
        file.version = spec.version();
    }
    found
}

/// Whoever holds the lock is the only one here; what is left in the way is a ruin.
fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    discard(to);
    fs::rename(from, to)
}

fn label(file: &FetchedFile) -> String {
    format!("{}{}", file.name, file.version.iter().map(|version| format!(" {version}")).collect::<String>())
}

/// All that shapes a tree.
fn key(spec: &InputSpec, sha256: &[&str]) -> String {
    let mut text = String::from(FORMAT);
    for sha256 in sha256 {
        text += &format!("file {sha256}\n");
    }
    text += &format!("strip {}\n", spec.input.strip);
    for pick in &spec.input.pick {
        text += &format!("pick {pick:?}\n");
    }
    hash::bytes(text.as_bytes())
}
