//! The bytes of files: what is stored is a prefix, zeros follow up to the size.

use super::{Data, File, Kind, NodeId, Tree};
use crate::errno::{EFBIG, EINVAL, EISDIR, ENOSPC, Errno};
use alloc::vec::Vec;

const PAGE: u64 = 4096;
/// The largest file: what tmpfs of Linux can address.
const MAX_SIZE: u64 = i64::MAX as u64;

impl File {
    /// The bytes that are stored.
    pub fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Fixed(bytes) => bytes,
            Data::Own(bytes) => bytes,
        }
    }

    /// What is stored from an offset on, at most so many bytes; and how many zeros follow, up to the same limit.
    pub fn at(&self, offset: u64, length: usize) -> (&[u8], usize) {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(length);
        let stored =
            usize::try_from(offset).ok().and_then(|from| self.bytes().get(from..)).unwrap_or_default();
        let stored = stored.get(..length).unwrap_or(stored);
        (stored, length.saturating_sub(stored.len()))
    }
}

impl Tree {
    /// A plain file. EISDIR for a directory, EINVAL for anything else.
    pub fn file(&self, id: NodeId) -> Result<&File, Errno> {
        match &self.get(id)?.kind {
            Kind::File(file) => Ok(file),
            Kind::Folder(_) => Err(EISDIR),
            _ => Err(EINVAL),
        }
    }

    /// A plain file that may be changed: also EROFS.
    pub fn file_mut(&mut self, id: NodeId) -> Result<&mut File, Errno> {
        match &mut self.writable(id)?.kind {
            Kind::File(file) => Ok(file),
            Kind::Folder(_) => Err(EISDIR),
            _ => Err(EINVAL),
        }
    }

    /// Bytes of whole pages that a node stores.
    pub(super) fn stored(&self, id: NodeId) -> u64 {
        match self.file(id) {
            Ok(File { data: Data::Own(bytes), .. }) => (bytes.len() as u64).next_multiple_of(PAGE),
            _ => 0,
        }
    }

    /// A name for the bytes of a file as they are now, for the home's cache.
    pub fn cached(&mut self, id: NodeId) -> Option<crate::platform::FileId> {
        let next = crate::platform::FileId(self.last_file.wrapping_add(1));
        let Kind::File(file) = &mut self.get_mut(id).ok()?.kind else { return None };
        if file.cache.is_none() {
            file.cache = Some(next);
            self.last_file = next.0;
        }
        self.file(id).ok()?.cache
    }

    /// Makes room so that a file stores at least `end` bytes. ENOSPC at the volume's limit or without memory, EFBIG.
    fn reserve(&mut self, id: NodeId, end: u64) -> Result<&mut Vec<u8>, Errno> {
        if end > MAX_SIZE {
            return Err(EFBIG);
        }
        let volume = self.writable(id)?.volume;
        let before = self.stored(id);
        let more = end.next_multiple_of(PAGE).saturating_sub(before);
        let Some(place) = self.volumes.get_mut(volume.0 as usize) else { return Err(ENOSPC) };
        if place.used.saturating_add(more) > place.limit {
            return Err(ENOSPC);
        }
        place.used += more;
        let end = usize::try_from(end).map_err(|_| ENOSPC)?;
        let file = self.file_mut(id)?;
        if let Data::Fixed(bytes) = file.data {
            file.data = Data::Own(bytes.into());
        }
        let Data::Own(bytes) = &mut file.data else { return Err(EINVAL) };
        if end > bytes.len() {
            bytes.try_reserve(end - bytes.len()).map_err(|_| ENOSPC)?;
            bytes.resize(end, 0);
        }
        Ok(bytes)
    }

    /// Writes into a file. ENOSPC, EFBIG, EROFS, EISDIR. All or nothing.
    pub fn write_at(&mut self, id: NodeId, offset: u64, bytes: &[u8], time: i64) -> Result<(), Errno> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file_mut(id)?;
        let end = offset.checked_add(bytes.len() as u64).ok_or(EFBIG)?;
        let stored = self.reserve(id, end)?;
        if let Some(place) = stored.get_mut(offset as usize..end as usize) {
            place.copy_from_slice(bytes);
        }
        let file = self.file_mut(id)?;
        file.size = file.size.max(end);
        self.touch(id, time);
        Ok(())
    }

    /// Changes a file's size; new bytes are zeros, which take no space. EFBIG, EROFS, EISDIR.
    pub fn truncate(&mut self, id: NodeId, size: u64, time: i64) -> Result<(), Errno> {
        if size > MAX_SIZE {
            return Err(EFBIG);
        }
        let before = self.stored(id);
        let volume = self.writable(id)?.volume;
        let file = self.file_mut(id)?;
        file.size = size;
        if let Ok(kept) = usize::try_from(size)
            && kept < file.bytes().len()
        {
            match &mut file.data {
                Data::Fixed(bytes) => *bytes = bytes.get(..kept).unwrap_or_default(),
                Data::Own(bytes) => {
                    bytes.truncate(kept);
                    if kept == 0 {
                        *bytes = Vec::new();
                    }
                }
            }
        }
        let after = self.stored(id);
        if let Some(place) = self.volumes.get_mut(volume.0 as usize) {
            place.used = place.used.saturating_sub(before.saturating_sub(after));
        }
        self.touch(id, time);
        Ok(())
    }

    /// Takes space for a file up to `end`, as fallocate(2) does; the size grows if `grow`. ENOSPC, EFBIG, EROFS.
    pub fn allocate(&mut self, id: NodeId, end: u64, grow: bool, time: i64) -> Result<(), Errno> {
        let size = self.file(id)?.size;
        self.reserve(id, if grow { end } else { end.min(size) })?;
        let file = self.file_mut(id)?;
        if grow {
            file.size = file.size.max(end);
        }
        self.touch(id, time);
        Ok(())
    }
}
