//! Single files: from the cache, or from their places in turn.

use super::{FetchedFile, InputCache, place::read, starts_local};
use crate::{
    discard::discard,
    error::{Attempt, Error, Reason, into_reason, written},
    hash,
    lock::{Entry, Locked},
    progress::Reporter,
    spec::{InputSpec, describe, floats, is_local},
};
use graphs::Place;
use std::{fs, path::Path};

impl InputCache {
    /// The files of an input, each in the cache and verified. Never empty.
    pub(super) fn files(
        &self,
        spec: &InputSpec,
        entry: Option<&Entry>,
        reporter: Reporter,
    ) -> Result<Vec<FetchedFile>, Error> {
        match (entry, &spec.input.sha256) {
            (Some(entry), _) => {
                super::in_parallel(&entry.files, |file| self.locked(spec, entry, file, reporter))
                    .into_iter()
                    .collect()
            }
            (None, Some(sha256)) => Ok(vec![self.pinned(spec, sha256, reporter)?]),
            (None, None) => Err(self.unpinned(spec, reporter)),
        }
    }

    /// A file that the lock names.
    fn locked(
        &self,
        spec: &InputSpec,
        entry: &Entry,
        file: &Locked,
        reporter: Reporter,
    ) -> Result<FetchedFile, Error> {
        let sha256 = file.sha256();
        let version = Some(file.version());
        let _lock = self.cache.lock(sha256)?;
        if let Some(size) = self.cache.find(sha256) {
            return Ok(fetched(file.package(), version, sha256, size, self.cache.origin(sha256)));
        }
        let part = self.cache.part(sha256);
        let got = match file {
            Locked::Deb(deb) => self.debian.fetch(&self.cache, deb, &part, reporter),
            Locked::Wheel(wheel) => self.old_wheel(&wheel.package, &wheel.version, sha256, &part, reporter),
        };
        let what = format!("{} {}", file.package(), file.version());
        let unobtainable = |reason| {
            let place = spec.input.from.iter().position(|place| entry.answers(place)).unwrap_or(0);
            Error::Unobtainable { name: spec.name.clone(), attempts: vec![Attempt { place, what, reason }] }
        };
        match got.and_then(|place| self.keep(&part, sha256, &place).map(|size| (size, place))) {
            Ok((size, place)) => Ok(fetched(file.package(), version, sha256, size, place)),
            Err(reason) => Err(unobtainable(reason)),
        }
    }

    /// A file whose hash the graph says.
    fn pinned(&self, spec: &InputSpec, sha256: &str, reporter: Reporter) -> Result<FetchedFile, Error> {
        let _lock = self.cache.lock(sha256)?;
        let cached = || {
            let size = self.cache.find(sha256)?;
            Some(fetched(&spec.name, spec.version().as_deref(), sha256, size, self.cache.origin(sha256)))
        };
        let mut attempts = Vec::new();
        for (index, place) in spec.input.from.iter().enumerate() {
            if !(index == 0 && is_local(place))
                && let Some(file) = cached()
            {
                return Ok(file);
            }
            let part = self.cache.part(sha256);
            match self.place(spec, place, sha256, &part, reporter) {
                Ok((size, place)) => {
                    return Ok(fetched(&spec.name, spec.version().as_deref(), sha256, size, place));
                }
                Err(reason) => attempts.push(Attempt { place: index, what: describe(place), reason }),
            }
        }
        if !starts_local(spec)
            && let Some(file) = cached()
        {
            return Ok(file);
        }
        Err(Error::Unobtainable { name: spec.name.clone(), attempts })
    }

    /// Tries one place. A part from an earlier try may belong to something else: then it is fetched from its start.
    fn place(
        &self,
        spec: &InputSpec,
        place: &Place,
        sha256: &str,
        part: &Path,
        reporter: Reporter,
    ) -> Result<(u64, String), Reason> {
        let resumed = fs::metadata(part).is_ok_and(|meta| meta.len() > 0);
        let from = self.fetch(spec, place, sha256, part, reporter)?;
        match self.keep(part, sha256, &from) {
            Err(Reason::WrongHash { .. }) if resumed && matches!(place, Place::Url(_)) => {
                let from = self.fetch(spec, place, sha256, part, reporter)?;
                Ok((self.keep(part, sha256, &from)?, from))
            }
            kept => Ok((kept?, from)),
        }
    }

    /// Takes a complete part into the cache if it is what it should be; else nothing of it stays.
    fn keep(&self, part: &Path, sha256: &str, place: &str) -> Result<u64, Reason> {
        // `apt` makes a link when a mirror is a folder of this machine.
        if part.is_symlink() {
            let real = part.canonicalize().map_err(|error| read(part, error))?;
            fs::remove_file(part)
                .and_then(|()| fs::copy(&real, part))
                .map_err(|error| written(part, error))?;
        }
        let (digest, size) = hash::file(part).map_err(|error| read(part, error))?;
        let found = digest.to_string();
        if found != sha256 {
            discard(part);
            return Err(Reason::WrongHash { expected: sha256.into(), found, size });
        }
        self.cache.adopt(part, sha256, place).map_err(into_reason)?;
        Ok(size)
    }

    /// The error for an input without a hash; it says the hash where that costs nothing, for who is writing a graph.
    fn unpinned(&self, spec: &InputSpec, reporter: Reporter) -> Error {
        let name = spec.name.clone();
        let Some(place) = spec.input.from.first() else {
            return Error::Unobtainable { name, attempts: vec![] };
        };
        if floats(place) {
            return Error::NotLocked { name };
        }
        let found = is_local(place).then(|| {
            let folder = self.cache.temporary().ok()?;
            let part = folder.path().join("x");
            self.fetch(spec, place, "", &part, reporter).ok()?;
            hash::file(&part).ok()
        });
        let found = found.flatten().map(|(sha256, _)| sha256.to_string());
        Error::NotPinned { name, found: found.unwrap_or_else(|| "(not fetched without a hash)".into()) }
    }
}

fn fetched(name: &str, version: Option<&str>, sha256: &str, size: u64, place: String) -> FetchedFile {
    FetchedFile { name: name.into(), version: version.map(Into::into), sha256: sha256.into(), size, place }
}
