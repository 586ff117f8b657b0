//! The derivation graph: model, RON reader, checks, linearizer and plan writer.
//!
//! Pure: text in, text out. Nothing here opens a file, starts a process or asks a network.
mod check;
pub mod drv;
mod format;
pub mod hex;
mod index;
mod locate;
pub mod model;
mod order;
pub mod plan;
mod problem;
mod read;
mod select;
mod spots;
mod used;
pub mod vary;
pub mod words;

pub use check::{check, load};
pub use format::format;
pub use locate::Spot;
pub use model::{Graph, Input, Kind, Place};
pub use order::{Error as OrderError, order};
pub use plan::{Failure, Resolved, keys, memory, plan, remaining_steps, steps};
pub use problem::{Problem, Problems, Related, Severity};
pub use read::{read, span};
pub use select::Choices;
pub use used::{Role, Used, used_inputs};
