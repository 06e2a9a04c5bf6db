//! One request: looked up, checked, queued or run, in the order in which Redis does it.

use bytes::Bytes;

use super::super::{
    command::{self, Lookup, Spec},
    resp::Reply,
};
use super::{
    Call, Client, ClientId, Done, Ending, Gate, Micros, Server,
    cluster::{self, Route},
};

impl Server {
    /// Runs a request of a client, and of others what it sets free. What there is to send waits
    /// in the clients' output.
    pub fn execute(
        &mut self,
        id: ClientId,
        args: &[Bytes],
        now: Micros,
        gate: &mut dyn Gate,
    ) -> Option<Done> {
        self.tick(now);
        let mut client = self.clients.remove(&id)?;
        client.active = now;
        self.commands += 1;
        let mut done = Done::default();
        let reply = self.process(&mut client, args, now, gate, &mut done);
        done.failed = reply.is_error();
        if reply != Reply::Nothing || done.reply.is_empty() {
            done.reply = reply.short();
        }
        client.write(&reply);
        let later = std::mem::take(&mut client.later);
        client.out.extend(later);
        done.blocked = client.blocked.is_some();
        if let Some(until) = client.blocked.as_ref().and_then(|blocked| blocked.until) {
            self.first_late = Some(self.first_late.map_or(until, |first| first.min(until)));
        }
        self.clients.insert(id, client);
        self.touch(id);
        self.serve_ready();
        Some(done)
    }

    fn process(
        &mut self,
        client: &mut Client,
        args: &[Bytes],
        now: Micros,
        gate: &mut dyn Gate,
        done: &mut Done,
    ) -> Reply {
        done.transaction = client.transaction.as_ref().map(|open| open.number);
        let spec = match command::lookup(args) {
            Lookup::Quit => {
                done.command = "quit".to_owned();
                client.closing = Some(Ending::by_server("the client said QUIT"));
                return Reply::OK;
            }
            Lookup::Attack => {
                client.closing = Some(Ending::by_server("what it sent looks like HTTP"));
                return Reply::Nothing;
            }
            Lookup::Unknown(error) => {
                done.command = command::name_sent(args);
                return refuse(client, false, error);
            }
            Lookup::Found(spec) => spec,
        };
        done.command = spec.name.to_owned();
        if let Some(error) = command::newer_than(self.config.version, spec, args) {
            return refuse(client, false, error);
        }
        let name = if command::is_no_subcommand(spec, args) {
            spec.name.split('|').next().unwrap_or_default()
        } else {
            spec.name
        };
        client.last_command = name.to_owned();
        let is_exec = spec.name == "exec";
        if !spec.accepts(args.len()) {
            return refuse(client, is_exec, command::wrong_arity(name));
        }
        if !may_ask(client, spec, gate) {
            let error = Reply::error("NOAUTH Authentication required.");
            return refuse(client, is_exec, error);
        }
        if let Some(error) = self.route(client, spec, args) {
            if is_exec {
                client.transaction = None;
                client.unwatch();
                return error;
            }
            return refuse(client, false, error);
        }
        client.asking = false;
        if client.is_restricted() && !spec.is(command::SUBSCRIBED) {
            let error = format!(
                "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
            );
            return refuse(client, is_exec, Reply::error(error));
        }
        if let Some(open) = &mut client.transaction
            && !spec.is(command::AT_ONCE)
        {
            open.queue.push(args.to_vec());
            return Reply::simple("QUEUED");
        }
        let mut call = Call {
            server: self,
            client,
            args,
            spec,
            now,
            gate,
            in_exec: false,
            done,
        };
        call.run()
    }

    /// The error that sends a client of a cluster elsewhere.
    fn route(&self, client: &Client, spec: &'static Spec, args: &[Bytes]) -> Option<Reply> {
        let cluster = self.cluster.as_ref()?;
        let mut keys: Vec<&Bytes> = spec.keys_of(args).collect();
        let mut writes = spec.is(command::WRITES);
        if spec.name == "exec"
            && let Some(open) = &client.transaction
        {
            for queued in &open.queue {
                if let Lookup::Found(spec) = command::lookup(queued) {
                    writes |= spec.is(command::WRITES);
                    keys.extend(spec.keys_of(queued));
                }
            }
        }
        let reads_here = client.reads_replicas && !writes;
        match cluster.route(client.node, keys.into_iter(), reads_here) {
            Route::Here => None,
            Route::Moved { slot, to } => Some(Reply::error(format!("MOVED {slot} {to}"))),
            Route::CrossSlot => Some(Reply::error(cluster::CROSS_SLOT)),
            Route::Down => Some(Reply::error("CLUSTERDOWN Hash slot not served")),
        }
    }
}

/// Whether a client is logged in, as far as a command needs it. Where clients need not log in, it
/// is now.
fn may_ask(client: &mut Client, spec: &Spec, gate: &dyn Gate) -> bool {
    if client.user.is_none() && gate.is_open() {
        client.user = Some("default".to_owned());
    }
    client.user.is_some() || spec.is(command::NO_LOGIN)
}

/// A request that is not run breaks the open transaction; instead of an EXEC, that is what is said.
fn refuse(client: &mut Client, is_exec: bool, error: Reply) -> Reply {
    let Some(open) = &mut client.transaction else {
        return match error {
            Reply::Error(line) if is_exec => aborted(&line),
            error => error,
        };
    };
    match error {
        Reply::Error(line) if is_exec => {
            client.transaction = None;
            client.unwatch();
            aborted(&line)
        }
        error => {
            open.broken = true;
            error
        }
    }
}

fn aborted(line: &[u8]) -> Reply {
    let mut text = b"EXECABORT Transaction discarded because of: ".to_vec();
    text.extend_from_slice(line.strip_prefix(b"ERR ").unwrap_or(line));
    Reply::error(text)
}

impl Call<'_> {
    /// Runs a queued request as part of this one.
    pub fn run_queued(&mut self, args: &[Bytes]) -> Reply {
        let Lookup::Found(spec) = command::lookup(args) else {
            return Reply::error("ERR unknown command");
        };
        let mut call = Call {
            server: self.server,
            client: self.client,
            args,
            spec,
            now: self.now,
            gate: self.gate,
            in_exec: true,
            done: self.done,
        };
        call.run()
    }
}
