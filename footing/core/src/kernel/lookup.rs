//! Paths as the current process sees them.

use super::{Kernel, Object, Process};
use crate::errno::{EBADF, ENOENT, ENOTDIR, ENXIO, Errno};
use crate::platform::Platform;
use crate::tree::{Found, Lookup, NodeId, Place};

/// In place of a descriptor: the working directory.
pub(crate) const AT_FDCWD: i32 = -100;

impl<P: Platform> Kernel<P> {
    /// The user and group whose rights count for files.
    pub(crate) fn rights(&self) -> (u32, u32) {
        (self.step.uid, self.step.gid)
    }

    /// The directory that a relative path starts in. EBADF, ENOTDIR.
    pub(crate) fn start_of(&self, directory: i32, path: &[u8]) -> Result<NodeId, Errno> {
        let view = self.views.get(self.me()?.view)?;
        if directory == AT_FDCWD || path.first() == Some(&b'/') {
            return Ok(view.cwd);
        }
        match self.open_of(directory)?.object {
            Object::Node(node) => self.tree.folder(node).map(|_| node),
            Object::Text(..) => Err(ENOTDIR),
            _ => Err(if self.fd(directory).is_ok() { ENOTDIR } else { EBADF }),
        }
    }

    /// Where a path leads from a directory's descriptor or [`AT_FDCWD`]. All errors of path_resolution(7).
    pub(crate) fn find_at(&mut self, directory: i32, path: &[u8], follow: bool) -> Result<Place, Errno> {
        self.find_opened((directory, 0), path, follow, false)
    }

    /// The same, within what openat2(2)'s `resolve` allows: also ELOOP, EXDEV. If the file may be made (`create`), EISDIR for a slash
    /// behind its name or behind the one a link ends in.
    pub(crate) fn find_opened(
        &mut self,
        (directory, within): (i32, u8),
        path: &[u8],
        follow: bool,
        create: bool,
    ) -> Result<Place, Errno> {
        if path.is_empty() {
            return Err(ENOENT);
        }
        let scoped = within & (Lookup::BENEATH | Lookup::IN_ROOT) != 0;
        // An absolute path starts in the directory too, then.
        let from = self.start_of(directory, if scoped { b"." } else { path })?;
        let root = self.views.get(self.me()?.view)?.root;
        let root = if within & Lookup::IN_ROOT != 0 { from } else { root };
        let (uid, gid) = self.rights();
        let how = Lookup { root, from, uid, gid, follow, create, within };
        let mut named = false;
        loop {
            match self.tree.find(&how, path, self) {
                Ok(Found::Place(place)) => return Ok(place),
                Ok(Found::Missing(folder, name)) => self.make_entry(folder, &name)?,
                // A link of `/proc` leads to a pipe, which has no node until somebody asks.
                Err(ENXIO) if !named => {
                    self.name_pipes()?;
                    named = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What is where a path leads. Also ENOENT, and ENOTDIR for a slash behind what is no directory.
    pub(crate) fn node_at(&mut self, directory: i32, path: &[u8], follow: bool) -> Result<NodeId, Errno> {
        let place = self.find_at(directory, path, follow)?;
        let node = place.node.ok_or(ENOENT)?;
        if place.slash {
            self.tree.folder(node)?;
        }
        Ok(node)
    }

    /// The path of a directory or of what was opened by a path, as getcwd(2) shows it.
    pub(crate) fn absolute(&self, process: &Process, folder: NodeId, path: &[u8]) -> alloc::vec::Vec<u8> {
        if path.first() == Some(&b'/') {
            return path.into();
        }
        let root = self.views.get(process.view).map_or(self.root, |view| view.root);
        let mut whole = self.tree.path_of(root, folder).unwrap_or_default();
        if whole.last() != Some(&b'/') {
            whole.push(b'/');
        }
        whole.extend_from_slice(path.strip_prefix(b"./").unwrap_or(path));
        whole
    }
}
