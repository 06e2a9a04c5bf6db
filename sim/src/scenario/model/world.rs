//! The simulated world, as the rooms of its parts describe it.

pub use crate::{
    backend::settings::{Account, SigningKey},
    command::{
        az::world::{Az, DEFAULT_SUBSCRIPTION},
        azd::world::Azd,
        pwsh::world::Pwsh,
    },
    http::limit::{Limit, LimitBody},
    service::{
        Reach,
        entra::world::{App, DEFAULT_TENANT, Entra},
        imds::world::{Imds, ImdsAnswer, ManagedIdentity},
        resource::world::Resource,
    },
    world::{HostWorld, Service, World},
};
