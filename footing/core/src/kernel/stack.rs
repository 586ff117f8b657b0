//! A program's first stack: arguments, environment, auxiliary vector. Source: the psABI's "Process Initialization", getauxval(3).

use super::program::Loaded;
use crate::errno::{E2BIG, Errno};
use alloc::vec::Vec;

/// The longest argument, with its NUL (`MAX_ARG_STRLEN`).
const LONGEST: usize = 128 << 10;
/// All arguments and the environment, with their pointers: a quarter of the stack's usual limit.
const MOST: usize = 2 << 20;

/// Where a stack's pointer is to be the same, it is a multiple of this.
const FIXED: u64 = 64 << 10;

/// What the processor can do as far as programs are shown: the features of x86-64's first processors (CPUID 1, EDX).
const HWCAP: u64 = 0x078b_fbff;

/// Who runs the program, and its random bytes.
pub(crate) struct Person {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) random: [u8; 16],
}

/// A stack's bytes and what lies where.
pub(crate) struct Stack {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pointer: u64,
    pub(crate) arguments: (u64, u64),
    pub(crate) environment: (u64, u64),
}

/// Refuses what is longer than execve(2) takes. E2BIG.
pub(crate) fn check(argv: &[Vec<u8>], envp: &[Vec<u8>]) -> Result<(), Errno> {
    let mut sum = 0_usize;
    for text in argv.iter().chain(envp) {
        if text.len() >= LONGEST {
            return Err(E2BIG);
        }
        sum = sum.saturating_add(text.len() + 1 + 8);
    }
    if sum > MOST { Err(E2BIG) } else { Ok(()) }
}

/// Strings laid from an address upward; the address of each.
fn lay(bytes: &mut Vec<u8>, base: u64, texts: &[Vec<u8>]) -> Vec<u64> {
    let mut places = Vec::with_capacity(texts.len());
    for text in texts {
        places.push(base + bytes.len() as u64);
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    places
}

/// Lays out a stack that ends at `top`. Its pointer lies `lowered` bytes below a place that is the same for all arguments of less than
/// 60 KiB, if that is wanted.
pub(crate) fn build(
    (loaded, top, lowered): (&Loaded, u64, Option<u64>),
    argv: &[Vec<u8>],
    envp: &[Vec<u8>],
    path: &[u8],
    person: &Person,
) -> Stack {
    let platform: &[u8] = if loaded.compat { b"i686\0" } else { b"x86_64\0" };
    let texts = argv.iter().chain(envp).map(|text| text.len() as u64 + 1).sum::<u64>();
    // As Linux has it: a null word last, the path before it, then the environment and the arguments, downward.
    let base = top - 8 - (path.len() as u64 + 1) - texts;
    let mut strings = Vec::new();
    let argument_places = lay(&mut strings, base, argv);
    let middle = base + strings.len() as u64;
    let environment_places = lay(&mut strings, base, envp);
    let end = base + strings.len() as u64;
    let path_place = end;
    strings.extend_from_slice(path);
    strings.resize((top - base) as usize, 0);
    let random_place = (base - platform.len() as u64 - 16) / 16 * 16;
    let platform_place = random_place + 16;
    let vector = [
        (16, HWCAP),
        (6, 4096),
        (17, 100),
        (3, loaded.headers),
        (4, loaded.header_size),
        (5, loaded.header_count),
        (7, loaded.base),
        (8, 0),
        (9, loaded.program_entry),
        (11, person.uid.into()),
        (12, person.uid.into()),
        (13, person.gid.into()),
        (14, person.gid.into()),
        (23, 0),
        (25, random_place),
        (26, 0),
        (31, path_place),
        (15, platform_place),
        (0, 0),
    ];
    let mut words = Vec::new();
    words.push(argv.len() as u64);
    words.extend(argument_places);
    words.push(0);
    words.extend(environment_places);
    words.push(0);
    for (kind, value) in vector {
        words.extend([kind, value]);
    }
    let size = if loaded.compat { 4 } else { 8 };
    let pointer = random_place - words.len() as u64 * size;
    let pointer = lowered.map_or(pointer / 16 * 16, |lowered| pointer / FIXED * FIXED - lowered);
    let mut bytes = Vec::new();
    for word in words {
        bytes.extend_from_slice(word.to_le_bytes().get(..size as usize).unwrap_or_default());
    }
    bytes.resize((random_place - pointer) as usize, 0);
    bytes.extend_from_slice(&person.random);
    bytes.extend_from_slice(platform);
    bytes.resize((base - pointer) as usize, 0);
    bytes.extend_from_slice(&strings);
    Stack { bytes, pointer, arguments: (base, middle), environment: (middle, end) }
}
