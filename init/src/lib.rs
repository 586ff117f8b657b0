//! What PID 1 does that is not tied to being PID 1: the [`nar`] of a tree, what [`keep`]s a tree, the sorted [`walk`] below both, the
//! [`filter`] of system calls, and how errors ([`errno`]) are spelled. The formats are in crate `formats`.
//!
//! No std and no allocator: whatever needs room is handed it by the caller. The host's tests, its fuzz targets and
//! the program `groundup` run this very code, so that both sides of the machine agree by construction.
#![no_std]

pub mod errno;
pub mod filter;
pub mod keep;
pub mod nar;
pub mod walk;

#[cfg(test)]
extern crate std;
