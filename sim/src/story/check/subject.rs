//! What is under test.

use super::{Place, Whole};

impl Whole<'_> {
    pub(crate) fn subject(&mut self) {
        let subject = &self.scenario.subject;
        let place = Place::default().key("subject");
        // Wrong options are what a story about building is about.
        if !self.rest.is_about_building {
            subject.credential.check(&place.key("credential"), self);
        }
        if let Some(redis) = &subject.redis {
            redis.check(&place.key("redis"), self);
        }
    }
}
