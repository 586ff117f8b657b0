//! The smallest set of variations that makes a step differ: delta debugging, asked in batches. Pure.
//!
//! First parts of the set are left out in turn, all in one batch, then elements: where there is one smallest set, it is those
//! that can't be. Where there are several, one is found by halving.
//!
//! Source of that: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002 (ddmin).

/// A subset of `set`, which itself fails, none of whose elements can be left out. `fails` answers for several subsets at once.
pub fn minimal<T: Clone + PartialEq, E>(
    set: &[T],
    mut fails: impl FnMut(&[Vec<T>]) -> Result<Vec<bool>, E>,
) -> Result<Vec<T>, E> {
    let mut set = set.to_vec();
    for size in [set.len().div_ceil(set.len().isqrt().max(1)), 1] {
        if let Some(needed) = needed(&set, size, &mut fails)? {
            set = needed;
            if size == 1 {
                return Ok(set);
            }
        }
    }
    let mut parts = 2;
    while set.len() > 1 {
        let chunks: Vec<Vec<T>> = set.chunks(set.len().div_ceil(parts)).map(<[T]>::to_vec).collect();
        let without = |chunk: &Vec<T>| set.iter().filter(|one| !chunk.contains(one)).cloned().collect();
        // Of two halves, each is what the other leaves.
        let complements: Vec<Vec<T>> =
            if chunks.len() > 2 { chunks.iter().map(without).collect() } else { vec![] };
        let asked: Vec<Vec<T>> = chunks.iter().chain(&complements).cloned().collect();
        let answers = fails(&asked)?;
        match answers.iter().position(|&fails| fails) {
            Some(at) if at < chunks.len() => (set, parts) = (asked[at].clone(), 2),
            Some(at) => (set, parts) = (asked[at].clone(), (parts - 1).max(2)),
            None if parts < set.len() => parts = (2 * parts).min(set.len()),
            None => break,
        }
    }
    Ok(set)
}

/// Those parts of this size that can't be left out, if they suffice.
fn needed<T: Clone + PartialEq, E>(
    set: &[T],
    size: usize,
    fails: &mut impl FnMut(&[Vec<T>]) -> Result<Vec<bool>, E>,
) -> Result<Option<Vec<T>>, E> {
    if size >= set.len() {
        return Ok(None);
    }
    let others = |left: &[T]| set.iter().filter(|one| !left.contains(one)).cloned().collect();
    let without = fails(&set.chunks(size).map(others).collect::<Vec<_>>())?;
    let parts = set.chunks(size).zip(without).filter(|(_, fails)| !fails);
    let needed: Vec<T> = parts.flat_map(|(part, _)| part.to_vec()).collect();
    let suffice =
        needed.len() == set.len() || !needed.is_empty() && fails(std::slice::from_ref(&needed))? == [true];
    Ok(suffice.then_some(needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(size: usize, cause: &[usize]) -> (Vec<usize>, usize) {
        let set: Vec<usize> = (0..size).collect();
        let mut rounds = 0;
        let fails = |asked: &[Vec<usize>]| {
            rounds += 1;
            Ok::<_, ()>(asked.iter().map(|set| cause.iter().all(|one| set.contains(one))).collect())
        };
        (minimal(&set, fails).unwrap(), rounds)
    }

    #[test]
    fn every_pair_and_triple_is_found() {
        for a in 0..24 {
            for b in a + 1..24 {
                let (set, rounds) = found(24, &[a, b]);
                assert_eq!(set, [a, b]);
                assert!(rounds <= 4, "{a} {b} {rounds}");
            }
        }
        assert_eq!(found(30, &[3, 17, 29]).0, [3, 17, 29]);
        assert_eq!(found(1, &[0]).0, [0]);
        assert_eq!(found(2, &[0, 1]).0, [0, 1]);
    }

    #[test]
    fn of_several_smallest_sets_one_is_found() {
        let causes = [[1, 20], [4, 9], [2, 3]];
        let fails = |asked: &[Vec<usize>]| {
            let any = |set: &Vec<usize>| causes.iter().any(|pair| pair.iter().all(|one| set.contains(one)));
            Ok::<_, ()>(asked.iter().map(any).collect())
        };
        let found = minimal(&(0..24).collect::<Vec<_>>(), fails).unwrap();
        assert!(causes.iter().any(|pair| pair[..] == found[..]), "{found:?}");
    }
}
