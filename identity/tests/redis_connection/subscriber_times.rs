//! When a subscriber does what: deadlines, the order of its commands, and the limits of its gaps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use credsim_identity::{
    platform::Clock as _,
    redis::connection::{ConnectionOptions, EntraPubSub, PubSubEvent, RedisEndpoint},
};
use jiff::{SignedDuration, Timestamp};
use redis::{ErrorKind, ProtocolVersion, RedisResult};

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    peer::{HANG_UP, Peer, resp2},
    support::{Answer, World, transient},
};

/// When the next token is sent: after 70 % of the life of an hour and half of the spread.
const DUE: Duration = Duration::from_secs(42 * 60 + 30);

const MESSAGE: &str = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n";
const CONFIRMED: &str = "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:1\r\n";

struct Test {
    world: World,
    peer: Peer,
    redis: EntraPubSub,
}

impl Test {
    async fn new(
        plan: impl IntoIterator<Item = Answer>,
        change: impl FnOnce(&mut ConnectionOptions),
        answers: impl Fn(usize, &[String]) -> String + Send + Sync + 'static,
    ) -> Self {
        let host = Host::new(0.5);
        let peer = Peer::new(&host, answers);
        let world = World::on(host, plan, |builder| builder.platform(peer.platform()));
        let mut options = ConnectionOptions::default();
        change(&mut options);
        let redis = EntraPubSub::connect(endpoint(), &world.provider, options).await;
        let redis = redis.unwrap();
        Self { world, peer, redis }
    }

    /// With tokens of an hour and RESP3.
    async fn of(answers: impl Fn(usize, &[String]) -> String + Send + Sync + 'static) -> Self {
        Self::new([Answer::Token(HOUR)], |_| {}, answers).await
    }

    async fn until(&self, at: Duration) {
        self.world.sleep_until(at).await;
    }

    /// Begins to subscribe, and leaves the answer to come.
    async fn begin(&self, channel: &str) {
        let begun = self.redis.subscribe([channel]);
        let platform = self.world.host.platform();
        assert!(platform.within(SECOND / 1000, begun).await.is_none());
    }

    /// Closes the connection, and returns the next gap.
    async fn gap_after_loss(&self, connection: usize) -> (Timestamp, Timestamp) {
        self.peer.push(connection, "");
        self.world.settle().await;
        self.next_gap().await
    }

    async fn next_gap(&self) -> (Timestamp, Timestamp) {
        loop {
            match self.redis.next().await.unwrap() {
                PubSubEvent::Gap { from, until, .. } => return (from, until),
                _ => continue,
            }
        }
    }

    /// The wall clock after this time.
    fn wall(&self, at: Duration) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.world.host.elapsed()).unwrap();
        let begin = self.world.host.now() - elapsed;
        begin + SignedDuration::try_from(at).unwrap()
    }
}

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

fn near(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() < SignedDuration::from_millis(100)
}

/// What is under way is answered before `AUTH` is sent, and a queue of commands does not keep it
/// back: at most one more goes before it.
#[tokio::test(start_paused = true)]
async fn auth_waits_for_the_answers_under_way_and_not_for_the_queue() {
    let test = Test::of(|_, words| {
        match words[1..]
            .iter()
            .any(|name| ["b", "c"].contains(&name.as_str()))
        {
            true => String::new(),
            false => resp2(words),
        }
    })
    .await;
    test.until(DUE - SECOND).await;
    test.begin("b").await;
    test.until(DUE + SECOND).await;
    test.begin("c").await;
    test.begin("d").await;
    let sent = || {
        let subscribed = test.peer.times("SUBSCRIBE");
        (test.peer.times("AUTH").len(), subscribed.len())
    };
    test.until(DUE + 2 * SECOND).await;
    assert_eq!(sent(), (0, 2));
    test.peer.push(1, CONFIRMED);
    test.peer.push(1, CONFIRMED);
    test.until(DUE + 3 * SECOND).await;
    assert_eq!(sent(), (1, 3));
    assert!(test.peer.times("AUTH")[0] <= test.peer.times("SUBSCRIBE")[2]);
    test.until(DUE + MINUTE).await;
    assert_eq!(test.peer.times("HELLO").len(), 1);
}

