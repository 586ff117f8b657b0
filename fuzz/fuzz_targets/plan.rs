//! Any bytes as a plan: see `groundup_fuzz::plan` for what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = groundup_fuzz::plan::read(bytes);
});
