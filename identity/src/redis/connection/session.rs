//! The state of a session on the server: an open transaction, watched keys.
//!
//! Only transactions made by hand are tracked. An atomic pipeline is one packet, so no other
//! command can come between its commands.

use std::time::Duration;

use redis::Value;

use super::{command::Verb, refusal::Refusal, transaction::Transaction};

/// Whether a request may be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Pass(Ticket),
    Refuse(Refusal),
    /// The open transaction must end without being executed.
    DiscardInstead(Refusal),
}

/// What [`Session::settle`] needs to know of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ticket(Option<Box<(Transaction, Vec<Verb>)>>);

impl Ticket {
    /// Whether the request affects transactions.
    pub fn is_relevant(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it drops the authentication (RS-11).
    pub fn resets(&self) -> bool {
        let verbs = self.0.as_deref().map(|(_, verbs)| verbs.as_slice());
        verbs.is_some_and(|verbs| verbs.contains(&Verb::Reset))
    }
}

/// How long after the first refusal further commands count as part of the transaction.
const ABANDONED: Duration = Duration::from_secs(60);

/// The session of one connection, or of one that replaced it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Session {
    pub transaction: Transaction,
    watching: bool,
    watch_lost: bool,
    /// When a caller first got the error of the transaction that was given up, on the monotonic
    /// clock.
    first_refusal: Option<Duration>,
}

impl Session {
    /// Decides on a request: a command, or the commands of a plain pipeline.
    pub fn admit(&mut self, verbs: &[Verb], now: impl FnOnce() -> Duration) -> Admission {
        if let Some(refusal) = self.refuses(verbs, now) {
            return Admission::Refuse(refusal);
        }
        if matches!(self.transaction, Transaction::GivenUp(_)) {
            // A new transaction ends the old one.
            self.transaction = Transaction::None;
            self.first_refusal = None;
        }
        if self.watch_lost && verbs.contains(&Verb::Exec) {
            let open = self.transaction != Transaction::None;
            self.watch_lost = false;
            return match open {
                true => Admission::DiscardInstead(Refusal::WatchLost),
                false => Admission::Refuse(Refusal::WatchLost),
            };
        }
        if verbs.iter().all(|verb| *verb == Verb::Other) {
            return Admission::Pass(Ticket::default());
        }
        let before = self.transaction;
        for verb in verbs {
            self.step(*verb);
        }
        Admission::Pass(Ticket(Some(Box::new((before, verbs.to_vec())))))
    }

    /// Returns why a request is refused whatever the connection does: it belongs to a transaction
    /// that was given up. That transaction ends with its `EXEC` or `DISCARD`, and 60 s after the
    /// first refusal: its caller may have abandoned it, and other callers share the connection
    /// (PR-37).
    pub fn refuses(&mut self, verbs: &[Verb], now: impl FnOnce() -> Duration) -> Option<Refusal> {
        let Transaction::GivenUp(refusal) = self.transaction else {
            return None;
        };
        let now = now();
        let first = *self.first_refusal.get_or_insert(now);
        if now.saturating_sub(first) >= ABANDONED {
            *self = Self::default();
            return None;
        }
        if let Some(Verb::Multi | Verb::Watch | Verb::Reset) = verbs.first() {
            return None;
        }
        let ends = |verb: &Verb| matches!(verb, Verb::Exec | Verb::Discard);
        if verbs.iter().any(ends) {
            *self = Self::default();
        }
        Some(refusal)
    }

    /// Decides on an atomic pipeline. It is a transaction of its own, so it may pass while another
    /// one is given up. It ends with an `EXEC`, so it is refused if a watch was lost.
    pub fn admit_atomic(&mut self) -> Admission {
        if self.watch_lost {
            self.watch_lost = false;
            return Admission::Refuse(Refusal::WatchLost);
        }
        self.watching = false;
        Admission::Pass(Ticket::default())
    }

    /// Applies what a command is expected to do.
    fn step(&mut self, verb: Verb) {
        match verb {
            Verb::Multi if !self.is_open() => self.transaction = Transaction::Opening,
            Verb::Exec | Verb::Discard => {
                if self.transaction != Transaction::None {
                    self.transaction = Transaction::Ending;
                    (self.watching, self.watch_lost) = (false, false);
                }
            }
            Verb::Watch => self.watching = true,
            // Inside a transaction it is queued like anything else.
            Verb::Unwatch if self.transaction == Transaction::None => {
                (self.watching, self.watch_lost) = (false, false);
            }
            Verb::Reset => *self = Self::default(),
            Verb::Multi | Verb::Unwatch | Verb::Other => {}
        }
    }

