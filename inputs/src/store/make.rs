//! Trees: made of archives, and kept.
//!
//! A tree in the cache is believed for one of two reasons: the lock file says its hash; or it has the hash of one that was
//! made again in this run of the archives, whose own hashes the graph or the lock file says. Nothing that the cache says of
//! itself counts, so that a tree which was changed together with whatever describes it is noticed all the same.

use super::{FetchedFile, InputCache, Obtained};
use crate::{
    discard::discard,
    error::{self, Error},
    hash,
    lock::{Entry, Locked},
    progress::Reporter,
    spec::InputSpec,
    tree, unpack,
};
use formats::digest::Sha256;
use graphs::Kind;
use std::path::{Path, PathBuf};

/// Counted up when the same archives would make another tree.
const FORMAT: &str = "groundup tree 1\n";

impl InputCache {
    /// The tree of an input: found and verified, or made.
    pub(super) fn tree(
        &self,
        spec: &InputSpec,
        entry: Option<&Entry>,
        reporter: Reporter,
    ) -> Result<Obtained, Error> {
        // Its archives need not be here as long as it is.
        if let Some((entry, locked)) = entry.and_then(|entry| Some((entry, entry.tree.as_deref()?))) {
            let key = key(spec, &entry.files.iter().map(Locked::sha256).collect::<Vec<_>>());
            let _lock = self.cache.lock(&key)?;
            if let Some(locked) = Sha256::from_hex(locked)
                && let Some(found) = self.find_tree(&key, locked, reporter)
            {
                return Ok(Obtained { files: self.recorded(entry), ..found });
            }
        }
        let files = self.files(spec, entry, reporter)?;
        let key = key(spec, &files.iter().map(|file| &file.sha256[..]).collect::<Vec<_>>());
        let _lock = self.cache.lock(&key)?;
        let before = self.made().get(&key).copied();
        if let Some(found) = before.and_then(|made| self.find_tree(&key, made, reporter)) {
            return Ok(Obtained { files, ..found });
        }
        let made = self.make_tree(spec, &key, &files, reporter)?;
        self.made().insert(key, made.sha256);
        Ok(Obtained { files, ..made })
    }

    /// A tree that is here and has this hash. One that has not is removed.
    fn find_tree(&self, key: &str, expected: Sha256, reporter: Reporter) -> Option<Obtained> {
        let folder = self.folder(key);
        if !folder.exists() {
            return None;
        }
        reporter.say("verifying");
        let path = folder.join("tree");
        match tree::nar(&path) {
            Ok((found, size)) if found == expected => {
                Some(Obtained { path, kind: Kind::Tree, sha256: found, size, files: vec![] })
            }
            _ => {
                discard(&folder);
                None
            }
        }
    }

    /// Makes the tree of its archives. One that is here and is the same stays: others may be reading it.
    fn make_tree(
        &self,
        spec: &InputSpec,
        key: &str,
        files: &[FetchedFile],
        reporter: Reporter,
    ) -> Result<Obtained, Error> {
        reporter.say("unpacking");
        let folder = self.cache.temporary()?;
        let archives: Vec<(String, PathBuf)> =
            files.iter().map(|file| (label(file), self.cache.file(&file.sha256))).collect();
        let (strip, limits) = (spec.input.strip as usize, self.unpack);
        let recipe = unpack::Recipe { strip, pick: &spec.input.pick, limits };
        let root = folder.path().join("tree");
        unpack::unpack(&archives, recipe, &root).map_err(|(archive, error)| match error.full() {
            Ok(source) => Error::Unpack { name: spec.name.clone(), archive, source },
            Err(source) => {
                let folder = folder.path().parent().unwrap_or(folder.path()).into();
                Error::Full { folder, what: format!("the tree of the input \"{}\"", spec.name), source }
            }
        })?;
        let (sha256, size) = error::cache(&root, tree::nar(&root))?;
        if let Some(found) = self.find_tree(key, sha256, reporter) {
            return Ok(found);
        }
        let to = self.folder(key);
        error::cache(&to, rename(folder.path(), &to))?;
        Ok(Obtained { path: to.join("tree"), kind: Kind::Tree, sha256, size, files: vec![] })
    }

    fn folder(&self, key: &str) -> PathBuf {
        self.cache.path("trees").join(key)
    }

    /// What the lock file says of the files that a tree was made of; only where they came from is the cache's own word.
    fn recorded(&self, entry: &Entry) -> Vec<FetchedFile> {
        let one = |file: &Locked| FetchedFile {
            name: file.package().into(),
            version: Some(file.version().into()),
            sha256: file.sha256().into(),
            size: file.size(),
            place: self.cache.origin(file.sha256()),
        };
        entry.files.iter().map(one).collect()
    }
}

/// Whoever holds the lock is the only one here; what is left in the way is a ruin.
fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    discard(to);
    std::fs::rename(from, to)
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
