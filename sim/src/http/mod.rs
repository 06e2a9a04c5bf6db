//! What the services that speak HTTP share: requests and answers, the server, request budgets, and
//! the answers that faults put in place of the right one.

mod body;
mod capture;
pub(crate) mod exchange;
pub(crate) mod guard;
pub(crate) mod limit;
pub(crate) mod real_secret;
pub(crate) mod reply;
pub(crate) mod server;
#[cfg(test)]
mod tests;
