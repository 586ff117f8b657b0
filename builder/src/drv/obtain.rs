//! Everything that a closure needs and that is not built: found or fetched, verified, with all that it refers to.

use super::content::{Trust, examine};
use super::files::unpacked;
use super::places::{Found, LARGEST, Places};
use super::scan::Known;
use crate::inputs;
use crate::term;
use graphs::Problem;
use graphs::drv::fetch::{self, Fetch};
use graphs::drv::path::base;
use graphs::drv::{self, Closure, Fixed};
use graphs::plan::{Given, Needs};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// One thing that is given.
pub struct Obtained {
    /// What a plan has to know of it.
    pub given: Given,
    /// Where it is on this machine.
    pub path: PathBuf,
    /// Where it came from.
    pub from: String,
    /// Why it is believed.
    pub trust: Trust,
    /// It is the output of a derivation that could have been built.
    pub built: bool,
}

/// Obtains all that is needed. All that is missing is reported at once, with where it would come from.
pub fn obtain(
    closure: &Closure,
    needs: &Needs<'_>,
    places: &Places,
    temporary: &Path,
) -> Result<BTreeMap<String, Obtained>, Vec<Problem>> {
    let makers = closure.makers();
    let names: Vec<_> = makers.keys().copied().chain(closure.sources()).collect();
    let known = Known::new(names.iter().map(|path| base(path)));
    let by_base: BTreeMap<&str, &str> = names.iter().map(|path| (base(path), *path)).collect();
    let built: BTreeSet<&str> = needs.build.iter().copied().collect();
    let (mut obtained, mut problems) = (BTreeMap::new(), Vec::new());
    let mut waiting: Vec<(String, String)> =
        needs.given.iter().rev().map(|(path, by)| ((*path).to_owned(), (*by).to_owned())).collect();
    let mut seen = BTreeSet::new();
    while let Some((path, by)) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let maker = makers.get(path.as_str()).map(|(maker, _)| closure.get(maker));
        let fetch = maker.and_then(fetch::fetch);
        let fixed = fetch.as_ref().map(|fetch| fetch.fixed);
        match one(closure, &path, fetch.as_ref(), fixed, places, temporary, &known) {
            Ok(Some(one)) => {
                for reference in one.given.direct.iter().filter(|name| *name != base(&path)) {
                    let full = format!("{}/{reference}", closure.store);
                    let full = by_base.get(reference.as_str()).map_or(full, |path| (*path).to_owned());
                    let is_built = makers.get(full.as_str()).is_some_and(|(maker, _)| built.contains(maker));
                    if !is_built {
                        waiting.push((full, path.clone()));
                    }
                }
                let built = maker.is_some() && fixed.is_none();
                obtained.insert(path, Obtained { built, ..one });
            }
            Ok(None) => problems.push(missing(&path, &by, maker.is_some(), fetch.as_ref(), places)),
            Err(error) => problems.push(Problem::error(error).help("take it from another place: --inputs")),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(obtained)
}

fn one(
    closure: &Closure,
    path: &str,
    fetch: Option<&Fetch<'_>>,
    fixed: Option<&Fixed>,
    places: &Places,
    temporary: &Path,
    known: &Known,
) -> Result<Option<Obtained>, String> {
    let found = match (places.find(path, temporary)?, fetch) {
        (Some(found), _) => Some(found),
        (None, Some(fetch)) => by_url(fetch, places, temporary)?,
        (None, None) => written(closure, path, temporary)?,
    };
    let Some(found) = found else { return Ok(None) };
    let (given, trust) = examine(path, &closure.store, fixed, &found, known)?;
    Ok(Some(Obtained { given, path: found.path, from: found.from, trust, built: false }))
}

/// The file of a derivation that was read from an archive or standard input.
fn written(closure: &Closure, path: &str, temporary: &Path) -> Result<Option<Found>, String> {
    let Some(derivation) = closure.derivations.get(path) else { return Ok(None) };
    let file = temporary.join(base(path));
    std::fs::write(&file, drv::write(derivation)).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Some(Found { path: file, info: None, from: path.to_owned() }))
}

/// Fetches a fixed output; whether it is right is for the caller to find out.
fn by_url(fetch: &Fetch<'_>, places: &Places, temporary: &Path) -> Result<Option<Found>, String> {
    let mirrors = match fetch.mirrors {
        Some(path) if fetch.urls.iter().any(|url| url.starts_with("mirror:")) => {
            let file = places.find(path, temporary)?;
            file.and_then(|file| std::fs::read_to_string(file.path).ok()).unwrap_or_default()
        }
        _ => String::new(),
    };
    let mut errors = Vec::new();
    for url in fetch.urls.iter().flat_map(|url| fetch::resolve(url, &mirrors)) {
        term::note(&format!("{}: {url}", base(fetch.path)));
        let part = temporary.join(format!("{}.part", base(fetch.path)));
        match inputs::download(&url, &part) {
            Ok(()) => {
                let path = temporary.join(base(fetch.path));
                let place = |error: std::io::Error| format!("{}: {error}", path.display());
                if fetch.unpack {
                    // Nixpkgs' bootstrap tools are a NAR behind xz.
                    let mut bytes = Vec::new();
                    let file = BufReader::new(File::open(&part).map_err(place)?);
                    unpacked(file)
                        .and_then(|from| from.take(LARGEST).read_to_end(&mut bytes))
                        .map_err(place)?;
                    crate::nar::unpack(&bytes, &path).map_err(|error| format!("{url}: {error}"))?;
                } else {
                    std::fs::rename(&part, &path).map_err(place)?;
                    let mode = if fetch.executable { 0o755 } else { 0o644 };
                    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).map_err(place)?;
                }
                return Ok(Some(Found { path, info: None, from: url }));
            }
            Err(error) => errors.push(format!("{url}: {error}")),
        }
    }
    if errors.is_empty() { Ok(None) } else { Err(format!("{}: {}", fetch.path, errors.join("; "))) }
}

fn missing(path: &str, by: &str, is_output: bool, fetch: Option<&Fetch<'_>>, places: &Places) -> Problem {
    let tried = places.describe();
    let tried = if tried.is_empty() { "nowhere".into() } else { tried };
    let from = match fetch {
        Some(fetch) if !fetch.urls.is_empty() => {
            format!(
                "it would come from {} ({}:{})",
                fetch.urls.join(" or "),
                fetch.fixed.method(),
                fetch.fixed.hash
            )
        }
        Some(fetch) => format!("it is fixed, {}:{}, and has no URL", fetch.fixed.method(), fetch.fixed.hash),
        None if is_output => "it would come from a store or a binary cache that has built it".into(),
        None => "it would come from the store that made the derivation: a source is in no other place".into(),
    };
    Problem::error(format!("{path} is missing; {by} needs it; looked in {tried}"))
        .help(format!("{from}; name a store folder, a NAR file or a binary cache with --inputs"))
}
