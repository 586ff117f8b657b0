//! The inode numbers that stand in directories.

use crate::calls::{DENTS, Path};
use crate::tracee::{Registers, Tracee};
use crate::{Probe, sys};

/// What is read at once at most: a call that asks for more gets less.
const ROOM: usize = 32 << 10;
const PATH_ONLY: usize = 0o10_000_000;

/// A getdents(2) or getdents64(2) that is about to be made.
pub fn entries(tracee: Tracee, registers: Registers, probe: &mut Probe) -> Option<()> {
    let served = match probe.options.dents {
        Some(order) if registers.orig_rax == DENTS => probe.dents.serve(tracee, registers, order),
        _ => None,
    };
    if served.is_none() {
        let mut less = registers;
        less.rdx = registers.rdx.min(ROOM as u64);
        tracee.set(&less);
        if !tracee.finish() {
            return None;
        }
    }
    let result = tracee.registers()?.rax as usize;
    let mut after = registers;
    after.rax = result as u64;
    tracee.set(&after);
    let mut room = [0; ROOM];
    let bytes = room.get_mut(..result).filter(|bytes| !bytes.is_empty())?;
    if tracee.read(registers.rsi, bytes) != bytes.len() {
        return None;
    }
    let mut path = Path::new();
    path.push(b"/proc/").number(tracee.pid()).push(b"/fd/").number(registers.rdi as usize).push(b"\0");
    let folder = sys::open(path.bytes(), PATH_ONLY)?;
    let (device, _) = sys::identity(folder);
    sys::close(folder);
    let mut rest = &mut *bytes;
    // Both kinds of entries begin with the inode, 64 bits, the place of the next and their length, 16 bits.
    while rest.len() >= 18 {
        let mut inode = [0; 8];
        inode.copy_from_slice(&rest[..8]);
        let number = probe.inodes.inode(device, u64::from_le_bytes(inode));
        rest[..8].copy_from_slice(&number.to_le_bytes());
        let length = usize::from(u16::from_le_bytes([rest[16], rest[17]])).max(18);
        rest = rest.get_mut(length..).unwrap_or_default();
    }
    tracee.write(registers.rsi, bytes);
    Some(())
}
