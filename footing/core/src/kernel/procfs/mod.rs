//! `/proc` as far as programs ask for it. Source: proc(5).
//!
//! Its folders are made when a path leads to them. A file's text is written when it is opened; a link's target is found when it is
//! followed.

mod digits;
mod kind;
mod link;
mod status;
mod system;
mod text;

use super::Kernel;
use crate::errno::{ENOENT, Errno};
use crate::platform::Platform;
use crate::tree::{Kind, Meta, NodeId};
use alloc::vec::Vec;
use digits::decimal;
use kind::{DESCRIPTOR, OF_KERNEL, OF_PROCESS, OF_SYSTEM, Proc, proc};
pub(crate) use system::{RELEASE, VERSION};

impl<P: Platform> Kernel<P> {
    /// Makes a directory of the tree a `/proc`. EROFS, ENOTDIR, ENOSPC.
    pub fn make_proc(&mut self, folder: NodeId) -> Result<(), Errno> {
        self.files_of(folder, &OF_SYSTEM, 0)?;
        self.link_of(folder, b"self", Proc::Myself as u32, 0)?;
        self.link_of(folder, b"thread-self", Proc::MyThread as u32, 0)?;
        let meta = meta(0o777);
        self.tree.add(folder, b"mounts", Kind::Link((*b"self/mounts").into()), meta)?;
        let system = self.folder_of(folder, b"sys")?;
        let kernel = self.folder_of(system, b"kernel")?;
        self.files_of(kernel, &OF_KERNEL, 0)?;
        let random = self.folder_of(kernel, b"random")?;
        self.files_of(random, &[(b"boot_id", Proc::BootId), (b"uuid", Proc::Uuid)], 0)?;
        let memory = self.folder_of(system, b"vm")?;
        self.files_of(
            memory,
            &[(b"max_map_count", Proc::MapCount), (b"overcommit_memory", Proc::Overcommit)],
            0,
        )?;
        let files = self.folder_of(system, b"fs")?;
        self.files_of(files, &[(b"pipe-max-size", Proc::PipeSize)], 0)?;
        self.tree.make_dynamic(folder, Proc::Root as u32)
    }

    fn folder_of(&mut self, parent: NodeId, name: &[u8]) -> Result<NodeId, Errno> {
        self.tree.add(parent, name, Kind::Folder(crate::tree::Folder::default()), meta(0o555))
    }

    fn link_of(&mut self, parent: NodeId, name: &[u8], kind: u32, id: i32) -> Result<(), Errno> {
        self.tree.add(parent, name, Kind::Magic(kind, id), meta(0o777)).map(|_| ())
    }

    fn files_of(&mut self, parent: NodeId, files: &[(&[u8], Proc)], id: i32) -> Result<(), Errno> {
        for (name, kind) in files {
            let mode = if matches!(kind, Proc::OomScore | Proc::Comm) { 0o644 } else { 0o444 };
            self.tree.add(parent, name, Kind::Virtual(*kind as u32, id), meta(mode))?;
        }
        Ok(())
    }

    /// Makes the entry of a folder that a path leads through. ENOENT if there is none.
    pub(crate) fn make_entry(&mut self, folder: NodeId, name: &[u8]) -> Result<(), Errno> {
        let kind = self.tree.folder(folder)?.dynamic.and_then(proc).ok_or(ENOENT)?;
        let number = number(name).ok_or(ENOENT)?;
        match kind {
            Proc::Root => {
                let process =
                    self.processes.get(&number).filter(|process| process.id == number).ok_or(ENOENT)?;
                if process.folder.is_none() {
                    let made = self.process_folder(folder, name, number)?;
                    if let Some(process) = self.processes.get_mut(&number) {
                        process.folder = Some(made);
                    }
                }
                Ok(())
            }
            Proc::Fds | Proc::FdInfos => {
                let process = self.owner(folder)?;
                let files = self.processes.get(&process).ok_or(ENOENT)?.files;
                let open = self.files.get(files).ok().and_then(|files| *files.fds.get(number as usize)?);
                open.ok_or(ENOENT)?;
                if kind == Proc::FdInfos {
                    let of = Kind::Virtual(DESCRIPTOR + number as u32, process);
                    return self.tree.add(folder, name, of, meta(0o444)).map(drop);
                }
                self.link_of(folder, name, DESCRIPTOR + number as u32, process)
            }
            Proc::Tasks => {
                let process = self.owner(folder)?;
                if !self.processes.get(&process).is_some_and(|process| process.threads.contains(&number)) {
                    return Err(ENOENT);
                }
                let task = self.folder_of(folder, name)?;
                self.files_of(task, &OF_PROCESS, process)
            }
            _ => Err(ENOENT),
        }
    }

