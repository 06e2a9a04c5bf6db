use std::cell::Cell;
use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

/// What [`first_exceeded`] finds, by looking at every attempt for every caller.
fn by_hand(attempts: &[(u32, Option<u32>)], waits: &[(u32, u32)], limit: u32) -> Option<usize> {
    waits.iter().position(|(begin, end)| {
        let mut free_from = Some(0);
        let mut count = 0;
        for (sent, ended) in attempts {
            let is_free = free_from.is_some_and(|free| free <= *sent);
            if (begin..=end).contains(&sent) && is_free {
                count += 1;
                free_from = *ended;
            }
        }
        count > limit
    })
}

fn sweep<T: Ord + Copy>(
    attempts: &[(T, Option<T>)],
    waits: &[(T, T)],
    limit: u32,
) -> Option<usize> {
    let waits = waits.iter().enumerate();
    let waits = waits.map(|(call, (begin, end))| Wait {
        begin: *begin,
        end: *end,
        call,
    });
    first_exceeded(waits.collect(), bursts(attempts, limit))
}

proptest! {
    #[test]
    fn the_sweep_finds_what_looking_at_everything_finds(
        attempts in proptest::collection::vec((0_u32..60, proptest::option::of(0_u32..20)), 0..24),
        waits in proptest::collection::vec((0_u32..60, 1_u32..30), 0..12),
        limit in 1_u32..5,
    ) {
        let mut attempts: Vec<_> = attempts
            .into_iter()
            .map(|(sent, takes)| (sent, takes.map(|takes| sent + takes)))
            .collect();
        attempts.sort_by_key(|(sent, _)| *sent);
        let mut waits: Vec<_> = waits.into_iter().map(|(at, takes)| (at, at + takes)).collect();
        waits.sort_unstable();
        prop_assert_eq!(sweep(&attempts, &waits, limit), by_hand(&attempts, &waits, limit));
    }
}

/// Whether the attempts of one caller may be those of two walks, by looking at every call and
/// every request to a later member.
fn may_hold_two_by_hand(
    waits: &[(u32, u32)],
    asked: &[u32],
    (first, excess): (u32, u32),
) -> bool {
    let is_new = waits.iter().any(|(begin, _)| first < *begin && *begin <= excess);
    let is_there = asked.iter().any(|at| {
        let waiting = waits.iter().filter(|(begin, _)| begin <= at);
        let until = waiting.map(|(_, end)| *end).max().unwrap_or(*at).max(*at);
        *at <= excess && first <= until
    });
    is_new && is_there
}

proptest! {
    #[test]
    fn walks_are_told_apart_as_looking_at_everything_does(
        mut waits in proptest::collection::vec((0_u32..60, 0_u32..30), 0..12),
        mut asked in proptest::collection::vec(0_u32..60, 0..6),
        first in 0_u32..60,
        takes in 0_u32..30,
    ) {
        for (begin, end) in &mut waits {
            *end += *begin;
        }
        waits.sort_unstable();
        asked.sort_unstable();
        let excess = first + takes;
        let burst = Burst { since: None, first, excess };
        let walks = Walks::new(waits.clone(), asked.clone(), Vec::new());
        prop_assert_eq!(
            walks.may_hold_two(&burst),
            may_hold_two_by_hand(&waits, &asked, (first, excess))
        );
    }
}

/// Whether callers that wait so long are judged to make too many attempts, each of which takes
/// 1, where a later member is asked at `asked`; each may make `limit`.
fn is_convicted(attempts: &[u32], waits: &[(u32, u32)], asked: &[u32], limit: u32) -> bool {
    let attempts = attempts.iter().map(|sent| (*sent, Some(*sent + 1)));
    let attempts: Vec<_> = attempts.collect();
    let walks = Walks::new(waits.to_vec(), asked.to_vec(), Vec::new());
    let bursts = bursts(&attempts, limit).into_iter();
    let bursts = bursts.filter(|burst| !walks.may_hold_two(burst));
    let waits = waits.iter().enumerate().map(|(call, (begin, end))| Wait {
        begin: *begin,
        end: *end,
        call,
    });
    first_exceeded(waits.collect(), bursts.collect()).is_some()
}

