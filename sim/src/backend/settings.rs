//! What a world says of all of its services together.

/// The subscription of an Azure CLI that names none.
pub const DEFAULT_SUBSCRIPTION: &str = "0b1f6471-0000-0000-0000-00000000cafe";

/// The tenant of a world that names none.
pub const DEFAULT_TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";
