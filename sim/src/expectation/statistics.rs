//! What the expectations over all seeds share.

use super::Plan;
use crate::judge::view::Call;
use crate::judge::{Aspect, Evidence, View};
use crate::wording::counted;

/// How many seeds a sentence names.
const MOST_SEEDS: usize = 10;
/// No bound of a share is compared more precisely, in decimal digits of per cent.
const MOST_DIGITS: usize = 6;

/// Returns why nothing can be said over all seeds; none if they were all played and seen.
pub(super) fn not_observed(plan: &Plan<'_>, runs: &[View<'_>]) -> Option<String> {
    let unseen = |view: &View<'_>| view.run.visibility.lacks(&[Aspect::Calls]);
    if let Some(reason) = runs.iter().find_map(unseen) {
        return Some(reason.to_owned());
    }
    let (played, all) = (runs.len(), plan.seeds as usize);
    (played < all).then(|| {
        format!(
            "it is about {}, and {played} was played",
            counted(all, "seed")
        )
    })
}

/// Calls that count against an expectation.
pub(super) struct Against<'a>(Vec<(u64, Call<'a>)>);

impl<'a> Against<'a> {
    /// Those of all runs of which `counts` is true.
    pub(super) fn of(runs: &[View<'a>], counts: impl Fn(&Call<'a>) -> bool) -> Self {
        let calls = runs.iter().flat_map(|view| {
            let seed = view.run.seed;
            view.calls().map(move |call| (seed, call))
        });
        Self(calls.filter(|(_, call)| counts(call)).collect())
    }

    /// The first seed with such a call, to be played alone.
    pub(super) fn first_seed(&self) -> Option<u64> {
        self.0.first().map(|(seed, _)| *seed)
    }

    /// Names their seeds; empty if there is none.
    pub(super) fn seeds(&self) -> String {
        let mut seeds: Vec<u64> = self.0.iter().map(|(seed, _)| *seed).collect();
        seeds.dedup();
        if seeds.is_empty() {
            return String::new();
        }
        let named: Vec<String> = seeds.iter().take(MOST_SEEDS).map(u64::to_string).collect();
        let more = match seeds.len().saturating_sub(MOST_SEEDS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let word = if seeds.len() == 1 { "seed" } else { "seeds" };
        format!("{word} {}{more}", named.join(", "))
    }

    /// How each of them ended, or that it began.
    pub(super) fn evidence(&self) -> Evidence {
        let last = |call: &Call<'a>| match &call.end {
            Some(end) => end.event.event,
            None => call.started.event,
        };
        Evidence::of_seeds(self.0.iter().map(|(seed, call)| (*seed, last(call))))
    }
}

/// A share from 0 to 1 in per cent, with at least so many decimal digits, and as many as `bounds`
/// need to be told from it.
pub(super) fn per_cent(share: f64, least_digits: usize, bounds: &[f64]) -> String {
    let needs = |share: f64| {
        let exact = format!("{:.MOST_DIGITS$}", share * 100.0);
        let digits = exact.trim_end_matches('0');
        digits.len() - digits.find('.').map_or(digits.len(), |dot| dot + 1)
    };
    let digits = bounds.iter().map(|bound| needs(*bound)).max().unwrap_or(0);
    format!("{:.*} %", digits.max(least_digits), share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_the_digits_that_its_bounds_need() {
        assert_eq!(per_cent(0.9, 1, &[0.9]), "90.0 %");
        assert_eq!(per_cent(0.9999, 1, &[0.9999]), "99.99 %");
        assert_eq!(per_cent(1.0, 1, &[0.999_95, 1.0]), "100.000 %");
        assert_eq!(per_cent(2.0 / 3.0, 2, &[]), "66.67 %");
    }
}
