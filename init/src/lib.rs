//! What PID 1 does that is not tied to being PID 1: the [`plan`] reader, the [`nar`] hash, what [`keep`]s a tree, the sorted
//! [`walk`] below both, the [`archive`] reader, [`sha256`], the [`filter`] of system calls, the [`log`] marker, and how digests ([`hex`]) and errors ([`errno`]) are spelled and
//! events put together ([`say`]).
//!
//! No std and no allocator: whatever needs room is handed it by the caller. The host's tests, its fuzz targets and
//! the program `groundup` run this very code, so that both sides of the machine agree by construction.
#![no_std]

pub mod archive;
pub mod errno;
pub mod filter;
pub mod hex;
pub mod keep;
pub mod log;
pub mod nar;
pub mod plan;
pub mod say;
pub mod sha256;
pub mod walk;

#[cfg(test)]
extern crate std;
