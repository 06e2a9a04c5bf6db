//! The synchronisation types of [`single_flight`](super::single_flight). The test `flight_model`
//! compiles that file with loom's types instead, and checks every interleaving.

pub(super) use std::sync::{Arc, Mutex, MutexGuard, Weak};

pub(super) use tokio::sync::oneshot;
