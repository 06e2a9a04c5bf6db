//! Random scripts over several connections, played on ours and on a real one.

use std::sync::Mutex;

use proptest::{prelude::*, sample::select, test_runner::TestRunner};

use super::{
    real::{Both, Real},
    request,
};

const KEYS: &[&str] = &["a", "b", "c", "d"];
const VALUES: &[&str] = &["", "1", "-7", "x", "hello", "9223372036854775807", "3.5"];
const NUMBERS: &[&str] = &["0", "1", "2", "-1", "-2", "100", "-100", "x"];
const CHANNELS: &[&str] = &["ch", "news", "*", "n*"];

/// What may be said: `K` is a key, `V` a value, `N` a number, `C` a channel or a pattern.
const SHAPES: &[&str] = &[
    "SET K V",
    "SET K V NX",
    "SET K V XX GET",
    "SET K V EX 100",
    "SET K V KEEPTTL",
    "GET K",
    "SETNX K V",
    "GETSET K V",
    "GETDEL K",
    "MGET K K",
    "MSET K V K V",
    "MSETNX K V K V",
    "APPEND K V",
    "STRLEN K",
    "INCR K",
    "DECRBY K N",
    "INCRBY K N",
    "GETRANGE K N N",
    "SETRANGE K N V",
    "GETEX K PERSIST",
    "DEL K K",
    "EXISTS K K",
    "TYPE K",
    "EXPIRE K N",
    "EXPIRE K 100 NX",
    "TTL K",
    "PERSIST K",
    "RENAME K K",
    "DBSIZE",
    "~KEYS *",
    "HSET K V V",
    "HGET K V",
    "HDEL K V V",
    "HGETALL K",
    "HMGET K V V",
    "HLEN K",
    "HINCRBY K V N",
    "LPUSH K V V",
    "RPUSH K V",
    "LPOP K",
    "RPOP K N",
    "LLEN K",
    "LRANGE K N N",
    "LINDEX K N",
    "LREM K N V",
    "LTRIM K N N",
    "LMOVE K K LEFT RIGHT",
    "RPOPLPUSH K K",
    "BLPOP K K 0",
    "BRPOP K 0",
    "BLMOVE K K RIGHT LEFT 0",
    "BRPOPLPUSH K K 0",
    "SADD K V V",
    "SREM K V",
    "~SMEMBERS K",
    "SISMEMBER K V",
    "SCARD K",
    "MULTI",
    "EXEC",
    "EXEC",
    "DISCARD",
    "WATCH K",
    "UNWATCH",
    "SUBSCRIBE C",
    "UNSUBSCRIBE C",
    "PSUBSCRIBE n*",
    "PUNSUBSCRIBE n*",
    "PUBLISH C V",
    "SSUBSCRIBE C",
    "SUNSUBSCRIBE C",
    "SPUBLISH C V",
    "~PUBSUB CHANNELS",
    "PUBSUB NUMSUB C C",
    "HELLO 3",
    "HELLO 2",
    "RESET",
    "SELECT 1",
    "SELECT 0",
    "FLUSHDB",
    "CLIENT ID",
    "CLIENT SETNAME V",
    "CLIENT GETNAME",
    "PING V",
    "ECHO V",
    "NOSUCH V",
    "GET",
    "INCR K K",
    "AUTH K V",
    "ACL WHOAMI",
];

fn line() -> impl Strategy<Value = String> {
    let word = (0usize..1000, 0usize..1000, 0usize..1000, 0usize..1000);
    (select(SHAPES), word).prop_map(|(shape, (a, b, c, d))| {
        let mut draws = [a, b, c, d].into_iter().cycle();
        let words = shape.split(' ').map(|word| {
            let known = match word {
                "K" => KEYS,
                "V" => VALUES,
                "N" => NUMBERS,
                "C" => CHANNELS,
                other => return other,
            };
            let draw = draws.next().unwrap_or(0);
            match known[draw % known.len()] {
                "" => "''",
                word => word,
            }
        });
        words.collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn a_real_server_says_the_same_to_random_scripts() {
    let Some(real) = Real::start() else { return };
    let real = Mutex::new(real);
    let step = (0usize..3, prop::collection::vec(line(), 1..3));
    let config = ProptestConfig {
        cases: 1500,
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    // The time of a real server goes on by itself: a remaining time is rounded to seconds, and the
    // two no longer round alike when a loaded machine takes long between two commands.
    let failed = |both: &Both<'_>, why: String| match both.is_late() {
        true => TestCaseError::reject("this machine is busy"),
        false => TestCaseError::fail(why),
    };
    let run = |steps: Vec<(usize, Vec<String>)>| {
        let mut real = real.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut both = Both::new(&mut real, 3, true);
        // A reply whose order means nothing may come later, when its client no longer waits.
        let mut later = false;
        for (client, lines) in steps {
            if !both.ours.is_free(client) {
                continue;
            }
            let sorted = lines
                .iter()
                .any(|line| line.starts_with('~') || line == "EXEC");
            let bytes: Vec<u8> = lines
                .iter()
                .flat_map(|line| request(line.trim_start_matches('~')))
                .collect();
            let sent = both.send(client, &bytes, sorted || later);
            sent.map_err(|why| failed(&both, why))?;
            later |= sorted && !both.ours.is_free(client);
        }
        both.finish().map_err(TestCaseError::fail)
    };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(step, 1..60), run);
    assert!(
        outcome.is_ok(),
        "{}",
        outcome
            .expect_err("checked")
            .to_string()
            .replace("\\n", "\n")
    );
}
