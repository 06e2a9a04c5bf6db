//! The subjects that a command line can name.

use std::sync::Arc;

use super::exit;
use crate::{
    engine::Engine,
    live::Environment,
    story::sdk_of,
    subject::{Driver, Identity, Subject},
};

/// The name of our own library as a subject.
pub(super) const IDENTITY: &str = "identity";

/// The subjects of `sim/peers`, which cannot be built without OpenSSL, and the scenarios that
/// they are for.
const PEERS: [(&str, &str); 2] = [
    (
        "azure_identity",
        "cache chain developer entra live managed-identity",
    ),
    ("redis-rs", "redis"),
];

// No doc comment: clap would show it as that of the command.
#[derive(Debug, clap::Args)]
pub struct SubjectArgs {
    /// What is under test: `identity`, or one that this command was built with
    #[arg(long, value_name = "NAME", default_value = IDENTITY, conflicts_with = "driver")]
    subject: String,
    /// Plays with a real SDK, behind this driver, instead of the identity library: a program and
    /// its arguments, such as 'node sim/drivers/javascript/driver.mjs'; needs --engine live
    #[arg(long, value_name = "CMD")]
    pub driver: Option<String>,
}

impl SubjectArgs {
    /// The name of the subject, if it is not our own library.
    pub(super) fn other_than_identity(&self) -> Option<String> {
        (self.subject != IDENTITY).then(|| self.subject.clone())
    }

    /// What is under test on `engine`; or what is wrong, what helps, and the exit code.
    pub(super) fn select(
        &self,
        engine: Engine,
        peers: &[Arc<dyn Subject>],
    ) -> Result<Arc<dyn Subject>, (String, Option<String>, u8)> {
        let Some(driver) = &self.driver else {
            return peer(&self.subject, peers)
                .map_err(|(what, help)| (what, Some(help), exit::USAGE));
        };
        if !engine.is_real() {
            return Err((
                "a driver is a process of this machine, and its time is real".to_owned(),
                Some("add --engine live".to_owned()),
                exit::USAGE,
            ));
        }
        Driver::parse(driver)
            .map_err(|message| (message, None, exit::USAGE))?
            .probe(&Environment::clean())
            .map(|driver| Arc::new(driver) as Arc<dyn Subject>)
            .map_err(|message| (message, None, exit::HARNESS))
    }
}

/// The subject called `name`; or what is wrong, and what helps.
fn peer(name: &str, peers: &[Arc<dyn Subject>]) -> Result<Arc<dyn Subject>, (String, String)> {
    if name == IDENTITY {
        return Ok(Arc::new(Identity));
    }
    // By its name alone, or with the version, as reports and `[[known-failure]]` write it.
    let is_called = |peer: &&Arc<dyn Subject>| peer.name() == name || sdk_of(peer.name()) == name;
    if let Some(peer) = peers.iter().find(is_called) {
        return Ok(peer.clone());
    }
    if let Some((known, scenarios)) = PEERS.iter().find(|(peer, _)| *peer == sdk_of(name)) {
        let is_built_in = |peer: &Arc<dyn Subject>| sdk_of(peer.name()) == *known;
        if !peers.iter().any(is_built_in) {
            return Err((
                format!("this command was built without the subject `{name}`"),
                format!(
                    "build and run it with: cargo run --release --manifest-path \
                     sim/peers/Cargo.toml -- run --subject {known} {scenarios}"
                ),
            ));
        }
    }
    let peers = peers.iter().map(|peer| sdk_of(peer.name()));
    let names: Vec<&str> = std::iter::once(IDENTITY).chain(peers).collect();
    Err((
        format!("no subject is called `{name}`"),
        format!(
            "there is: {}; a real SDK is played with --driver",
            names.join(", ")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use credsim_identity::Error;

    use super::*;
    use crate::{
        credential::Credential,
        subject::{Built, Lent},
    };

    struct Peer;

    impl Subject for Peer {
        fn name(&self) -> &str {
            "azure_identity 1.0.0"
        }

        fn log_targets(&self) -> &[&str] {
            &[]
        }

        fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
            Identity.build(credential, lent)
        }
    }

    #[test]
    fn a_subject_is_called_as_it_is_printed() {
        let peers: [Arc<dyn Subject>; 1] = [Arc::new(Peer)];
        for name in ["azure_identity", "azure_identity 1.0.0"] {
            let found = peer(name, &peers).expect("a subject");
            assert_eq!(found.name(), "azure_identity 1.0.0");
        }
        let (what, help) = peer("azure_identity 0.9.0", &peers)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(what, "no subject is called `azure_identity 0.9.0`");
        assert!(
            help.contains("there is: identity, azure_identity;"),
            "{help}"
        );
        let (what, help) = peer("azure_identity 1.0.0", &[]).map(|_| ()).unwrap_err();
        assert!(what.contains("built without"), "{what}");
        assert!(help.contains("--subject azure_identity cache"), "{help}");
    }
}
