//! Running a prepared graph on one machine: what is checked before, the machine, its results, outputs and record.

pub mod auto;
pub mod boot;
pub mod budget;
pub mod build;
pub mod built;
pub mod cancel;
pub mod each;
pub mod executor;
pub mod kernel;
pub mod kernel_output;
pub mod logs;
pub mod machinery;
pub mod outputs;
pub mod pack;
pub mod prebuilt;
pub mod preflight;
pub mod record;
pub mod results;
pub mod resume;
pub mod unit_cache;
