//! PID 1, and its plan reader, NAR hash and canonicaliser as a library.
