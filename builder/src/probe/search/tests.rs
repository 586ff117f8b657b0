use super::*;
use std::cell::RefCell;

/// So many may be asked, and what makes a difference is confirmed by one more each: what a step may cost.
const LIMIT: usize = 50;

/// Searches among so many, of which 0 and 1 exclude each other and 2 hides the others; and how many tries it took.
fn find(
    all: usize,
    makes: &dyn Fn(&[usize]) -> bool,
    likely: &[usize],
    limit: usize,
) -> (Found<usize>, usize) {
    let asked: RefCell<Vec<Vec<usize>>> = RefCell::default();
    let ask = |sets: &[Vec<usize>]| {
        let mut asked = asked.borrow_mut();
        let mut answer = |set: &Vec<usize>| {
            if !asked.contains(set) {
                if asked.len() >= limit {
                    return None;
                }
                asked.push(set.clone());
            }
            Some(makes(set))
        };
        Ok(sets.iter().map(&mut answer).collect())
    };
    let likely =
        |_: &[usize], now: &[usize]| now.iter().filter(|one| likely.contains(one)).copied().collect();
    let oracle = Oracle {
        ask: &ask,
        likely: &likely,
        excludes: &|one, other| one + other == 1,
        dear: &|one| *one > 33,
        hides: &|one| *one == 2,
    };
    let mut found = oracle.search(&(0..all).collect::<Vec<_>>(), true).unwrap();
    found.culprits.iter_mut().for_each(|set| set.sort_unstable());
    found.culprits.sort();
    (found, asked.into_inner().len())
}

/// The same where these sets make a difference.
fn search(all: usize, causes: &[&[usize]], likely: &[usize]) -> (Vec<Vec<usize>>, usize) {
    let makes = |set: &[usize]| causes.iter().any(|cause| cause.iter().all(|one| set.contains(one)));
    let (found, tries) = find(all, &makes, likely, usize::MAX);
    assert!(!found.cut && found.open.is_empty(), "{found:?}");
    (found.culprits, tries)
}

#[test]
fn nothing_is_known_after_two_tries() {
    assert_eq!(search(41, &[], &[]), (vec![], 2));
    assert_eq!(search(0, &[], &[]), (vec![], 0));
    assert_eq!(search(1, &[&[0]], &[]), (vec![vec![0]], 1));
}

#[test]
fn each_single_one_is_found_with_few_tries() {
    for cause in 0..41 {
        let (culprits, tries) = search(41, &[&[cause]], &[]);
        assert_eq!(culprits, [[cause]]);
        assert!(tries <= 19, "{cause} {tries}");
        let (culprits, tries) = search(41, &[&[cause]], &[cause]);
        assert_eq!(culprits, [[cause]]);
        assert!(tries <= 5, "{cause} {tries}");
    }
}

#[test]
fn two_are_told_from_a_pair() {
    for a in 0..41 {
        for b in a + 1..41 {
            let (culprits, tries) =
                search(41, &[&[a], &[b]], if a % 2 == 0 { &[] } else { std::slice::from_ref(&a) });
            assert_eq!(culprits, [[a], [b]]);
            assert!(tries <= 26, "{a} {b} {tries}");
            if b > 1 && a != 2 && b != 2 && (a > 1 || b < 34) {
                let (culprits, tries) = search(41, &[&[a, b]], &[]);
                assert_eq!(culprits, [[a, b]]);
                assert!(tries <= 50, "{a} {b} {tries}");
            }
        }
    }
}

#[test]
fn many_cost_little_more_than_to_try_each() {
    let causes: Vec<[usize; 1]> = (0..41).step_by(2).map(|one| [one]).collect();
    let causes: Vec<&[usize]> = causes.iter().map(|one| &one[..]).collect();
    let (culprits, tries) = search(41, &causes, &[]);
    assert_eq!(culprits.len(), 21);
    assert!(tries <= 41 + 12, "{tries}");
    // Where some show themselves, each is tried and nothing else.
    let (_, tries) = search(41, &causes, &[4, 6, 8, 10]);
    assert!(tries <= 41 + 7, "{tries}");
}

#[test]
fn sets_are_found_beside_others_and_beside_each_other() {
    assert_eq!(search(30, &[&[3], &[9], &[12, 20]], &[]).0, vec![vec![3], vec![9], vec![12, 20]]);
    assert_eq!(
        search(30, &[&[0, 8], &[1, 8], &[4, 5, 6]], &[8]).0,
        vec![vec![0, 8], vec![1, 8], vec![4, 5, 6]]
    );
}

#[test]
fn one_that_another_hides_is_found() {
    for hidden in (3..41).filter(|one| *one != 7) {
        // 2 changes nothing by itself, and nothing can be seen with it.
        let hides = |set: &[usize]| set.contains(&hidden) && !set.contains(&2);
        assert_eq!(find(41, &hides, &[], LIMIT).0.culprits, [[hidden]]);
        // 7 changes everything, and nothing else can be seen with it.
        let covers = |set: &[usize]| set.contains(&7) || set.contains(&hidden);
        let found = find(41, &covers, &[], LIMIT).0.culprits;
        assert!(found.contains(&vec![hidden]) && found.contains(&vec![7]), "{hidden} {found:?}");
    }
}

#[test]
fn a_search_that_is_cut_short_says_what_it_leaves_open() {
    let makes = |set: &[usize]| set.iter().any(|one| one % 3 == 0);
    for limit in 0..60 {
        let (found, tries) = find(41, &makes, &[], limit);
        assert!(tries <= limit, "{limit} {tries}");
        let mut known: Vec<usize> = found.open.clone();
        known.extend(found.culprits.iter().flatten());
        // What makes a difference is found, or left open.
        assert!((0..41).filter(|one| one % 3 == 0).all(|one| known.contains(&one)), "{limit} {found:?}");
        assert!(found.cut || found.open.is_empty(), "{limit} {found:?}");
    }
}
