//! Requests and commands as they arrived, in full, for comparing clients (`serve --requests`).
//! Secrets are left out.

use std::sync::Arc;

use serde::Serialize;

/// Called with every request and every command when it arrives.
pub type CaptureSink = Arc<dyn Fn(&Captured) + Send + Sync>;

/// A request or a command, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Captured {
    /// A request that reached an endpoint.
    Request {
        /// The endpoint's name.
        endpoint: String,
        /// The method.
        method: String,
        /// The path as it was sent.
        path: String,
        /// The fields of the query, decoded, in their order.
        query: Vec<(String, String)>,
        /// The headers by lower-case name, in their order.
        headers: Vec<(String, String)>,
        /// The fields of the form, decoded, in their order.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        form: Vec<(String, String)>,
        /// A body that is no form, secrets covered; its length and hash if it can't be parsed.
        #[serde(skip_serializing_if = "String::is_empty")]
        body: String,
    },
    /// A command that was called.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
    },
}
