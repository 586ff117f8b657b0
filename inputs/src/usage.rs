//! What the cache folder takes, by what it is for, and how it becomes smaller.

use super::discard::discard;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The folders below the cache folder, each with what is in it.
const KINDS: [(&str, &str); 9] = [
    ("files", "files that graphs name, by hash"),
    ("trees", "unpacked archives and packages"),
    ("parts", "downloads that are not complete"),
    ("kernels", "kernels that were fetched or built"),
    ("apt", "lists of Debian's packages"),
    ("units", "what units are known to come to (run --take)"),
    ("units/nar", "their outputs"),
    ("probed", "what probes have found"),
    ("tmp", "what is being made now, or what was left by a program that was killed"),
];

/// What was read or written in this time stays: somebody may be using it.
pub const RECENT: Duration = Duration::from_secs(3600);

/// One kind of thing in the cache folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The folder's name, below the cache folder.
    pub name: &'static str,
    /// What is in it.
    pub about: &'static str,
    /// Bytes on the disk.
    pub bytes: u64,
    /// How many things there are.
    pub things: u64,
}

/// A thing that can be removed.
struct Thing {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// What each kind of thing takes. A folder that is not there takes nothing.
pub fn usage(cache: &Path) -> io::Result<Vec<Usage>> {
    let one = |(name, about): &(&'static str, &'static str)| {
        let things = things(cache, name)?;
        let bytes = things.iter().map(|thing| thing.bytes).sum();
        Ok(Usage { name, about, bytes, things: things.len() as u64 })
    };
    KINDS.iter().map(one).collect()
}

/// Removes what was not used for the longest time until at most so many bytes are left. Returns how many bytes that freed. More may be left: what
/// was used within [`RECENT`] stays.
pub fn shrink(cache: &Path, limit: u64, now: SystemTime) -> io::Result<u64> {
    let mut all = Vec::new();
    for (name, _) in KINDS {
        all.extend(things(cache, name)?);
    }
    let mut left: u64 = all.iter().map(|thing| thing.bytes).sum();
    all.retain(|thing| now.duration_since(thing.used).is_ok_and(|age| age > RECENT));
    all.sort_by(|one, other| (one.used, &one.path).cmp(&(other.used, &other.path)));
    let mut freed = 0;
    for thing in all {
        if left <= limit {
            break;
        }
        discard(&thing.path);
        left -= thing.bytes;
        freed += thing.bytes;
    }
    Ok(freed)
}

/// The things in one folder. A folder that is a kind of its own is no thing.
fn things(cache: &Path, name: &str) -> io::Result<Vec<Thing>> {
    let folder = cache.join(name);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries?,
    };
    let mut things = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if KINDS.iter().any(|(kind, _)| cache.join(kind) == path) {
            continue;
        }
        // Others may take away at any time what was there a moment ago.
        let Ok(meta) = path.symlink_metadata() else { continue };
        let made = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        // A folder is read whenever its size is looked for, which is no use.
        let used = if meta.is_dir() { made } else { meta.accessed().unwrap_or(made).max(made) };
        things.push(Thing { bytes: size(&path), path, used });
    }
    Ok(things)
}

/// Bytes on the disk, of all that is below too.
fn size(path: &Path) -> u64 {
    let Ok(meta) = path.symlink_metadata() else { return 0 };
    let below = if meta.is_dir() { fs::read_dir(path).ok() } else { None };
    let below = below.into_iter().flatten().flatten().map(|entry| size(&entry.path()));
    meta.blocks() * 512 + below.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first_and_what_was_just_used_stays() {
        let cache = tempfile::tempdir().unwrap();
        let at = |name: &str| cache.path().join(name);
        fs::create_dir_all(at("trees/old/tree")).unwrap();
        fs::create_dir_all(at("units/nar")).unwrap();
        for name in ["trees/old/tree/x", "units/nar/new", "units/k.json"] {
            fs::write(at(name), [1; 8192]).unwrap();
        }
        let day = Duration::from_secs(24 * 3600);
        let now = SystemTime::now() + day;
        let old = fs::FileTimes::new().set_modified(now - day * 9).set_accessed(now - day * 9);
        fs::File::open(at("trees/old")).unwrap().set_times(old).unwrap();
        let all = usage(cache.path()).unwrap();
        let of = |name: &str| all.iter().find(|kind| kind.name == name).unwrap().clone();
        assert_eq!((of("trees").things, of("units").things, of("units/nar").things), (1, 1, 1));
        assert!(of("trees").bytes >= 8192 && of("files").bytes == 0);
        let total: u64 = all.iter().map(|kind| kind.bytes).sum();
        assert_eq!(shrink(cache.path(), total, now).unwrap(), 0);
        assert_eq!(shrink(cache.path(), total - 1, now).unwrap(), of("trees").bytes);
        assert!(!at("trees/old").exists() && at("units/nar/new").exists());
        assert_eq!(shrink(cache.path(), 0, SystemTime::now()).unwrap(), 0);
        assert!(shrink(cache.path(), 0, now).unwrap() > 0);
        assert!(!at("units/k.json").exists() && at("units/nar").exists());
    }
}
