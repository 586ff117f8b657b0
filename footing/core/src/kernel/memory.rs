//! Mapping and unmapping: regions, shared memory and the home's pages together.

use super::region::{Label, pages};
use super::{Backing, Kernel, Region, Share, Space};
use crate::errno::{ENOMEM, Errno};
use crate::map::Map;
use crate::platform::{Access, Content, NoMemory, Platform, SharedId};
use crate::tree::NodeId;

impl From<NoMemory> for Errno {
    fn from(_: NoMemory) -> Errno {
        ENOMEM
    }
}

/// Where things lie in an address space: as on Linux without randomization. Source: `arch/x86/mm/mmap.c`, `fs/binfmt_elf.c`.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) stack_top: u64,
    pub(crate) mappings_top: u64,
    pub(crate) program: u64,
    /// How far behind a program its heap starts.
    pub(crate) heap: u64,
    /// Mappings lie from here on upward, unless this is 0.
    pub(crate) upward: u64,
}

pub(crate) const LAYOUT_64: Layout = Layout {
    low: 0x1_0000,
    high: 0x7fff_ffff_f000,
    stack_top: 0x7fff_ffff_f000,
    mappings_top: 0x7fff_f7ff_f000,
    program: 0x5555_5555_4000,
    heap: 0,
    upward: 0,
};

pub(crate) const LAYOUT_32: Layout = Layout {
    low: 0x1_0000,
    high: 0xffff_e000,
    stack_top: 0xffff_e000,
    mappings_top: 0xf7ff_e000,
    program: 0x5655_5000,
    heap: 0,
    upward: 0,
};

/// The most regions of an address space: below `vm.max_map_count` of Linux, so that a home on Linux holds as many.
const MAX_REGIONS: usize = 65_000;

impl<P: Platform> Kernel<P> {
    /// An empty address space. ENOMEM.
    pub(crate) fn new_space(&mut self, compat: bool) -> Result<u32, Errno> {
        let layout = self.layout(compat);
        let space = self.platform.space()?;
        let home = self.platform.addresses();
        self.spaces.add(Space {
            space,
            users: 1,
            regions: Map::new(),
            heap: 0,
            heap_end: 0,
            top: layout.mappings_top,
            upward: layout.upward,
            low: layout.low.max(home.start),
            high: layout.high.min(home.end),
            total: 0,
            committed: 0,
        })
    }

    /// One process fewer lives in an address space.
    pub(crate) fn leave_space(&mut self, id: u32) {
        let Ok(space) = self.spaces.get_mut(id) else { return };
        space.users = space.users.saturating_sub(1);
        if space.users > 0 {
            return;
        }
        let Some(space) = self.spaces.remove(id) else { return };
        for region in space.regions.values() {
            self.drop_backing(region.backing);
        }
        self.platform.discard(space.space);
    }

    /// A copy of an address space, as fork(2) makes it. ENOMEM.
    pub(crate) fn fork_space(&mut self, id: u32) -> Result<u32, Errno> {
        let from = self.spaces.get_mut(id)?;
        let space = self.platform.fork(&mut from.space)?;
        let copy = Space {
            space,
            users: 1,
            regions: from.regions.clone(),
            heap: from.heap,
            heap_end: from.heap_end,
            top: from.top,
            upward: from.upward,
            low: from.low,
            high: from.high,
            total: from.total,
            committed: from.committed,
        };
        for region in copy.regions.values() {
            keep_backing(&mut self.shares, &mut self.tree, region.backing);
        }
        self.spaces.add(copy)
    }

    /// Maps pages; what was there is gone. ENOMEM above a limit, or if the home has none.
    pub(crate) fn map(
        &mut self,
        id: u32,
        start: u64,
        length: u64,
        access: Access,
        backing: Backing,
        label: Label,
    ) -> Result<(), Errno> {
        let end = pages(length).and_then(|length| start.checked_add(length)).ok_or(ENOMEM)?;
        self.unmap(id, start, end)?;
        let space = self.spaces.get_mut(id)?;
        if start < space.low || end > space.high || start >= end || space.regions.len() >= MAX_REGIONS {
            return Err(ENOMEM);
        }
        let content = match backing {
            Backing::Zero => Content::Zero,
            Backing::Shared(id, offset) => Content::Shared(SharedId(id), offset),
            Backing::File(node, offset) => match (self.tree.cached(node), self.tree.file(node)) {
                (Some(id), Ok(file)) => Content::File { id, bytes: file.bytes(), offset },
                _ => Content::Zero,
            },
        };
        self.platform.map(&mut space.space, start..end, access, content)?;
        space.insert(start, Region { end, access, backing, label });
        keep_backing(&mut self.shares, &mut self.tree, backing);
        Ok(())
    }

    /// Lets the home know that a program will probably write to all of what was just mapped.
    pub(crate) fn foresee(&mut self, id: u32, start: u64, length: u64) {
        if let Ok(space) = self.spaces.get_mut(id) {
            self.platform.foresee(&mut space.space, start..start.saturating_add(length));
        }
    }

