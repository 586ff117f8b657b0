//! Memory that guests map: copies of files, aligned to pages, and shared memory, all in one memfd.
//!
//! Each guest process has the memfd open and can do nothing with it, since it makes no calls. A file is copied when it is mapped first,
//! and its place is used again when footing has forgotten it and no process maps it.
#![allow(unsafe_code, reason = "memory is mapped")]

use std::collections::BTreeMap;
use std::ops::Range;

use footing_core::platform::{FileId, NoMemory, PAGE, SharedId};

use crate::Error;

/// Bytes that the memfd may grow to; it takes memory only for what is written.
pub const ROOM: u64 = 1 << 42;

struct File {
    place: Range<u64>,
    users: u32,
    forgotten: bool,
}

struct Shared {
    place: Range<u64>,
    here: *mut u8,
    bytes: usize,
}

/// The store.
pub struct Store {
    /// The memfd.
    pub fd: i32,
    files: BTreeMap<FileId, File>,
    shared: BTreeMap<SharedId, Shared>,
    /// Where nothing was placed yet.
    next: u64,
    /// Places that are free again, by length.
    free: BTreeMap<u64, Vec<u64>>,
}

fn pages(bytes: u64) -> u64 {
    bytes.div_ceil(PAGE).max(1) * PAGE
}

impl Store {
    /// An empty store.
    pub fn new() -> Result<Self, Error> {
        // SAFETY: calls with a constant name and numbers.
        let fd = unsafe { libc::memfd_create(c"footing".as_ptr(), 0) };
        if fd < 0 {
            return Err(Error::last("memfd_create"));
        }
        // SAFETY: as above.
        if unsafe { libc::ftruncate(fd, ROOM as i64) } != 0 {
            return Err(Error::last("ftruncate"));
        }
        Ok(Self { fd, files: BTreeMap::new(), shared: BTreeMap::new(), next: 0, free: BTreeMap::new() })
    }

    fn place(&mut self, bytes: u64) -> Result<Range<u64>, NoMemory> {
        let bytes = pages(bytes);
        if let Some(places) = self.free.get_mut(&bytes) {
            let start = places.pop();
            if places.is_empty() {
                self.free.remove(&bytes);
            }
            if let Some(start) = start {
                return Ok(start..start + bytes);
            }
        }
        let start = self.next;
        if bytes > ROOM - start {
            return Err(NoMemory);
        }
        self.next += bytes;
        Ok(start..start + bytes)
    }

    fn release(&mut self, place: Range<u64>) {
        let bytes = place.end - place.start;
        let flags = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        // SAFETY: a call with numbers only. Nothing maps the place.
        let result = unsafe { libc::fallocate(self.fd, flags, place.start as i64, bytes as i64) };
        // A place that could not be emptied is not used again.
        if result == 0 {
            self.free.entry(bytes).or_default().push(place.start);
        }
    }

    /// Where the bytes of a file stand, for one more process that maps them.
    pub fn file(&mut self, id: FileId, bytes: &[u8], first: bool) -> Result<u64, NoMemory> {
        if let Some(file) = self.files.get_mut(&id) {
            file.users += u32::from(first);
            return Ok(file.place.start);
        }
        let place = self.place(bytes.len() as u64)?;
        let mut done = 0;
        while done < bytes.len() {
            let rest = &bytes[done..];
            let at = (place.start + done as u64) as i64;
            // SAFETY: the kernel reads `rest`.
            let count = unsafe { libc::pwrite(self.fd, rest.as_ptr().cast(), rest.len(), at) };
            let Ok(count @ 1..) = usize::try_from(count) else {
                self.release(place);
                return Err(NoMemory);
            };
            done += count;
        }
        let start = place.start;
        self.files.insert(id, File { place, users: 1, forgotten: false });
        Ok(start)
    }

    /// One more process maps a file: a copy of one that does.
    pub fn again(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(&id) {
            file.users += 1;
        }
    }

    /// A process that mapped a file has ended.
    pub fn leave(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(&id) {
            file.users -= 1;
            self.drop_unused(id);
        }
    }

    /// No one will map the file again.
    pub fn forget(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(&id) {
            file.forgotten = true;
            self.drop_unused(id);
        }
    }

    fn drop_unused(&mut self, id: FileId) {
        if self.files.get(&id).is_some_and(|file| file.users == 0 && file.forgotten)
            && let Some(file) = self.files.remove(&id)
        {
            self.release(file.place);
        }
    }

    /// Makes shared memory.
    pub fn share(&mut self, id: SharedId, bytes: u64) -> Result<(), NoMemory> {
        let place = self.place(bytes)?;
        let length = (place.end - place.start) as usize;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping where the kernel chooses.
        let here = unsafe {
            libc::mmap(std::ptr::null_mut(), length, access, libc::MAP_SHARED, self.fd, place.start as i64)
        };
        if here == libc::MAP_FAILED {
            self.release(place);
            return Err(NoMemory);
        }
        let bytes = usize::try_from(bytes).map_err(|_| NoMemory)?;
        self.shared.insert(id, Shared { place, here: here.cast(), bytes });
        Ok(())
    }

    /// Where shared memory stands, and how many bytes of whole pages it has.
    pub fn shared_at(&self, id: SharedId) -> Option<(u64, u64)> {
        self.shared.get(&id).map(|shared| (shared.place.start, shared.place.end - shared.place.start))
    }

    /// The bytes of shared memory; empty if there is none of this name.
    pub fn shared(&mut self, id: SharedId) -> &mut [u8] {
        match self.shared.get_mut(&id) {
            // SAFETY: the mapping is as long and lives until `unshare`; no guest runs while the slice is borrowed.
            Some(shared) => unsafe { std::slice::from_raw_parts_mut(shared.here, shared.bytes) },
            None => &mut [],
        }
    }

    /// Ends shared memory.
    pub fn unshare(&mut self, id: SharedId) {
        if let Some(shared) = self.shared.remove(&id) {
            let length = (shared.place.end - shared.place.start) as usize;
            // SAFETY: the mapping is ours, and the slice that `shared` lends is gone.
            unsafe { libc::munmap(shared.here.cast(), length) };
            self.release(shared.place);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let ids: Vec<_> = self.shared.keys().copied().collect();
        for id in ids {
            self.unshare(id);
        }
        // SAFETY: the descriptor is ours.
        unsafe { libc::close(self.fd) };
    }
}
