//! footing's core: the kernel that carries out a plan, without a machine of its own.
//!
//! Everything here is safe code without std. What it needs of a machine is the trait [`platform::Platform`]: address spaces,
//! and the execution of a thread until its next system call or fault. [`tree`] holds the files, [`kernel`] runs a step,
//! [`plan`] carries out the plan of an image.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod errno;
pub mod kernel;
pub mod map;
pub mod plan;
pub mod platform;
mod slab;
pub mod tree;
