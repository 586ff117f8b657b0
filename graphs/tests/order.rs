//! Properties of the order: topological, complete, and the same however the text is arranged; and none of reading,
//! checking and showing what is wrong falls over anything.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashMap;

use graphs::Choices;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Derivations by number; each needs some of those before it. Names are scrambled, so that names and numbers don't sort alike.
fn name(number: usize) -> String {
    format!("d{}", number.wrapping_mul(7919) % 10_007)
}

fn ron(needs: &[Vec<usize>], arrangement: &[usize], targets: &[usize]) -> String {
    let entry = |number: &usize| {
        let inputs: Vec<String> = needs[*number].iter().map(|need| name(*need)).collect();
        format!("{:?}: (builder: \"/store/sh\", inputs: {inputs:?})", name(*number))
    };
    let entries: Vec<String> = arrangement.iter().map(entry).collect();
    let targets: Vec<String> = targets.iter().map(|number| name(*number)).collect();
    format!("(derivations: {{{}}}, targets: {targets:?})", entries.join(",\n"))
}

fn ordered(text: &str) -> Vec<String> {
    let graph = graphs::read("x.ron", text).unwrap();
    let order = graphs::order(&graph, &Choices::defaults(&graph)).unwrap();
    order.into_iter().map(str::to_owned).collect()
}

/// Graphs without cycles, as what each derivation needs.
fn acyclic() -> impl Strategy<Value = Vec<Vec<usize>>> {
    vec(vec(any::<Index>(), 0..4), 1..40).prop_map(|picks| {
        let before = |(number, picks): (usize, Vec<Index>)| {
            let mut needs: Vec<usize> =
                picks.iter().filter(|_| number > 0).map(|pick| pick.index(number.max(1))).collect();
            needs.sort_unstable();
            needs.dedup();
            needs
        };
        picks.into_iter().enumerate().map(before).collect()
    })
}

fn arranged() -> impl Strategy<Value = (Vec<Vec<usize>>, Vec<usize>)> {
    acyclic().prop_flat_map(|needs| {
        let arrangement = Just((0..needs.len()).collect::<Vec<_>>()).prop_shuffle();
        (Just(needs), arrangement)
    })
}

proptest! {
    #[test]
    fn what_is_needed_comes_first((needs, arrangement) in arranged()) {
        let all: Vec<usize> = (0..needs.len()).collect();
        let order = ordered(&ron(&needs, &arrangement, &all));
        prop_assert_eq!(order.len(), needs.len());
        let place: HashMap<&str, usize> = order.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        for (number, needs) in needs.iter().enumerate() {
            for need in needs {
                prop_assert!(place[name(*need).as_str()] < place[name(number).as_str()]);
            }
        }
    }

    #[test]
    fn the_text_s_arrangement_does_not_show((needs, arrangement) in arranged(), target in any::<Index>()) {
        let target = [target.index(needs.len())];
        let straight: Vec<usize> = (0..needs.len()).collect();
        prop_assert_eq!(ordered(&ron(&needs, &arrangement, &target)), ordered(&ron(&needs, &straight, &target)));
    }

    #[test]
    fn only_what_a_target_needs_is_there((needs, arrangement) in arranged(), target in any::<Index>()) {
        let target = target.index(needs.len());
        let mut needed = vec![target];
        let mut at = 0;
        while let Some(&number) = needed.get(at) {
            let more: Vec<usize> = needs[number].iter().copied().filter(|need| !needed.contains(need)).collect();
            needed.extend(more);
            at += 1;
        }
        let mut expected: Vec<String> = needed.into_iter().map(name).collect();
        let mut found = ordered(&ron(&needs, &arrangement, &[target]));
        expected.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_cycle_is_found_and_shown(needs in acyclic(), from in any::<Index>(), to in any::<Index>()) {
        let (from, to) = (from.index(needs.len()), to.index(needs.len()));
        let (from, to) = (from.min(to), from.max(to));
        let mut needs = needs;
        // `from` needs `to` and `to` needs `from`, whatever else there is.
        needs[from].retain(|need| *need != to);
        needs[from].push(to);
        if from != to && !needs[to].contains(&from) {
            needs[to].push(from);
        }
        let all: Vec<usize> = (0..needs.len()).collect();
        let text = ron(&needs, &all, &[from]);
        let graph = graphs::read("x.ron", &text).unwrap();
        let problems = graphs::check(&graph, "x.ron", &text);
        let is_cycle = |p: &&graphs::Problem| p.message.starts_with("cycle: ") || p.message.ends_with("needs itself");
        prop_assert!(problems.list().iter().any(|p| is_cycle(&p) && p.span.is_some()));
        prop_assert!(graphs::order(&graph, &Choices::defaults(&graph)).is_err());
    }

    #[test]
    fn nothing_falls_over_a_mutilated_graph(cuts in vec((any::<Index>(), any::<Index>(), "[\\PC\n]{0,4}"), 1..4)) {
        let mut chars: Vec<char> = include_str!("good.ron").chars().collect();
        for (start, len, put) in cuts {
            let start = start.index(chars.len() + 1);
            let end = (start + len.index(8)).min(chars.len());
            chars.splice(start..end, put.chars());
        }
        let text: String = chars.into_iter().collect();
        if let Err(problems) = graphs::load("x.ron", &text) {
            prop_assert!(!problems.render(true).is_empty());
            for problem in problems.list() {
                prop_assert!(problem.span.as_ref().is_none_or(|span| text.get(span.clone()).is_some()));
            }
        }
    }
}

#[test]
fn a_long_chain_overflows_no_stack() {
    let count = 10_007;
    let needs: Vec<Vec<usize>> =
        (0..count).map(|number: usize| number.checked_sub(1).into_iter().collect()).collect();
    let arrangement: Vec<usize> = (0..count).rev().collect();
    assert_eq!(ordered(&ron(&needs, &arrangement, &[count - 1])).len(), count);
}

#[test]
fn a_long_cycle_overflows_no_stack() {
    let count = 10_007;
    let needs: Vec<Vec<usize>> = (0..count).map(|number| vec![(number + 1) % count]).collect();
    let arrangement: Vec<usize> = (0..count).collect();
    let text = ron(&needs, &arrangement, &[0]);
    let graph = graphs::read("x.ron", &text).unwrap();
    let problems = graphs::check(&graph, "x.ron", &text);
    let cycles: Vec<_> = problems.list().iter().filter(|p| p.message.starts_with("cycle: ")).collect();
    assert_eq!(cycles.len(), 1);
    assert!(cycles[0].message.contains("… 9944 more …"), "{}", cycles[0].message);
}
