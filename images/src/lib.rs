//! The image: an initrd that holds PID 1, the plan and the plan's inputs, and nothing else.
//!
//! ```text
//! bin/busybox       0555   only when PID 1 is a script
//! init              0555   PID 1
//! inputs            0555   only when there is an input
//! inputs/NAME       0444   file; 0555 executable; or a tree of directories, files and symbolic links
//! plan              0444   the linear build script
//! ```
//!
//! Same content, same bytes, whatever the host, its time, user, umask, directory order or file system: the
//! image's hash can then be compared by people who never met. [`newc`] holds the format, [`write()`] makes an
//! image, [`read`] reads one back and trusts nothing in it, [`unpack()`] does what the kernel does with one.
//! [`kernel`] obtains or builds the kernel that boots it.
//!
//! No `/dev/console` is packed: the kernel's own built-in initramfs has it, and PID 1 mounts devtmpfs.

mod archive;
pub mod disk;
mod error;
pub mod kernel;
pub mod read;
mod tree;
mod unpack;
mod write;
mod xz;

pub use archive::Archive;
pub use error::Error;
pub use unpack::{Error as UnpackError, Order, unpack};
pub use write::{Image, Input, Kind, Summary, write, write_xz};

/// PID 1, as the build script built it.
pub const INIT: &[u8] = include_bytes!(env!("GROUNDUP_INIT"));

/// What stands between a step and its builder in a probe, built likewise.
pub const PROBE: &[u8] = include_bytes!(env!("GROUNDUP_PROBE"));

/// footing as a kernel for a virtual machine, built likewise.
pub const FOOTING: &[u8] = include_bytes!(env!("GROUNDUP_FOOTING"));

/// footing's home alone with programs that try it, for tests.
pub const TRIAL: &[u8] = include_bytes!(env!("GROUNDUP_TRIAL"));

/// The loader of a bootable disk for a BIOS, built likewise: an ELF file, for [`disk`].
const BIOS: &[u8] = include_bytes!(env!("GROUNDUP_BIOS"));

/// The same for UEFI.
const UEFI: &[u8] = include_bytes!(env!("GROUNDUP_UEFI"));
