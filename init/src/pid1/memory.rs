//! All the memory there is. It lies in `.bss`: it costs nothing in the file, and in the machine only what is touched.
#![allow(unsafe_code)]

use crate::known::Known;
use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};
use formats::plan::Field;
use init::walk::Buffers;

/// The only instance is [`take`]n by `main` and passed on from there.
pub struct Memory {
    names: [u8; 32 << 20],
    order: [u32; 1 << 20],
    /// For reading files and symbolic links.
    pub buffer: [u8; 64 << 10],
    text: [u8; 8 << 20],
    /// What outputs may refer to.
    pub known: Known,
    /// What becomes argv.
    pub arguments: Strings,
    /// What becomes envp.
    pub environment: Strings,
}

/// Room for a path and its NUL.
pub type PathBuffer = [u8; 4096];

/// An array of C strings as `execve` wants it.
pub struct Strings {
    pointers: [*const u8; 64 << 10],
}

static TAKEN: AtomicBool = AtomicBool::new(false);
static mut MEMORY: Memory = Memory {
    names: [0; _],
    order: [0; _],
    buffer: [0; _],
    text: [0; _],
    known: Known::new(),
    arguments: Strings { pointers: [core::ptr::null(); _] },
    environment: Strings { pointers: [core::ptr::null(); _] },
};

/// The memory; once.
pub fn take() -> &'static mut Memory {
    assert!(!TAKEN.swap(true, Ordering::Relaxed));
    let memory = &raw mut MEMORY;
    // SAFETY: this is the only reference that there ever is, since the assertion holds once.
    unsafe { &mut *memory }
}

static STARTS_TAKEN: AtomicBool = AtomicBool::new(false);
static mut STARTS: [u32; 1 << 18] = [0; _];

/// Room for where the inputs of an image start; once.
pub fn starts() -> &'static mut [u32] {
    assert!(!STARTS_TAKEN.swap(true, Ordering::Relaxed));
    let starts = &raw mut STARTS;
    // SAFETY: as above.
    unsafe { &mut *starts }
}

impl Memory {
    /// What a walk needs, and the buffer.
    pub fn room(&mut self) -> (Buffers<'_>, &mut [u8]) {
        (Buffers::new(&mut self.names, &mut self.order), &mut self.buffer)
    }

    /// The same, and what outputs may refer to.
    pub fn parts(&mut self) -> (Buffers<'_>, &mut [u8], &mut Known) {
        (Buffers::new(&mut self.names, &mut self.order), &mut self.buffer, &mut self.known)
    }

    /// Fills argv and envp from a step; `false` when there is no room for them.
    pub fn fill(&mut self, step: &formats::plan::Step<'_>) -> bool {
        let mut text = &mut self.text[..];
        self.arguments.fill(step.args(), &mut text) && self.environment.fill(step.env(), &mut text)
    }
}

impl Strings {
    /// The address of the first pointer.
    pub fn address(&self) -> usize {
        self.pointers.as_ptr().addr()
    }

    fn fill<'p>(&mut self, fields: impl Iterator<Item = Field<'p>>, text: &mut &mut [u8]) -> bool {
        let mut pointers = self.pointers.iter_mut();
        for field in fields {
            let Some(length) = field.decode(text).map(|bytes| bytes.len()) else { return false };
            if length == text.len() || pointers.len() < 2 {
                return false;
            }
            let (string, rest) = core::mem::take(text).split_at_mut(length + 1);
            string[length] = 0;
            *text = rest;
            if let Some(pointer) = pointers.next() {
                *pointer = string.as_ptr();
            }
        }
        pointers.next().map(|end| *end = core::ptr::null()).is_some()
    }
}

/// A path of the plan as a C string.
pub fn c_string<'b>(field: Field<'_>, buffer: &'b mut [u8]) -> Option<&'b CStr> {
    let length = field.decode(buffer)?.len();
    *buffer.get_mut(length)? = 0;
    CStr::from_bytes_until_nul(&buffer[..=length]).ok()
}

/// `parts`, one after the other, as a C string.
pub fn join<'b>(parts: &[&[u8]], buffer: &'b mut [u8]) -> Option<&'b CStr> {
    let mut length = 0;
    for part in parts.iter().copied().chain([&b"\0"[..]]) {
        buffer.get_mut(length..length + part.len())?.copy_from_slice(part);
        length += part.len();
    }
    CStr::from_bytes_until_nul(&buffer[..length]).ok()
}
