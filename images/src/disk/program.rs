//! The loaders as the disk holds them, made of the ELF files that the linker writes. Those are our own and well formed.

/// Program headers: type, offset, address, size in the file, size in memory.
fn headers(elf: &[u8]) -> impl Iterator<Item = [usize; 5]> + '_ {
    let table = word(elf, 32, 8);
    let count = word(elf, 56, 2);
    (0..count).map(move |index| {
        let at = table + 56 * index;
        let of = |offset, size| word(elf, at + offset, size);
        [of(0, 4), of(8, 8), of(16, 8), of(32, 8), of(40, 8)]
    })
}

fn word(bytes: &[u8], at: usize, size: usize) -> usize {
    let mut word = [0; 8];
    word[..size].copy_from_slice(&bytes[at..at + size]);
    u64::from_le_bytes(word) as usize
}

/// What is loaded, as it lies in memory from `base` on.
pub fn flat(elf: &[u8], base: usize) -> Vec<u8> {
    const LOAD: usize = 1;
    let mut flat = Vec::new();
    for [_, offset, address, size, _] in headers(elf).filter(|header| header[0] == LOAD && header[3] > 0) {
        let start = address - base;
        flat.resize(flat.len().max(start + size), 0);
        flat[start..start + size].copy_from_slice(&elf[offset..offset + size]);
    }
    flat
}
