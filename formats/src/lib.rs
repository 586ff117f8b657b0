//! One module a format, what reads it beside what writes it: the [`plan`], the [`nar`] encoder, the [`archive`] reader, the [`log`]
//! marker, how digests are spelled ([`hex`]) and hashed ([`sha256`]), how names are found in bytes ([`scan`]), how an input
//! is made from an archive ([`unpack`]), what an output may hold ([`canonical`]), and how events ([`say`])
//! and errors ([`errno`]) are put in words.
//!
//! No std, no allocator and no I/O but by traits: whatever needs room takes it from the caller. PID 1 and the programs of the host
//! run this very code, so that both sides of the machine agree by construction.
#![no_std]

pub mod archive;
pub mod canonical;
pub mod errno;
pub mod hex;
pub mod log;
pub mod nar;
pub mod plan;
pub mod say;
pub mod scan;
pub mod sha256;
pub mod unpack;

#[cfg(test)]
extern crate std;
