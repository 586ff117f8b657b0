//! Which of many things make a difference, by trying many of them together. Pure.
//!
//! ```text
//! wholes   everything at once, in two sets
//! likely   of what differs, those alone that seem to be why
//! groups   of what differs still, neighbours together
//! alone    each of a group that differs
//! sets     the smallest part of what differs still, if no element of it does it alone
//! ```
//! What was found is left out of the wholes, and these are tried again: what it hid shows then. What changes nothing in a whole or
//! in its group is taken to change nothing; the second whole leaves out what most often hides others.
//!
//! A search is begun anew with every round of answers and gets as far as these reach: `ask` fails with what it does not know yet.
//! So the searches of many steps share their rounds. Where no more may be asked, the search ends and says what it leaves open.

use super::minimal::minimal;

/// Members of a group at most.
const GROUP: usize = 6;
/// So many found by looking at the outputs, and the rest is tried one by one.
const MANY: usize = 3;

/// Why a search does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Answers are missing.
    Need,
    /// No more may be asked.
    Cut,
}

/// What a search found.
#[derive(Debug)]
pub struct Found<T> {
    /// Smallest sets that make a difference: mostly of one element.
    pub culprits: Vec<Vec<T>>,
    /// What makes none, each with a set that it was tried in.
    pub without: Vec<(T, Vec<T>)>,
    /// What was not tried, as no more may be asked.
    pub open: Vec<T>,
    /// Whether no more may be asked.
    pub cut: bool,
}

/// Answers for several sets at once; nothing for those that may not be asked any more.
pub type Ask<'a, T> = dyn Fn(&[Vec<T>]) -> Result<Vec<Option<bool>>, Stop> + 'a;

/// Guesses which of the second do what the first does.
pub type Likely<'a, T> = dyn Fn(&[T], &[T]) -> Vec<T> + 'a;

/// What a search may ask.
pub struct Oracle<'a, T> {
    /// Whether each of these sets makes a difference; fails where not all are known.
    pub ask: &'a Ask<'a, T>,
    /// Which of the second are likely to be why the first, which makes a difference, does.
    pub likely: &'a Likely<'a, T>,
    /// Whether two can't be tried in one set.
    pub excludes: &'a dyn Fn(&T, &T) -> bool,
    /// What is tried after the others, as it is dear.
    pub dear: &'a dyn Fn(&T) -> bool,
    /// What may hide what others do.
    pub hides: &'a dyn Fn(&T) -> bool,
}

