//! The derivation graph: model, RON reader, checks, linearizer and plan writer.
