//! The loaders of a bootable disk: they load a kernel and an image and start the one with the other, on bare metal.
//!
//! Under BIOS `bios` is the disk's first sectors; under UEFI `uefi` is the disk's `EFI/BOOT/BOOTX64.EFI`. Both do the same: read the
//! disk's [header](formats::disk), load kernel and image, ask the firmware for the memory map, and start the kernel, footing or another
//! that boots by PVH. What that takes and needs no machine is in this library.
//!
//! | module | subject |
//! |---|---|
//! | [`memory`] | the memory map; a place for the image |
//! | [`elf`] | an ELF file that boots by PVH |
//! | [`pvh`] | what such a kernel is handed |
//! | `program` | the way to the kernel; `unsafe` is here and in the two programs alone |
#![no_std]

#[cfg(test)]
extern crate std;

pub mod elf;
pub mod memory;
pub mod pvh;

#[cfg(feature = "program")]
#[allow(unsafe_code)]
pub mod program;
