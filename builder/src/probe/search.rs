//! Which of many things make a difference, by trying many of them together. Pure.
//!
//! What changes nothing together with others is taken to change nothing alone: of a step that nothing changes that is known after
//! two tries, and of one that one thing changes after some more than the logarithm of how many there are. Where many
//! make a difference, the rest are tried one by one. Where a set makes one and no element of it does, its smallest
//! such part is searched for ([`minimal`]).
//!
//! A search is begun anew with every round of answers and gets as far as these reach: `ask` fails with what it was not told yet.
//! So the searches of many steps share their rounds.

use super::minimal::minimal;

/// So many are searched for one after the other.
const FEW: usize = 3;

/// What a search found.
#[derive(Debug)]
pub struct Found<T> {
    /// Smallest sets that make a difference: mostly of one element.
    pub culprits: Vec<Vec<T>>,
    /// What makes none, each with a set that it was tried in.
    pub without: Vec<(T, Vec<T>)>,
}

/// Answers for several sets at once.
pub type Ask<'a, T, E> = dyn Fn(&[Vec<T>]) -> Result<Vec<bool>, E> + 'a;

/// Guesses which of the second do what the first does.
pub type Likely<'a, T> = dyn Fn(&[T], &[T]) -> Vec<T> + 'a;

/// What a search may ask.
pub struct Oracle<'a, T, E> {
    /// Whether each of these sets makes a difference; fails where not all are known.
    pub ask: &'a Ask<'a, T, E>,
    /// Which of the second are likely to be why the first, which makes a difference, does.
    pub likely: &'a Likely<'a, T>,
    /// Whether two can't be tried in one set.
    pub excludes: &'a dyn Fn(&T, &T) -> bool,
    /// What is tried after the others, as it is dear.
    pub dear: &'a dyn Fn(&T) -> bool,
}

impl<T: Copy + PartialEq, E> Oracle<'_, T, E> {
    /// Searches all of these; for sets of several only if asked to.
    pub fn search(&self, all: &[T], sets: bool) -> Result<Found<T>, E> {
        let mut found = Found::default();
        let wholes = self.wholes(all);
        (self.ask)(&wholes)?;
        for mut open in wholes {
            found.take_out(&mut open);
            while !open.is_empty() && self.one(&open)? {
                let culprits = self.culprits(&open, &found, sets)?;
                if culprits.is_empty() {
                    break;
                }
                found.culprits.extend(culprits);
                found.take_out(&mut open);
            }
            let new = found.open(&open);
            found.without.extend(new.into_iter().map(|one| (one, open.clone())));
        }
        Ok(found)
    }

    /// What of a set that makes a difference makes it. Nothing if sets are not asked for and no element does: it was chance then.
    fn culprits(&self, set: &[T], found: &Found<T>, sets: bool) -> Result<Vec<Vec<T>>, E> {
        let (alone, mut observed) = match found.culprits.len() < FEW {
            true => self.narrow(set, found)?,
            false => (self.each(&found.open(set))?, set.to_vec()),
        };
        if !alone.is_empty() {
            return Ok(alone);
        }
        if !sets {
            return self.each(&found.open(set));
        }
        let cheap: Vec<T> = observed.iter().copied().filter(|one| !(self.dear)(one)).collect();
        if self.one(&cheap)? {
            observed = cheap;
        }
        let smallest = minimal(&observed, self.ask)?;
        let alone = self.each(&smallest)?;
        Ok(if alone.is_empty() { vec![smallest] } else { alone })
    }

    fn one(&self, set: &[T]) -> Result<bool, E> {
        Ok((self.ask)(&[set.to_vec()])? == [true])
    }

    /// Those that make a difference alone.
    fn each(&self, set: &[T]) -> Result<Vec<Vec<T>>, E> {
        let sets: Vec<Vec<T>> = set.iter().map(|one| vec![*one]).collect();
        let differs = (self.ask)(&sets)?;
        Ok(sets.into_iter().zip(differs).filter(|(_, differs)| *differs).map(|(set, _)| set).collect())
    }

    /// Everything at once, in two sets: the second has what the first can't have, what is dear, and what it can have of the first.
    fn wholes(&self, all: &[T]) -> Vec<Vec<T>> {
        let fits = |set: &[T], one: &T| !set.iter().any(|other| (self.excludes)(one, other));
        let mut wholes = vec![vec![], vec![]];
        for one in all {
            let from = usize::from((self.dear)(one));
            match wholes.iter_mut().skip(from).find(|set| fits(set, one)) {
                Some(set) => set.push(*one),
                None => wholes.push(vec![*one]),
            }
        }
        wholes.retain(|set| !set.is_empty());
        if let [first, others @ ..] = &mut wholes[..] {
            for set in others {
                let rest: Vec<T> = first.iter().copied().filter(|one| fits(set, one)).collect();
                set.extend(rest);
            }
        }
        wholes
    }

    /// One that makes a difference, if a set does because of one; and the smallest set that was seen to make one.
    fn narrow(&self, set: &[T], found: &Found<T>) -> Result<(Vec<Vec<T>>, Vec<T>), E> {
        let (mut observed, mut now) = (set.to_vec(), set.to_vec());
        while now.len() > 1 {
            let (first, rest) = self.split(&observed, &now, found);
            if self.one(&first)? {
                observed.clone_from(&first);
                now = first;
            } else {
                // If it is not the one part it must be the other.
                now = rest;
            }
        }
        Ok((self.each(&now)?, observed))
    }

    /// What to try first, and the rest: what is likely, or not known to change nothing, or not dear, or a half.
    fn split(&self, observed: &[T], now: &[T], found: &Found<T>) -> (Vec<T>, Vec<T>) {
        let is_part = |part: &Vec<T>| (1..now.len()).contains(&part.len());
        let likely = Some((self.likely)(observed, now)).filter(is_part);
        let new = || Some(found.open(now)).filter(is_part);
        let cheap = || Some(now.iter().copied().filter(|one| !(self.dear)(one)).collect()).filter(is_part);
        let half = || now[..now.len() / 2].to_vec();
        let first = likely.or_else(new).or_else(cheap).unwrap_or_else(half);
        let rest = now.iter().copied().filter(|one| !first.contains(one)).collect();
        (first, rest)
    }
}

