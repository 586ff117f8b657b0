//! The archive of an output, and the tree that later steps see.
//!
//! What a step sees of an earlier step's output follows from the archive alone: neither holes, links between files, owners nor
//! times come through. Files and directories have mode 0444 or 0555 and all times are 1.

use super::reason::{Fault, at};
use super::unpack::ONE;
use crate::errno::{ENOSPC, EROFS, Errno};
use crate::tree::{Data, File, Folder, Kind, Meta, Node, NodeId, Tree, VolumeId, WalkStep};
use alloc::boxed::Box;
use alloc::vec::Vec;
use formats::canonical::{Allowed, MAX_DEPTH, What};
use formats::hex::Digest;
use formats::nar::{Encoder, Hashed, Sink};

const ZEROS: [u8; 4096] = [0; 4096];

/// What a node is to whoever asks whether it may be.
fn what(node: &Node) -> What {
    match &node.kind {
        Kind::File(file) => What::File(file.size),
        Kind::Folder(_) => What::Directory,
        Kind::Link(_) => What::Symlink,
        Kind::Fifo(_) => What::Fifo,
        Kind::Socket(_) => What::Socket,
        _ => What::Device,
    }
}

/// Writes the archive of a tree; returns its sha256 and its size. After an error, `path` leads to where it is.
pub(super) fn write(
    tree: &Tree,
    root: NodeId,
    allowed: &mut Allowed,
    sink: &mut dyn Sink,
    path: &mut Vec<u8>,
) -> Result<(Digest, u64), Fault> {
    let mut nar = Encoder::new(sink, Hashed::Archive);
    // How long the path of each directory is that is open.
    let mut open: Vec<usize> = Vec::new();
    tree.walk(root, &mut |tree, step, name| {
        match step {
            WalkStep::Enter(id, depth) => {
                if let Some(length) = open.last() {
                    path.truncate(*length);
                    if *length > 0 {
                        path.push(b'/');
                    }
                    path.extend_from_slice(name);
                    nar.child(name);
                }
                let node = tree.get(id).map_err(at("lstat"))?;
                allowed.ask(what(node), node.mode).map_err(Fault::Refused)?;
                match &node.kind {
                    Kind::Folder(_) => {
                        nar.directory();
                        if depth >= MAX_DEPTH {
                            return Err(Fault::Refused("directories more than 256 deep"));
                        }
                        open.push(path.len());
                        return Ok(());
                    }
                    Kind::File(file) => {
                        nar.file(node.mode & 0o100 != 0, file.size);
                        contents(file, &mut |bytes| nar.data(bytes));
                        nar.file_end();
                    }
                    Kind::Link(target) => nar.symlink(target),
                    _ => {}
                }
            }
            WalkStep::Leave(_) => {
                open.pop();
                nar.leave();
            }
        }
        if !open.is_empty() {
            nar.child_done();
        }
        Ok(())
    })?;
    path.clear();
    Ok(nar.finish())
}

/// All bytes of a file.
pub(super) fn contents(file: &File, take: &mut dyn FnMut(&[u8])) {
    let stored = file.bytes();
    let length = usize::try_from(file.size).unwrap_or(usize::MAX).min(stored.len());
    take(stored.get(..length).unwrap_or(stored));
    let mut zeros = file.size.saturating_sub(length as u64);
    while zeros > 0 {
        let some = usize::try_from(zeros).unwrap_or(usize::MAX).min(ZEROS.len());
        take(ZEROS.get(..some).unwrap_or_default());
        zeros -= some as u64;
    }
}

/// Makes a tree anew in its canonical form, frozen. The bytes of files are moved out of the old one, but for those with several
/// names.
pub(super) fn keep(tree: &mut Tree, root: NodeId, volume: VolumeId) -> Result<NodeId, Fault> {
    let top = renew(tree, root, None, volume)?;
    let mut todo = Vec::from([(root, top)]);
    while let Some((old, new)) = todo.pop() {
        let Ok(folder) = tree.folder(old) else { continue };
        let entries: Vec<(Box<[u8]>, NodeId)> = folder.iter().map(|(name, id)| (name.into(), id)).collect();
        for (name, id) in entries {
            match renew(tree, id, Some((new, &name)), volume) {
                Ok(made) => todo.push((id, made)),
                Err(fault) => {
                    tree.drop_tree(top);
                    return Err(fault);
                }
            }
        }
    }
    tree.freeze(top, volume);
    Ok(top)
}

/// Makes one node anew, below another one or on its own.
fn renew(
    tree: &mut Tree,
    old: NodeId,
    place: Option<(NodeId, &[u8])>,
    volume: VolumeId,
) -> Result<NodeId, Fault> {
    let node = tree.get_mut(old).map_err(at("lstat"))?;
    if node.frozen {
        // An input or another output that is bound here: Linux would not let it be removed.
        return Err(Fault::System("unlink", EROFS));
    }
    let links = node.links;
    let executable = node.mode & 0o100 != 0;
    let (what, mode, kind) = match &mut node.kind {
        Kind::Folder(_) => ("mkdir", 0o555, Kind::Folder(Folder::default())),
        Kind::Link(target) => ("symlink", 0o777, Kind::Link(target.clone())),
        Kind::File(file) => {
            let data = whole(file, links > 1).map_err(at("write"))?;
            ("create", if executable { 0o555 } else { 0o444 }, Kind::File(File::new(data)))
        }
        _ => return Err(Fault::Refused("a file that is no plain file, directory or symbolic link")),
    };
    let meta = Meta { mode, uid: 0, gid: 0, time: ONE };
    match place {
        Some((folder, name)) => tree.add(folder, name, kind, meta),
        None => tree.make(volume, kind, meta),
    }
    .map_err(at(what))
}

/// The bytes of a file without holes: its own ones, which it has no longer then, or a copy.
fn whole(file: &mut File, copy: bool) -> Result<Data, Errno> {
    let size = usize::try_from(file.size).map_err(|_| ENOSPC)?;
    if let Data::Fixed(bytes) = file.data
        && bytes.len() == size
    {
        return Ok(Data::Fixed(bytes));
    }
    let mut own = match &mut file.data {
        Data::Own(bytes) if !copy => core::mem::take(bytes),
        Data::Own(bytes) => copied(bytes, size)?,
        Data::Fixed(bytes) => copied(bytes, size)?,
    };
    own.try_reserve_exact(size.saturating_sub(own.len())).map_err(|_| ENOSPC)?;
    own.resize(size, 0);
    Ok(Data::Own(own))
}

fn copied(bytes: &[u8], size: usize) -> Result<Vec<u8>, Errno> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(size.max(bytes.len())).map_err(|_| ENOSPC)?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}
