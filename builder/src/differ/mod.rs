//! Where two trees or files differ: file, offset, archive member, ELF section and symbol. Nothing in what is read is
//! believed; what can not be taken apart is compared as bytes.
//!
//! ```text
//! differences(one, other) ──► Difference { path, what }      walks both trees side by side
//!                                    what = Bytes { first, … , at: [Member, Section, Symbol, Line] }
//! ```
//! Of a file that differs the first difference in each of its parts (members of an archive, sections of an ELF file) is told.

mod bytes;
mod elf;
mod walk;

pub use bytes::{Part, Step, parts};
pub use walk::{Difference, What, differences};
