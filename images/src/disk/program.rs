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

/// Bytes before the first address of a program for UEFI: its headers. Sections, in the file too, are whole pages.
const PAGE: usize = 4096;

/// A program for UEFI, in the format of such: PE32+. Source: Microsoft's PE Format; UEFI Specification 2.10, 2.1.1.
pub fn portable(elf: &[u8]) -> Vec<u8> {
    const LOAD: usize = 1;
    let mut bytes = flat(elf, 0);
    let places = relocate(elf, &mut bytes);
    let segments: Vec<_> = headers(elf).filter(|header| header[0] == LOAD).collect();
    let mut sections: Vec<[usize; 3]> = Vec::new();
    for (segment, kind) in segments.iter().zip([0x6000_0020, 0xc000_0040]) {
        let [_, _, address, _, size] = *segment;
        sections.push([address, size.next_multiple_of(PAGE), kind]);
    }
    // Pages of zeros behind the last segment are in the file too: they are few.
    let end = sections.last().map_or(PAGE, |section| section[0] + section[1]);
    bytes.resize(end, 0);
    let moves = base_relocations(&places);
    sections.push([end, moves.len().next_multiple_of(PAGE), 0x4200_0040]);
    bytes.extend(&moves);
    bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
    let head = head(word(elf, 24, 8), bytes.len(), &sections, moves.len());
    bytes[..head.len()].copy_from_slice(&head);
    bytes
}

/// Writes addresses where the linker left them to the loader, as if the program lay at 0, and returns where they are.
fn relocate(elf: &[u8], bytes: &mut [u8]) -> Vec<usize> {
    const DYNAMIC: usize = 2;
    const RELATIVE: usize = 8;
    let dynamic = headers(elf).find(|header| header[0] == DYNAMIC).map_or(0, |header| header[2]);
    let tag = |tag: usize| {
        let entries = (dynamic..bytes.len()).step_by(16);
        let of = entries.map(|at| (word(bytes, at, 8), word(bytes, at + 8, 8)));
        of.take_while(|entry| entry.0 != 0).find(|entry| entry.0 == tag).map_or(0, |entry| entry.1)
    };
    let (table, size) = if dynamic == 0 { (0, 0) } else { (tag(7), tag(8)) };
    let mut places = Vec::new();
    for at in (table..table + size).step_by(24) {
        let [place, kind, value] = [0, 8, 16].map(|offset| word(bytes, at + offset, 8));
        assert!(kind == RELATIVE, "our own linker makes no others");
        bytes[place..place + 8].copy_from_slice(&(value as u64).to_le_bytes());
        places.push(place);
    }
    places.sort_unstable();
    places
}

/// The same places as blocks, one for each page of them.
fn base_relocations(places: &[usize]) -> Vec<u8> {
    const WORD_64: u16 = 10 << 12;
    let mut bytes = Vec::new();
    for page in places.chunk_by(|a, b| a / PAGE == b / PAGE) {
        let count = page.len().next_multiple_of(2);
        bytes.extend(((page[0] / PAGE * PAGE) as u32).to_le_bytes());
        bytes.extend((8 + 2 * count as u32).to_le_bytes());
        page.iter().for_each(|place| bytes.extend((WORD_64 | (place % PAGE) as u16).to_le_bytes()));
        // An odd one out is followed by one that says nothing.
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    if bytes.is_empty() { vec![0, 0, 0, 0, 8, 0, 0, 0] } else { bytes }
}

fn head(entry: usize, size: usize, sections: &[[usize; 3]], moves: usize) -> Vec<u8> {
    let mut head = vec![0; 0x40];
    head[..2].copy_from_slice(b"MZ");
    head[0x3c] = 0x40;
    let mut put = |words: &[(usize, usize)]| {
        for &(value, size) in words {
            head.extend(&(value as u64).to_le_bytes()[..size]);
        }
    };
    // x86-64, number of sections, no date, no symbols, size of what follows, an executable for large addresses.
    put(&[
        (0x4550, 4),
        (0x8664, 2),
        (sections.len(), 2),
        (0, 4),
        (0, 4),
        (0, 4),
        (112 + 6 * 8, 2),
        (0x22, 2),
    ]);
    // PE32+, sizes of code and data, the entry, where code starts; the base is 0.
    let data: usize = sections[1..].iter().map(|section| section[1]).sum();
    put(&[(0x20b, 2), (0, 2), (sections[0][1], 4), (data, 4), (0, 4), (entry, 4), (PAGE, 4), (0, 8)]);
    // Alignments, versions, sizes of all and of the headers, no sum, an application for UEFI that may be moved and keeps W^X.
    put(&[(PAGE, 4), (PAGE, 4), (0, 8), (0, 8), (size, 4), (PAGE, 4), (0, 4), (10, 2), (0x160, 2)]);
    // Stack and heap, which are the firmware's; six directories, of which the sixth is the relocations.
    put(&[(0, 8), (0, 8), (0, 8), (0, 8), (0, 4), (6, 4), (0, 8), (0, 8), (0, 8), (0, 8), (0, 8)]);
    let last = sections[sections.len() - 1];
    put(&[(last[0], 4), (moves, 4)]);
    for (name, [address, size, kind]) in [b".text\0\0\0", b".data\0\0\0", b".reloc\0\0"].iter().zip(sections)
    {
        put(&[(u64::from_le_bytes(**name) as usize, 8)]);
        put(&[(*size, 4), (*address, 4), (*size, 4), (*address, 4), (0, 8), (0, 4), (*kind, 4)]);
    }
    head
}
