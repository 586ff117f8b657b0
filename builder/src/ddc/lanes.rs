//! The lanes of one question: which there are, and running them side by side as far as cores and memory allow.

use crate::args::{self, MachineName};
use crate::failure::Failure;
use crate::prepare::graph::choices;
use graphs::Graph;
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};
use std::{fs, thread};

/// One way to build the graph.
pub struct Lane {
    /// Its alternatives joined by `,`, and `@MACHINE` where machines differ; as a file name it is safe.
    pub name: String,
    /// Every choice made, as `--choose` makes it.
    pub choose: Vec<(String, String)>,
    /// What runs it.
    pub machine: MachineName,
    /// Its kernel, where kernels differ.
    pub kernel: Option<String>,
}

/// What `--over` calls the machine's kernel, unless the graph has a choice of that name.
pub const KERNEL: &str = "kernel";
/// Its alternatives, if none are named.
const KERNELS: [&str; 2] = ["minimal", "footing"];

/// Whether `--over` means the machine's kernel by this.
fn is_kernel(graph: &Graph, over: &str) -> bool {
    over == KERNEL && !graph.choices.contains_key(KERNEL)
}

/// A lane for each alternative of what is varied, for each of several the product, and for each machine.
pub fn lanes(graph: &Graph, args: &args::Ddc) -> Result<Vec<Lane>, Failure> {
    let mut ways: Vec<Vec<(String, String)>> = vec![vec![]];
    for (number, over) in args.over.iter().enumerate() {
        let taken = alternatives(graph, over, args)?;
        if args.over[..number].contains(over) {
            return Err(Failure::help(format!("--over: `{over}` is named twice"), "name it once"));
        }
        if let Some((_, taken)) = args.choices.choose.iter().find(|(choice, _)| choice == over) {
            let text = format!("--choose {over}={taken}: `{over}` is varied");
            let help = format!("its lanes take the alternatives in turn; --choices {taken} takes only some");
            return Err(Failure::help(text, &help));
        }
        let longer = |way: &Vec<(String, String)>, taken: &String| {
            way.iter().cloned().chain([(over.clone(), taken.clone())]).collect()
        };
        ways = ways.iter().flat_map(|way| taken.iter().map(move |taken| longer(way, taken))).collect();
    }
    let mut lanes = Vec::new();
    for way in ways {
        for &machine in &args.machine {
            let mut name = way.iter().map(|(_, taken)| taken.as_str()).collect::<Vec<_>>().join(",");
            if args.machine.len() > 1 || name.is_empty() {
                name = format!("{name}@{}", machine.word()).trim_start_matches('@').to_owned();
            }
            let (kernels, way): (Vec<_>, Vec<_>) =
                way.iter().cloned().partition(|(over, _)| is_kernel(graph, over));
            let choose = args.choices.choose.iter().cloned().chain(way).collect();
            let kernel = kernels.into_iter().next().map(|(_, kernel)| kernel);
            lanes.push(Lane { name: name.replace('/', "_"), choose, machine, kernel });
        }
    }
    let names: BTreeSet<_> = lanes.iter().map(|lane| &lane.name).collect();
    if names.len() < lanes.len() {
        return Err(Failure::help("two lanes would be the same", "name each alternative and machine once"));
    }
    if lanes.len() < 2 {
        let help = "vary an input with --over INPUT, or name two machines with --machine A,B";
        return Err(Failure::help("one lane alone agrees with everything", help));
    }
    Ok(lanes)
}

/// The alternatives of one varied choice: those that `--choices` names, or all.
fn alternatives(graph: &Graph, over: &str, args: &args::Ddc) -> Result<Vec<String>, Failure> {
    let choice = graph.choices.get(over);
    let default = choice.map(|choice| choice.default.clone()).unwrap_or_default();
    let kernel = is_kernel(graph, over);
    if !kernel {
        choices("--over", graph, &[(over.to_owned(), default)])?;
    }
    let mut named = Vec::new();
    for text in &args.alternatives {
        match text.split_once('=').filter(|(choice, _)| args.over.iter().any(|over| over == choice)) {
            Some((choice, taken)) if choice == over => named.push(taken.to_owned()),
            Some(_) => {}
            None if args.over.len() == 1 => named.push(text.clone()),
            None => {
                let help = "with several inputs in --over, write each as INPUT=CHOICE";
                return Err(Failure::help(format!("--choices {text}: of which input?"), help));
            }
        }
    }
    for taken in named.iter().filter(|_| !kernel) {
        choices("--choices", graph, &[(over.to_owned(), taken.clone())])?;
    }
    if kernel && named.is_empty() {
        named = KERNELS.map(str::to_owned).into();
    }
    let all = || choice.into_iter().flat_map(|choice| choice.of.keys().cloned());
    Ok(if named.is_empty() { all().collect() } else { named })
}

