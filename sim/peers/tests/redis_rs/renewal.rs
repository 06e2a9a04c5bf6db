//! When it asks for tokens and what it does with them.

use std::time::Duration;

use credsim::service::{Reach, imds::IMDS_HOST as IMDS};

use super::{
    responder::Story,
    world::{Setting, play},
};

/// RD-31 and RA-15: 240 s before the end, and right after the handshake the same AUTH again.
#[test]
fn it_renews_four_minutes_before_the_end() {
    let left = play(Setting::default(), |cast| async move {
        let connection = cast.client.connect().await.unwrap();
        cast.send(&connection, &["SET a 1"]).await;
        cast.wait_until(8000.0).await;
        assert_eq!(cast.client.tokens(), 1);
    });
    let user = "5e29463d-0000-0000-0000-000000000001";
    let auth = left.of("AUTH");
    let words: Vec<&str> = auth.iter().map(|(_, words)| *words).collect();
    let expected = ["token-1", "token-1", "token-2", "token-3"];
    assert_eq!(words, expected.map(|token| format!("AUTH {user} {token}")));
    let seconds: Vec<u128> = auth.iter().map(|(at, _)| at / 1000).collect();
    // A token's life of 3600 s begins when IMDS answers.
    assert_eq!(seconds, [0, 0, 3360, 6720]);
    assert_eq!(left.token_requests().len(), 3);
    assert!(
        left.notes[0].ends_with("SET a 1: [Ok(\"OK\")]"),
        "{:?}",
        left.notes
    );
}

/// RA-04: the reply of AUTH stands among those of the transaction, and nobody is told.
#[test]
fn it_tears_a_transaction_made_by_hand() {
    let left = play(Setting::default(), |cast| async move {
        let connection = cast.client.connect().await.unwrap();
        cast.wait_until(3359.0).await;
        cast.send(&connection, &["MULTI", "GET a"]).await;
        cast.wait_until(3361.0).await;
        cast.send(&connection, &["GET b", "EXEC"]).await;
    });
    let between = left.asked.iter().skip_while(|asked| asked.words != "MULTI");
    let between: Vec<(&str, &str)> = between
        .map(|asked| (asked.words.split(' ').next().unwrap(), asked.reply.as_str()))
        .collect();
    let expected = [
        ("MULTI", "+OK"),
        ("GET", "+QUEUED"),
        ("AUTH", "+QUEUED"),
        ("GET", "+QUEUED"),
        ("EXEC", "*3 $1 v +OK $1 v"),
    ];
    assert_eq!(between, expected);
    assert!(
        left.notes[3].ends_with("EXEC: [Ok(\"[v, OK, v]\")]"),
        "{:?}",
        left.notes
    );
}

/// RD-31: a token of no more than 240 s is asked for again and again without a pause.
#[test]
fn it_spins_on_short_tokens() {
    let asked = |life: &str| {
        let setting = Setting {
            world: format!("token-life = \"{life}\""),
            ..Setting::default()
        };
        let left = play(setting, |cast| async move { cast.wait_until(2.5).await });
        left.token_requests().len()
    };
    assert!(asked("239s") > 100);
    assert_eq!(asked("250s"), 1);
}

/// RA-14: a reply to AUTH that takes longer than 500 ms ends the renewal of that connection.
#[test]
fn it_gives_a_connection_up_after_a_slow_auth() {
    let setting = Setting {
        story: Story {
            slow_auth: Duration::from_millis(600),
            ..Story::default()
        },
        ..Setting::default()
    };
    let left = play(setting, |cast| async move {
        let connection = cast.client.connect().await.unwrap();
        cast.wait_until(8000.0).await;
        drop(connection);
    });
    assert_eq!(left.token_requests().len(), 3);
    let tokens: Vec<&str> = left
        .of("AUTH")
        .iter()
        .map(|(_, words)| &words[42..])
        .collect();
    assert_eq!(tokens, ["token-1", "token-1", "token-2"]);
}

/// RD-34: after the last attempt the loop has ended for good, and what is stored is still given.
#[test]
fn it_never_asks_again_once_its_attempts_are_used_up() {
    let left = play(Setting::default(), |cast| async move {
        let connection = cast.client.connect().await.unwrap();
        cast.wait_until(3000.0).await;
        cast.state.set_reach(IMDS, Reach::Refused);
        cast.wait_until(20_000.0).await;
        cast.state.set_reach(IMDS, Reach::Reachable);
        cast.wait_until(50_000.0).await;
        // It ended thirteen hours ago.
        let late = cast.client.connect().await;
        cast.note(late.is_ok());
        drop(connection);
    });
    assert!(left.notes[0].ends_with(" true"), "{:?}", left.notes);
    let auth = left.of("AUTH");
    assert!(
        auth.iter().all(|(_, words)| words.ends_with("token-1")),
        "{auth:?}"
    );
    let last = *left.token_requests().last().unwrap();
    assert!(last > 3_360_000 && last < 6_000_000, "{last}");
}
