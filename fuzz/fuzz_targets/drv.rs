//! Any bytes as a derivation of Nix or Guix: what is read must be written back byte for byte, and what is refused must be so at
//! a byte of it. A closure of it alone must be read, ordered and shown, or refused, and never be kept waiting for.
#![no_main]

use graphs::drv::{closure, fetch, parse, show, write};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Ok(derivation) => {
            assert!(write(&derivation).as_bytes() == bytes, "what is read is written back");
            let _ = fetch::fetch(&derivation);
        }
        Err(error) => assert!(error.offset <= bytes.len(), "{error}"),
    }
    // Every derivation that is needed is the same one, whose name can't be right for all.
    if let Ok(closure) = closure::load("-", bytes, &mut |_| Ok(Some(bytes.to_vec()))) {
        assert_eq!(closure.order.len(), closure.derivations.len());
        let _ = show::ron(&closure, true);
    }
});
