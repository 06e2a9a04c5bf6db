//! Callers who wait for each other.

use super::world::{APP, CALL, calls, play};

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
