//! What a person sees: the terminal, and the progress of fetching and running.

pub mod fetching;
pub mod running;
pub mod term;
