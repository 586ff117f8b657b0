//! The store against servers on loopback, its own cache, and the real package archives.

mod cached;
mod network;
mod served;
pub mod server;

use super::*;
use crate::{FetchLimits, Silent, hash};
use graphs::Input;
use std::{fs, time::Duration};

/// A store in a folder that goes with it.
struct Bench {
    folder: tempfile::TempDir,
    store: InputCache,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = InputCache::open(&folder.path().join("cache")).unwrap();
        store.fetch =
            FetchLimits { stall: Duration::from_secs(3), redirects: 3, size: 10_000_000, ..store.fetch };
        store.fetch.pause = Duration::from_millis(10);
        Bench { folder, store }
    }

    fn spec(&self, from: Vec<Place>, content: &[u8]) -> InputSpec {
        let mut input = plain(from);
        input.sha256 = Some(hash::bytes(content));
        InputSpec::new("it", &input, self.folder.path())
    }

    fn obtain(&self, spec: &InputSpec) -> Result<Obtained, String> {
        self.store.obtain(spec, None, &Silent).map_err(|error| error.to_string())
    }

    /// Names in a folder of the cache.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.store.cache.path(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn plain(from: Vec<Place>) -> Input {
    Input { from, sha256: None, executable: false, exec: false, unpack: false, strip: 0, pick: vec![] }
}
