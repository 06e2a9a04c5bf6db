//! `dispose`: the shared credential is disposed.

use super::{
    ActionContext, Consequences, Names, Nothing, OnHost, Outside, Repair, TimelineAction,
    TimelineState,
};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
    trace::Kind,
};

action_with_keys! {
    /// The shared credential is disposed. Without effect if it could not be built.
    pub struct Dispose(Nothing);
}

impl TimelineAction for Dispose {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        let mut calls = check.rest.calls.iter();
        let is_used = calls.any(|call| call.shares_credential);
        if std::mem::replace(&mut state.disposed, true) {
            check
                .at_key(place, "the shared credential is disposed twice")
                .label("it is gone already")
                .help("remove one of the two events");
        } else if !is_used {
            check
                .at_key(place, "no call uses the shared credential")
                .label("so this has no effect")
                .expected("a `[[call]]` whose `credential` is `shared` or `clone`")
                .help("add one, or remove this event");
        }
    }

    fn describe(&self) -> String {
        "the shared credential is disposed".to_owned()
    }

    fn apply(&self, context: &ActionContext<'_>) {
        if let Some(shared) = context.shared {
            let instance = shared.instance();
            context.record(Kind::Disposed { instance });
            shared.dispose();
        }
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            repair: Repair::No,
            takes_away: true,
            cuts_off: None,
            brings: None,
            on_host: OnHost::Disposal,
            outside: Outside::NeedsRequest {
                name: "dispose",
                why: "the credential is disposed, and the driver protocol does not support dispose",
            },
            lasting: None,
            secrets: Vec::new(),
            issues: Vec::new(),
            names: Names::Nothing,
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use crate::action::{SharedCredential, testing::Played};

    struct Counting(Arc<AtomicU32>);

    impl SharedCredential for Counting {
        fn instance(&self) -> u32 {
            7
        }

        fn dispose(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_shared_credential_is_disposed_if_there_is_one() {
        let mut played = Played::new("");
        assert!(played.act("dispose = {}", 1).is_empty());
        let disposals = Arc::new(AtomicU32::new(0));
        played.shared = Some(Box::new(Counting(disposals.clone())));
        assert_eq!(
            played.act("dispose = {}", 2),
            ["2s Disposed { instance: 7 }"]
        );
        assert_eq!(disposals.load(Ordering::Relaxed), 1);
    }
}
