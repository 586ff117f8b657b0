//! `groundup probe`: which variations change what a step makes, and where it shows. (The program `probe`, which stands
//! between a step and its builder, is in the crate `init`; what can be varied is in the crate `graphs`.)
//!
//! ```text
//! once:      every step that others need, for its outputs: from here on each step is probed alone
//! controls:  each step twice in the same image: they must agree, else the machine is at fault
//! rounds:    each step with everything varied at once, and where that differs with ever less, until it is known which
//!            variations do it alone or in the smallest sets (delta debugging); many steps in one boot
//! confirm:   what is to be reported once more, each alone in its boot, as the command does that is printed for it
//! inherit:     each step once more on what an unreproducible one, or another step that inherits, made under a variation
//! ```
//! | module | subject |
//! |---|---|
//! | [`lab`], [`scratch`] | one boot of many steps; their outputs |
//! | [`study`], [`ask`], [`rounds`], [`first`], [`confirm`] | what is asked of it |
//! | [`search`], [`minimal`] | which of many variations make a difference |
//! | [`judge`], [`noise`] | what the answers mean |
//! | [`holds`] | whether what was varied can have an effect |
//! | [`detail`], [`values`] | where outputs differ, and whether what was varied stands there |
//! | [`history`], [`memory`] | what was found out before, and which question that answers |
//! | [`report`] | as text, JSON and a page |
pub mod ask;
pub mod confirm;
pub mod detail;
pub mod first;
pub mod history;
pub mod holds;
pub mod judge;
pub mod lab;
pub mod memory;
pub mod minimal;
pub mod noise;
pub mod outcome;
pub mod report;
pub mod rounds;
pub mod scratch;
pub mod search;
pub mod select;
pub mod study;
pub mod subject;
pub mod values;
