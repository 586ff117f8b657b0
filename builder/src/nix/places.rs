//! Where what is in a store comes from: folders of a store, NAR files, binary caches.
//!
//! What is on this machine is looked at before anything is asked over the network. A place that has no answer is not a
//! place that has nothing: only a missing file, or a server's 404 or 410, says that a cache does not have a path. Any other
//! failure is kept, and reported if no other place has it.

use formats::narinfo::{self, NarInfo};
use formats::store_path::{HASH, base};
use graphs::Problem;
use inputs::InputCache;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes of the largest NAR that is taken.
const LARGEST: u64 = 8 << 30;
/// Bytes that a packed NAR may have beside the eighth by which what can't be packed grows.
const PACKED: u64 = 1 << 20;

/// One place.
enum Place {
    /// A folder with base names in it, as they are or as `BASE.nar`, packed or not.
    Folder(PathBuf),
    /// A file `BASE.nar`, packed or not.
    Nar(PathBuf),
    /// A folder with `HASH.narinfo` in it.
    Cache(PathBuf),
    /// The same behind a URL.
    Url(String),
}

/// All places, in the order in which they are tried.
pub struct Places<'a> {
    list: Vec<Place>,
    store: &'a InputCache,
}

/// Something that was found.
pub struct Found {
    /// Where it is now.
    pub path: PathBuf,
    /// What a cache says of it.
    pub info: Option<NarInfo>,
    /// Where it was, for messages and records.
    pub from: String,
}

/// Why a place could not be asked, or had something that is not to be taken.
#[derive(Debug, Default)]
pub struct Trouble {
    /// In words.
    pub what: Vec<String>,
    /// Another time, another machine or more room may help.
    pub elsewhere: bool,
}

impl Trouble {
    /// One more.
    pub fn add(&mut self, other: Trouble) {
        self.what.extend(other.what);
        self.elsewhere |= other.elsewhere;
    }

    /// As a problem of a path that `by` needs.
    pub fn problem(&self, path: &str, by: &str) -> Problem {
        let help = match self.elsewhere {
            true => "try again, or take it from another place: --inputs",
            false => "take it from another place: --inputs",
        };
        Problem::error(format!("{path} could not be had; {by} needs it: {}", self.what.join("; "))).help(help)
    }

    fn wrong(what: String) -> Trouble {
        Trouble { what: vec![what], elsewhere: false }
    }

    /// What became of a download.
    pub fn reason(url: &str, reason: &inputs::Reason) -> Trouble {
        Trouble { what: vec![format!("{url}: {reason}")], elsewhere: reason.is_elsewhere() }
    }

    /// What the system said.
    pub fn io(place: &Path, error: &io::Error) -> Trouble {
        Trouble { what: vec![format!("{}: {error}", place.display())], elsewhere: inputs::is_full(error) }
    }

    /// Why a NAR could not be unpacked.
    pub fn nar(place: &Path, error: &formats::nar::read::Error) -> Trouble {
        use formats::nar::read::Error::{Make, Read};
        let elsewhere = matches!(error, Make { source, .. } | Read { source, .. } if inputs::is_full(source));
        Trouble { what: vec![format!("{}: {error}", place.display())], elsewhere }
    }
}

