//! Debian packages: names to versions, files and hashes, and from there to bytes.
//!
//! Names are resolved by `apt` from signed indices; a file is then asked for at its pool path on every mirror of the
//! machine, with its hash. So a file that a lock names is found as long as one mirror has it, whatever the indices
//! say by then. Pool layout: `pool/COMPONENT/P/PACKAGE/FILE`, P the first letter, or four of `lib…`.

use super::{
    apt::{Lists, Repository, State, name},
    cache::Cache,
    control::{Stanza, stanzas},
    error::{PINNED, RENEW, Reason, into_reason},
    lock::Deb,
    progress::Reporter,
};
use std::{path::Path, sync::OnceLock, time::Duration};

/// Lists of our own are good for this long when nothing speaks against them,
const GOOD: Duration = Duration::from_secs(24 * 3600);
/// and this long when a lock is renewed or something was not found.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// The machine's Debian.
#[derive(Debug, Default)]
pub struct Debian {
    repositories: OnceLock<Vec<Repository>>,
}

impl Debian {
    fn repositories(&self, cache: &Cache) -> Result<&[Repository], Reason> {
        if let Some(known) = self.repositories.get() {
            return Ok(known);
        }
        let found = machine(cache)?.repositories()?;
        if found.is_empty() {
            let what = "the machine's sources name no mirror".into();
            return Err(Reason::Program { program: "apt-get update --print-uris", what });
        }
        Ok(self.repositories.get_or_init(|| found))
    }

    /// What the names stand for at present. With `fresh`, lists must be young.
    pub fn resolve(
        &self,
        cache: &Cache,
        packages: &[String],
        suite: Option<&str>,
        fresh: bool,
        reporter: Reporter,
    ) -> Result<Vec<Deb>, Reason> {
        if let Some(bad) = packages.iter().find(|package| !is_name(package)) {
            return Err(Reason::UnknownPackage {
                names: bad.clone(),
                place: "Debian: this is no package name".into(),
            });
        }
        let repositories = self.repositories(cache)?;
        let ours = |own: &str| suite.is_none_or(|suite| own == suite || is_update_of(own, suite));
        let machine = repositories.iter().all(|repository| ours(&repository.suite));
        if machine && !fresh {
            let found = show(&open(cache, Lists::Machine, repositories)?, packages);
            if let Ok(found) = found {
                return Ok(found
                    .into_iter()
                    .map(|deb| Deb { suite: suite.map(Into::into), ..deb })
                    .collect());
            }
        }
        let lists = match suite {
            Some(suite) if !machine => Lists::Suite { suite: suite.into(), source: false },
            _ => Lists::Own,
        };
        let found = young(cache, lists, repositories, fresh, reporter, |state| show(state, packages))?;
        Ok(found.into_iter().map(|deb| Deb { suite: suite.map(Into::into), ..deb }).collect())
    }

    /// The pool folder and hash of a file of a source package.
    fn source(
        &self,
        cache: &Cache,
        (package, version, file): (&str, &str, &str),
        suite: Option<&str>,
        reporter: Reporter,
    ) -> Result<(String, String), Reason> {
        let repositories = self.repositories(cache)?;
        let own =
            repositories.iter().find(|repository| !repository.is_security()).map(|own| own.suite.as_str());
        let suite = suite.or(own).unwrap_or("stable");
        let lists = Lists::Suite { suite: suite.into(), source: true };
        young(cache, lists, repositories, false, reporter, |state| {
            let shown = state.query("apt-cache", &["showsrc", "--only-source", package])?;
            find_source(&stanzas(&shown), version, file).ok_or_else(|| Reason::Vanished {
                package: format!("{package} (source, {file})"),
                version: version.into(),
                tried: vec![format!("the index of suite {suite} doesn't have it")],
                advice: PINNED,
            })
        })
    }

    /// A binary package that is known in all detail.
    pub fn fetch(&self, cache: &Cache, deb: &Deb, part: &Path, reporter: Reporter) -> Result<String, Reason> {
        let text = format!("{} {}", deb.package, deb.version);
        self.pool(cache, std::slice::from_ref(&deb.pool), &deb.sha256, part, Some(deb.size), &text, reporter)
            .map_err(|tried| gone(deb.package.clone(), &deb.version, tried, RENEW))
    }

