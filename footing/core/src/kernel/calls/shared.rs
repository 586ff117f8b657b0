//! Files that are mapped shared: memory that holds their bytes while somebody maps it.

use crate::errno::Errno;
use crate::kernel::{Backing, Kernel, Share};
use crate::platform::{Content, Platform, SharedId};
use crate::tree::NodeId;

impl<P: Platform> Kernel<P> {
    /// The shared memory that holds a file's bytes up to `end` at least. ENOMEM, EROFS.
    pub(super) fn share_file(&mut self, node: NodeId, end: u64) -> Result<u64, Errno> {
        let file = self.tree.file_mut(node)?;
        let size = file.size.max(end);
        let before = file.shared;
        if let Some(id) = before
            && self.shares.get(&id.0).is_some_and(|share| share.size >= end)
        {
            return Ok(id.0);
        }
        self.pull(node, 0, u64::MAX);
        let id = self.new_share(size, Some(node))?;
        self.tree.file_mut(node)?.shared = Some(SharedId(id));
        self.push(node, 0, size);
        match before {
            None => self.tree.hold(node),
            Some(old) => self.move_share(old.0, id)?,
        }
        Ok(id)
    }

    /// Lets everybody who maps one shared memory map another.
    fn move_share(&mut self, old: u64, new: u64) -> Result<(), Errno> {
        for number in self.spaces.numbers() {
            let Ok(space) = self.spaces.get_mut(number) else { continue };
            for (&start, region) in space.regions.iter_mut() {
                let Backing::Shared(id, offset) = region.backing else { continue };
                if id != old {
                    continue;
                }
                let content = Content::Shared(SharedId(new), offset);
                self.platform.map(&mut space.space, start..region.end, region.access, content)?;
                region.backing = Backing::Shared(new, offset);
            }
        }
        let users = self.shares.remove(&old).map_or(0, |share| share.users);
        if let Some(share) = self.shares.get_mut(&new) {
            *share = Share { users, ..*share };
        }
        self.platform.unshare(SharedId(old));
        Ok(())
    }
}