impl<'a> Places<'a> {
    /// Those that were named: what is on this machine first.
    pub fn new(named: &[PathBuf], folders: &[PathBuf], store: &'a InputCache) -> Places<'a> {
        let place = |path: &PathBuf| match path.to_str() {
            Some(url) if url.contains("://") => match url.strip_prefix("file://") {
                Some(folder) if folder.starts_with('/') => Place::Cache(folder.into()),
                _ => Place::Url(url.trim_end_matches('/').to_owned()),
            },
            _ if path.is_file() => Place::Nar(path.clone()),
            _ if path.join("nix-cache-info").exists() => Place::Cache(path.clone()),
            _ => Place::Folder(path.clone()),
        };
        let folders = folders.iter().filter(|path| path.is_dir());
        let mut list: Vec<_> = named.iter().map(place).chain(folders.cloned().map(Place::Folder)).collect();
        list.sort_by_key(|place| matches!(place, Place::Url(_)));
        Places { list, store }
    }

    /// As they stand in messages.
    pub fn describe(&self) -> String {
        let one = |place: &Place| match place {
            Place::Folder(path) | Place::Nar(path) | Place::Cache(path) => path.display().to_string(),
            Place::Url(url) => url.clone(),
        };
        self.list.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// The binary caches that are asked over the network.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.list
            .iter()
            .filter_map(|place| if let Place::Url(url) = place { Some(url.as_str()) } else { None })
    }

    /// Whether something on this machine has what stands at a path of the store. Nothing is read or unpacked for it.
    pub fn has(&self, path: &str) -> bool {
        let name = base(path);
        self.list.iter().any(|place| match place {
            Place::Folder(folder) => {
                folder.join(name).symlink_metadata().is_ok() || packed(folder, name).is_some()
            }
            Place::Nar(nar) => is_nar_of(nar, name),
            Place::Cache(folder) => folder.join(info_name(name)).exists(),
            Place::Url(_) => false,
        })
    }

    /// Whether a binary cache behind a URL says that it has a path. One that does not answer does not.
    pub fn offers(&self, path: &str, temporary: &Path) -> bool {
        let file = temporary.join(format!("{}.offered", base(path)));
        self.urls().any(|url| {
            let at = format!("{url}/{}", info_name(base(path)));
            self.store.download(&at, &file, narinfo::LONGEST).is_ok()
        })
    }

    /// Finds what stands at a path of the store. `temporary` has room for what has to be unpacked.
    pub fn find(&self, path: &str, temporary: &Path) -> Result<Option<Found>, Trouble> {
        let mut trouble = Trouble::default();
        for place in &self.list {
            match place.find(path, temporary, self.store) {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(more) => trouble.add(more),
            }
        }
        if trouble.what.is_empty() { Ok(None) } else { Err(trouble) }
    }
}

impl Place {
    fn find(&self, path: &str, temporary: &Path, store: &InputCache) -> Result<Option<Found>, Trouble> {
        let name = base(path);
        match self {
            Place::Folder(folder) => {
                let there = folder.join(name);
                if fs::symlink_metadata(&there).is_ok() {
                    let from = there.display().to_string();
                    return Ok(Some(Found { path: there, info: None, from }));
                }
                packed(folder, name).map(|nar| unpack(&nar, name, None, temporary)).transpose()
            }
            Place::Nar(nar) if is_nar_of(nar, name) => unpack(nar, name, None, temporary).map(Some),
            Place::Nar(_) => Ok(None),
            Place::Cache(folder) => {
                let at = folder.join(info_name(name));
                let text = match text(&at) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    text => text.map_err(|error| Trouble::io(&at, &error))?,
                };
                let info = read(&text, path, &at.display().to_string())?;
                unpack(&folder.join(&info.url), name, Some(info), temporary).map(Some)
            }
            Place::Url(url) => {
                let at = format!("{url}/{}", info_name(name));
                let file = temporary.join(format!("{name}.narinfo"));
                match store.download(&at, &file, narinfo::LONGEST) {
                    Err(reason) if reason.is_absent() => return Ok(None),
                    got => got.map_err(|reason| Trouble::reason(&at, &reason))?,
                }
                let text = text(&file).map_err(|error| Trouble::io(&file, &error))?;
                let info = read(&text, path, &at)?;
                let (from, nar) = (format!("{url}/{}", info.url), temporary.join(format!("{name}.packed")));
                let most = info.nar_size.saturating_add(info.nar_size / 8).saturating_add(PACKED);
                store.download(&from, &nar, most).map_err(|reason| Trouble::reason(&from, &reason))?;
                let found = unpack(&nar, name, Some(info), temporary);
                let _ = fs::remove_file(&nar);
                Ok(Some(Found { from, ..found? }))
            }
        }
    }
}

fn info_name(name: &str) -> String {
    format!("{}.narinfo", name.get(..HASH).unwrap_or(name))
}

/// The file in a folder that is the NAR of a base name.
fn packed(folder: &Path, name: &str) -> Option<PathBuf> {
    ["nar", "nar.xz", "nar.gz", "nar.zst", "nar.bz2"]
        .map(|ending| folder.join(format!("{name}.{ending}")))
        .into_iter()
        .find(|nar| nar.is_file())
}

fn is_nar_of(nar: &Path, name: &str) -> bool {
    let file = nar.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    file.strip_prefix(name).is_some_and(|rest| rest.starts_with(".nar"))
}

/// The text of a narinfo. One byte more than it may have is enough to refuse it.
fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(narinfo::LONGEST + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn read(text: &str, path: &str, place: &str) -> Result<NarInfo, Trouble> {
    let wrong = |what: &dyn std::fmt::Display| Trouble::wrong(format!("{place}: {what}"));
    let info = NarInfo::parse(text).map_err(|error| wrong(&error))?;
    if info.path != path {
        return Err(wrong(&format_args!("it is about {}, not {path}", info.path)));
    }
    match info.compression.as_deref().filter(|_| !info.is_known()) {
        Some(name) => Err(wrong(&format_args!("it is packed by {name:?}, which is not known here"))),
        None => Ok(info),
    }
}

/// Unpacks a NAR that may be packed. It may have as many bytes as a narinfo says, and never more than [`inputs::bound`] allows.
pub(super) fn expand(nar: &Path, to: &Path, stated: Option<u64>) -> Result<(), formats::nar::read::Error> {
    let opened = File::open(nar).and_then(|file| {
        let bound = inputs::bound(file.metadata()?.len(), LARGEST);
        Ok((formats::compression::decompress(BufReader::new(file))?, bound))
    });
    let (from, bound) = opened.map_err(|source| formats::nar::read::Error::Read { offset: 0, source })?;
    inputs::restore(from, to, stated.unwrap_or(LARGEST).min(bound)).map(drop)
}

fn unpack(nar: &Path, name: &str, info: Option<NarInfo>, temporary: &Path) -> Result<Found, Trouble> {
    let path = temporary.join(name);
    if let Err(error) = expand(nar, &path, info.as_ref().map(|info| info.nar_size)) {
        // Another place is tried next, which needs the name.
        inputs::discard(&path);
        return Err(Trouble::nar(nar, &error));
    }
    Ok(Found { path, info, from: nar.display().to_string() })
}
