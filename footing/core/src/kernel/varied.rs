//! What a step sees otherwise than as usual, where a plan varies it (`formats::plan::Vary`).

use super::memory::{LAYOUT_32, LAYOUT_64, Layout};
use super::{Kernel, Random};
use crate::platform::{PAGE, Platform};
use crate::tree::{Folder, Node, NodeId};

/// Of personality(2): mappings from a third of the address space on, upward.
const COMPAT_LAYOUT: u32 = 0x20_0000;
/// When inputs were last changed as far as the tree knows, in nanoseconds.
const INPUTS_TIME: i64 = 1_000_000_000;
/// Less than what a stack has below its first pointer.
const FILLED: u64 = 64 << 10;

/// A number in which each bit depends on all bits of another. Source: the finalizer of MurmurHash3.
pub(crate) fn mix(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ word >> 33
}

/// Where a name stands in an order that is drawn from a seed.
fn rank(seed: u64, name: &[u8]) -> u64 {
    mix(name.iter().fold(mix(seed), |rank, &byte| (rank ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)))
}

/// The entry after a name, or the first one, in an order that is drawn from a seed; backwards for 0.
pub(crate) fn after<'a>(folder: &'a Folder, last: Option<&[u8]>, seed: u64) -> Option<(&'a [u8], NodeId)> {
    if seed == 0 {
        return folder.before(last);
    }
    let last = last.map(|name| (rank(seed, name), name));
    let ranked = folder.iter().map(|(name, node)| ((rank(seed, name), name), node));
    let behind = ranked.filter(|(place, _)| last.is_none_or(|last| *place > last));
    behind.min_by_key(|(place, _)| *place).map(|((_, name), node)| (name, node))
}

impl<P: Platform> Kernel<P> {
    /// Before the first process: random numbers, and the order of threads.
    pub(crate) fn vary(&mut self) {
        let mut key = self.step.entropy;
        if let Some(random) = self.step.vary.random {
            for (byte, more) in key.iter_mut().zip(random.to_le_bytes()) {
                *byte ^= more;
            }
        }
        self.random = Random::new(&key);
        self.order = self.step.vary.order.map_or(self.settings.order, |seed| mix(seed) | 1);
    }

    /// Skips numbers of processes.
    pub(crate) fn skip_pids(&mut self) {
        let skipped = self.step.vary.pid.unwrap_or(0).min(30_000) as i32;
        self.last_pid = self.last_pid.saturating_add(skipped);
    }

    /// The next number of the order of threads: xorshift.
    pub(crate) fn draw(&mut self) -> u64 {
        let mut word = self.order;
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        self.order = word;
        word
    }

    /// A program looks at a clock: that takes it time, of which only who led to it and who it leads to know, so that no clock
    /// depends on what runs beside it.
    pub(crate) fn look(&mut self) {
        let vary = &self.step.vary;
        let takes = vary.look.unwrap_or(0).saturating_add(vary.tick.unwrap_or(0));
        if let Ok(process) = self.process() {
            process.looked = process.looked.saturating_add(takes);
        }
    }

    /// What the current process's looks at the clock took, in nanoseconds.
    pub(crate) fn looked(&self) -> u64 {
        self.me().map_or(0, |process| process.looked)
    }

    /// Nanoseconds since the step's start, as programs are shown them.
    pub(crate) fn shown_now(&self) -> u64 {
        self.now.saturating_add(self.looked())
    }

    /// Time goes on by so many calls: as far as the next timer, where looks take time.
    pub(crate) fn advance(&mut self, calls: u64) {
        let after = self.now.saturating_add(calls.saturating_mul(self.settings.call_cost));
        self.now = match (self.step.vary.look, self.next_timer()) {
            (None, _) => after,
            (Some(_), Some(at)) => after.min(at.max(self.now)),
            (Some(_), None) => self.now,
        };
    }

    /// Nanoseconds of the processor's that programs are shown for so many calls.
    pub(crate) fn shown_cpu(&self, calls: u64) -> u64 {
        match self.step.vary.look {
            None => calls.saturating_mul(self.settings.call_cost),
            Some(_) => self.looked(),
        }
    }

    /// CPUs that a program may use.
    pub(crate) fn cpus(&self) -> u64 {
        self.step.vary.cpus.unwrap_or(1).clamp(1, 64)
    }

    /// Bytes of memory that programs are shown.
    pub(crate) fn shown_memory(&self) -> u64 {
        self.settings.memory.saturating_add(self.step.vary.memory.unwrap_or(0) / PAGE * PAGE)
    }

