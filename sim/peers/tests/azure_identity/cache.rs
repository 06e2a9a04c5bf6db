//! Callers who wait for each other.

use std::{sync::Arc, time::Duration};

use credsim::{
    credential::Credential,
    simulation::Settings,
    subject::{Built, Lent, MachineClock, Subject},
};
use credsim_identity::Error;
use credsim_peers::{AzureIdentity, azure_identity::subject::adapted};

use super::world::{APP, CALL, calls, play, scenario};

/// The crate as it is on a machine, where callers spin without a pause.
struct Unpaced;

impl Subject for Unpaced {
    fn name(&self) -> &str {
        AzureIdentity.name()
    }

    fn log_targets(&self) -> &[&str] {
        AzureIdentity.log_targets()
    }

    fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
        Ok(Built::new(adapted(credential, lent)?.unpaced()))
    }

    fn machine_clock(&self) -> Option<Arc<dyn MachineClock>> {
        AzureIdentity.machine_clock()
    }
}

/// CA-24: ten callers with tokens of 4 minutes. The world is given up, and the error says where.
#[test]
fn callers_who_spin_without_a_pause_stop_the_world_which_is_given_up() {
    let short = APP.replace("\"1h\"", "\"4m\"");
    let ten = CALL.replace("do.", "callers = 10\nat = \"3s\"\ndo.");
    let settings = Settings {
        subject: Arc::new(Unpaced),
        stall_limit: Duration::from_secs(2),
        ..Settings::default()
    };
    let played = settings.run(&scenario(&format!("{short}{ten}")), 1);
    let why = played.err().unwrap().to_string();
    let says = "the world of seed 1 has stood still at 00:00:03.";
    assert!(why.starts_with(says), "{why}");
    assert!(why.contains("for 2s of real time"), "{why}");
}

/// CA-24 and CA-25: each of them gets a request of its own where a token is never good enough, and
/// those who spin meanwhile neither stop the clock nor lose more than a moment.
#[test]
fn callers_who_spin_do_not_stop_the_world() {
    let short = APP.replace("\"1h\"", "\"5m\"");
    let run = play(&format!(
        "{short}{}",
        CALL.replace("do.", "callers = 6\ndo.")
    ));
    let waited: Vec<u128> = calls(&run).iter().map(|(waited, _)| *waited).collect();
    assert_eq!(waited.len(), 6);
    for (index, waited) in waited.iter().enumerate() {
        // 200 ms for each request, 4 ms on the way, and a pause of at most 1 ms.
        let earliest = 204 * (index as u128 + 1);
        let range = earliest..=earliest + 2 * index as u128;
        assert!(range.contains(waited), "{index}: {waited}");
    }
}

/// CA-12: a token that is good for all is asked for once.
#[test]
fn callers_share_a_token() {
    let run = play(&format!("{APP}{}", CALL.replace("do.", "callers = 6\ndo.")));
    assert_eq!(calls(&run), vec![(204, None); 6]);
}
