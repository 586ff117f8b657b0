//! Comparing what several parties say they built. Crate `records` reads them and judges.
//!
//! | module | subject |
//! |---|---|
//! | [`files`] | which files are whose |
//! | [`report`] | the same for people and programs |
//! | [`places`] | one such place, in words |
//! | [`hand`] | where outputs differ, when they are at hand |
//! | [`inside`] | lists of files inside outputs |
//!
//! A party is whoever vouches: a file, several files under one label, or the key that signed them. It is the parties that are
//! counted, not the files.

pub mod files;
pub mod hand;
pub mod inside;
pub mod places;
pub mod report;