    /// By so many times blocks, folders and file systems are larger.
    pub(crate) fn enlarged(&self) -> u64 {
        self.step.vary.sizes.unwrap_or(1).clamp(1, 16)
    }

    /// An inode number as it is shown.
    pub(crate) fn shown_inode(&mut self, id: NodeId) -> u64 {
        let inode = self.tree.inode(id);
        // An odd factor maps the numbers below 2^32 onto each other.
        self.step.vary.inodes.map_or(inode, |salt| (inode as u32).wrapping_mul(salt as u32 | 1).into())
    }

    /// A device number as it is shown.
    pub(crate) fn shown_device(&self, device: u64) -> u64 {
        if self.step.vary.inodes.is_some() { device.saturating_add(64) } else { device }
    }

    /// Mode, user, group and time of modification of an input as they are shown; `link` for a symbolic link, which keeps its mode.
    pub(crate) fn shown_input(&self, node: &Node, link: bool) -> (u32, u32, u32, i64) {
        let plain = (node.mode, node.uid, node.gid, node.times[1]);
        if !node.frozen || node.times[1] != INPUTS_TIME {
            return plain;
        }
        let vary = &self.step.vary;
        let more = if link { 0 } else { vary.mode.unwrap_or(0) as u32 & 0o7777 };
        let owner = |id: u32| vary.owner.map_or(id, |owner| owner as u32);
        let time = vary.mtime.map_or(plain.3, |seconds| (seconds.min(1 << 33) as i64) * 1_000_000_000);
        (plain.0 | more, owner(plain.1), owner(plain.2), time)
    }

    /// Where things lie in address spaces of this step.
    pub(crate) fn layout(&self, compat: bool) -> Layout {
        let mut layout = if compat { LAYOUT_32 } else { LAYOUT_64 };
        if let Some(seed) = self.step.vary.layout {
            let pages = |number: u64, most: u64| mix(seed ^ mix(number)) % most * PAGE;
            // So little that nothing comes close to anything else.
            let (few, many) = if compat { (1 << 11, 1 << 12) } else { (1 << 11, 1 << 20) };
            layout.stack_top -= pages(1, few);
            layout.mappings_top -= pages(2, many);
            layout.program += pages(3, few);
            layout.heap = pages(4, few);
        }
        layout.heap += self.step.vary.heap.unwrap_or(0).min(64 << 20) / PAGE * PAGE;
        let personality = self.me().map_or(self.step.personality, |process| process.personality);
        if personality & COMPAT_LAYOUT != 0 {
            layout.upward = (layout.high / 3).next_multiple_of(PAGE);
        }
        layout
    }

    /// By so many bytes the first stack starts below a place that does not depend on arguments and environment, if it does.
    pub(crate) fn lowered_stack(&self) -> Option<u64> {
        self.step.vary.stack.map(|bytes| bytes.min(1 << 20) / 16 * 16)
    }

    /// Fills what lies below a first stack.
    pub(crate) fn fill_below(&mut self, space: u32, pointer: u64) {
        let Some(byte) = self.step.vary.fill else { return };
        let bytes = alloc::vec![byte as u8; FILLED as usize];
        if let Ok(place) = self.spaces.get_mut(space) {
            self.platform.write(&mut place.space, pointer.saturating_sub(FILLED), &bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Kind, Meta, Tree};
    use alloc::vec::Vec;

    fn listed(seed: Option<u64>) -> Vec<u8> {
        let mut tree = Tree::new();
        let volume = tree.volume(1 << 20, false, 1);
        let meta = Meta { mode: 0o755, uid: 0, gid: 0, time: 0 };
        let root = tree.root(volume, meta).unwrap();
        for name in [b"a", b"b", b"c", b"d", b"e"] {
            tree.add(root, name, Kind::Folder(Folder::default()), meta).unwrap();
        }
        let folder = tree.folder(root).unwrap();
        let (mut all, mut last): (Vec<u8>, Option<Vec<u8>>) = Default::default();
        while let Some((name, _)) = match seed {
            None => folder.after(last.as_deref()),
            Some(seed) => after(folder, last.as_deref(), seed),
        } {
            all.extend(name);
            last = Some(name.to_vec());
        }
        all
    }

    #[test]
    fn each_order_has_each_entry_once() {
        assert_eq!((listed(None), listed(Some(0))), (b"abcde".to_vec(), b"edcba".to_vec()));
        let mut drawn = listed(Some(7));
        assert!(![b"abcde".to_vec(), b"edcba".to_vec(), listed(Some(8))].contains(&drawn));
        assert_eq!(drawn, listed(Some(7)));
        drawn.sort_unstable();
        assert_eq!(drawn, b"abcde");
    }
}