impl<T: Copy + PartialEq> Oracle<'_, T> {
    /// Searches all of these; for sets of several only if asked to.
    pub fn search(&self, all: &[T], sets: bool) -> Result<Found<T>, Stop> {
        let mut found = Found { culprits: vec![], without: vec![], open: vec![], cut: false };
        let mut tried: Vec<T> = Vec::new();
        match self.go(all, sets, &mut found, &mut tried) {
            Err(Stop::Need) => return Err(Stop::Need),
            Err(Stop::Cut) => found.cut = true,
            Ok(()) => {}
        }
        let is_open = |one: &T| !tried.contains(one) && found.is_new(one);
        found.open = all.iter().copied().filter(is_open).collect();
        Ok(found)
    }

    fn go(&self, all: &[T], sets: bool, found: &mut Found<T>, tried: &mut Vec<T>) -> Result<(), Stop> {
        let wholes = self.wholes(all);
        loop {
            let left: Vec<Vec<T>> = wholes.iter().map(|whole| found.rest(whole)).collect();
            let left: Vec<Vec<T>> = left.into_iter().filter(|set| !set.is_empty()).collect();
            let differs = (self.ask)(&left)?;
            let mut cut = false;
            let mut observed = None;
            for (set, differs) in left.iter().zip(differs) {
                match differs {
                    Some(false) => found.clear(set),
                    Some(true) => observed = observed.or(Some(set)),
                    None => cut = true,
                }
            }
            let Some(observed) = observed else { return if cut { Err(Stop::Cut) } else { Ok(()) } };
            let new: Vec<T> =
                observed.iter().copied().filter(|one| !tried.contains(one) && found.is_new(one)).collect();
            if self.alone(observed, &new, found, tried)? {
                continue;
            }
            if !sets {
                // No element does it alone: it was chance then.
                found.clear(observed);
                let others: Vec<Vec<T>> = left.iter().filter(|set| *set != observed).cloned().collect();
                for other in others {
                    let new =
                        found.news(&other).into_iter().filter(|one| !tried.contains(one)).collect::<Vec<_>>();
                    self.alone(&other, &new, found, tried)?;
                    found.clear(&other);
                }
                return Ok(());
            }
            let smallest = self.smallest(observed)?;
            found.culprits.push(smallest);
        }
    }

    /// Finds those of the new ones that make a difference alone, and says whether there are any.
    fn alone(
        &self,
        observed: &[T],
        new: &[T],
        found: &mut Found<T>,
        tried: &mut Vec<T>,
    ) -> Result<bool, Stop> {
        let mut likely = (self.likely)(observed, new);
        likely.retain(|one| new.contains(one));
        if !likely.is_empty() && self.each(&likely, found, tried)? {
            return Ok(true);
        }
        let new: Vec<T> = new.iter().copied().filter(|one| !likely.contains(one)).collect();
        let many = found.culprits.len() >= MANY;
        let groups = if many || new.len() <= GROUP { vec![] } else { self.groups(&new) };
        let differs = (self.ask)(&groups)?;
        let mut members: Vec<T> = if groups.is_empty() { new } else { vec![] };
        let mut hit: Vec<&Vec<T>> = Vec::new();
        for (group, differs) in groups.iter().zip(differs) {
            match differs {
                Some(false) => found.clear(group),
                Some(true) => {
                    hit.push(group);
                    members.extend(group);
                }
                None => return Err(Stop::Cut),
            }
        }
        if self.each(&members, found, tried)? {
            return Ok(true);
        }
        // What differs by a group that is small is taken apart at less cost.
        match hit.first() {
            Some(group) if group.len() < observed.len() => {
                let smallest = self.smallest(group)?;
                found.culprits.push(smallest);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Tries each alone.
    fn each(&self, set: &[T], found: &mut Found<T>, tried: &mut Vec<T>) -> Result<bool, Stop> {
        let alone: Vec<Vec<T>> = set.iter().map(|one| vec![*one]).collect();
        let answers = (self.ask)(&alone)?;
        tried.extend(set.iter().zip(&answers).filter(|(_, differs)| differs.is_some()).map(|(one, _)| *one));
        let differing = alone.into_iter().zip(&answers).filter(|(_, differs)| **differs == Some(true));
        found.culprits.extend(differing.map(|(one, _)| one));
        if answers.contains(&None) { Err(Stop::Cut) } else { Ok(answers.contains(&Some(true))) }
    }

    /// The smallest part of a set that makes a difference.
    fn smallest(&self, set: &[T]) -> Result<Vec<T>, Stop> {
        let fails = |asked: &[Vec<T>]| {
            let answers = (self.ask)(asked)?;
            answers.into_iter().map(|differs| differs.ok_or(Stop::Cut)).collect::<Result<Vec<bool>, Stop>>()
        };
        let cheap: Vec<T> = set.iter().copied().filter(|one| !(self.dear)(one)).collect();
        let is_cheap =
            !cheap.is_empty() && cheap.len() < set.len() && fails(std::slice::from_ref(&cheap))? == [true];
        minimal(if is_cheap { &cheap } else { set }, fails)
    }

    /// Everything at once, in two sets: the second has what the first can't have, what is dear, and what it can have of the first
    /// but for what may hide others.
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
                let rest = first.iter().copied().filter(|one| fits(set, one) && !(self.hides)(one));
                let rest: Vec<T> = rest.collect();
                set.extend(rest);
            }
        }
        wholes
    }

    /// Neighbours together, those that are dear apart.
    fn groups(&self, all: &[T]) -> Vec<Vec<T>> {
        let mut groups: Vec<Vec<T>> = Vec::new();
        for dear in [false, true] {
            let mut left: Vec<T> = all.iter().copied().filter(|one| (self.dear)(one) == dear).collect();
            while !left.is_empty() {
                let mut group: Vec<T> = Vec::new();
                left.retain(|one| {
                    let hides = |other: &T| (self.hides)(one) && (self.hides)(other);
                    let fits = group.len() < GROUP
                        && !group.iter().any(|other| (self.excludes)(one, other) || hides(other));
                    if fits {
                        group.push(*one);
                    }
                    !fits
                });
                groups.push(group);
            }
        }
        groups
    }
}

impl<T: Copy + PartialEq> Found<T> {
    fn is_new(&self, one: &T) -> bool {
        !self.without.iter().any(|(other, _)| other == one)
    }

    /// What is not known to make no difference.
    fn news(&self, set: &[T]) -> Vec<T> {
        set.iter().copied().filter(|one| self.is_new(one)).collect()
    }

    /// A set makes no difference, so none of it does.
    fn clear(&mut self, set: &[T]) {
        let new = self.news(set);
        self.without.extend(new.into_iter().map(|one| (one, set.to_vec())));
    }

    /// A set without what is known to make a difference.
    fn rest(&self, set: &[T]) -> Vec<T> {
        let mut rest = set.to_vec();
        for culprit in &self.culprits {
            if culprit.iter().all(|one| rest.contains(one)) {
                rest.retain(|one| *one != culprit[0]);
            }
        }
        rest
    }
}

impl<T> Default for Found<T> {
    fn default() -> Found<T> {
        Found { culprits: vec![], without: vec![], open: vec![], cut: false }
    }
}

#[cfg(test)]
mod tests;
