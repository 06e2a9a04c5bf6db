//! What it makes of the answers of IMDS.

use std::{sync::Arc, sync::mpsc, thread, time::Duration};

use credsim::{
    simulation::Settings,
    story::parse,
    trace::{Kind, RedisEvent},
};
use credsim_peers::RedisRs;

/// Returns whether a SET succeeds in a world in which each of IMDS's token answers has `bytes`.
fn works(bytes: u32) -> bool {
    let text = format!(
        r#"
        title = "A test"
        story = "A test."
        [world]
        start = "2026-01-01T00:00:00Z"
        lasts = "2m"
        [world.imds]
        system-identity = {{ object-id = "5e29463d-0000-0000-0000-000000000001" }}
        [world.redis]
        principals = ["5e29463d-0000-0000-0000-000000000001"]
        [subject]
        credential.managed-identity = {{}}
        redis = {{}}
        [[at]]
        time = "0s"
        do.fault = {{ name = "f", on.imds = {{}}, then.reply = {{ status = 200, body.padded = {bytes} }} }}
        [[call]]
        at = "1s"
        do.redis = {{ send = ["SET a 1"] }}
        [[expect]]
        that.redis-replies = {{}}
        "#
    );
    let scenario = parse("test", "test.toml", &text);
    let scenario = scenario.unwrap_or_else(|invalid| panic!("{}", invalid.render(false)));
    let (give, get) = mpsc::channel();
    thread::spawn(move || {
        let settings = Settings {
            subject: Arc::new(RedisRs),
            ..Settings::default()
        };
        let _ = give.send(settings.run(&scenario.scenario, settings.seeds.first()));
    });
    let run = get.recv_timeout(Duration::from_secs(30)).unwrap().unwrap();
    run.trace.events.iter().any(|event| match &event.kind {
        Kind::Redis(RedisEvent::WorkEnded { replies, .. }) => {
            !replies.is_empty() && replies.iter().all(|reply| !reply.error)
        }
        _ => false,
    })
}

/// The transport of this harness limits an answer: a body without an end would fill the memory.
#[test]
fn an_answer_of_more_than_a_mebibyte_is_an_error() {
    assert!(works(1024 * 1024));
    assert!(!works(1024 * 1024 + 1));
}
