//! Connections: their ends, and what travels between them.

use std::{collections::VecDeque, task::Waker};

use bytes::Bytes;

/// How much of a connection may be unread before its writer has to wait, in bytes.
pub(super) const WINDOW: usize = 1024 * 1024;

pub(super) type HostId = usize;
pub(super) type ConnectionId = usize;

/// The ends of a connection: the connecting and the accepting one.
pub(super) const CLIENT: usize = 0;
pub(super) const SERVER: usize = 1;

/// What can be under way.
#[derive(Debug)]
pub(super) enum Parcel {
    /// A connection attempt on its way to the server.
    Syn,
    /// The server's kernel has taken the connection.
    Accepted,
    /// Bytes for the given end.
    Data(usize, Bytes),
    /// The other end has finished writing.
    Fin(usize),
    /// The connection is reset, seen from the given end.
    Reset(usize),
}

/// One end of a connection.
pub(super) struct End {
    pub host: HostId,
    pub received: VecDeque<Bytes>,
    pub finished: bool,
    pub reset: bool,
    pub write_closed: bool,
    /// The program has let go of it.
    pub dropped: bool,
    /// Bytes written and not yet read by the other end.
    pub unread: usize,
    pub reader: Option<Waker>,
    pub writer: Option<Waker>,
    /// When the last parcel from here arrives: later ones can't overtake it.
    pub last_arrival: u64,
}

impl End {
    pub fn new(host: HostId) -> Self {
        Self {
            host,
            received: VecDeque::new(),
            finished: false,
            reset: false,
            write_closed: false,
            dropped: false,
            unread: 0,
            reader: None,
            writer: None,
            last_arrival: 0,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Handshake {
    Pending,
    Established,
    Refused,
}

pub(super) struct Connection {
    pub ends: [End; 2],
    pub handshake: Handshake,
    pub port: u16,
    /// Parcels on their way; while there is one, the slot is not used again.
    pub under_way: usize,
    /// Programs (or a backlog on behalf of one) that hold an end.
    pub holders: usize,
}

#[derive(Default)]
pub(super) struct Backlog {
    pub waiting: VecDeque<ConnectionId>,
    pub acceptor: Option<Waker>,
}
