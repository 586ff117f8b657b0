//! Opening a pipe that has a name. Source: fifo(7).

use super::transfer::{O_ACCMODE, O_NONBLOCK};
use super::{Arguments, fail};
use crate::errno::{ENXIO, Errno};
use crate::kernel::{Done, Kernel, Object, Wait};
use crate::platform::Platform;
use crate::tree::{Kind, NodeId};

/// Marks what a thread that waits in open(2) opens for, in its progress.
const READS: u64 = 1 << 62;
const WRITES: u64 = 1 << 61;

impl<P: Platform> Kernel<P> {
    /// Opens an end, and waits for somebody at the other. ENXIO for O_WRONLY and O_NONBLOCK without a reader.
    pub(super) fn open_fifo(&mut self, node: NodeId, flags: u32, shown: &[u8]) -> Done {
        let id = self.pipe_of(node)?;
        let (reads, writes) = match flags & O_ACCMODE {
            0 => (true, false),
            1 => (false, true),
            _ => (true, true),
        };
        // Whoever came to the other end has counted this one already.
        if self.thread()?.woken {
            return self.finish_open(Object::Pipe(id, reads, writes), flags, shown);
        }
        let pipe = self.pipes.get(id)?;
        let alone = reads && !writes && pipe.writers == 0 || writes && !reads && pipe.readers == 0;
        let met = if alone || (reads && writes) { self.meet(id, reads, writes) } else { false };
        if alone && !met {
            if flags & O_NONBLOCK == 0 {
                self.thread()?.progress = if reads { READS } else { WRITES };
                return self.wait(Wait::Pipe(id));
            }
            if writes {
                return fail(ENXIO);
            }
        }
        let pipe = self.pipes.get_mut(id)?;
        pipe.readers = pipe.readers.saturating_add(reads.into());
        pipe.writers = pipe.writers.saturating_add(writes.into());
        self.finish_open(Object::Pipe(id, reads, writes), flags, shown)
    }

    /// Lets those go on who wait at the other end, and counts their ends; whether there were any.
    fn meet(&mut self, id: u32, reads: bool, writes: bool) -> bool {
        let mut met = false;
        for thread in self.blocked.clone() {
            let Some(waiting) = self.threads.get_mut(&thread) else { continue };
            let (reader, writer) = (waiting.progress == READS, waiting.progress == WRITES);
            if waiting.wait != Some(Wait::Pipe(id)) || !(reader && writes || writer && reads) {
                continue;
            }
            waiting.woken = true;
            waiting.progress = 0;
            if let Ok(pipe) = self.pipes.get_mut(id) {
                pipe.readers = pipe.readers.saturating_add(reader.into());
                pipe.writers = pipe.writers.saturating_add(writer.into());
            }
            self.wake_thread(thread);
            met = true;
        }
        met
    }

    /// The pipe behind a node.
    fn pipe_of(&mut self, node: NodeId) -> Result<u32, Errno> {
        if let Kind::Fifo(Some(id)) = self.tree.get(node)?.kind {
            return Ok(id);
        }
        let id = self.new_pipe()?;
        self.pipes.get_mut(id)?.node = Some(node);
        let place = self.tree.get_mut(node)?;
        if matches!(place.kind, Kind::Fifo(_)) {
            place.kind = Kind::Fifo(Some(id));
        }
        self.tree.hold(node);
        Ok(id)
    }

    /// mknod(2).
    pub(crate) fn sys_mknod(&mut self, a: Arguments) -> Done {
        self.make_node(crate::kernel::lookup::AT_FDCWD, a[0], a[1] as u32, a[2])
    }

    /// mknodat(2).
    pub(crate) fn sys_mknodat(&mut self, a: Arguments) -> Done {
        self.make_node(a[0] as i32, a[1], a[2] as u32, a[3])
    }
}
