//! The synchronisation types of [`single_flight`](super::single_flight). The test `flight_model` puts loom's
//! counterparts here and runs that file through every interleaving.

pub(super) use std::sync::{Arc, Mutex, MutexGuard, Weak};

pub(super) use tokio::sync::oneshot;