    /// Unmaps pages, some of which may be mapped.
    pub(crate) fn unmap(&mut self, id: u32, start: u64, end: u64) -> Result<(), Errno> {
        let space = self.spaces.get_mut(id)?;
        let (gone, more) = space.cut(start, end);
        if gone.is_empty() {
            return Ok(());
        }
        for (start, _) in &gone {
            space.remove(*start);
        }
        self.platform.unmap(&mut space.space, start..end);
        for share in more.into_iter().flatten() {
            if let Some(share) = self.shares.get_mut(&share) {
                share.users = share.users.saturating_add(1);
            }
        }
        for (_, region) in gone {
            self.drop_backing(region.backing);
        }
        Ok(())
    }

    /// Changes what may be done with pages, all of which must be mapped. ENOMEM.
    pub(crate) fn protect(&mut self, id: u32, start: u64, end: u64, access: Access) -> Result<(), Errno> {
        let space = self.spaces.get_mut(id)?;
        if !space.covers(start, end) || space.regions.len() >= MAX_REGIONS {
            return Err(ENOMEM);
        }
        let (regions, more) = space.cut(start, end);
        for (start, _) in regions {
            space.set_access(start, access);
        }
        self.platform.protect(&mut space.space, start..end, access);
        for share in more.into_iter().flatten() {
            if let Some(share) = self.shares.get_mut(&share) {
                share.users = share.users.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Memory that can be shared: zeros, or a file's bytes, of which the file takes part from then on. ENOMEM.
    pub(crate) fn new_share(&mut self, size: u64, node: Option<NodeId>) -> Result<u64, Errno> {
        let size = pages(size).ok_or(ENOMEM)?;
        let limit = self.step.memory_limit;
        if limit > 0 && size > limit {
            return Err(ENOMEM);
        }
        self.next_share = self.next_share.wrapping_add(1);
        let id = self.next_share;
        self.platform.share(SharedId(id), size)?;
        self.shares.insert(id, Share { users: 0, size, node });
        Ok(id)
    }

    fn drop_backing(&mut self, backing: Backing) {
        match backing {
            Backing::Zero => {}
            Backing::File(node, _) => self.release_node(node),
            Backing::Shared(id, _) => {
                let Some(share) = self.shares.get_mut(&id) else { return };
                share.users = share.users.saturating_sub(1);
                if share.users > 0 {
                    return;
                }
                let node = share.node;
                if let Some(node) = node {
                    self.pull(node, 0, u64::MAX);
                    if let Ok(file) = self.tree.file_mut(node) {
                        file.shared = None;
                    }
                    self.release_node(node);
                }
                self.shares.remove(&id);
                self.platform.unshare(SharedId(id));
            }
        }
    }

    /// Copies what processes wrote into a file's shared memory to the file itself, from `offset` up to `end`.
    pub(crate) fn pull(&mut self, node: NodeId, offset: u64, end: u64) {
        let Ok(file) = self.tree.file(node) else { return };
        let Some(id) = file.shared else { return };
        let time = self.time();
        let size = self.shares.get(&id.0).map_or(0, |share| share.size);
        let end = end.min(file.size).min(size);
        let memory = self.platform.shared(id);
        let Some(bytes) = memory.get(offset.min(end) as usize..end as usize) else { return };
        let stored = file.bytes().get(offset.min(end) as usize..end as usize);
        // Most of what is read was not written meanwhile: its time stays.
        if stored.is_none_or(|stored| stored != bytes) {
            let _ = self.tree.write_at(node, offset, bytes, time);
            self.uncache(node);
        }
    }

    /// Copies a file's bytes to its shared memory after they changed.
    pub(crate) fn push(&mut self, node: NodeId, offset: u64, end: u64) {
        let Ok(file) = self.tree.file(node) else { return };
        let Some(id) = file.shared else { return };
        let size = self.shares.get(&id.0).map_or(0, |share| share.size);
        let end = end.min(size);
        let memory = self.platform.shared(id);
        let Some(to) = memory.get_mut(offset.min(end) as usize..end as usize) else { return };
        let (stored, _) = file.at(offset, to.len());
        let (first, rest) = to.split_at_mut(stored.len().min(to.len()));
        first.copy_from_slice(stored.get(..first.len()).unwrap_or_default());
        rest.fill(0);
    }

    /// The bytes of a file changed: the home must not know them by their old name.
    pub(crate) fn uncache(&mut self, node: NodeId) {
        if let Ok(file) = self.tree.file_mut(node)
            && let Some(id) = file.cache.take()
        {
            self.platform.forget(id);
        }
    }

    /// A descriptor, mapping or process lets go of a node.
    pub(crate) fn release_node(&mut self, node: NodeId) {
        if let Ok(last) = self.tree.get(node)
            && last.holds == 1
            && last.links == 0
        {
            self.uncache(node);
        }
        self.tree.release(node);
    }
}

fn keep_backing(shares: &mut Map<u64, Share>, tree: &mut crate::tree::Tree, backing: Backing) {
    match backing {
        Backing::Zero => {}
        Backing::File(node, _) => tree.hold(node),
        Backing::Shared(id, _) => {
            if let Some(share) = shares.get_mut(&id) {
                share.users = share.users.saturating_add(1);
            }
        }
    }
}