    /// Applies what a request did. `replies` is empty when its answer was not seen.
    pub fn settle(&mut self, ticket: &Ticket, replies: &[Value]) {
        let Some((before, verbs)) = ticket.0.as_deref() else {
            return;
        };
        if verbs.len() != replies.len() {
            self.transaction = Transaction::Uncertain;
            return;
        }
        self.transaction = *before;
        for (verb, reply) in verbs.iter().zip(replies) {
            self.transaction = match (verb, reply) {
                (Verb::Multi, Value::ServerError(_)) => self.transaction,
                (Verb::Multi, _) => Transaction::Open,
                (Verb::Exec | Verb::Discard, Value::ServerError(error)) => {
                    let none = error
                        .details()
                        .is_some_and(|text| text.contains("without MULTI"));
                    match none || error.code() == "EXECABORT" {
                        true => Transaction::None,
                        false => Transaction::Uncertain,
                    }
                }
                (Verb::Exec | Verb::Discard, _) => Transaction::None,
                (Verb::Reset, Value::ServerError(_)) => self.transaction,
                (Verb::Reset, _) => Transaction::None,
                (Verb::Watch | Verb::Unwatch | Verb::Other, _) => self.transaction,
            };
        }
    }

    /// Returns the session on the connection that replaces this one.
    #[must_use]
    pub fn after_loss(self) -> Self {
        let transaction = match self.transaction {
            Transaction::Open => Transaction::GivenUp(Refusal::Replaced),
            given_up @ Transaction::GivenUp(_) => given_up,
            // The caller that waited for its beginning or its end has got the error.
            Transaction::None
            | Transaction::Opening
            | Transaction::Ending
            | Transaction::Uncertain => Transaction::None,
        };
        Self {
            transaction,
            watching: false,
            watch_lost: self.watching || self.watch_lost,
            first_refusal: self.first_refusal,
        }
    }

    /// Whether a transaction is open, so that re-authentication must wait.
    pub fn is_open(&self) -> bool {
        matches!(self.transaction, Transaction::Opening | Transaction::Open)
    }
}

#[cfg(test)]
mod tests {
    use redis::{Value, parse_redis_value};

    use std::time::Duration;

    use super::{ABANDONED, Admission, Refusal, Session, Ticket, Transaction, Verb};

    const NOW: Duration = Duration::from_secs(1);

    fn pass(session: &mut Session, verbs: &[Verb]) -> Ticket {
        match session.admit(verbs, || NOW) {
            Admission::Pass(ticket) => ticket,
            other => panic!("{verbs:?}: {other:?}"),
        }
    }

    fn run(session: &mut Session, verb: Verb, reply: &str) {
        let ticket = pass(session, &[verb]);
        let reply = parse_redis_value(reply.as_bytes()).unwrap();
        session.settle(&ticket, &[reply]);
    }

    #[test]
    fn a_transaction_lasts_from_multi_to_exec_or_discard() {
        let mut session = Session::default();
        run(&mut session, Verb::Other, "+OK\r\n");
        assert_eq!(session.transaction, Transaction::None);
        run(&mut session, Verb::Multi, "+OK\r\n");
        assert!(session.is_open());
        run(
            &mut session,
            Verb::Multi,
            "-ERR MULTI calls can not be nested\r\n",
        );
        run(&mut session, Verb::Other, "+QUEUED\r\n");
        assert!(session.is_open());
        let exec = pass(&mut session, &[Verb::Exec]);
        assert_eq!(session.transaction, Transaction::Ending);
        session.settle(&exec, &[Value::Array(Vec::new())]);
        assert_eq!(session.transaction, Transaction::None);
        run(&mut session, Verb::Multi, "+OK\r\n");
        run(&mut session, Verb::Discard, "+OK\r\n");
        assert_eq!(session.transaction, Transaction::None);
        run(&mut session, Verb::Multi, "-NOPERM no\r\n");
        assert_eq!(session.transaction, Transaction::None);
        run(&mut session, Verb::Multi, "+OK\r\n");
        run(
            &mut session,
            Verb::Exec,
            "-EXECABORT Transaction discarded\r\n",
        );
        assert_eq!(session.transaction, Transaction::None);
        run(&mut session, Verb::Multi, "+OK\r\n");
        run(&mut session, Verb::Reset, "+RESET\r\n");
        assert_eq!(session.transaction, Transaction::None);
    }

    /// PR-34: what counts while the answer is under way.
    #[test]
    fn a_transaction_is_open_from_the_moment_its_multi_is_sent() {
        let mut session = Session::default();
        let multi = pass(&mut session, &[Verb::Multi]);
        assert!(session.is_open());
        assert_eq!(session.after_loss().transaction, Transaction::None);
        session.settle(&multi, &[Value::Okay]);
        // One inside is an error of its caller, and changes nothing.
        pass(&mut session, &[Verb::Multi]);
        assert_eq!(session.transaction, Transaction::Open);
        let lost = session.after_loss().transaction;
        assert_eq!(lost, Transaction::GivenUp(Refusal::Replaced));
    }

