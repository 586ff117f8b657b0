//! Running machines side by side as far as cores and memory allow.

use std::sync::{Condvar, Mutex};
use std::{fs, thread};

/// What lanes, or units, may take together.
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
