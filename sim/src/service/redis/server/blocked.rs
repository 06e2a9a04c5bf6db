//! Clients that wait for a list, and what sets them free.

use bytes::Bytes;

use super::super::{
    resp::Reply,
    store::{End, Value, take},
};
use super::{ClientId, Micros, Server};

/// What a client waits for.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// Clients are served in the order in which they blocked.
    pub serial: u64,
    /// The database.
    pub database: usize,
    /// Any of these lists.
    pub keys: Vec<Bytes>,
    /// What it then does.
    pub then: Then,
    /// When it has waited long enough.
    pub until: Option<Micros>,
}

/// What happens with the element.
#[derive(Clone, Debug)]
pub enum Then {
    /// The client gets it.
    Pop(End),
    /// It goes to another list.
    Move {
        /// From this end.
        from: End,
        /// The other list.
        to: Bytes,
        /// To this end.
        end: End,
    },
}

impl Server {
    /// Keys and waits that end by `now` end.
    pub fn tick(&mut self, now: Micros) {
        for (index, key) in self.purge(now) {
            self.clients
                .values_mut()
                .for_each(|client| client.note(index, &key));
        }
        if self.first_late.is_none_or(|first| first > now) {
            return;
        }
        let over = |until: Option<Micros>| until.is_some_and(|until| until <= now);
        let mut late: Vec<(Micros, u64, ClientId)> = self
            .clients
            .values()
            .filter_map(|client| {
                let blocked = client
                    .blocked
                    .as_ref()
                    .filter(|blocked| over(blocked.until))?;
                Some((blocked.until?, blocked.serial, client.id))
            })
            .collect();
        late.sort_unstable();
        for (_, _, id) in late {
            self.wake(id, &Reply::NullArray);
        }
        let waiting = self.clients.values();
        let waiting = waiting.filter_map(|client| client.blocked.as_ref());
        self.first_late = waiting.filter_map(|blocked| blocked.until).min();
    }

    /// A client no longer waits, and gets this. False: it did not wait.
    pub fn wake(&mut self, id: ClientId, reply: &Reply) -> bool {
        let Some(client) = self.clients.get_mut(&id) else {
            return false;
        };
        if client.blocked.take().is_none() {
            return false;
        }
        client.write(reply);
        client.woken = Some(reply.short());
        self.touch(id);
        true
    }

    /// Serves the clients that wait for lists that grew.
    pub(crate) fn serve_ready(&mut self) {
        while let Some((index, key)) = self.ready.pop_front() {
            while let Some((id, then)) = self.first_waiting(index, &key) {
                if !self.serve(id, index, &key, &then) {
                    break;
                }
            }
        }
    }

    fn first_waiting(&self, index: usize, key: &Bytes) -> Option<(ClientId, Then)> {
        let waiting = self.clients.values().filter_map(|client| {
            let blocked = client.blocked.as_ref()?;
            (blocked.database == index && blocked.keys.contains(key))
                .then_some((blocked, client.id))
        });
        let (blocked, id) = waiting.min_by_key(|(blocked, _)| blocked.serial)?;
        Some((id, blocked.then.clone()))
    }

    /// False: there is nothing to serve with.
    fn serve(&mut self, id: ClientId, index: usize, key: &Bytes, then: &Then) -> bool {
        let database = self.database(index);
        if !matches!(database.get(key), Some(Value::List(_))) {
            return false;
        }
        let (from, reply) = match then {
            Then::Pop(end) => (*end, None),
            Then::Move { from, to, .. } => {
                let fits = matches!(database.get(to), None | Some(Value::List(_)));
                (*from, (!fits).then(Reply::wrong_type))
            }
        };
        if let Some(error) = reply {
            return self.wake(id, &error);
        }
        let Some(element) = take(database, key, from) else {
            return false;
        };
        let mut changed = vec![key.clone()];
        let reply = match then {
            Then::Pop(_) => Reply::Array(vec![Reply::Bulk(key.clone()), Reply::Bulk(element)]),
            Then::Move { to, end, .. } => {
                end.push(
                    database.get_or(to, Value::List(Default::default())),
                    element.clone(),
                );
                self.grew(index, to);
                changed.push(to.clone());
                Reply::Bulk(element)
            }
        };
        for key in changed {
            self.clients
                .values_mut()
                .for_each(|client| client.note(index, &key));
        }
        self.wake(id, &reply)
    }
}