    fn process_folder(&mut self, parent: NodeId, name: &[u8], id: i32) -> Result<NodeId, Errno> {
        let folder = self.folder_of(parent, name)?;
        self.files_of(folder, &OF_PROCESS, id)?;
        for (name, kind) in [(&b"cwd"[..], Proc::Cwd), (b"exe", Proc::Exe), (b"root", Proc::RootLink)] {
            self.link_of(folder, name, kind as u32, id)?;
        }
        for (name, kind) in [(&b"fd"[..], Proc::Fds), (b"fdinfo", Proc::FdInfos)] {
            let descriptors = self.folder_of(folder, name)?;
            self.tree.make_dynamic(descriptors, kind as u32)?;
            if self.foreign(id) {
                self.tree.get_mut(descriptors)?.mode = 0o500;
            }
        }
        let tasks = self.folder_of(folder, b"task")?;
        self.tree.make_dynamic(tasks, Proc::Tasks as u32)?;
        Ok(folder)
    }

    /// The process in whose folder a folder lies.
    fn owner(&self, folder: NodeId) -> Result<i32, Errno> {
        let above = self.tree.parent(folder).ok_or(ENOENT)?;
        self.processes
            .values()
            .find(|process| process.folder == Some(above))
            .map(|process| process.id)
            .ok_or(ENOENT)
    }

    /// Whether a file of a process's folder is for that process's user alone, and the process is somebody else's.
    pub(crate) fn hidden(&self, kind: u32, id: i32) -> bool {
        let private =
            [Proc::Maps, Proc::Environ, Proc::Auxv, Proc::Personality, Proc::Exe, Proc::Cwd, Proc::RootLink];
        self.foreign(id) && (kind >= DESCRIPTOR || proc(kind).is_some_and(|kind| private.contains(&kind)))
    }

    /// Brings a folder of `/proc` up to date before its entries are listed.
    pub(crate) fn refresh(&mut self, folder: NodeId) -> Result<(), Errno> {
        let Some(kind) = self.tree.folder(folder)?.dynamic.and_then(proc) else { return Ok(()) };
        let numbers: Vec<i32> = match kind {
            Proc::Root => self.processes.keys().copied().collect(),
            Proc::Fds | Proc::FdInfos | Proc::Tasks => {
                let process = self.processes.get(&self.owner(folder)?).ok_or(ENOENT)?;
                let files = self.files.get(process.files).ok();
                let fds = files.map(|files| files.fds.as_slice()).unwrap_or_default();
                let fds =
                    fds.iter().enumerate().filter(|(_, fd)| fd.is_some()).map(|(number, _)| number as i32);
                if kind == Proc::Tasks { process.threads.clone() } else { fds.collect() }
            }
            _ => return Ok(()),
        };
        let stale: Vec<Vec<u8>> = self
            .tree
            .folder(folder)?
            .iter()
            .filter(|(name, _)| number(name).is_some_and(|number| !numbers.contains(&number)))
            .map(|(name, _)| name.into())
            .collect();
        for name in stale {
            self.remove_tree(folder, &name);
        }
        for number in numbers {
            let mut name = Vec::new();
            decimal(&mut name, number as u64);
            if self.tree.folder(folder)?.get(&name).is_none() {
                self.make_entry(folder, &name)?;
            }
        }
        Ok(())
    }

    /// A process's folder goes with it.
    pub(crate) fn drop_folder(&mut self, folder: NodeId) {
        let Some(parent) = self.tree.parent(folder) else { return };
        let Ok(above) = self.tree.folder(parent) else { return };
        let name = above.iter().find(|entry| entry.1 == folder).map(|(name, _)| name.to_vec());
        if let Some(name) = name {
            self.remove_tree(parent, &name);
        }
    }

    /// Removes an entry of `/proc` with all that is in it.
    fn remove_tree(&mut self, parent: NodeId, name: &[u8]) {
        let time = self.time();
        let Some(node) = self.tree.folder(parent).ok().and_then(|folder| folder.get(name)) else { return };
        let entries: Vec<Vec<u8>> = match self.tree.folder(node) {
            Ok(folder) => folder.iter().map(|(name, _)| name.into()).collect(),
            Err(_) => Vec::new(),
        };
        // At most five folders deep.
        for entry in entries {
            self.remove_tree(node, &entry);
        }
        let _ = self.tree.unlink(parent, name, time);
    }

    /// The text of a file of `/proc` as it is now.
    pub(crate) fn virtual_text(&mut self, kind: u32, id: i32) -> Result<Vec<u8>, Errno> {
        if let Some(number) = kind.checked_sub(DESCRIPTOR) {
            return self.descriptor_text(number, id);
        }
        let kind = proc(kind).ok_or(ENOENT)?;
        if id == 0 {
            return Ok(self.system_text(kind));
        }
        if !self.processes.contains_key(&id) {
            return Err(crate::errno::ESRCH);
        }
        self.process_text(kind, id)
    }
}

fn meta(mode: u32) -> Meta {
    Meta { mode, uid: 0, gid: 0, time: 0 }
}

/// A name that is a number as `/proc` writes it.
fn number(name: &[u8]) -> Option<i32> {
    if name.is_empty() || name.len() > 9 || name.len() > 1 && name.first() == Some(&b'0') {
        return None;
    }
    name.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0')))
}
