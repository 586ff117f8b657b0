//! What `cpuid` answers where it traps: the processor of the machine `strict`, QEMU 7.2's `Nehalem-v1` under TCG with one CPU.
//!
//! It has what x86-64-v2 asks for, and neither XSAVE nor RDRAND, RDSEED, RDPID, transactional memory or a time stamp counter in step with the
//! host's. A program that looks before it uses them does not.

/// The leaf that Intel's processors answer with where a number is too high.
const HIGHEST: u32 = 0xb;
/// Where the extended leaves start and end.
const EXTENDED: std::ops::RangeInclusive<u32> = 0x8000_0000..=0x8000_0008;

/// The answer to a leaf and subleaf: eax, ebx, ecx, edx.
pub(crate) fn answer(leaf: u32, subleaf: u32) -> [u32; 4] {
    let leaf = if leaf < HIGHEST || EXTENDED.contains(&leaf) || (0x4000_0000..=0x4000_0001).contains(&leaf) {
        leaf
    } else {
        HIGHEST
    };
    match (leaf, subleaf) {
        (0, _) => [HIGHEST, 0x756e_6547, 0x6c65_746e, 0x4965_6e69],
        (1, _) => [0x106a3, 0x800, 0x8098_2201, 0x078b_fbfd],
        (2, _) => [1, 0, 0x4d, 0x2c_307d],
        (4, 0) => [0x121, 0x1c0_003f, 0x3f, 1],
        (4, 1) => [0x122, 0x1c0_003f, 0x3f, 1],
        (4, 2) => [0x143, 0x3c0_003f, 0xfff, 1],
        (4, 3) => [0x163, 0x3c0_003f, 0x3fff, 6],
        (5, _) => [0, 0, 3, 0],
        (HIGHEST, 0) => [0, 1, 0x100, 0],
        (HIGHEST, 1) => [0, 1, 0x201, 0],
        (HIGHEST, _) => [0, 0, subleaf & 0xff, 0],
        (0x4000_0000, _) => [0x4000_0001, 0x5447_4354, 0x4354_4743, 0x4743_5447],
        (0x8000_0000, _) => [*EXTENDED.end(), 0x756e_6547, 0x6c65_746e, 0x4965_6e69],
        (0x8000_0001, _) => [0x106a3, 0, 1, 0x2010_0800],
        (0x8000_0002, _) => [0x6574_6e49, 0x6f43_206c, 0x6920_6572, 0x7839_2037],
        (0x8000_0003, _) => [0x4e28_2078, 0x6c61_6865, 0x4320_6d65, 0x7373_616c],
        (0x8000_0004, _) => [0x726f_4320, 0x3769_2065, 0x29, 0],
        (0x8000_0005, _) => [0x01ff_01ff, 0x01ff_01ff, 0x4002_0140, 0x4002_0140],
        (0x8000_0006, _) => [0, 0x4200_4200, 0x200_8140, 0x80_8140],
        (0x8000_0008, _) => [0x3028, 0, 0, 0],
        _ => [0; 4],
    }
}
