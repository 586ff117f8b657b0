//! Debian packages: names to versions, files and hashes, and from there to bytes.
//!
//! Names are resolved by `apt` from signed indices; a file is then asked for at its pool path on every mirror of the
//! machine, with its hash. So a file that a lock names is found as long as one mirror has it, whatever the indices
//! say by then. Pool layout: `pool/COMPONENT/P/PACKAGE/FILE`, P the first letter, or four of `lib…`.

mod names;

use super::{
    apt::{Lists, Repository, State, name},
    cache::Cache,
    control::stanzas,
    error::{PINNED, RENEW, Reason, into_reason},
    lock::Deb,
    progress::Reporter,
};
use names::{deb, find_source, is_name, is_update_of, letter, versions};
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
        self.ask(cache, packages, suite, fresh, reporter, |state| show(state, packages))
    }

    /// The same, and behind them all that they depend on, by name. Lists must be young.
    pub fn closure(
        &self,
        cache: &Cache,
        packages: &[String],
        suite: Option<&str>,
        reporter: Reporter,
    ) -> Result<Vec<Deb>, Reason> {
        self.ask(cache, packages, suite, true, reporter, |state| closure(state, packages))
    }

    fn ask(
        &self,
        cache: &Cache,
        packages: &[String],
        suite: Option<&str>,
        fresh: bool,
        reporter: Reporter,
        ask: impl Fn(&State) -> Result<Vec<Deb>, Reason>,
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
            let found = ask(&open(cache, Lists::Machine, repositories)?);
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
        let found = young(cache, lists, repositories, fresh, reporter, ask)?;
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
            find_source(&stanzas(&shown), package, version, file)
                .map_err(|(missing, there)| Reason::NoSource { missing, suite: suite.into(), there })
        })
    }

    /// A binary package that is known in all detail.
    pub fn fetch(&self, cache: &Cache, deb: &Deb, part: &Path, reporter: Reporter) -> Result<String, Reason> {
        self.repositories(cache)?;
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
    ) -> Result<String, Vec<Reason>> {
        let all = || -> Result<_, Reason> { Ok((machine(cache)?, self.repositories(cache)?)) };
        let (state, repositories) = all().map_err(|reason| vec![reason])?;
        let mut mirrors: Vec<String> = Vec::new();
        // Security updates have an archive of their own, which mirrors keep beside the other; this machine may not use it,
        // though the one on which the lock was made did.
        let beside = |uri: &str| Some(format!("{}/debian-security/", uri.strip_suffix("/debian/")?));
        let known = repositories.iter().map(|repository| repository.uri.clone());
        let security = repositories.iter().filter_map(|repository| beside(&repository.uri));
        for mirror in known.chain(security) {
            if !mirrors.contains(&mirror) {
                mirrors.push(mirror);
            }
        }
        let mut tried = Vec::new();
        for path in paths {
            for mirror in &mirrors {
                let uri = format!("{mirror}{path}");
                let mut grown = |done| reporter.bytes(text, done, size);
                match state.download(&uri, part, sha256, &mut grown) {
                    Ok(()) => return Ok(uri),
                    Err(reason) => tried.push(reason),
                }
            }
        }
        Err(tried)
    }
}

/// Gone if every mirror says that it doesn't have it; else the mirrors are out of reach, or lie.
fn gone(package: String, version: &str, mut tried: Vec<Reason>, advice: &'static str) -> Reason {
    let lines = tried.iter().map(Reason::to_string).collect();
    match tried.iter().all(Reason::is_absent) {
        true => Reason::Vanished { package, version: version.into(), tried: lines, advice },
        false if tried.len() == 1 => tried.swap_remove(0),
        false => Reason::Mirrors(lines),
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

/// The candidates of the names, in order, and what has to be installed with them where nothing is installed yet.
///
/// Packages of which every Debian has some (`Essential: yes`) are named by no dependency, and do not come along.
fn closure(state: &State, packages: &[String]) -> Result<Vec<Deb>, Reason> {
    let named = show(state, packages)?;
    let installed = state.simulate(packages)?;
    let is_named = |package: &str| {
        let name = package.split_once('=').map_or(package, |(name, _)| name);
        named.iter().any(|deb| deb.package == name)
    };
    let mut needed: Vec<String> = installed.into_iter().filter(|package| !is_named(package)).collect();
    needed.sort();
    let needed = if needed.is_empty() { vec![] } else { show(state, &needed)? };
    Ok(named.into_iter().chain(needed).collect())
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
    if missing.is_empty() {
        return Ok(found);
    }
    // A version that is not there: which ones are?
    let plain: Vec<&str> = missing.iter().filter_map(|name| Some(name.split_once('=')?.0)).collect();
    let mut place = "the package lists".to_owned();
    if !plain.is_empty() {
        let args: Vec<&str> = ["show", "--all-versions"].into_iter().chain(plain.iter().copied()).collect();
        let shown = stanzas(&state.query("apt-cache", &args)?);
        let there =
            plain.iter().flat_map(|name| versions(&shown, name).map(move |at| format!("{name}={at}")));
        let there: Vec<String> = there.collect();
        place += &if there.is_empty() { String::new() } else { format!(" (there is {})", there.join(", ")) };
    }
    Err(Reason::UnknownPackage { names: missing.join(", "), place })
}