/// PR-37: a server that does not answer is replaced after `auth_timeout`.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_left_after_the_limit() {
    let test = Test::of(|connection, words| match (connection, words[0].as_str()) {
        (1, "SUBSCRIBE") => String::new(),
        _ => resp2(words),
    })
    .await;
    test.until(MINUTE + 5 * SECOND).await;
    let began = test.world.host.elapsed();
    let error = test.redis.subscribe(["a"]).await.unwrap_err();
    assert_eq!(test.world.host.elapsed(), began + 10 * SECOND);
    assert!(error.is_connection_dropped(), "{error}");
    assert!(error.to_string().contains("did not answer"), "{error}");
    // What was asked for is subscribed to on the next connection.
    test.until(2 * MINUTE).await;
    assert_eq!(test.peer.arrived(2, "SUBSCRIBE").len(), 1);
}

/// Refused channels are tried again after 1, 2 and 4 s, after the answers under way, and before
/// further commands.
#[tokio::test(start_paused = true)]
async fn refused_channels_are_tried_again_in_time_and_between_commands() {
    let test = Test::of(|connection, words| {
        let has = |name: &str| words[1..].contains(&name.to_owned());
        match connection {
            2 if has("b") => "-NOPERM no\r\n".to_owned(),
            2 if has("slow") => String::new(),
            _ => resp2(words),
        }
    })
    .await;
    test.redis.subscribe(["a", "b"]).await.unwrap();
    let lost = 90 * SECOND;
    test.until(lost).await;
    test.peer.push(1, "");
    test.until(lost + 8 * SECOND).await;
    let tries = || -> Vec<u64> {
        let mut tries = test.peer.times("SUBSCRIBE");
        tries.retain(|at| *at > lost + SECOND / 2);
        tries.iter().map(|at| (*at - lost).as_secs()).collect()
    };
    assert_eq!(tries(), [1, 3, 7]);
    // The next one is due after 15 s.
    test.until(lost + 14 * SECOND).await;
    test.begin("slow").await;
    test.until(lost + 16 * SECOND).await;
    test.begin("slow").await;
    test.begin("late").await;
    test.until(lost + 17 * SECOND).await;
    assert_eq!(tries(), [1, 3, 7, 14, 16]);
    test.peer.push(2, CONFIRMED);
    test.peer.push(2, CONFIRMED);
    test.until(lost + 18 * SECOND).await;
    assert_eq!(tries(), [1, 3, 7, 14, 16, 17, 17]);
    let sent = test.peer.arrived(2, "SUBSCRIBE");
    assert_eq!(
        sent[sent.len() - 2..],
        [["SUBSCRIBE", "b"], ["SUBSCRIBE", "late"]]
    );
}

/// A channel that a caller has unsubscribed from while it was tried again stays unsubscribed.
#[tokio::test(start_paused = true)]
async fn an_unsubscribed_channel_is_not_taken_back() {
    let test = Test::of(|connection, words| {
        let has_b = words[1..].contains(&"b".to_owned());
        match (connection, words[0].as_str()) {
            (2, "SUBSCRIBE") if has_b => "-NOPERM no\r\n".to_owned(),
            _ => resp2(words),
        }
    })
    .await;
    test.redis.subscribe(["a", "b"]).await.unwrap();
    test.until(MINUTE).await;
    test.peer.push(1, "");
    test.until(MINUTE + 5 * SECOND).await;
    test.redis.unsubscribe(["b"]).await.unwrap();
    let tried = test.peer.arrived(2, "SUBSCRIBE").len();
    test.until(5 * MINUTE).await;
    assert_eq!(test.peer.arrived(2, "SUBSCRIBE").len(), tried);
    test.peer.push(2, "");
    test.until(6 * MINUTE).await;
    assert_eq!(test.peer.arrived(3, "SUBSCRIBE"), [["SUBSCRIBE", "a"]]);
}

