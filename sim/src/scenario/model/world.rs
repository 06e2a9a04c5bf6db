//! The simulated world, as the rooms of its parts describe it.

pub use crate::{
    backend::settings::SigningKey,
    command::{Account, Az, Azd, Pwsh},
    http::limit::{Limit, LimitBody},
    service::{
        Reach,
        entra::world::{App, DEFAULT_TENANT, Entra},
        imds::world::{Imds, ImdsAnswer, ManagedIdentity},
        resource::world::Resource,
    },
    world::{HostWorld, Service, World},
};

/// The subscription of an Azure CLI that names none.
pub const DEFAULT_SUBSCRIPTION: &str = "0b1f6471-0000-0000-0000-00000000cafe";
