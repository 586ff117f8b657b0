//! Any bytes as a record: every reader ends, what is refused is refused with a place, and what is accepted says something, the
//! same each time it is read.
#![no_main]

use records::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match read::read(bytes) {
        Err(error) => assert!(!error.place.is_empty() && !error.what.is_empty()),
        Ok(claims) => {
            assert!(claims.form == read::Form::Record || !claims.outputs.is_empty());
            for (name, output) in &claims.outputs {
                assert!(!name.is_empty() && !output.digests.is_empty());
                assert_eq!(output.agrees(output), Some(true));
                let sha256 = output.digests.iter().filter(|(method, _)| method.algorithm == "sha256");
                sha256.for_each(|(_, hex)| {
                    assert!(hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
                });
            }
            assert_eq!(read::read(bytes), Ok(claims));
        }
    }
    // A statement goes into an envelope and comes out again as it was.
    if let Ok(text) = std::str::from_utf8(bytes) {
        let envelope = read::envelope::Envelope::new(text);
        assert_eq!(envelope.statement().as_deref(), Ok(text));
    }
});
