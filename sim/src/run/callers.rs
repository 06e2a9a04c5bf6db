//! The callers of a `[[call]]`: when each begins, and which credential it uses.

use std::sync::{Arc, atomic::Ordering};

use super::run_state::{RunState, lock};
use crate::call::{Caller, Instance, SubjectInstance, Uses, Which};

impl RunState {
    /// Starts the callers of the `[[call]]` of index `step`.
    pub fn call(self: Arc<Self>, step: usize, shared: Option<Arc<SubjectInstance>>) {
        let Some(call) = self.scenario.call.get(step) else {
            return;
        };
        let repetition = {
            let mut counts = lock(&self.repetitions);
            let count = counts.entry(step).or_insert(0);
            *count += 1;
            *count
        };
        let which = move |caller| Which { repetition, caller };
        if call.ramp_up.is_none() {
            for number in 1..=call.callers {
                // All of them begin before the first one plays.
                if self.budget.is_over() {
                    return;
                }
                self.begin(step, which(number), shared.as_ref());
            }
            return;
        }
        let run = self.clone();
        let in_turn = async move {
            let first = run.host.elapsed();
            let Some(call) = run.scenario.call.get(step) else {
                return;
            };
            for number in 1..=call.callers {
                let at = first.saturating_add(call.begins_after(number));
                let wait = at.saturating_sub(run.host.elapsed());
                if !wait.is_zero() {
                    run.host.host.runtime.sleep(wait).await;
                }
                run.begin(step, which(number), shared.as_ref());
            }
        };
        self.host.host.runtime.spawn(Box::pin(in_turn)).detach();
    }

    /// Starts one caller.
    fn begin(self: &Arc<Self>, step: usize, which: Which, shared: Option<&Arc<SubjectInstance>>) {
        let Some(call) = self.scenario.call.get(step) else {
            return;
        };
        let instance = match (call.action.uses(), shared, call.credential) {
            (Uses::BareHttp, ..) => None,
            (_, Some(shared), Instance::Shared | Instance::Clone) => Some(shared.clone()),
            (_, _, Instance::EachItsOwn) => Some(self.own(step, which.caller)),
            (_, _, Instance::Shared | Instance::Clone | Instance::New) => Some(self.instance()),
        };
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let context = self.call_context.clone();
        let caller = Caller::new(context, (step + 1, call), which, number, instance);
        let scenario = self.scenario.clone();
        let playing = async move {
            if let Some(call) = scenario.call.get(step) {
                call.action.play(&caller).await;
            }
        };
        self.host.host.runtime.spawn(Box::pin(playing)).detach();
    }

    /// The credential of a caller that has its own, built at its first call.
    fn own(&self, step: usize, caller: u32) -> Arc<SubjectInstance> {
        let known = lock(&self.own).get(&(step, caller)).cloned();
        known.unwrap_or_else(|| {
            let built = self.instance();
            lock(&self.own).insert((step, caller), built.clone());
            built
        })
    }
}
