//! `groundup probe`: which variations change what a step makes, and where it shows. (The program `probe`, which stands
//! between a step and its builder, is in the crate `init`; what can be varied is in the crate `graphs`.)
//!
//! ```text
//! once:      every step that others need, for its outputs: from here on each step is probed alone
//! controls:  each step twice in the same image: they must agree, else the machine is at fault
//! singles:   each step with each variation, many in one boot; then all that changed nothing, taken together
//! minimal:   if that differs, the smallest set that does (delta debugging)
//! heirs:     steps that are reproducible, once more on what an unreproducible one made under a variation
//! ```
//! | module | subject |
//! |---|---|
//! | [`lab`], [`scratch`] | one boot of many steps; their outputs |
//! | [`study`], [`ask`] | what is asked of it: first what nothing is varied in, then everything alone, then together |
//! | [`judge`], [`noise`], [`minimal`] | what the answers mean |
//! | [`detail`], [`values`] | where outputs differ, and whether what was varied stands there |
//! | [`history`] | what was found out before |
//! | [`report`] | as text, JSON and a page |
pub mod ask;
pub mod detail;
pub mod history;
pub mod judge;
pub mod lab;
pub mod minimal;
pub mod noise;
pub mod report;
pub mod scratch;
pub mod select;
pub mod study;
pub mod values;
