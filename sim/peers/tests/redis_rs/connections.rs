//! Connections that break, or are never made.

use std::time::Duration;

use credsim::{
    service::{Reach, imds::IMDS_HOST as IMDS},
    subject::Heard,
};

use super::{
    responder::Story,
    world::{REDIS, Setting, play},
};

fn closes_at(seconds: u64, client: &str) -> Setting {
    Setting {
        client: client.to_owned(),
        story: Story {
            closes_at: Some(Duration::from_secs(seconds)),
            ..Story::default()
        },
        ..Setting::default()
    }
}

/// RA-21: by itself it does not connect again.
#[test]
fn one_that_stays_broken() {
    let single = "protocol = \"resp2\"\nclient = \"single\"";
    let left = play(closes_at(100, single), |cast| async move {
        let connection = cast.client.connect().await.unwrap();
        cast.wait_until(101.0).await;
        cast.send(&connection, &["GET a", "GET a"]).await;
    });
    assert_eq!(left.asked.last().unwrap().connection, 1);
    assert_eq!(left.notes.len(), 2);
    assert!(
        left.notes.iter().all(|note| note.contains("[Err(")),
        "{:?}",
        left.notes
    );
}

#[test]
fn one_that_is_made_again_when_a_command_finds_it_broken() {
    let left = play(closes_at(100, "protocol = \"resp2\""), |cast| async move {
        let connection = cast.client.connect().await.unwrap();
        cast.wait_until(101.0).await;
        cast.send(&connection, &["GET a", "GET a"]).await;
    });
    assert!(left.notes[0].contains("[Err("), "{:?}", left.notes);
    assert!(left.notes[1].contains("[Ok(\"v\")]"), "{:?}", left.notes);
    assert_eq!(left.asked.last().unwrap().connection, 2);
}

#[test]
fn with_resp3_it_is_made_again_at_once_and_listens_again() {
    let left = play(closes_at(100, "protocol = \"resp3\""), |cast| async move {
        let listening = cast.client.subscribe(vec!["news".to_owned()]).await;
        let mut subscriber = listening.ok().unwrap();
        let told = cast.clone();
        let listens = async move {
            while let Some(heard) = subscriber.next().await {
                match heard {
                    Heard::Message { channel, message } => {
                        told.note(format!("{channel} {message}"))
                    }
                    Heard::Gap { from, until, .. } => told.note(format!("{from} {until}")),
                }
            }
        };
        let _listens = cast.host.runtime.spawn(Box::pin(listens));
        cast.wait_until(200.0).await;
    });
    let notes: Vec<&str> = left
        .notes
        .iter()
        .map(|n| n.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(notes[0], "news hello");
    assert!(notes[1].starts_with("2026-01-01T00:01:40.0"), "{notes:?}");
    assert_eq!(notes[2], "news hello");
    let again = left
        .asked
        .iter()
        .find(|asked| asked.connection == 2)
        .unwrap();
    assert!(again.words.starts_with("HELLO 3 AUTH"), "{}", again.words);
    assert!((100_000..102_000).contains(&again.at), "{}", again.at);
}

/// RD-30: a second for everything, whatever it waits for.
#[test]
fn connecting_takes_a_second_at_most() {
    let single = Setting {
        client: "client = \"single\"".to_owned(),
        ..Setting::default()
    };
    let left = play(single, |cast| async move {
        cast.state.set_reach(IMDS, Reach::Refused);
        cast.note(cast.client.connect().await.err().unwrap());
    });
    assert_eq!(left.notes, ["1000 timed out"]);
}

#[test]
fn a_manager_tries_to_connect_seven_times() {
    let left = play(Setting::default(), |cast| async move {
        cast.state.set_reach(REDIS, Reach::Refused);
        let refused = cast.client.connect().await.err().unwrap();
        cast.note(refused);
        cast.state.set_reach(REDIS, Reach::Reachable);
        cast.note(cast.client.connect().await.is_ok());
    });
    assert!(left.notes[0].contains("refused"), "{:?}", left.notes);
    let took: u64 = left.notes[0].split(' ').next().unwrap().parse().unwrap();
    assert!((6_300..12_700).contains(&took), "{took}");
    assert!(left.notes[1].ends_with("true"));
}

#[test]
fn a_client_that_is_disposed_is_silent() {
    let left = play(Setting::default(), |cast| async move {
        let connection = cast.client.connect().await.unwrap();
        cast.send(&connection, &["GET a"]).await;
        drop(connection);
        cast.client.dispose();
        assert_eq!(cast.client.tokens(), 0);
        cast.note(cast.client.connect().await.err().unwrap());
        cast.wait_until(20_000.0).await;
    });
    assert_eq!(left.token_requests().len(), 1);
    assert!(left.notes[1].ends_with("the provider has been dropped"));
}
