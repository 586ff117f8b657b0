//! Writes members into a folder and refuses what would leave it.

use super::{
    Error, Recipe,
    names::{broken, inside, member},
    show,
};
use crate::{hash, pick::Picker};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{OpenOptionsExt, symlink},
    },
    path::{Path, PathBuf},
};

/// Bytes of the longest name: PATH_MAX.
const LONGEST: usize = 4096;
/// Bytes of all names, and of all targets of links.
const NAMES: usize = 256 << 20;

/// Something made in the tree, and the number of the archive it came from.
enum Made {
    Folder,
    File { from: usize, exec: bool },
    Link { from: usize, target: Vec<u8> },
}

pub struct Builder<'a> {
    root: PathBuf,
    recipe: Recipe<'a>,
    picker: Picker,
    archives: Vec<String>,
    made: BTreeMap<Vec<u8>, Made>,
    /// Targets of picked hard links that are not picked themselves: where a copy lies, once there is one.
    aside: BTreeMap<Vec<u8>, Option<(PathBuf, bool)>>,
    /// Reading again, for what is in `aside`.
    second: bool,
    again: bool,
    members: usize,
    /// Written, in this tree.
    bytes: u64,
    /// Read out of what packs the archives, and as much when the present one was begun.
    read: u64,
    read_before: u64,
    /// Of names and targets of links, which are kept in memory.
    names: usize,
}

impl<'a> Builder<'a> {
    pub fn new(root: &Path, recipe: Recipe<'a>) -> Result<Self, Error> {
        let picker = Picker::new(recipe.pick)?;
        let made = fs::create_dir(root).and_then(|()| fs::create_dir(aside(root)));
        made.map_err(|source| Error::Broken { after: format!("making {}", root.display()), source })?;
        Ok(Builder {
            root: root.into(),
            recipe,
            picker,
            archives: vec![],
            made: BTreeMap::new(),
            aside: BTreeMap::new(),
            second: false,
            again: false,
            members: 0,
            bytes: 0,
            read: 0,
            read_before: 0,
            names: 0,
        })
    }

    pub fn begin(&mut self, archive: &str) {
        self.archives.push(archive.into());
        self.aside.clear();
        self.second = false;
        self.read_before = self.read;
    }

    /// Whether the archive has to be read once more.
    pub fn again(&mut self) -> bool {
        self.second = std::mem::take(&mut self.again);
        if self.second {
            self.read = self.read_before;
        }
        self.second
    }

    fn from(&self) -> usize {
        self.archives.len() - 1
    }

    /// Whether the archive being read has made the path already.
    fn own(&self, path: &[u8]) -> bool {
        matches!(self.made.get(path), Some(Made::File { from, .. } | Made::Link { from, .. }) if *from == self.from())
    }

    /// Bytes that may still be unpacked.
    pub fn room(&self) -> u64 {
        self.recipe.limits.bytes.saturating_sub(self.bytes)
    }

    /// Bytes that may still be read out of what packs the archives, headers and padding on top.
    pub fn may_read(&self) -> u64 {
        let limit = self.recipe.limits.bytes;
        limit.saturating_add(limit / 4).saturating_add(1 << 20).saturating_sub(self.read)
    }

    pub fn has_read(&mut self, bytes: u64) {
        self.read += bytes;
    }

    pub fn too_large(&self) -> Error {
        Error::TooLarge(self.recipe.limits.bytes)
    }

    /// Counts one member; every one of them, taken or not, passes here first. The path it gets in the tree, if any.
    fn path(&mut self, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.members += 1;
        if self.members > self.recipe.limits.members {
            return Err(Error::TooMany(self.recipe.limits.members));
        }
        self.remember(name)?;
        inside(name, self.recipe.strip)
    }

    /// Counts a name that is kept in memory.
    fn remember(&mut self, name: &[u8]) -> Result<(), Error> {
        self.names += name.len();
        if name.len() > LONGEST || self.names > NAMES {
            let start = &name[..name.len().min(100)];
            return Err(member(start, "it is too long, or all names together are"));
        }
        Ok(())
    }

    pub fn folder(&mut self, name: &[u8]) -> Result<(), Error> {
        match self.path(name)? {
            Some(path) if !self.second && self.picker.takes(&path) => {
                self.parents(name, &path)?;
                self.make_folder(name, &path)
            }
            _ => Ok(()),
        }
    }

    pub fn file(&mut self, name: &[u8], exec: bool, content: &mut impl Read) -> Result<(), Error> {
        let Some(path) = self.path(name)? else { return Ok(()) };
        if let Some(None) = self.aside.get(&path) {
            let at = aside(&self.root).join(self.aside.len().to_string());
            self.write(name, &at, exec, content)?;
            self.aside.insert(path, Some((at, exec)));
            return Ok(());
        }
        if self.second || !self.picker.takes(&path) {
            return Ok(());
        }
        self.parents(name, &path)?;
        match self.made.get(&path) {
            None => {
                self.write(name, &self.disk(&path), exec, content)?;
                self.made.insert(path, Made::File { from: self.from(), exec });
                Ok(())
            }
            Some(Made::File { from, exec: first }) if *from != self.from() => {
                let (from, same_mode) = (*from, *first == exec);
                let at = aside(&self.root).join("compare");
                self.write(name, &at, exec, content)?;
                let hash = |path: &Path| hash::file(path).map_err(|source| broken(name, source));
                let same = same_mode && hash(&at)? == hash(&self.disk(&path))?;
                fs::remove_file(&at).map_err(|source| broken(name, source))?;
                if same { Ok(()) } else { Err(self.clash(&path, from)) }
            }
            Some(_) => Err(self.twice(name, &path)),
        }
    }

