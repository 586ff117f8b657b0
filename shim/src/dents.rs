//! Directories in another order.
//!
//! A program's place in a directory is the number of entries that it was given, and is kept where the kernel keeps it: the
//! call becomes an lseek(2) to that number, so that telldir, seekdir, rewinddir, dup and fork are as ever. What a
//! directory held when it was read from its start is what is served until it is read from its start again.

use crate::calls::{LSEEK, Path};
use crate::options::Order;
use crate::random::mix;
use crate::sys;
use crate::tracee::{Registers, Tracee};

/// A larger listing keeps the kernel's order.
const LISTING: usize = 1 << 20;
/// The least that an entry takes: `struct linux_dirent64` up to its name, and two bytes of that, padded.
const LEAST: usize = 24;
const NAME: usize = 19;
/// Listings that are kept.
const SLOTS: usize = 16;
/// What is served at once at most.
const SERVED: usize = 32 << 10;
const ESRCH: u64 = 3_u64.wrapping_neg();
const EINVAL: u64 = 22_u64.wrapping_neg();

struct Listing {
    identity: (u64, u64),
    /// One record after the other, as the kernel wrote them.
    records: &'static mut [u8],
    /// Where each record is, in the order in which they are served; four bytes each.
    order: &'static mut [u8],
    many: usize,
}

/// The listings.
pub struct Dents {
    slots: [Option<Listing>; SLOTS],
    next: usize,
    served: &'static mut [u8],
}

impl Dents {
    pub fn new() -> Dents {
        Dents { slots: [const { None }; SLOTS], next: 0, served: sys::memory(SERVED) }
    }

    /// Serves a getdents64(2) that is about to be made. `None` where that can't be done: then the order is left to the kernel.
    pub fn serve(&mut self, tracee: Tracee, registers: Registers, order: Order) -> Option<()> {
        let fd = registers.rdi as usize;
        let at = position(tracee, fd)?;
        let slot = self.find(tracee, fd, at, order)?;
        let listing = self.slots[slot].as_ref()?;
        let room = (registers.rdx as usize).min(SERVED);
        let (mut filled, mut next) = (0, at);
        while next < listing.many {
            let record = listing.record(next);
            if filled + record.len() > room {
                break;
            }
            let place = &mut self.served[filled..filled + record.len()];
            place.copy_from_slice(record);
            place[8..16].copy_from_slice(&(next as u64 + 1).to_le_bytes());
            filled += record.len();
            next += 1;
        }
        let result = if filled == 0 && next < listing.many { EINVAL } else { filled as u64 };
        if tracee.write(registers.rsi, &self.served[..filled]) != filled {
            return None;
        }
        let mut changed = registers;
        (changed.orig_rax, changed.rsi, changed.rdx) = (LSEEK, next as u64, 0);
        tracee.set(&changed);
        let sought = if tracee.finish() { tracee.registers()?.rax } else { ESRCH };
        let mut registers = registers;
        // Else the program would be given the same entries again and again.
        registers.rax = if sought == next as u64 { result } else { sought };
        tracee.set(&registers);
        Some(())
    }

    /// The listing of an open directory, made anew at its start.
    fn find(&mut self, tracee: Tracee, fd: usize, at: usize, order: Order) -> Option<usize> {
        const DIRECTORY: usize = 0o200_000;
        let mut path = Path::new();
        path.push(b"/proc/").number(tracee.pid()).push(b"/fd/").number(fd).push(b"\0");
        let folder = sys::open(path.bytes(), DIRECTORY)?;
        let identity = sys::identity(folder);
        let known = |slot: &Option<Listing>| slot.as_ref().is_some_and(|one| one.identity == identity);
        let known = self.slots.iter().position(known);
        if at > 0 && known.is_some() {
            sys::close(folder);
            return known;
        }
        let slot = known.unwrap_or(self.next % SLOTS);
        self.next += usize::from(known.is_none());
        let listing = self.slots[slot].get_or_insert_with(|| Listing {
            identity,
            records: sys::memory(LISTING),
            order: sys::memory(LISTING / LEAST * 4),
            many: 0,
        });
        listing.identity = identity;
        let whole = listing.fill(folder);
        sys::close(folder);
        if !whole {
            self.slots[slot].as_mut()?.identity = (0, 0);
            return None;
        }
        listing.sort(order);
        Some(slot)
    }
}

impl Listing {
    fn fill(&mut self, folder: usize) -> bool {
        let mut filled = 0;
        loop {
            match sys::entries(folder, &mut self.records[filled..]) {
                Some(0) => break,
                Some(more) => filled += more,
                None => return false,
            }
        }
        (self.many, _) = (0, filled);
        let mut at = 0;
        while at < filled {
            self.place(self.many, at);
            self.many += 1;
            at += length(&self.records[at..]);
        }
        true
    }

    fn sort(&mut self, order: Order) {
        let records = &*self.records;
        let places = self.order[..self.many * 4].as_chunks_mut::<4>().0;
        let name = |place: &[u8; 4]| {
            let record = &records[u32::from_le_bytes(*place) as usize..];
            let name = &record[NAME..length(record)];
            &name[..name.iter().position(|&byte| byte == 0).unwrap_or(name.len())]
        };
        let Order::Shuffled(seed) = order else {
            places.reverse();
            return;
        };
        // The folder itself and the one above it first, so that the others can be told to come otherwise than before.
        let is_dots = |place: &[u8; 4]| matches!(name(place), b"." | b"..");
        places.sort_unstable_by_key(|place| {
            let drawn = name(place).iter().fold(mix(seed), |key, &byte| mix(key ^ u64::from(byte)));
            (!is_dots(place), drawn)
        });
        let dots = places.iter().take_while(|place| is_dots(place)).count();
        let places = &mut places[dots..];
        if places.is_sorted_by_key(|place| u32::from_le_bytes(*place)) && !places.is_empty() {
            places.rotate_left(1);
        }
    }

    fn place(&mut self, number: usize, at: usize) {
        self.order[number * 4..][..4].copy_from_slice(&(at as u32).to_le_bytes());
    }

    fn record(&self, number: usize) -> &[u8] {
        let mut at = [0; 4];
        at.copy_from_slice(&self.order[number * 4..][..4]);
        let record = &self.records[u32::from_le_bytes(at) as usize..];
        &record[..length(record)]
    }
}

fn length(record: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([record[16], record[17]])).max(LEAST)
}

/// Where an open file is. Source: proc_pid_fdinfo(5).
fn position(tracee: Tracee, fd: usize) -> Option<usize> {
    let mut path = Path::new();
    path.push(b"/proc/").number(tracee.pid()).push(b"/fdinfo/").number(fd).push(b"\0");
    let file = sys::open(path.bytes(), 0)?;
    let mut text = [0; 64];
    let read = sys::read(file, &mut text);
    sys::close(file);
    let digits = text[..read?].strip_prefix(b"pos:\t")?;
    digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .try_fold(0_usize, |number, digit| number.checked_mul(10)?.checked_add(usize::from(digit - b'0')))
}