#[test]
fn a_scope_and_its_resource_are_the_same() {
    let resources = ["https://a.example", "https://a.example/", "https://a.example/.default"];
    assert!(resources.iter().all(|it| resource(it) == resources[0]));
    assert_eq!(resource("api://x/Read"), "api://x/Read");
    assert_ne!(resource("https://b.example"), resources[0]);
}

#[test]
fn a_caller_that_begins_while_another_is_at_a_later_member_has_attempts_of_its_own() {
    // The first caller is at the command from 2 on, and waits until 12.
    assert!(!is_convicted(&[0, 10], &[(0, 12), (10, 20)], &[2, 13], 1));
    // The third one waits for the command of the first two; nothing new is asked in between.
    let waits = [(0, 30), (10, 30), (20, 30)];
    assert!(!is_convicted(&[0, 10, 20], &waits, &[2], 1));
    // A member that was asked before the first attempt, for a caller that still waits there.
    let waits = [(0, 30), (5, 30), (20, 30)];
    assert!(!is_convicted(&[0, 5, 20], &waits, &[2], 1));
}

#[test]
fn a_caller_that_begins_does_not_excuse_the_retries_of_another() {
    // Both wait for one request, and no later member is asked.
    assert!(is_convicted(&[0, 10], &[(0, 12), (5, 20)], &[], 1));
    // The later member is asked after the last attempt.
    assert!(is_convicted(&[0, 10], &[(0, 12), (5, 20)], &[11], 1));
    // It was asked for a caller that does not wait any more.
    let waits = [(0, 4), (5, 17), (8, 20)];
    assert!(is_convicted(&[0, 5, 10], &waits, &[2], 1));
    // A later member is asked, but no caller begins: the one caller walks twice.
    assert!(is_convicted(&[0, 10], &[(0, 12)], &[2], 1));
    // The second caller has too many attempts of its own.
    assert!(is_convicted(&[0, 10, 15], &[(0, 12), (10, 20)], &[2], 1));
}

thread_local! {
    static COMPARISONS: Cell<u64> = const { Cell::new(0) };
}

/// A time that counts how often it is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Counted(u64);

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        COMPARISONS.set(COMPARISONS.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[test]
fn callers_that_all_wait_together_cost_no_more_than_each_alone() {
    // A stampede: each caller waits through all attempts.
    let steps = |size: u64| {
        let attempts: Vec<_> = (0..size)
            .map(|at| (Counted(at), Some(Counted(at))))
            .collect();
        let waits: Vec<_> = (0..size)
            .map(|at| (Counted(at), Counted(2 * size)))
            .collect();
        COMPARISONS.set(0);
        let limit = u32::try_from(size).unwrap_or(u32::MAX);
        assert_eq!(sweep(&attempts, &waits, limit), None);
        COMPARISONS.get()
    };
    let (one, four) = (steps(1_000), steps(4_000));
    assert!(four < 5 * one, "{one} comparisons, then {four}");
}

#[test]
fn a_caller_at_an_earlier_member_has_not_come_yet() {
    // Of an attempt at 5 and more from 7 on, a caller that is at the command until 7 has those only
    // from 7 on.
    let holds_two = |earlier: &[(u32, u32)]| {
        let walks = Walks::new(vec![(4, 30)], Vec::new(), earlier.to_vec());
        walks.may_hold_two(&Burst { since: None, first: 5, excess: 9 })
    };
    assert!(holds_two(&[(4, 7)]));
    assert!(holds_two(&[(1, 7), (2, 3)]), "the last begun is not the last to end");
    for not_beside_it in [&[(4, 5)][..], &[(9, 12)], &[]] {
        assert!(!holds_two(not_beside_it));
    }
}
