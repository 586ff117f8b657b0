//! Everything that a closure needs and that is not built: found or fetched, verified, with all that it refers to.

use super::content::{Trust, examine};
use super::lacking::{self, Lacking, Mirrors};
use super::places::{Found, Places, Trouble, expand};
use crate::ui::term;
use formats::references::Known;
use formats::store_path::base;
use graphs::Problem;
use graphs::drv::fetch::{self, Fetch};
use graphs::drv::{self, Closure, Fixed};
use graphs::plan::{BuildSet, PathInfo};
use inputs::InputCache;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Something in the store that is obtained, not built.
pub struct Obtained {
    /// What a plan has to know of it.
    pub info: PathInfo,
    /// Where it is on this machine.
    pub path: PathBuf,
    /// Where it came from.
    pub from: String,
    /// Why it is believed.
    pub trust: Trust,
    /// It is the output of a derivation that could have been built.
    pub built: bool,
}

/// What is the same for everything that is obtained.
struct Search<'a> {
    closure: &'a Closure,
    places: &'a Places<'a>,
    store: &'a InputCache,
    temporary: &'a Path,
    known: Known,
    mirrors: Mirrors,
}

/// Obtains all that is needed. What can't be had anywhere is found out before the first download, and all of it is said.
pub fn obtain(
    closure: &Closure,
    needs: &BuildSet<'_>,
    places: &Places<'_>,
    store: &InputCache,
    temporary: &Path,
) -> Result<BTreeMap<String, Obtained>, Lacking> {
    let makers = closure.makers();
    let names: Vec<_> = makers.keys().copied().chain(closure.sources()).collect();
    let known = Known::new(names.iter().map(|path| base(path)));
    let by_base: BTreeMap<&str, &str> = names.iter().map(|path| (base(path), *path)).collect();
    let built: BTreeSet<&str> = needs.build.iter().copied().collect();
    let apart = temporary.join("mirrors");
    let made = std::fs::create_dir(&apart);
    made.map_err(|error| Lacking {
        elsewhere: inputs::is_full(&error),
        problems: vec![Problem::error(format!("{}: {error}", apart.display()))],
    })?;
    let makers_of_available =
        needs.available.keys().filter_map(|path| Some(closure.get(makers.get(path)?.0)));
    let mirrors = lacking::mirrors(makers_of_available, places, &apart);
    lacking::refuse(closure, needs, places, store, &mirrors)?;
    let search = Search { closure, places, store, temporary, known, mirrors };
    let (mut obtained, mut problems, mut elsewhere) = (BTreeMap::new(), Vec::new(), true);
    let mut waiting: Vec<(String, String)> =
        needs.available.iter().rev().map(|(path, by)| ((*path).to_owned(), (*by).to_owned())).collect();
    let mut seen = BTreeSet::new();
    while let Some((path, by)) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let maker = makers.get(path.as_str()).map(|(maker, _)| closure.get(maker));
        let fetch = maker.and_then(fetch::fetch);
        let fixed = fetch.as_ref().map(|fetch| fetch.fixed);
        match search.one(&path, fetch.as_ref(), fixed) {
            Ok(Some(one)) => {
                let references = one.info.direct.iter().filter(|name| *name != base(&path));
                let full = |reference: &String| match by_base.get(reference.as_str()) {
                    Some(path) => (*path).to_owned(),
                    None => format!("{}/{reference}", closure.store),
                };
                let is_built =
                    |full: &String| makers.get(full.as_str()).is_some_and(|(maker, _)| built.contains(maker));
                let had = references.map(full).filter(|full| !is_built(full));
                waiting.extend(had.map(|full| (full, path.clone())));
                let built = maker.is_some() && fixed.is_none();
                obtained.insert(path, Obtained { built, ..one });
            }
            Ok(None) => {
                elsewhere = false;
                problems.push(missing(&path, &by, maker.is_some(), fetch.as_ref(), places));
            }
            Err(trouble) => {
                elsewhere &= trouble.elsewhere;
                problems.push(trouble.problem(&path, &by));
            }
        }
    }
    if !problems.is_empty() {
        return Err(Lacking { problems, elsewhere });
    }
    Ok(obtained)
}

impl Search<'_> {
    fn one(
        &self,
        path: &str,
        fetch: Option<&Fetch<'_>>,
        fixed: Option<&Fixed>,
    ) -> Result<Option<Obtained>, Trouble> {
        let mut trouble = Trouble::default();
        let mut found = self.places.find(path, self.temporary).unwrap_or_else(|more| {
            trouble.add(more);
            None
        });
        if found.is_none() {
            let more = match fetch {
                Some(fetch) => self.by_url(fetch),
                None => self.written(path),
            };
            found = more.unwrap_or_else(|more| {
                trouble.add(more);
                None
            });
        }
        let Some(found) = found else {
            return if trouble.what.is_empty() { Ok(None) } else { Err(trouble) };
        };
        // It was found after all, but whoever named the place that failed is to know.
        trouble.what.iter().for_each(|what| term::note(&format!("{what}; taken from {}", found.from)));
        let (info, trust) = examine(path, &self.closure.store, fixed, &found, &self.known)
            .map_err(|what| Trouble { what: vec![what], elsewhere: false })?;
        Ok(Some(Obtained { info, path: found.path, from: found.from, trust, built: false }))
    }

    /// The file of a derivation that was read from an archive or standard input.
    fn written(&self, path: &str) -> Result<Option<Found>, Trouble> {
        let Some(derivation) = self.closure.derivations.get(path) else { return Ok(None) };
        let file = self.temporary.join(base(path));
        std::fs::write(&file, drv::write(derivation)).map_err(|error| Trouble::io(&file, &error))?;
        Ok(Some(Found { path: file, info: None, from: path.to_owned() }))
    }

    /// Fetches a fixed output; whether it is right is for the caller to find out.
    fn by_url(&self, fetch: &Fetch<'_>) -> Result<Option<Found>, Trouble> {
        let mut trouble = Trouble::default();
        for url in lacking::urls(fetch, &self.mirrors) {
            if let Some(why) = self.store.is_dead(&url) {
                trouble.add(Trouble { what: vec![format!("{url}: {why}")], elsewhere: true });
                continue;
            }
            term::note(&format!("{}: {url}", base(fetch.path)));
            let part = self.temporary.join(format!("{}.part", base(fetch.path)));
            match self.store.download(&url, &part, u64::MAX) {
                Ok(()) => return self.take(fetch, &part, url).map(Some),
                Err(reason) => trouble.add(Trouble::reason(&url, &reason)),
            }
        }
        if trouble.what.is_empty() { Ok(None) } else { Err(trouble) }
    }

    /// Makes of a download what stands in the store.
    fn take(&self, fetch: &Fetch<'_>, part: &Path, url: String) -> Result<Found, Trouble> {
        let path = self.temporary.join(base(fetch.path));
        if fetch.unpack {
            // Nixpkgs' bootstrap tools are a NAR behind xz.
            if let Err(error) = expand(part, &path, None) {
                inputs::discard(&path);
                return Err(Trouble::nar(Path::new(&url), &error));
            }
        } else {
            let mode = if fetch.executable { 0o755 } else { 0o644 };
            std::fs::rename(part, &path)
                .and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)))
                .map_err(|error| Trouble::io(&path, &error))?;
        }
        Ok(Found { path, info: None, from: url })
    }
}

fn missing(path: &str, by: &str, is_output: bool, fetch: Option<&Fetch<'_>>, places: &Places<'_>) -> Problem {
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
