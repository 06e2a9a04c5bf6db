//! What a world takes where its file names nothing else.

/// The subscription of an Azure CLI that names none.
pub const DEFAULT_SUBSCRIPTION: &str = "0b1f6471-0000-0000-0000-00000000cafe";

/// The tenant of a world that names none.
pub const DEFAULT_TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";
