//! What stands in more than one of the graphs from the seed on is the same there.

#[test]
fn the_rungs_are_the_same_in_all_graphs() {
    let read = |name, text| graphs::load(name, text).unwrap().0;
    let seed = read("seed.ron", include_str!("../seed.ron"));
    let ladder = read("ladder.ron", include_str!("../ladder.ron"));
    let tcc = read("tcc.ron", include_str!("../tcc.ron"));
    for graph in [&ladder, &tcc] {
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
    let shared = ladder.derivations.keys().filter(|name| tcc.derivations.contains_key(*name));
    assert_eq!(shared.clone().count(), 7);
    for name in shared {
        assert_eq!(ladder.derivations[name].expect, tcc.derivations[name].expect, "{name}");
    }
    for (name, source) in ladder.sources.iter().filter(|(name, _)| tcc.sources.contains_key(*name)) {
        assert_eq!(source.sha256, tcc.sources[name].sha256, "{name}");
    }
}
