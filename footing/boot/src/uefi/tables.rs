//! The firmware's tables, as far as the loader uses them. Source: UEFI Specification 2.10, 4, 7, 9, 12.4, 12.9, 13.4, 13.5.

/// What the firmware calls an object.
pub(crate) type Handle = *mut ();
/// Zero is success.
pub(crate) type Status = usize;
/// A kind of interface.
pub(crate) type Guid = [u8; 16];

pub(crate) const LOADED_IMAGE: Guid =
    [0xa1, 0x31, 0x1b, 0x5b, 0x62, 0x95, 0xd2, 0x11, 0x8e, 0x3f, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b];
pub(crate) const FILE_SYSTEM: Guid =
    [0x22, 0x5b, 0x4e, 0x96, 0x59, 0x64, 0xd2, 0x11, 0x8e, 0x39, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b];
pub(crate) const GRAPHICS: Guid =
    [0xde, 0xa9, 0x42, 0x90, 0xdc, 0x23, 0x38, 0x4a, 0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a];
pub(crate) const ACPI: Guid =
    [0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11, 0xbc, 0x22, 0, 0x80, 0xc7, 0x3c, 0x88, 0x81];

#[repr(C)]
pub(crate) struct SystemTable {
    head: [u64; 3],
    vendor: usize,
    revision: u64,
    input: [usize; 2],
    output_handle: Handle,
    pub(crate) output: *mut Output,
    error: [usize; 2],
    runtime: usize,
    pub(crate) boot: *const Boot,
    pub(crate) count: usize,
    pub(crate) tables: *const Table,
}

/// A table of others, such as ACPI's.
#[repr(C)]
pub(crate) struct Table {
    pub(crate) kind: Guid,
    pub(crate) address: u64,
}

#[repr(C)]
pub(crate) struct Output {
    reset: usize,
    pub(crate) text: extern "efiapi" fn(*mut Output, *const u16) -> Status,
}

/// Services until the loader takes over.
#[repr(C)]
pub(crate) struct Boot {
    head: [u64; 3],
    level: [usize; 2],
    pub(crate) allocate: extern "efiapi" fn(u32, u32, usize, *mut u64) -> Status,
    free: usize,
    pub(crate) map: extern "efiapi" fn(*mut usize, *mut u8, *mut usize, *mut usize, *mut u32) -> Status,
    others: [usize; 11],
    pub(crate) interface: extern "efiapi" fn(Handle, *const Guid, *mut *mut ()) -> Status,
    more: [usize; 9],
    pub(crate) exit: extern "efiapi" fn(Handle, usize) -> Status,
    counter: [usize; 2],
    pub(crate) watchdog: extern "efiapi" fn(usize, u64, usize, *const u16) -> Status,
    protocols: [usize; 7],
    pub(crate) locate: extern "efiapi" fn(*const Guid, *const (), *mut *mut ()) -> Status,
}

/// What the firmware knows of the loader itself.
#[repr(C)]
pub(crate) struct LoadedImage {
    revision: u64,
    parent: Handle,
    system: usize,
    pub(crate) device: Handle,
    path: [usize; 2],
    options: [usize; 2],
    pub(crate) base: u64,
    pub(crate) size: u64,
}

#[repr(C)]
pub(crate) struct FileSystem {
    revision: u64,
    pub(crate) open: extern "efiapi" fn(*mut FileSystem, *mut *mut File) -> Status,
}

#[repr(C)]
pub(crate) struct File {
    revision: u64,
    pub(crate) open: extern "efiapi" fn(*mut File, *mut *mut File, *const u16, u64, u64) -> Status,
    close: [usize; 2],
    pub(crate) read: extern "efiapi" fn(*mut File, *mut usize, *mut u8) -> Status,
}

#[repr(C)]
pub(crate) struct Graphics {
    functions: [usize; 3],
    pub(crate) mode: *const GraphicsMode,
}

#[repr(C)]
pub(crate) struct GraphicsMode {
    numbers: [u32; 2],
    pub(crate) info: *const GraphicsInfo,
    size: usize,
    pub(crate) address: u64,
}

#[repr(C)]
pub(crate) struct GraphicsInfo {
    version: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 0 and 1: four bytes a pixel, one a colour; 2: bits that masks name; 3: no frame buffer.
    pub(crate) format: u32,
    masks: [u32; 4],
    /// Pixels of a row.
    pub(crate) pitch: u32,
}

/// A region of the memory map; from one to the next it is as far as the firmware says.
#[repr(C)]
pub(crate) struct Descriptor {
    pub(crate) kind: u32,
    pub(crate) start: u64,
    address: u64,
    pub(crate) pages: u64,
}
