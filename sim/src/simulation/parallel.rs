//! Work on several threads whose results come in the order of the work.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Does `work` on every item with as many threads as `jobs`, and hands the results to `each` in
/// the order of the items, each as soon as it and those before it are there.
pub fn in_order<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    work: impl Fn(&T) -> R + Sync,
    mut each: impl FnMut(R),
) {
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            let (done, next, work) = (done.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    if done.send((index, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&due) {
                each(result);
                due += 1;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn results_keep_the_order_whatever_the_number_of_threads() {
        let items: Vec<u64> = (0..200).collect();
        for jobs in [0, 1, 2, 7, 1_000] {
            let mut seen = Vec::new();
            // Uneven work, so that later items are often done first.
            let work = |item: &u64| {
                (0..(item * 7_919) % 5_000).for_each(|turn| _ = std::hint::black_box(turn));
                *item
            };
            in_order(&items, jobs, work, |result| seen.push(result));
            assert_eq!(seen, items, "{jobs} jobs");
        }
        in_order(
            &[] as &[u64],
            4,
            |item| *item,
            |_| panic!("there is nothing to do"),
        );
    }
}
