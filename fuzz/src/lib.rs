//! What several targets hold their subject against.

pub mod graph;
pub mod plan;
pub mod stream;