    pub fn link(&mut self, name: &[u8], target: &[u8]) -> Result<(), Error> {
        let Some(path) = self.path(name)? else { return Ok(()) };
        if self.second || !self.picker.takes(&path) {
            return Ok(());
        }
        if target.is_empty() || target.contains(&0) {
            return Err(member(name, "a symbolic link to nowhere"));
        }
        self.remember(target)?;
        self.parents(name, &path)?;
        match self.made.get(&path) {
            None => {
                self.made.insert(path, Made::Link { from: self.from(), target: target.into() });
                Ok(())
            }
            Some(Made::Link { from, target: first }) if *from != self.from() => {
                if first == target {
                    Ok(())
                } else {
                    Err(self.clash(&path, *from))
                }
            }
            Some(_) => Err(self.twice(name, &path)),
        }
    }

    /// A second name of an earlier file.
    pub fn hard_link(&mut self, name: &[u8], target: &[u8]) -> Result<(), Error> {
        let Some(path) = self.path(name)? else { return Ok(()) };
        if !self.picker.takes(&path) {
            return Ok(());
        }
        let refuse =
            || member(name, &format!("a hard link to \"{}\", which is no earlier file", show(target)));
        let target = inside(target, self.recipe.strip)?.ok_or_else(refuse)?;
        if self.second && self.own(&path) {
            return Ok(());
        }
        let (at, exec) = match (self.made.get(&target), self.aside.get(&target)) {
            (Some(Made::File { exec, .. }), _) => (self.disk(&target), *exec),
            (Some(Made::Link { target, .. }), _) => {
                let target = target.clone();
                self.members -= 1;
                return self.link(name, &target);
            }
            (None, Some(Some((at, exec)))) => (at.clone(), *exec),
            (None, _) if !self.second && !self.picker.takes(&target) => {
                self.aside.insert(target, None);
                self.again = true;
                return Ok(());
            }
            _ => return Err(refuse()),
        };
        let mut content = File::open(at).map_err(|source| broken(name, source))?;
        self.members -= 1;
        let second = std::mem::take(&mut self.second);
        let made = self.file(name, exec, &mut content);
        self.second = second;
        made
    }

    /// A device, FIFO or socket: no input may hold one.
    pub fn special(&mut self, name: &[u8], what: &str) -> Result<(), Error> {
        match self.path(name)? {
            Some(path) if self.picker.takes(&path) => {
                Err(member(name, &format!("{what}, which no input may hold")))
            }
            _ => Ok(()),
        }
    }

    pub fn finish(self) -> Result<(), Error> {
        let _ = fs::remove_dir_all(aside(&self.root));
        self.picker.finish(&format!(" among {} members of {}", self.members, self.archives.join(", ")))?;
        if self.made.is_empty() && self.members > 0 {
            return Err(Error::Empty(self.recipe.strip));
        }
        for (path, made) in &self.made {
            if let Made::Link { target, .. } = made {
                symlink(OsStr::from_bytes(target), self.disk(path)).map_err(|source| broken(path, source))?;
            }
        }
        Ok(())
    }

    fn disk(&self, path: &[u8]) -> PathBuf {
        self.root.join(OsStr::from_bytes(path))
    }

    fn parents(&mut self, name: &[u8], path: &[u8]) -> Result<(), Error> {
        for end in (0..path.len()).filter(|end| path[*end] == b'/') {
            match self.made.get(&path[..end]) {
                Some(Made::Folder) => {}
                None => self.make_folder(name, &path[..end])?,
                Some(Made::File { from, .. } | Made::Link { from, .. }) => {
                    let what = format!(
                        "it is below \"{}\", which is no folder in {}",
                        show(&path[..end]),
                        self.archives[*from]
                    );
                    return Err(member(name, &what));
                }
            }
        }
        Ok(())
    }

    fn make_folder(&mut self, name: &[u8], path: &[u8]) -> Result<(), Error> {
        match self.made.get(path) {
            Some(Made::Folder) => Ok(()),
            Some(_) => Err(self.twice(name, path)),
            None => {
                fs::create_dir(self.disk(path)).map_err(|source| broken(name, source))?;
                self.made.insert(path.into(), Made::Folder);
                Ok(())
            }
        }
    }

    fn write(&mut self, name: &[u8], at: &Path, exec: bool, content: &mut impl Read) -> Result<(), Error> {
        let mode = if exec { 0o755 } else { 0o644 };
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(at);
        let mut file = opened.map_err(|source| broken(name, source))?;
        let room = self.room();
        let size =
            hash::copy(&mut content.take(room + 1), &mut file).map_err(|source| broken(name, source))?;
        file.flush().map_err(|source| broken(name, source))?;
        self.bytes += size;
        if size > room { Err(self.too_large()) } else { Ok(()) }
    }

    fn twice(&self, name: &[u8], path: &[u8]) -> Error {
        match self.made.get(path) {
            Some(Made::File { from, .. } | Made::Link { from, .. }) if *from != self.from() => {
                self.clash(path, *from)
            }
            _ => member(name, "it comes twice, or both as a folder and as something else"),
        }
    }

    fn clash(&self, path: &[u8], first: usize) -> Error {
        Error::Clash { member: show(path), first: self.archives[first].clone() }
    }
}

/// Files that the tree does not keep lie beside it.
fn aside(root: &Path) -> PathBuf {
    root.with_extension("aside")
}