    /// A file of a source package: first where the pool has it by custom, then where the index says.
    #[allow(clippy::too_many_arguments)]
    pub fn fetch_source(
        &self,
        cache: &Cache,
        (package, version, file): (&str, &str, &str),
        suite: Option<&str>,
        sha256: &str,
        part: &Path,
        reporter: Reporter,
    ) -> Result<String, Reason> {
        if !is_name(package) || file.contains('/') {
            return Err(Reason::UnknownPackage { names: package.into(), place: "Debian".into() });
        }
        self.repositories(cache)?;
        let custom = ["pool/main", "pool/updates/main"]
            .map(|pool| format!("{pool}/{}/{package}/{file}", letter(package)));
        let tried = match self.pool(cache, &custom, sha256, part, None, file, reporter) {
            Ok(place) => return Ok(place),
            Err(tried) => tried,
        };
        let (folder, found) = self.source(cache, (package, version, file), suite, reporter)?;
        if found != sha256 {
            return Err(Reason::OtherFile { expected: sha256.into(), found });
        }
        let path = format!("{folder}/{file}");
        let again = self.pool(cache, &[path], sha256, part, None, file, reporter);
        again.map_err(|more| {
            gone(
                format!("{package} (source, {file})"),
                version,
                tried.into_iter().chain(more).collect(),
                PINNED,
            )
        })
    }

    /// A file by its hash, at any of the paths on any mirror; all reasons when there is none.
    #[allow(clippy::too_many_arguments)]
    fn pool(
        &self,
        cache: &Cache,
        paths: &[String],
        sha256: &str,
        part: &Path,
        size: Option<u64>,
        text: &str,
        reporter: Reporter,
    ) -> Result<String, Vec<String>> {
        let all = || -> Result<_, Reason> { Ok((machine(cache)?, self.repositories(cache)?)) };
        let (state, repositories) = all().map_err(|reason| vec![reason.to_string()])?;
        let mut mirrors: Vec<&str> = Vec::new();
        for repository in repositories {
            if !mirrors.contains(&repository.uri.as_str()) {
                mirrors.push(&repository.uri);
            }
        }
        let mut tried = Vec::new();
        for path in paths {
            for mirror in &mirrors {
                let uri = format!("{mirror}{path}");
                let mut grown = |done| reporter.bytes(text, done, size);
                match state.download(&uri, part, sha256, &mut grown) {
                    Ok(()) => return Ok(uri),
                    Err(reason) => tried.push(reason.to_string()),
                }
            }
        }
        Err(tried)
    }
}

/// Gone if every mirror says that it doesn't have it; else the mirrors are out of reach, or lie.
fn gone(package: String, version: &str, tried: Vec<String>, advice: &'static str) -> Reason {
    match tried.iter().all(|line| line.contains("404") || line.contains("File not found")) {
        true => Reason::Vanished { package, version: version.into(), tried, advice },
        false => Reason::Program { program: "apt-helper", what: tried.join("; ") },
    }
}

/// `apt` with the machine's sources; never refreshed, so that its own lists stay empty.
fn machine(cache: &Cache) -> Result<State, Reason> {
    let _lock = lock(cache, "apt-probe")?;
    State::open(&cache.path("apt/probe"), Lists::Own, &[])
}

fn open(cache: &Cache, lists: Lists, repositories: &[Repository]) -> Result<State, Reason> {
    State::open(&cache.path("apt"), lists, repositories)
}

fn lock(cache: &Cache, name: &str) -> Result<std::fs::File, Reason> {
    cache.lock(name).map_err(into_reason)
}

/// Asks our own lists, and asks again after a refresh if they were not young and had no answer.
fn young<T>(
    cache: &Cache,
    lists: Lists,
    repositories: &[Repository],
    fresh: bool,
    reporter: Reporter,
    ask: impl Fn(&State) -> Result<T, Reason>,
) -> Result<T, Reason> {
    let name = name(&lists);
    let _lock = lock(cache, &format!("apt-{name}"))?;
    let state = open(cache, lists, repositories)?;
    let limit = if fresh { FRESH } else { GOOD };
    if state.age().is_some_and(|age| age < limit) {
        match ask(&state) {
            Err(_) if state.age().is_some_and(|age| age > FRESH) => {}
            answer => return answer,
        }
    }
    reporter.say(&format!("package lists ({name})"));
    state.refresh()?;
    ask(&state)
}