/// PR-20, PR-35: no command is sent on a token that has ended by either clock.
#[tokio::test(start_paused = true)]
async fn a_subscriber_ends_with_its_token_by_either_clock() {
    let life = HOUR + 30 * SECOND;
    for steps in [false, true] {
        let plan = [Answer::Token(life), Answer::Fails(transient())];
        let test = Test::new(plan, |_| {}, |_, words| resp2(words)).await;
        test.redis.subscribe(["a"]).await.unwrap();
        let over = match steps {
            false => life,
            true => {
                test.until(10 * MINUTE + SECOND).await;
                // A provider would report the end of its token.
                test.world.provider.dispose();
                test.world.settle().await;
                test.world.host.step(SignedDuration::from_hours(2));
                11 * MINUTE + SECOND
            }
        };
        test.until(over - SECOND).await;
        assert!(!test.peer.is_closed(1), "stepped: {steps}");
        test.until(over + 2 * SECOND).await;
        let subscribed = test.redis.subscribe(["b"]);
        let platform = test.world.host.platform();
        let _ = platform.within(SECOND, subscribed).await;
        assert_eq!(test.peer.times("SUBSCRIBE").len(), 1, "stepped: {steps}");
    }
}

/// A hand-over may take as long as connecting, but no longer than the token of the old connection.
#[tokio::test(start_paused = true)]
async fn a_hand_over_lasts_no_longer_than_the_old_token() {
    let plan = [Answer::Token(20 * SECOND)];
    let resp2_only = |options: &mut ConnectionOptions| options.protocol = ProtocolVersion::RESP2;
    let test = Test::new(plan, resp2_only, |connection, words| {
        match (connection, words[0].as_str()) {
            (2, "AUTH") => String::new(),
            _ => resp2(words),
        }
    })
    .await;
    test.redis.subscribe(["a"]).await.unwrap();
    test.until(40 * SECOND).await;
    let times = test.peer.times("AUTH");
    assert!(times[1] < 15 * SECOND, "{times:?}");
    let third = times[2].as_secs();
    assert_eq!(third, 20, "{times:?}");
}

/// PR-36: a gap begins when the connection was last heard from.
#[tokio::test(start_paused = true)]
async fn a_gap_begins_with_the_last_sign_of_life() {
    let test = Test::of(|_, words| resp2(words)).await;
    test.redis.subscribe(["a"]).await.unwrap();
    test.until(5 * MINUTE).await;
    test.peer.push(1, MESSAGE);
    test.until(8 * MINUTE).await;
    let (from, until) = test.gap_after_loss(1).await;
    assert!(near(from, test.wall(5 * MINUTE)), "{from}");
    assert!(near(until, test.wall(8 * MINUTE)), "{until}");
    // The next connection subscribed at that time.
    test.until(12 * MINUTE).await;
    let (from, until) = test.gap_after_loss(2).await;
    assert!(near(from, test.wall(8 * MINUTE)), "{from}");
    assert!(near(until, test.wall(12 * MINUTE)), "{until}");
}

#[tokio::test(start_paused = true)]
async fn a_gap_after_a_hand_over_begins_with_it() {
    let resp2_only = |options: &mut ConnectionOptions| options.protocol = ProtocolVersion::RESP2;
    let test = Test::new([Answer::Token(HOUR)], resp2_only, |_, words| resp2(words)).await;
    test.redis.subscribe(["a"]).await.unwrap();
    test.until(50 * MINUTE).await;
    let (from, _) = test.gap_after_loss(2).await;
    assert!(near(from, test.wall(DUE)), "{from}");
}

