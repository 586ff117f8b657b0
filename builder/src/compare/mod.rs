//! Comparing what several parties say they built. Pure but for [`files`] and [`hand`].
//!
//! | module | subject |
//! |---|---|
//! | [`files`] | which files are whose |
//! | [`read`] | records of many forms |
//! | [`groups`] | who made the same |
//! | [`verdict`] | who agrees with whom, output by output |
//! | [`report`] | the same for people and programs |
//! | [`hand`] | where outputs differ, when they are at hand |
//! | [`inside`] | lists of files inside outputs |
//! | [`listed`] | lists that do not say what their hashes are of |
//!
//! A party is whoever vouches: a file, several files under one label, or the key that signed them. It is the parties that are
//! counted, not the files.

pub mod files;
pub mod groups;
pub mod hand;
pub mod inside;
pub mod listed;
pub mod read;
pub mod report;
pub mod verdict;