/// The candidates of the names, in order.
fn show(state: &State, packages: &[String]) -> Result<Vec<Deb>, Reason> {
    let names = packages.iter().map(String::as_str);
    let args: Vec<&str> = ["show", "--no-all-versions"].into_iter().chain(names).collect();
    let shown = stanzas(&state.query("apt-cache", &args)?);
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for package in packages {
        match shown.iter().find_map(|stanza| deb(stanza, package)) {
            Some(deb) => found.push(deb),
            None => missing.push(package.as_str()),
        }
    }
    match missing[..] {
        [] => Ok(found),
        _ => Err(Reason::UnknownPackage { names: missing.join(", "), place: "the package lists".into() }),
    }
}

fn deb(stanza: &Stanza, wanted: &str) -> Option<Deb> {
    let (package, version) = match wanted.split_once('=') {
        Some((package, version)) => (package, Some(version)),
        None => (wanted, None),
    };
    let field = |name| stanza.get(name);
    let fits =
        field("package") == Some(package) && version.is_none_or(|version| field("version") == Some(version));
    let sha256 = field("sha256").filter(|sha256| super::hash::is_sha256(sha256))?;
    fits.then_some(Deb {
        package: package.into(),
        suite: None,
        version: field("version")?.into(),
        sha256: sha256.into(),
        size: field("size")?.parse().ok()?,
        pool: field("filename")?.into(),
    })
}

/// Pool folder and hash of the file in the stanza of that version.
fn find_source(shown: &[Stanza], version: &str, file: &str) -> Option<(String, String)> {
    let stanza = shown.iter().find(|stanza| stanza.get("version") == Some(version))?;
    let line = stanza.get("checksums-sha256")?.lines().find(|line| line.split(' ').nth(2) == Some(file))?;
    Some((stanza.get("directory")?.into(), line.split(' ').next()?.into()))
}

/// Policy section 5.6.1, with a version after `=`; above all nothing that `apt` could take for an option.
fn is_name(package: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.=:~".contains(&byte);
    package.starts_with(|c: char| c.is_ascii_alphanumeric()) && package.bytes().all(rest)
}

fn is_update_of(own: &str, suite: &str) -> bool {
    own.strip_prefix(suite).is_some_and(|rest| matches!(rest, "-updates" | "-security" | "/updates"))
}

fn letter(package: &str) -> &str {
    package.get(..if package.starts_with("lib") { 4 } else { 1 }).unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stanzas() {
        let sha = "0".repeat(64);
        let text = format!("Package: a\nVersion: 1\nFilename: pool/a.deb\nSize: 5\nSHA256: {sha}\n");
        let shown = stanzas(&text);
        assert_eq!(deb(&shown[0], "a").unwrap().pool, "pool/a.deb");
        assert!(
            deb(&shown[0], "a=1").is_some()
                && deb(&shown[0], "a=2").is_none()
                && deb(&shown[0], "b").is_none()
        );
        let text = "Package: a\nVersion: 1\nDirectory: pool/a\nChecksums-Sha256:\n 12 3 a.dsc\n 45 6 a.tar\n";
        let shown = stanzas(text);
        assert_eq!(find_source(&shown, "1", "a.tar"), Some(("pool/a".into(), "45".into())));
        assert_eq!(find_source(&shown, "2", "a.tar"), None);
    }

    #[test]
    fn names_are_no_options() {
        assert!(is_name("libc6=2.36-9+deb12u14") && is_name("g++-12") && is_name("a=1:2~3"));
        assert!(!is_name("-o") && !is_name("") && !is_name("a b") && !is_name("a;b") && !is_name("a*"));
        assert_eq!((letter("libgcc"), letter("tcc"), letter("lib")), ("libg", "t", "lib"));
    }
}