/// PR-36: messages of a refused channel are missing since the connection before that was lost.
#[tokio::test(start_paused = true)]
async fn a_gap_covers_the_time_in_which_a_channel_was_refused() {
    let test = Test::of(|connection, words| match connection {
        2 if words[1..].contains(&"b".to_owned()) => "-NOPERM no\r\n".to_owned(),
        _ => resp2(words),
    })
    .await;
    test.redis.subscribe(["b"]).await.unwrap();
    test.until(5 * MINUTE).await;
    let (from, _) = test.gap_after_loss(1).await;
    assert!(near(from, test.wall(Duration::ZERO)), "{from}");
    test.until(8 * MINUTE).await;
    let (from, until) = test.gap_after_loss(2).await;
    assert!(near(from, test.wall(Duration::ZERO)), "{from}");
    assert!(near(until, test.wall(8 * MINUTE)), "{until}");
}

#[tokio::test(start_paused = true)]
async fn without_subscriptions_there_is_no_gap() {
    let test = Test::of(|_, words| resp2(words)).await;
    test.until(MINUTE).await;
    test.peer.push(1, "");
    test.until(2 * MINUTE).await;
    assert_eq!(test.peer.times("HELLO").len(), 2);
    let platform = test.world.host.platform();
    assert!(platform.within(SECOND, test.redis.next()).await.is_none());
}

/// PR-37: the gap of unread messages reaches from the first to the last one that was dropped.
#[tokio::test(start_paused = true)]
async fn a_gap_of_dropped_messages_reaches_from_the_first_to_the_last() {
    let one = |options: &mut ConnectionOptions| options.unread_messages = 1;
    let test = Test::new([Answer::Token(HOUR)], one, |_, words| resp2(words)).await;
    test.redis.subscribe(["a"]).await.unwrap();
    for minute in 1..=4 {
        test.until(minute * MINUTE).await;
        test.peer.push(1, MESSAGE);
    }
    test.until(5 * MINUTE).await;
    let (from, until) = test.next_gap().await;
    assert!(near(from, test.wall(2 * MINUTE)), "{from}");
    assert!(near(until, test.wall(4 * MINUTE)), "{until}");
}

/// Each name is confirmed on its own, and a new connection waits for all of them.
#[tokio::test(start_paused = true)]
async fn a_new_connection_waits_for_each_confirmation() {
    let test = Test::of(|_, words| resp2(words)).await;
    test.redis.subscribe(["a", "b", "c"]).await.unwrap();
    test.until(MINUTE).await;
    test.peer.push(1, "");
    test.until(3 * MINUTE).await;
    assert_eq!(test.peer.times("HELLO").len(), 2);
}

/// RS-11: a connection that has not signed in is no connection, whatever it refuses.
#[tokio::test(start_paused = true)]
async fn a_new_connection_that_is_not_signed_in_is_replaced() {
    let test = Test::of(|connection, words| match (connection, words[0].as_str()) {
        (2, "SUBSCRIBE") => "-NOAUTH Authentication required.\r\n".to_owned(),
        _ => resp2(words),
    })
    .await;
    test.redis.subscribe(["a"]).await.unwrap();
    test.until(MINUTE).await;
    test.peer.push(1, "");
    test.until(2 * MINUTE).await;
    assert_eq!(test.peer.arrived(3, "SUBSCRIBE").len(), 1);
    let event = test.redis.next().await.unwrap();
    assert!(matches!(event, PubSubEvent::Gap { .. }), "{event:?}");
}

