//! The rooms of the program groundup; `main` only calls [`inputs`] and its siblings.
pub mod inputs;
