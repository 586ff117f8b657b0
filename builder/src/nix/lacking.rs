//! What can't be had anywhere, found out before the first download and said in one list.
//!
//! What a closure lacks may be thousands of files behind hundreds of hosts. All that is not on this machine is collected, the
//! hosts that could have it are tried at the same time, and what is behind none that answers is reported.

use super::places::Places;
use crate::ui::term;
use formats::store_path::base;
use graphs::Problem;
use graphs::drv::fetch::{self, Fetch};
use graphs::drv::{Closure, Derivation};
use graphs::plan::BuildSet;
use inputs::InputCache;
use std::collections::BTreeMap;
use std::path::Path;

/// Why not all that is needed could be had.
pub struct Lacking {
    /// Each with its place and what to do.
    pub problems: Vec<Problem>,
    /// Another time or another machine may help: nothing that was asked for is at fault.
    pub elsewhere: bool,
}

/// Something that is not on this machine.
struct Far<'a> {
    path: &'a str,
    by: &'a str,
    urls: Vec<String>,
}

/// The texts of the files of mirrors, by their paths, as far as they are to be had.
pub type Mirrors = BTreeMap<String, String>;

/// Reads the files of mirrors that the addresses of these derivations are looked up in, each once.
pub fn mirrors<'a>(
    derivations: impl Iterator<Item = &'a Derivation>,
    places: &Places<'_>,
    temporary: &Path,
) -> Mirrors {
    let mut texts = Mirrors::new();
    for fetch in derivations.filter_map(fetch::fetch) {
        let Some(path) = fetch.mirrors.filter(|path| !texts.contains_key(*path)) else { continue };
        if fetch.urls.iter().any(|url| url.starts_with("mirror:")) {
            let found = places.find(path, temporary).ok().flatten();
            let text = found.and_then(|file| std::fs::read_to_string(file.path).ok());
            texts.insert(path.to_owned(), text.unwrap_or_default());
        }
    }
    texts
}

/// All addresses of something, those of mirrors looked up.
pub fn urls(fetch: &Fetch<'_>, mirrors: &Mirrors) -> Vec<String> {
    let text = fetch.mirrors.and_then(|path| mirrors.get(path)).map_or("", String::as_str);
    fetch.urls.iter().flat_map(|url| fetch::resolve(url, text)).collect()
}

/// Refuses to begin if something that is needed can't be had anywhere.
pub fn refuse(
    closure: &Closure,
    needs: &BuildSet<'_>,
    places: &Places<'_>,
    store: &InputCache,
    mirrors: &Mirrors,
) -> Result<(), Lacking> {
    let makers = closure.makers();
    let far: Vec<Far<'_>> = needs
        .available
        .iter()
        .filter(|(path, _)| !places.has(path) && !closure.derivations.contains_key(**path))
        .map(|(path, by)| {
            let fetch = makers.get(path).and_then(|(maker, _)| fetch::fetch(closure.get(maker)));
            let urls = fetch.map(|fetch| match urls(&fetch, mirrors) {
                // The list of mirrors is missing, too: what would be looked up in it is still worth a word.
                none if none.is_empty() => fetch.urls,
                urls => urls,
            });
            let urls = urls.unwrap_or_default();
            Far { path, by, urls }
        })
        .collect();
    let caches: Vec<&str> = places.urls().collect();
    store.probe(caches.iter().copied().chain(far.iter().flat_map(|one| one.urls.iter().map(String::as_str))));
    let dead = |url: &str| store.is_dead(url);
    if caches.iter().any(|url| dead(url).is_none()) {
        return Ok(());
    }
    let hopeless: Vec<Far<'_>> = far
        .into_iter()
        .filter(|one| !one.urls.iter().any(|url| can_be_fetched(url) && dead(url).is_none()))
        .collect();
    if hopeless.is_empty() {
        return Ok(());
    }
    // With a network, what is behind an address might be there.
    let unreached = |one: &Far<'_>| !caches.is_empty() || one.urls.iter().any(|url| dead(url).is_some());
    let elsewhere = hopeless.iter().all(unreached);
    let (many, verb) = match hopeless.len() {
        1 => ("one thing".to_owned(), "is"),
        n => (format!("{n} things"), "are"),
    };
    let mut text = format!(
        "{many} that {} needs {verb} missing: in no place that was named, and behind no address that answers",
        base(&closure.root)
    );
    let dead_caches = caches.iter().filter_map(|url| Some(format!("{url}: {}", dead(url)?)));
    text.extend(dead_caches.map(|line| format!("\n{line}")));
    text.extend(hopeless.iter().map(|one| format!("\n{}", line(one, &dead))));
    let looked = Some(places.describe()).filter(|tried| !tried.is_empty()).unwrap_or("nowhere".into());
    let help = format!("looked in {looked}; name a store folder, a NAR file or a binary cache with --inputs");
    Err(Lacking { problems: vec![Problem::error(text).help(help)], elsewhere })
}

fn line(one: &Far<'_>, dead: &dyn Fn(&str) -> Option<String>) -> String {
    let from = match &one.urls[..] {
        [] => "it has no address".to_owned(),
        [url, rest @ ..] => {
            let why = dead(url).unwrap_or_else(|| match url.starts_with("mirror:") {
                true => "the list of mirrors is not here".into(),
                false => "no address that can be fetched".into(),
            });
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(", and {} more", term::count(rest.len(), "address"))
            };
            format!("{url}: {why}{more}")
        }
    };
    format!("{} (for {}; {from})", one.path, base(one.by))
}

fn can_be_fetched(url: &str) -> bool {
    ["http:", "https:", "file:"].iter().any(|scheme| url.starts_with(scheme))
}