/// What lanes may take together.
#[derive(Clone, Copy)]
pub struct Budget {
    /// How many at once.
    pub lanes: usize,
    /// Memory in MiB.
    pub memory: u64,
}

impl Budget {
    /// The cores and the free memory of this host, or of the container that this is.
    pub fn of_host() -> Budget {
        let lanes = thread::available_parallelism().map_or(1, usize::from);
        let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
        let limit = number("/sys/fs/cgroup/memory.max").zip(number("/sys/fs/cgroup/memory.current"));
        let limit = limit.map_or(u64::MAX, |(most, used)| most.saturating_sub(used) >> 20);
        let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
        let free = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Budget { lanes, memory: free.map_or(limit, |kib| limit.min(kib >> 10)) }
    }
}

/// Does `job` for each lane, by its number, as soon as there is room for the memory in MiB that it needs; the largest
/// first, as they mostly take the longest. One that is larger than all the room there is waits until it is alone.
pub fn side_by_side<T: Send>(needs: &[u64], budget: Budget, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let taken = Mutex::new((0_usize, 0_u64));
    let freed = Condvar::new();
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by_key(|&number| std::cmp::Reverse(needs[number]));
    thread::scope(|scope| {
        let mut running = Vec::new();
        for number in order {
            let fits = |&mut (lanes, memory): &mut (usize, u64)| {
                lanes == 0 || lanes < budget.lanes.max(1) && memory + needs[number] <= budget.memory
            };
            let free = taken.lock().unwrap_or_else(|poison| poison.into_inner());
            let mut free =
                freed.wait_while(free, |taken| !fits(taken)).unwrap_or_else(|poison| poison.into_inner());
            *free = (free.0 + 1, free.1 + needs[number]);
            drop(free);
            let (taken, freed, job, need) = (&taken, &freed, &job, needs[number]);
            running.push((
                number,
                scope.spawn(move || {
                    let leave = Leave(|| {
                        let mut free = taken.lock().unwrap_or_else(|poison| poison.into_inner());
                        *free = (free.0 - 1, free.1 - need);
                        freed.notify_all();
                    });
                    let result = job(number);
                    drop(leave);
                    result
                }),
            ));
        }
        running.sort_by_key(|(number, _)| *number);
        let join = |handle: thread::ScopedJoinHandle<'_, T>| match handle.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        running.into_iter().map(|(_, handle)| join(handle)).collect()
    })
}

/// Gives its room back, also where the job panics: others wait for it.
struct Leave<F: Fn()>(F);

impl<F: Fn()> Drop for Leave<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::time::Duration;

    /// The most lanes, and the most memory, that were taken at once.
    fn most(needs: &[u64], budget: Budget) -> (usize, u64) {
        let (lanes, memory) = (AtomicUsize::new(0), AtomicU64::new(0));
        let (most_lanes, most_memory) = (AtomicUsize::new(0), AtomicU64::new(0));
        let results = side_by_side(needs, budget, |number| {
            let now = lanes.fetch_add(1, Ordering::SeqCst) + 1;
            let used = memory.fetch_add(needs[number], Ordering::SeqCst) + needs[number];
            most_lanes.fetch_max(now, Ordering::SeqCst);
            most_memory.fetch_max(used, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(30));
            memory.fetch_sub(needs[number], Ordering::SeqCst);
            lanes.fetch_sub(1, Ordering::SeqCst);
            number
        });
        assert_eq!(results, (0..needs.len()).collect::<Vec<_>>());
        (most_lanes.into_inner(), most_memory.into_inner())
    }

    #[test]
    fn lanes_share_cores_and_memory() {
        assert_eq!(most(&[1; 6], Budget { lanes: 2, memory: 100 }), (2, 2));
        assert_eq!(most(&[5, 5, 5, 5], Budget { lanes: 4, memory: 11 }), (2, 10));
        // One that never fits is run alone.
        assert_eq!(most(&[50, 5, 5], Budget { lanes: 3, memory: 11 }), (2, 50));
        assert_eq!(most(&[1, 1], Budget { lanes: 0, memory: 0 }), (1, 1));
    }

    #[test]
    fn a_lane_that_panics_does_not_stop_the_others() {
        let done = AtomicUsize::new(0);
        let budget = Budget { lanes: 1, memory: 1 };
        let all = std::panic::AssertUnwindSafe(|| {
            side_by_side(&[3, 2, 1], budget, |number| {
                assert_ne!(number, 0, "as planned");
                done.fetch_add(1, Ordering::SeqCst);
            })
        });
        assert!(std::panic::catch_unwind(all).is_err());
        assert_eq!(done.into_inner(), 2);
    }

    #[test]
    fn this_host_has_room() {
        let budget = Budget::of_host();
        assert!(budget.lanes > 0 && budget.memory > 0);
    }
}
