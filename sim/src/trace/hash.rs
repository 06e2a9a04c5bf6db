//! The canonical form of a trace, and its digest.

use ring::digest::{Context, SHA256};

use super::{Event, Fingerprint, Trace};

impl Trace {
    /// The hash over the canonical bytes: the JSON line of every event. Same scenario, engine and
    /// seed: same hash, in another process, on another day.
    pub fn hash(&self) -> Fingerprint {
        let mut context = Context::new(&SHA256);
        let mut line = Vec::new();
        for event in &self.events {
            line.clear();
            event.write_json(&mut line);
            line.push(b'\n');
            context.update(&line);
        }
        Fingerprint::finish(context)
    }
}

impl Event {
    /// The event as one line of JSON, without a line end.
    pub fn json(&self) -> String {
        let mut line = Vec::new();
        self.write_json(&mut line);
        String::from_utf8(line).unwrap_or_default()
    }

    fn write_json(&self, into: &mut Vec<u8>) {
        // Every field is a string, a number or a list of such: this cannot fail.
        let _ = serde_json::to_writer(into, self);
    }
}
