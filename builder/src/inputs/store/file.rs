//! Single files: from the cache, or from their places in turn.

use super::{FetchedFile, Store, starts_local};
use crate::inputs::{
    cache::discard,
    error::{self, Error, Reason},
    hash, http, local,
    lock::{Deb, Entry, Locked, Wheel},
    progress::Reporter,
    spec::{InputSpec, describe, floats, is_local},
    wheel,
};
use graphs::Place;
use std::{fs, path::Path};

impl Store {
    /// The files of an input, each in the cache and verified. Never empty.
    pub(super) fn files(
        &self,
        spec: &InputSpec,
        entry: Option<&Entry>,
        reporter: Reporter,
    ) -> Result<Vec<FetchedFile>, Error> {
        match (entry, &spec.input.sha256) {
            (Some(entry), _) => {
                super::in_parallel(&entry.files, |file| self.locked(&spec.name, file, reporter))
                    .into_iter()
                    .collect()
            }
            (None, Some(sha256)) => Ok(vec![self.pinned(spec, sha256, reporter)?]),
            (None, None) => Err(self.unpinned(spec, reporter)),
        }
    }

    /// A file that the lock names.
    fn locked(&self, name: &str, file: &Locked, reporter: Reporter) -> Result<FetchedFile, Error> {
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
        let unobtainable = |reason| Error::Unobtainable { name: name.into(), attempts: vec![(what, reason)] };
        match got.and_then(|place| self.keep(&part, sha256, &place).map(|size| (size, place))) {
            Ok((size, place)) => Ok(fetched(file.package(), version, sha256, size, place)),
            Err(reason) => Err(unobtainable(reason)),
        }
    }

