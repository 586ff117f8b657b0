//! Where two trees or files differ: file, offset, archive member, ELF section and symbol, inside what is compressed, too.
//! Nothing in what is read is believed; what can not be taken apart is compared as bytes.
//!
//! ```text
//! differences(one, other) ──► Difference { path, what }      walks both trees side by side
//!                                    what = Bytes { first, … , at: [Inside, Member, Section, Symbol, Line] }
//! ```
//! Of a file that differs the first difference in each of its parts (members of an archive, sections of an ELF file) is told.

mod bytes;
mod elf;
mod inside;
mod members;
mod walk;

pub use bytes::{Locator, Part, parts};
pub use inside::contents;
pub use walk::{Difference, What, differences};
