//! One module a format, what reads it beside what writes it. Everything is pure: I/O goes through traits.
//!
//! | module | format | without std |
//! |---|---|---|
//! | [`plan`] | the linear build script | yes |
//! | [`log`], [`say`], [`errno`] | the marker of a step's lines, how events and errors are put in words | yes |
//! | [`scan`] | names in a store, searched for in bytes that pass through | yes |
//! | [`nar`] | Nix archives: writer, and with `host` the reader | the writer |
//! | [`archive`], [`newc`] | the initrd: what PID 1 takes of one, and its headers | yes |
//! | [`unpack`], [`canonical`] | how an input is made from an archive, what an output may hold | yes |
//! | [`disk`], [`screen`], [`qr`] | the header of a bootable disk, what its loader says of the screen, a code on it | yes |
//! | [`hex`], [`sha256`] | how digests are spelled and computed | yes |
//! | `digest` | SHA-256 digests as values | feature `host` |
//! | `nix32`, `nix_hash`, `store_path` | Nix's base 32, its spellings of hashes, paths in a store | feature `host` |
//! | `narinfo` | what a binary cache says of a store path | feature `host` |
//! | `references` | the same with names in a map | feature `host` |
//! | `compression` | gzip, bzip2, xz, zstd: recognised, and with `decompress` read | feature `host` |
//!
//! Without the feature `host` there is no std and no allocator: whatever needs memory takes it from the caller. PID 1 and the
//! programs of the host run this very code, so that both sides of the machine agree by construction.
#![cfg_attr(not(feature = "host"), no_std)]

pub mod archive;
pub mod canonical;
#[cfg(feature = "host")]
pub mod compression;
#[cfg(feature = "host")]
pub mod digest;
pub mod disk;
pub mod errno;
pub mod hex;
pub mod log;
pub mod nar;
#[cfg(feature = "host")]
pub mod narinfo;
pub mod newc;
#[cfg(feature = "host")]
pub mod nix32;
#[cfg(feature = "host")]
pub mod nix_hash;
pub mod plan;
pub mod qr;
#[cfg(feature = "host")]
pub mod references;
pub mod say;
pub mod scan;
pub mod screen;
pub mod sha256;
#[cfg(feature = "host")]
pub mod store_path;
pub mod unpack;

#[cfg(all(test, not(feature = "host")))]
extern crate std;
