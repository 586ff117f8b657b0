//! Whole plans against a home in memory, where a function takes the place of a step's processes. What the lines must be is what PID 1
//! prints for the same.

mod inputs;
mod outputs;
mod support;
mod worlds;