    #[test]
    fn unwatch_ends_the_watches_outside_of_a_transaction_only() {
        let mut session = Session::default();
        run(&mut session, Verb::Watch, "+OK\r\n");
        assert!(session.watching);
        run(&mut session, Verb::Unwatch, "+OK\r\n");
        assert!(!session.watching);
        run(&mut session, Verb::Watch, "+OK\r\n");
        run(&mut session, Verb::Multi, "+OK\r\n");
        run(&mut session, Verb::Unwatch, "+QUEUED\r\n");
        assert!(session.watching);
        run(&mut session, Verb::Exec, "*0\r\n");
        assert!(!session.watching);
    }

    #[test]
    fn an_unseen_or_odd_answer_leaves_doubt() {
        let mut session = Session::default();
        let multi = pass(&mut session, &[Verb::Multi]);
        session.settle(&multi, &[]);
        assert_eq!(session.transaction, Transaction::Uncertain);
        run(
            &mut session,
            Verb::Exec,
            "-ERR wrong number of arguments for 'exec' command\r\n",
        );
        assert_eq!(session.transaction, Transaction::Uncertain);
        run(
            &mut session,
            Verb::Discard,
            "-ERR DISCARD without MULTI\r\n",
        );
        assert_eq!(session.transaction, Transaction::None);
    }

    #[test]
    fn pipelines_are_read_to_their_end() {
        let mut session = Session::default();
        let whole = [Verb::Multi, Verb::Other, Verb::Exec];
        let ticket = pass(&mut session, &whole);
        session.settle(
            &ticket,
            &[Value::Okay, Value::Okay, Value::Array(Vec::new())],
        );
        assert_eq!(session.transaction, Transaction::None);
        let ticket = pass(&mut session, &[Verb::Other, Verb::Multi, Verb::Other]);
        session.settle(&ticket, &[Value::Okay, Value::Okay, Value::Okay]);
        assert!(session.is_open());
    }

    #[test]
    fn what_belongs_to_a_given_up_transaction_is_refused_to_its_end() {
        let given_up = || Session {
            transaction: Transaction::GivenUp(Refusal::Expiring),
            ..Session::default()
        };
        let mut session = given_up();
        let refused = Admission::Refuse(Refusal::Expiring);
        assert_eq!(session.admit(&[Verb::Other], || NOW), refused);
        assert_eq!(session.admit_atomic(), Admission::Pass(Ticket::default()));
        assert_eq!(session.admit(&[Verb::Other], || NOW), refused);
        assert_eq!(session.admit(&[Verb::Exec], || NOW), refused);
        pass(&mut session, &[Verb::Other]);
        for first in [Verb::Multi, Verb::Watch, Verb::Reset] {
            let mut session = given_up();
            pass(&mut session, &[first]);
            pass(&mut session, &[Verb::Other]);
        }
        let mut session = given_up();
        assert_eq!(
            session.admit(&[Verb::Other, Verb::Discard], || NOW),
            refused
        );
        pass(&mut session, &[Verb::Other]);
    }

    /// PR-37: a caller that abandons a transaction must not block the others.
    #[test]
    fn a_given_up_transaction_is_forgotten_a_minute_after_its_first_refusal() {
        let mut session = Session {
            transaction: Transaction::GivenUp(Refusal::Expiring),
            ..Session::default()
        };
        let late = Duration::from_secs(3600);
        let refused = Admission::Refuse(Refusal::Expiring);
        // No caller has got the error yet, however long ago it was given up.
        assert_eq!(session.admit(&[Verb::Other], || late), refused);
        let nearly = late + ABANDONED - Duration::from_nanos(1);
        assert_eq!(session.admit(&[Verb::Other], || nearly), refused);
        // The minute goes on when the connection is replaced.
        let mut session = session.after_loss();
        let passed = session.admit(&[Verb::Other], || late + ABANDONED);
        assert_eq!(passed, Admission::Pass(Ticket::default()));
    }

    #[test]
    fn a_replaced_connection_takes_the_transaction_and_the_watch_with_it() {
        let mut session = Session::default();
        run(&mut session, Verb::Multi, "+OK\r\n");
        let mut session = session.after_loss().after_loss();
        assert_eq!(
            session.admit(&[Verb::Other], || NOW),
            Admission::Refuse(Refusal::Replaced)
        );

        let mut session = Session::default();
        run(&mut session, Verb::Watch, "+OK\r\n");
        let lost = session.after_loss();
        session = lost;
        assert_eq!(
            session.admit_atomic(),
            Admission::Refuse(Refusal::WatchLost)
        );
        assert_eq!(session.admit_atomic(), Admission::Pass(Ticket::default()));
        session = lost.after_loss();
        run(&mut session, Verb::Watch, "+OK\r\n");
        run(&mut session, Verb::Multi, "+OK\r\n");
        let instead = Admission::DiscardInstead(Refusal::WatchLost);
        assert_eq!(session.admit(&[Verb::Exec], || NOW), instead);
        session = lost;
        run(&mut session, Verb::Unwatch, "+OK\r\n");
        assert_eq!(session.admit_atomic(), Admission::Pass(Ticket::default()));
    }
}
