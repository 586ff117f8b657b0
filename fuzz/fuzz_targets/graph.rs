//! Any text as a graph: it is refused with places that lie in the text, or it has a plan that PID 1 accepts.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    match graphs::load("fuzz.ron", text) {
        Ok((graph, _)) => groundup_fuzz::graph::holds(&graph),
        Err(problems) => {
            assert!(problems.errors() > 0);
            assert!(!problems.render(false).is_empty());
        }
    }
});
