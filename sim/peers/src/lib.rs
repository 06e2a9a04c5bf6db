//! Clients of others as subjects of credsim: as they are published, in virtual time.
//!
//! They ask the machine for the time and for random bytes, and see those of a simulated host
//! ([`interposed`]).

pub mod azure_identity;
pub mod identity_interposed;
pub mod interposed;
pub mod machine;
pub mod redis_rs;
mod transport;

pub use self::{
    azure_identity::AzureIdentity, identity_interposed::IdentityInterposed, redis_rs::RedisRs,
};