impl<T> Default for Found<T> {
    fn default() -> Found<T> {
        Found { culprits: vec![], without: vec![] }
    }
}

impl<T: Copy + PartialEq> Found<T> {
    /// What is not known to make no difference.
    fn open(&self, set: &[T]) -> Vec<T> {
        let is_new = |one: &T| !self.without.iter().any(|(other, _)| other == one);
        set.iter().copied().filter(is_new).collect()
    }

    /// Takes away what of a set is known to make a difference.
    fn take_out(&self, set: &mut Vec<T>) {
        for culprit in &self.culprits {
            if culprit.iter().all(|one| set.contains(one)) {
                set.retain(|one| *one != culprit[0]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    /// Searches among so many, of which 0 and 1 exclude each other, with what makes a difference; and how many tries it took.
    fn search(all: usize, causes: &[&[usize]], guess: bool) -> (Vec<Vec<usize>>, usize) {
        let asked = RefCell::new(BTreeSet::new());
        let ask = |sets: &[Vec<usize>]| {
            asked.borrow_mut().extend(sets.iter().cloned());
            let differs =
                |set: &Vec<usize>| causes.iter().any(|cause| cause.iter().all(|one| set.contains(one)));
            Ok::<_, ()>(sets.iter().map(differs).collect())
        };
        let likely = |_: &[usize], now: &[usize]| {
            let is_likely = |one: &&usize| guess && causes.iter().any(|cause| cause.contains(one));
            now.iter().filter(is_likely).copied().collect()
        };
        let oracle = Oracle {
            ask: &ask,
            likely: &likely,
            excludes: &|one, other| one + other == 1,
            dear: &|one| *one > 30,
        };
        let all: Vec<usize> = (0..all).collect();
        let mut culprits = oracle.search(&all, true).unwrap();
        culprits.culprits.iter_mut().for_each(|set| set.sort_unstable());
        culprits.culprits.sort();
        let known = culprits.culprits.concat();
        assert!(culprits.open(&all).iter().all(|one| known.contains(one)), "{causes:?}");
        (culprits.culprits, asked.into_inner().len())
    }

    #[test]
    fn nothing_is_known_after_two_tries() {
        assert_eq!(search(36, &[], false), (vec![], 2));
        assert_eq!(search(0, &[], false), (vec![], 0));
        assert_eq!(search(1, &[&[0]], false), (vec![vec![0]], 1));
    }

    #[test]
    fn each_single_one_is_found_with_few_tries() {
        for cause in 0..36 {
            let (culprits, tries) = search(36, &[&[cause]], false);
            assert_eq!(culprits, [[cause]]);
            assert!(tries <= 12, "{cause} {tries}");
            let (culprits, tries) = search(36, &[&[cause]], true);
            assert_eq!(culprits, [[cause]]);
            assert!(tries <= 5, "{cause} {tries}");
        }
    }

    #[test]
    fn two_are_told_from_a_pair() {
        for a in 0..24 {
            for b in a + 1..24 {
                assert_eq!(search(24, &[&[a], &[b]], a % 2 == 0).0, [[a], [b]]);
                if b > 1 {
                    let (culprits, tries) = search(24, &[&[a, b]], b % 2 == 0);
                    assert_eq!(culprits, [[a, b]]);
                    assert!(tries <= 40, "{a} {b} {tries}");
                }
            }
        }
    }

    #[test]
    fn many_cost_little_more_than_to_try_each() {
        let causes: Vec<[usize; 1]> = (0..36).step_by(2).map(|one| [one]).collect();
        let causes: Vec<&[usize]> = causes.iter().map(|one| &one[..]).collect();
        let (culprits, tries) = search(36, &causes, false);
        assert_eq!(culprits.len(), 18);
        assert!(tries <= 36 + 24, "{tries}");
    }

    #[test]
    fn sets_are_found_beside_others_and_beside_each_other() {
        assert_eq!(search(30, &[&[3], &[9], &[12, 20]], false).0, vec![vec![3], vec![9], vec![12, 20]]);
        assert_eq!(
            search(30, &[&[0, 8], &[1, 8], &[4, 5, 6]], true).0,
            vec![vec![0, 8], vec![1, 8], vec![4, 5, 6]]
        );
    }
}
