//! footing's home on bare x86-64 hardware: the kernel binary that boots by PVH, and the core's [`Platform`] on it.
//!
//! One CPU, one thread of the kernel, no interrupt while it runs. All of RAM is mapped at one place (`layout`), a program's
//! memory is reached there and never through its own addresses, and no page can be both written and executed.
//!
//! | module | subject |
//! |---|---|
//! | `boot` | from PVH's entry to Rust: first page tables, long mode |
//! | `start` | what the loader says: memory, the initrd |
//! | `layout` | which address is what |
//! | `cpu` | instructions that Rust has no words for |
//! | `strings` | the memory functions that compiled code calls by name |
//! | `serial` | the console |
//! | `frames` | physical memory, frame by frame |
//! | `heap` | the kernel's own memory |
//! | `tables` | page tables |
//! | `direct` | the kernel's half of every address space |
//! | `descriptors` | segments, task state, the table of traps |
//! | `entry` | into user mode and back |
//! | `timer` | the one interrupt |
//! | `screen`, `results` | on bare metal: the screen, and what is shown on it at the end |
//! | `pci` | memory that the machine shares |
//! | `space` | address spaces: what lies where |
//! | `fault` | pages on demand, copies on write |
//! | `files` | pages of files that several spaces share |
//! | `shared` | memory that several spaces share |
//! | `context` | a thread's registers |
//! | `home` | all of it as the core's [`Platform`] |
//!
//! [`Platform`]: footing_core::platform::Platform
#![no_std]
#![cfg(feature = "kernel")]

extern crate alloc;

mod boot;
mod context;
pub mod cpu;
mod descriptors;
mod direct;
mod entry;
mod fault;
mod files;
pub mod frames;
mod global;
mod heap;
mod home;
mod layout;
pub mod pci;
pub mod results;
pub mod screen;
pub mod serial;
mod shared;
mod space;
pub mod start;
mod strings;
mod tables;
mod timer;

pub use home::Home;
pub use start::Machine;
