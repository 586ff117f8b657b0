//! One place at a time: what it has is written to a part file, and not verified here.

use super::InputCache;
use crate::{
    error::{Reason, into_reason, is_full, written},
    http, local,
    lock::{Deb, Locked, Wheel},
    progress::Reporter,
    spec::{InputSpec, describe},
    wheel,
};
use graphs::Place;
use std::{fs, io, path::Path};

impl InputCache {
    /// Has the place write to `part`; not verified yet.
    pub(super) fn fetch(
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
                let copied = fs::copy(&from, part);
                copied.map_err(
                    |error| if is_full(&error) { written(part, error) } else { read(&from, error) },
                )?;
            }
            Place::Url(url) => http::download(url, part, self.fetch, &self.hosts, reporter)?,
            Place::Debian { packages, suite, .. } => {
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
                let folder = self.cache.temporary().map_err(into_reason)?;
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

    pub(super) fn old_wheel(
        &self,
        package: &str,
        version: &str,
        sha256: &str,
        part: &Path,
        reporter: Reporter,
    ) -> Result<String, Reason> {
        let folder = self.cache.temporary().map_err(into_reason)?;
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
        let folder = self.cache.temporary().map_err(into_reason)?;
        let got = wheel::download(package, version, None, folder.path(), reporter)?;
        self.cache.adopt(&got.path, &got.sha256, &format!("wheel {}", got.file)).map_err(into_reason)?;
        let package = package.into();
        Ok(Locked::Wheel(Wheel {
            package,
            version: got.version,
            sha256: got.sha256,
            size: got.size,
            file: got.file,
        }))
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
        .map_err(|error| written(part, error))
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

pub(super) fn read(path: &Path, source: io::Error) -> Reason {
    Reason::Read { path: path.into(), source }
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
