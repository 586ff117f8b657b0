//! What stands in more than one of the graphs from the seed on is the same there.

#[test]
fn the_rungs_are_the_same_in_all_graphs() {
    let read = |name, text| graphs::load(name, text).unwrap().0;
    let seed = read("seed.ron", include_str!("../seed.ron"));
    let ladder = read("ladder.ron", include_str!("../ladder.ron"));
    let tcc = read("tcc.ron", include_str!("../tcc.ron"));
    let userland = read("userland.ron", include_str!("../userland.ron"));
    for graph in [&ladder, &tcc, &userland] {
        assert_eq!(graph.seeds["hex0"].sha256, seed.seeds["hex0"].sha256);
        for name in ["hex0.hex", "hex1.hex", "sprout.hex1", "sprout.sprout"] {
            assert_eq!(graph.sources[name].sha256, seed.sources[name].sha256, "{name}");
        }
        for (name, same) in
            [("hex0-self", "hex0-self"), ("hex1", "hex1"), ("sprout0", "sprout0"), ("sprout", "sprout2")]
        {
            assert_eq!(graph.derivations[name].expect, seed.derivations[same].expect, "{name}");
        }
    }
    for (other, count) in [(&tcc, 7), (&userland, 8)] {
        let shared = ladder.derivations.keys().filter(|name| other.derivations.contains_key(*name));
        assert_eq!(shared.clone().count(), count);
        for name in shared {
            assert_eq!(ladder.derivations[name].expect, other.derivations[name].expect, "{name}");
        }
        for (name, source) in ladder.sources.iter().filter(|(name, _)| other.sources.contains_key(*name)) {
            assert_eq!(source.sha256, other.sources[name].sha256, "{name}");
        }
    }
    // Made by a shell script, by hand, or by an earlier compiler: the same bytes.
    for (name, same) in [("tinycc-2", "tinycc-1"), ("dash-again", "dash")] {
        assert_eq!(userland.derivations[name].expect, userland.derivations[same].expect);
    }
    for name in ["libtcc1.o", "libtcc1.a"] {
        assert_eq!(userland.derivations[name].expect, tcc.derivations[name].expect);
    }
    let pinned = userland.derivations.iter().all(|(_, step)| step.expect.len() == step.outputs.len());
    assert!(pinned);
}
