//! Keys of derivations: a derivation's path says all of it but its inputs and how steps are made.

use super::resolved::ResolvedClosure;
use formats::digest::Sha256;
use formats::store_path::base;
use graphs::plan::imported::needs;
use std::collections::BTreeMap;

/// The key of each derivation that is built or could be, by its base name: the sha256 of its path, of the hashes of what it is
/// obtained, of the keys of those that it needs, and of this program's version. Pure.
pub fn keys(ground: &ResolvedClosure) -> BTreeMap<String, Sha256> {
    let mut keys: BTreeMap<String, Sha256> = BTreeMap::new();
    let shell = ground.shell.as_ref().map(|shell| shell.obtained.sha256.to_string());
    let setting = format!("{} {} {}\n", env!("CARGO_PKG_VERSION"), ground.space, shell.unwrap_or_default());
    for path in needs(&ground.closure, &ground.closure.root, &|path| ground.stopped.contains(path)).build {
        let derivation = ground.closure.get(path);
        let mut text = format!("{setting}{path}\n");
        let info =
            |path: &String| ground.obtained.get(path).map(|one| format!("{path} {}\n", one.info.nar.0));
        text.extend(derivation.sources.iter().filter_map(info));
        for (input, names) in &derivation.inputs {
            match keys.get(base(input)) {
                Some(key) => text += &format!("{input} {key}\n"),
                None => {
                    let made = &ground.closure.get(input).outputs;
                    text.extend(names.iter().filter_map(|name| info(&made.get(name)?.path)));
                }
            }
        }
        keys.insert(base(path).to_owned(), Sha256::of(text));
    }
    keys
}
