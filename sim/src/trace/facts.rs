//! What a service knows of a request, as typed values. Matchers read these; the trace's text is
//! made from the same values and is for people only.

use std::{
    any::Any,
    fmt::{self, Debug},
    sync::Arc,
};

/// The facts that a service or a command keeps of a request. Each has a type of its own.
pub trait RequestFacts: Any + Debug + Send + Sync {}

impl<T: Any + Debug + Send + Sync> RequestFacts for T {}

/// Typed facts that ride along with an event. They are neither serialized nor hashed nor compared:
/// everything in them that identifies a run is in the event's text too.
#[derive(Clone, Default)]
pub struct Facts(Option<Arc<Kept>>);

/// A thin target for the pointer: events hold 8 bytes instead of 16.
struct Kept(Box<dyn RequestFacts>);

impl Facts {
    /// Facts of one kind of request.
    pub fn new(facts: impl RequestFacts) -> Self {
        Self(Some(Arc::new(Kept(Box::new(facts)))))
    }

    /// The facts, if they are of this type.
    pub fn get<T: RequestFacts>(&self) -> Option<&T> {
        let facts: &dyn Any = &*self.0.as_ref()?.0;
        facts.downcast_ref()
    }
}

impl Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Facts(none)"),
            Some(facts) => f.debug_tuple("Facts").field(&facts.0).finish(),
        }
    }
}

impl PartialEq for Facts {
    /// Events are compared by what the trace tells.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_as_the_type_that_they_are_of() {
        let facts = Facts::new(7_u8);
        assert_eq!(facts.get::<u8>(), Some(&7));
        assert_eq!(facts.get::<u16>(), None);
        assert_eq!(Facts::default().get::<u8>(), None);
        assert_eq!(
            format!("{facts:?} {:?}", Facts::default()),
            "Facts(7) Facts(none)"
        );
    }
}
