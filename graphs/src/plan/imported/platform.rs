//! What the worlds of Nix and Guix have in common.

/// Where Guix has its store.
pub(super) const GUIX_STORE: &str = "/gnu/store";
/// ADDR_NO_RANDOMIZE, `linux/personality.h`.
pub(super) const NO_RANDOMIZE: u32 = 0x0004_0000;
/// PER_LINUX32, for `i686-linux`.
pub(super) const LINUX32: u32 = 0x0008;
/// 2020-01-01, as the machines' clocks start.
pub(super) const EPOCH: u64 = 1_577_836_800;