    /// A file whose hash the graph says.
    fn pinned(&self, spec: &InputSpec, sha256: &str, reporter: Reporter) -> Result<FetchedFile, Error> {
        let _lock = self.cache.lock(sha256)?;
        let cached = |attempts: &[_]| {
            let _: &[(String, Reason)] = attempts;
            let size = self.cache.find(sha256)?;
            Some(fetched(&spec.name, None, sha256, size, self.cache.origin(sha256)))
        };
        let mut attempts = Vec::new();
        for (index, place) in spec.input.from.iter().enumerate() {
            if !(index == 0 && is_local(place))
                && let Some(file) = cached(&attempts)
            {
                return Ok(file);
            }
            let part = self.cache.part(sha256);
            match self.place(spec, place, sha256, &part, reporter) {
                Ok((size, place)) => {
                    return Ok(fetched(&spec.name, version(&spec.input.from[index]), sha256, size, place));
                }
                Err(reason) => attempts.push((describe(place), reason)),
            }
        }
        if !starts_local(spec)
            && let Some(file) = cached(&attempts)
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

    /// Has the place write to `part`; not verified yet.
    fn fetch(
        &self,
        spec: &InputSpec,
        place: &Place,
        sha256: &str,
        part: &Path,
        reporter: Reporter,
    ) -> Result<String, Reason> {
        let whole = |content: &[u8]| write(part, content);
        match place {
            Place::Text(text) => whole(text.as_bytes())?,
            Place::Hex(text) => whole(&hex(text)?)?,
            Place::File(path) => {
                let from = local::find(&spec.folder, path)?;
                fs::remove_file(part).or_else(absent).map_err(|error| read(part, error))?;
                fs::copy(&from, part).map_err(|error| read(&from, error))?;
            }
            Place::Url(url) => http::download(url, part, self.fetch, reporter)?,
            Place::Debian { packages, suite } => {
                let deb = self.pinned_deb(packages, suite.as_deref(), sha256, reporter)?;
                return self.debian.fetch(&self.cache, &deb, part, reporter);
            }
            Place::DebianSource { package, version, file, suite } => {
                let wanted = (&package[..], &version[..], &file[..]);
                return self.debian.fetch_source(
                    &self.cache,
                    wanted,
                    suite.as_deref(),
                    sha256,
                    part,
                    reporter,
                );
            }
            Place::Wheel { package, version } => {
                let version = version.as_deref();
                let folder = self.cache.temporary().map_err(of_cache)?;
                let got = wheel::download(package, version, Some(sha256), folder.path(), reporter)?;
                fs::rename(&got.path, part).map_err(|error| read(part, error))?;
            }
        }
        Ok(describe(place))
    }

    /// The one package of a pinned place, as the index has it now; lists are fetched anew if it is another one.
    fn pinned_deb(
        &self,
        packages: &[String],
        suite: Option<&str>,
        sha256: &str,
        reporter: Reporter,
    ) -> Result<Deb, Reason> {
        let mut found = String::new();
        for fresh in [false, true] {
            let debs = self.debian.resolve(&self.cache, packages, suite, fresh, reporter)?;
            match debs.into_iter().next() {
                Some(deb) if deb.sha256 == sha256 => return Ok(deb),
                Some(deb) => found = deb.sha256,
                None => {}
            }
        }
        Err(Reason::OtherFile { expected: sha256.into(), found })
    }

    fn old_wheel(
        &self,
        package: &str,
        version: &str,
        sha256: &str,
        part: &Path,
        reporter: Reporter,
    ) -> Result<String, Reason> {
        let folder = self.cache.temporary().map_err(of_cache)?;
        let got = wheel::download(package, Some(version), Some(sha256), folder.path(), reporter)?;
        fs::rename(&got.path, part).map_err(|error| read(part, error))?;
        Ok(format!("wheel {}", got.file))
    }

    /// A wheel of whose hash nothing is known yet; it is kept under the hash that it has.
    pub(super) fn new_wheel(
        &self,
        package: &str,
        version: Option<&str>,
        reporter: Reporter,
    ) -> Result<Locked, Reason> {
        let folder = self.cache.temporary().map_err(of_cache)?;
        let got = wheel::download(package, version, None, folder.path(), reporter)?;
        self.cache.adopt(&got.path, &got.sha256, &format!("wheel {}", got.file)).map_err(of_cache)?;
        let package = package.into();
        Ok(Locked::Wheel(Wheel {
            package,
            version: got.version,
            sha256: got.sha256,
            size: got.size,
            file: got.file,
        }))
    }

    /// Takes a complete part into the cache if it is what it should be; else nothing of it stays.
    fn keep(&self, part: &Path, sha256: &str, place: &str) -> Result<u64, Reason> {
        // `apt` makes a link when a mirror is a folder of this machine.
        if part.is_symlink() {
            let real = part.canonicalize().map_err(|error| read(part, error))?;
            fs::remove_file(part).and_then(|()| fs::copy(&real, part)).map_err(|error| read(&real, error))?;
        }
        let (found, size) = hash::file(part).map_err(|error| read(part, error))?;
        if found != sha256 {
            discard(part);
            return Err(Reason::WrongHash { expected: sha256.into(), found, size });
        }
        self.cache.adopt(part, sha256, place).map_err(of_cache)?;
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
        let found = found.flatten().map(|(sha256, _)| sha256);
        Error::NotPinned { name, found: found.unwrap_or_else(|| "(not fetched without a hash)".into()) }
    }
}

fn fetched(name: &str, version: Option<&str>, sha256: &str, size: u64, place: String) -> FetchedFile {
    FetchedFile { name: name.into(), version: version.map(Into::into), sha256: sha256.into(), size, place }
}

fn version(place: &Place) -> Option<&str> {
    match place {
        Place::DebianSource { version, .. } => Some(version),
        Place::Wheel { version, .. } => version.as_deref(),
        Place::Debian { packages, .. } => packages.first()?.split_once('=').map(|(_, version)| version),
        _ => None,
    }
}

fn hex(text: &str) -> Result<Vec<u8>, Reason> {
    graphs::hex::decode(text).map_err(|error| {
        let before = &text[..error.at().start.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Reason::Hex { line, column, what: error.to_string() }
    })
}

fn write(part: &Path, content: &[u8]) -> Result<(), Reason> {
    fs::remove_file(part)
        .or_else(absent)
        .and_then(|()| fs::write(part, content))
        .map_err(|error| read(part, error))
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn read(path: &Path, source: std::io::Error) -> Reason {
    Reason::Read { path: path.into(), source }
}

fn of_cache(error: Error) -> Reason {
    error::into_reason(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_errors_have_a_place() {
        let said = |text| hex(text).unwrap_err().to_string();
        assert_eq!(hex("7f 45 ; ELF").unwrap(), b"\x7fE");
        assert!(said("7f\n  4").starts_with("line 2, column 3 of the hex: "), "{}", said("7f\n  4"));
        assert!(said("é").starts_with("line 1, column 1 "));
        assert!(said("# é\n7f é").starts_with("line 2, column 4 "));
    }
}
