//! The inode numbers that stand in directories, and in the links of /proc to pipes and sockets.

use crate::calls::{DENTS, LINKS, Path};
use crate::inodes::PIPES;
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

/// A readlink(2) or readlinkat(2) that is about to be made.
pub fn link(tracee: Tracee, registers: Registers, probe: &mut Probe) -> Option<()> {
    let Registers { rdi, rsi, rdx, r10, .. } = registers;
    let (path, place, room) = if registers.orig_rax == LINKS[0] { (rdi, rsi, rdx) } else { (rsi, rdx, r10) };
    let mut start = [0; 6];
    if tracee.read(path, &mut start) != start.len() || start != *b"/proc/" || !tracee.finish() {
        return None;
    }
    let mut after = tracee.registers()?;
    let mut text = [0; 64];
    let length = usize::try_from(after.rax).ok().filter(|&length| length <= text.len())?;
    if tracee.read(place, &mut text[..length]) != length {
        return None;
    }
    // `pipe:[NUMBER]`
    let digits = text[..length].strip_suffix(b"]")?;
    let name = digits.windows(2).position(|two| two == b":[")? + 2;
    let digits = digits.get(name..).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let inode = digits.iter().fold(0_u64, |number, digit| number.wrapping_mul(10) + u64::from(digit & 15));
    let number = probe.inodes.inode(PIPES, inode) as usize;
    let mut link = Path::new();
    link.push(&text[..name]).number(number).push(b"]");
    let link = link.bytes().get(..link.bytes().len().min(room as usize))?;
    if tracee.write(place, link) == link.len() {
        after.rax = link.len() as u64;
        tracee.set(&after);
    }
    Some(())
}
