//! Several runs side by side whose outputs must agree (diverse double compilation).

pub mod agreement;
pub mod lanes;
pub mod verdicts;