/// An answer without a question means that answers go astray.
#[tokio::test(start_paused = true)]
async fn an_answer_without_a_question_ends_the_connection() {
    for answer in [CONFIRMED, "+OK\r\n"] {
        let test = Test::of(|_, words| resp2(words)).await;
        test.until(MINUTE).await;
        test.peer.push(1, answer);
        test.until(2 * MINUTE).await;
        assert_eq!(test.peer.times("HELLO").len(), 2, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_fails_with_its_own_kind_of_error() {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, |connection, _| match connection {
        1 => "$5\r\nstale\r\n".to_owned(),
        2 => HANG_UP.to_owned(),
        _ => String::new(),
    });
    let world = World::on(host, [Answer::Token(HOUR)], |builder| {
        builder.platform(peer.platform())
    });
    let connect = async || -> RedisResult<EntraPubSub> {
        EntraPubSub::connect(endpoint(), &world.provider, ConnectionOptions::default()).await
    };
    let error = connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReturnType, "{error}");
    let error = connect().await.unwrap_err();
    assert!(error.is_connection_dropped(), "{error}");
    let error = connect().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

/// A new connection subscribes to what its predecessor was subscribed to at last.
#[tokio::test(start_paused = true)]
async fn a_new_connection_subscribes_to_what_was_held_at_last() {
    let test = Test::of(|connection, words| match (connection, words[0].as_str()) {
        // The command is refused as a whole, and each name on its own accepted.
        (2, "SUBSCRIBE") if words.len() > 2 => "-NOPERM no\r\n".to_owned(),
        _ => resp2(words),
    })
    .await;
    test.redis.subscribe(["a", "b", "c"]).await.unwrap();
    test.redis.unsubscribe(["b"]).await.unwrap();
    test.until(MINUTE).await;
    test.peer.push(1, "");
    test.until(2 * MINUTE).await;
    let on_second = test.peer.arrived(2, "SUBSCRIBE");
    assert_eq!(on_second[0], ["SUBSCRIBE", "a", "c"]);
    test.peer.push(2, "");
    test.until(3 * MINUTE).await;
    assert_eq!(test.peer.arrived(3, "SUBSCRIBE"), [["SUBSCRIBE", "a", "c"]]);
}

/// A channel that was refused and accepted again is subscribed to like any other.
#[tokio::test(start_paused = true)]
async fn a_channel_that_is_accepted_again_is_held() {
    let is_allowed = Arc::new(AtomicBool::new(false));
    let allowed = Arc::clone(&is_allowed);
    let test = Test::of(move |connection, words| {
        let is_refused = connection == 2 && !allowed.load(Ordering::SeqCst);
        match is_refused && words.contains(&"b".to_owned()) {
            true => "-NOPERM no\r\n".to_owned(),
            false => resp2(words),
        }
    })
    .await;
    test.redis.subscribe(["a", "b"]).await.unwrap();
    test.until(MINUTE).await;
    test.peer.push(1, "");
    test.until(MINUTE + 2 * SECOND).await;
    is_allowed.store(true, Ordering::SeqCst);
    test.until(2 * MINUTE).await;
    test.peer.push(2, "");
    test.until(3 * MINUTE).await;
    assert_eq!(test.peer.arrived(3, "SUBSCRIBE"), [["SUBSCRIBE", "a", "b"]]);
}

/// Messages that arrive while a new connection subscribes come after the gap.
#[tokio::test(start_paused = true)]
async fn messages_during_a_reconnect_follow_the_gap() {
    let test = Test::of(|connection, words| match (connection, words[0].as_str()) {
        (2, "SUBSCRIBE") => {
            let first = resp2(&words[..2]);
            let rest = resp2(words)[first.len()..].to_owned();
            [first, MESSAGE.to_owned(), rest].concat()
        }
        _ => resp2(words),
    })
    .await;
    test.redis.subscribe(["a", "b"]).await.unwrap();
    test.until(MINUTE).await;
    test.gap_after_loss(1).await;
    let platform = test.world.host.platform();
    let event = platform.within(SECOND, test.redis.next()).await.flatten();
    assert!(
        matches!(event, Some(PubSubEvent::Message { .. })),
        "{event:?}"
    );
}
