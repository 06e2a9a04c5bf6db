//! The engines agree on order, times, holds, crashes and refused connections.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and hands work to real threads"
)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim::engine::{
    BoxFuture, Control, Engine, EngineError, Host, HostMain, STALL_LIMIT, World,
};
use credsim::limits::{Budget, Limits, Taken};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

type Notes = Arc<Mutex<Vec<(u128, String)>>>;

const ENGINES: [Engine; 3] = [Engine::Lapse, Engine::Turmoil, Engine::Live];

fn note(notes: &Notes, host: &Host, what: impl Into<String>) {
    notes
        .lock()
        .unwrap()
        .push((host.runtime.elapsed().as_millis(), what.into()));
}

/// Echoes what it reads, one connection after another.
fn echo() -> HostMain {
    Arc::new(|host| {
        Box::pin(async move {
            let mut listener = host.network.bind(80).await.unwrap();
            while let Ok((mut stream, _)) = listener.accept().await {
                let work = async move {
                    let mut bytes = [0; 64];
                    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
                        if stream.write_all(&bytes[..count]).await.is_err() {
                            break;
                        }
                    }
                };
                host.runtime.spawn(Box::pin(work)).detach();
            }
        })
    })
}

fn play<F>(
    engine: Engine,
    story: impl FnOnce(Host, Arc<dyn Control>, Notes) -> F + Send + 'static,
) -> Vec<(u128, String)>
where
    F: Future<Output = ()> + Send + 'static,
{
    let notes = Notes::default();
    let kept = notes.clone();
    let world = World {
        seed: 1,
        horizon: Duration::from_secs(120),
        stall_limit: STALL_LIMIT,
        budget: credsim::limits::Budget::default(),
        servers: vec![("echo".to_owned(), echo())],
        driver: (
            "app".to_owned(),
            Box::new(move |host, control| Box::pin(story(host, control, notes))),
        ),
    };
    engine.play(world).unwrap();
    kept.lock().unwrap().clone()
}

async fn exchange(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) -> String {
    if let Err(e) = stream.write_all(b"hello").await {
        return format!("write: {:?}", e.kind());
    }
    let mut bytes = [0; 5];
    match stream.read_exact(&mut bytes).await {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) => format!("read: {:?}", e.kind()),
    }
}

#[test]
fn bytes_come_back_after_two_latencies() {
    for engine in ENGINES {
        let notes = play(engine, |host, _, notes| async move {
            let mut stream = host.network.connect("echo", 80).await.unwrap();
            note(&notes, &host, "connected");
            let said = exchange(&mut stream).await;
            note(&notes, &host, said);
        });
        assert_eq!(
            notes.iter().map(|n| n.1.as_str()).collect::<Vec<_>>(),
            ["connected", "hello"]
        );
        let expected = if engine.is_real() { 0..=400 } else { 3..=9 };
        assert!(expected.contains(&notes[1].0), "{engine}: {notes:?}");
    }
}

#[test]
fn a_closed_port_refuses_and_an_unknown_name_is_an_error() {
    for engine in ENGINES {
        let notes = play(engine, |host, _, notes| async move {
            let refused = host.network.connect("echo", 81).await.err().unwrap();
            note(&notes, &host, format!("{:?}", refused.kind()));
        });
        assert_eq!(notes[0].1, "ConnectionRefused", "{engine}");
    }
    for engine in [Engine::Lapse, Engine::Live] {
        let notes = play(engine, |host, _, notes| async move {
            let unknown = host.network.connect("nowhere", 80).await.err().unwrap();
            note(&notes, &host, unknown.to_string());
        });
        assert_eq!(notes[0].1, "no host is called nowhere", "{engine}");
    }
}

#[test]
fn a_hold_delays_and_a_release_delivers_in_order() {
    for engine in ENGINES {
        let notes = play(engine, |host, control, notes| async move {
            let mut stream = host.network.connect("echo", 80).await.unwrap();
            control.hold("app", "echo");
            host.runtime.sleep(Duration::from_millis(20)).await;
            let runtime = host.runtime.clone();
            let release = host.runtime.spawn(Box::pin(async move {
                runtime.sleep(Duration::from_secs(5)).await;
                control.release("app", "echo");
            }));
            let said = exchange(&mut stream).await;
            note(&notes, &host, said);
            drop(release);
        });
        assert_eq!(notes[0].1, "hello");
        let late = if engine.is_real() { 500 } else { 100 };
        assert!(
            (5_000..5_000 + late).contains(&notes[0].0),
            "{engine}: {notes:?}"
        );
    }
}

#[test]
fn a_crashed_host_breaks_its_connections_and_serves_again_after_a_restart() {
    for engine in ENGINES {
        let notes = play(engine, |host, control, notes| async move {
            let mut stream = host.network.connect("echo", 80).await.unwrap();
            control.crash("echo");
            host.runtime.sleep(Duration::from_millis(50)).await;
            let broken = exchange(&mut stream).await;
            note(&notes, &host, broken);
            control.restart("echo");
            host.runtime.sleep(Duration::from_millis(50)).await;
            let mut stream = host.network.connect("echo", 80).await.unwrap();
            let said = exchange(&mut stream).await;
            note(&notes, &host, said);
        });
        assert!(
            notes[0].1.starts_with("read:") || notes[0].1.starts_with("write:"),
            "{notes:?}"
        );
        assert_eq!(notes[1].1, "hello", "{engine}");
    }
}

#[test]
fn a_host_that_is_down_does_not_answer_and_its_old_connections_are_reset() {
    for engine in [Engine::Lapse, Engine::Live] {
        let notes = play(engine, |host, control, notes| async move {
            let mut before = host.network.connect("echo", 80).await.unwrap();
            note(&notes, &host, exchange(&mut before).await);
            control.crash("echo");
            host.runtime.sleep(Duration::from_millis(50)).await;
            let broken = before.read_u8().await.unwrap_err();
            note(&notes, &host, format!("{:?}", broken.kind()));
            let patience = host.runtime.sleep(Duration::from_millis(300));
            tokio::select! {
                _ = host.network.connect("echo", 80) => note(&notes, &host, "an answer"),
                () = patience => note(&notes, &host, "silence"),
            }
        });
        let said: Vec<_> = notes.iter().map(|n| n.1.as_str()).collect();
        assert_eq!(said, ["hello", "ConnectionReset", "silence"], "{engine}");
    }
}

#[test]
fn lapse_keeps_nanoseconds_and_their_order() {
    let notes = Notes::default();
    let kept = notes.clone();
    let world = World {
        seed: 1,
        horizon: Duration::from_secs(120),
        stall_limit: STALL_LIMIT,
        budget: credsim::limits::Budget::default(),
        servers: vec![],
        driver: (
            "app".to_owned(),
            Box::new(move |host, _| {
                Box::pin(async move {
                    for micros in [3_900u64, 3_200, 3_700, 3_500, 3_100, 804_000] {
                        let (host, notes) = (host.clone(), notes.clone());
                        let sleeper = host.runtime.sleep(Duration::from_micros(micros));
                        host.runtime
                            .clone()
                            .spawn(Box::pin(async move {
                                sleeper.await;
                                let at = host.runtime.elapsed();
                                assert_eq!(at, Duration::from_micros(micros));
                                notes.lock().unwrap().push((at.as_micros(), String::new()));
                            }))
                            .detach();
                    }
                    host.runtime.sleep(Duration::from_secs(86_400)).await;
                })
            }),
        ),
    };
    let world = World {
        horizon: Duration::from_secs(100_000),
        ..world
    };
    Engine::Lapse.play(world).unwrap();
    let order: Vec<_> = kept.lock().unwrap().iter().map(|n| n.0).collect();
    assert_eq!(order, [3_100, 3_200, 3_500, 3_700, 3_900, 804_000]);
}

#[test]
fn a_world_that_never_ends_is_a_failure_of_the_harness() {
    for engine in ENGINES {
        let world = World {
            seed: 1,
            horizon: Duration::from_secs(2),
            stall_limit: STALL_LIMIT,
            budget: credsim::limits::Budget::default(),
            servers: vec![],
            driver: (
                "app".to_owned(),
                Box::new(|_, _| Box::pin(std::future::pending())),
            ),
        };
        assert!(engine.play(world).is_err(), "{engine}");
    }
}

/// Plays a world that consists of one host with this code.
fn alone(
    engine: Engine,
    stall_limit: Duration,
    code: impl FnOnce(Host) -> BoxFuture<'static, ()> + Send + 'static,
) -> Result<(), EngineError> {
    engine.play(World {
        seed: 7,
        horizon: Duration::from_secs(120),
        stall_limit,
        budget: credsim::limits::Budget::default(),
        servers: vec![],
        driver: ("app".to_owned(), Box::new(|host, _| code(host))),
    })
}

#[test]
fn a_world_that_spins_is_given_up() {
    for engine in [Engine::Lapse, Engine::Turmoil] {
        let played = alone(engine, Duration::from_millis(300), |host| {
            Box::pin(async move {
                host.runtime.sleep(Duration::from_millis(61_500)).await;
                loop {
                    tokio::task::yield_now().await;
                }
            })
        });
        let why = played.unwrap_err().to_string();
        let says = "the world of seed 7 has stood still at 00:01:01.5";
        assert!(why.starts_with(says), "{engine}: {why}");
    }
}

#[test]
fn a_world_that_takes_too_long_is_ended_even_where_its_clock_moves() {
    for engine in [Engine::Lapse, Engine::Turmoil, Engine::Live] {
        let limits = Limits {
            real_time: Duration::from_millis(300),
            ..Limits::default()
        };
        let played = engine.play(World {
            seed: 7,
            horizon: Duration::from_secs(u32::MAX.into()),
            stall_limit: STALL_LIMIT,
            budget: Budget::new(limits, 7, Taken::default()),
            servers: vec![],
            driver: (
                "app".to_owned(),
                Box::new(|host, _| {
                    Box::pin(async move {
                        loop {
                            host.runtime.sleep(Duration::from_millis(1)).await;
                        }
                    })
                }),
            ),
        });
        let why = played.unwrap_err().to_string();
        let says = "the scenario has reached its limit of 300ms of real time (--limit-real-time)";
        assert!(why.starts_with(says), "{engine}: {why}");
        assert!(
            why.contains("the run of seed 7 stood at 0"),
            "{engine}: {why}"
        );
        assert!(!why.contains("abandoned"), "{engine}: {why}");
    }
}

/// Work that awaits another OS thread, which takes this long.
fn another_thread(takes: Duration) -> BoxFuture<'static, ()> {
    let (give, get) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::thread::sleep(takes);
        let _ = give.send(());
    });
    Box::pin(async move {
        let _ = get.await;
    })
}

/// Work that awaits another OS thread, which has a name of its own and takes this long.
fn named_thread(takes: Duration) -> BoxFuture<'static, ()> {
    let (give, get) = tokio::sync::oneshot::channel();
    let (runs, has_its_name) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("a client".to_owned());
    let work = move || {
        runs.send(()).unwrap();
        std::thread::sleep(takes);
        let _ = give.send(());
    };
    thread.spawn(work).unwrap();
    has_its_name.recv().unwrap();
    Box::pin(async move {
        let _ = get.await;
    })
}

/// Threads of other worlds, of the tests and of the harness are not attributed to a world that
/// ends.
#[test]
fn threads_that_a_world_has_not_started_do_not_fail_it() {
    let joins: fn(Host) -> BoxFuture<'static, ()> = |host| {
        Box::pin(async move {
            for _ in 0..3 {
                let thread = std::thread::Builder::new().name("a client".to_owned());
                let nap = || std::thread::sleep(Duration::from_millis(20));
                thread.spawn(nap).unwrap().join().unwrap();
                host.runtime.sleep(Duration::from_secs(1)).await;
            }
        })
    };
    let ends_at_once: fn(Host) -> BoxFuture<'static, ()> = |_| Box::pin(async {});
    let worlds = (0..8).map(|number| {
        std::thread::spawn(move || {
            for _ in 0..20 {
                let code = if number < 4 { joins } else { ends_at_once };
                let played = alone(Engine::Lapse, STALL_LIMIT, code);
                assert_eq!(played, Ok(()), "world {number}");
                if number < 4 {
                    return;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        })
    });
    let worlds: Vec<_> = worlds.collect();
    for world in worlds {
        world.join().unwrap();
    }
}

#[test]
fn work_on_another_thread_is_a_failure_of_the_harness() {
    const LONG: Duration = Duration::from_millis(500);
    let for_ever: fn(Host) -> BoxFuture<'static, ()> = |host| {
        Box::pin(async move {
            host.runtime.spawn(another_thread(LONG)).detach();
            host.runtime.sleep(Duration::from_secs(60)).await;
        })
    };
    let in_time: fn(Host) -> BoxFuture<'static, ()> = |host| {
        Box::pin(async move {
            let work = another_thread(Duration::from_millis(1));
            host.runtime.spawn(work).detach();
            host.runtime.sleep(Duration::from_secs(30)).await;
            // Blocks the world until the other thread is done.
            std::thread::sleep(Duration::from_millis(200));
            host.runtime.sleep(Duration::from_secs(30)).await;
        })
    };
    let in_its_own_task: fn(Host) -> BoxFuture<'static, ()> = |host| {
        Box::pin(async move {
            tokio::spawn(another_thread(Duration::from_millis(20)));
            for _ in 0..100 {
                host.runtime.sleep(Duration::from_secs(1)).await;
                std::thread::sleep(Duration::from_millis(1));
            }
        })
    };
    let with_a_name: fn(Host) -> BoxFuture<'static, ()> = |host| {
        Box::pin(async move {
            host.runtime.spawn(named_thread(LONG)).detach();
            host.runtime.sleep(Duration::from_secs(60)).await;
        })
    };
    let blocking: fn(Host) -> BoxFuture<'static, ()> = |host| {
        Box::pin(async move {
            let _ = tokio::task::spawn_blocking(|| ()).await;
            host.runtime.sleep(Duration::from_secs(1)).await;
        })
    };
    let all = [
        ("for_ever", for_ever),
        ("in_time", in_time),
        ("in_its_own_task", in_its_own_task),
        ("with_a_name", with_a_name),
        ("blocking", blocking),
    ];
    let system = cfg!(target_os = "linux");
    for (which, code) in all {
        if which == "with_a_name" && !system {
            continue;
        }
        let played = alone(Engine::Lapse, STALL_LIMIT, code);
        assert!(played.is_err(), "{which}");
        let why = played.unwrap_err().to_string();
        assert!(
            why.starts_with("a client does work on another thread"),
            "{why}"
        );
    }
}

#[test]
fn a_large_body_passes_the_window() {
    for engine in ENGINES {
        let notes = play(engine, |host, _, notes| async move {
            let stream = host.network.connect("echo", 80).await.unwrap();
            let (mut reader, mut writer) = tokio::io::split(stream);
            let write = host.runtime.spawn(Box::pin(async move {
                for _ in 0..10 {
                    writer.write_all(&[7; 200_000]).await.unwrap();
                }
                std::future::pending::<()>().await;
            }));
            let mut all = vec![0; 2_000_000];
            reader.read_exact(&mut all).await.unwrap();
            note(
                &notes,
                &host,
                format!("{}", all.iter().filter(|b| **b == 7).count()),
            );
            drop(write);
        });
        assert_eq!(notes[0].1, "2000000", "{engine}");
    }
}

/// A world whose driver does `work` on its host.
fn world(work: fn(Host) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) -> World {
    World {
        seed: 1,
        horizon: Duration::from_secs(60),
        stall_limit: STALL_LIMIT,
        budget: credsim::limits::Budget::default(),
        servers: vec![],
        driver: ("app".to_owned(), Box::new(move |host, _| work(host))),
    }
}

#[test]
fn a_panic_in_background_work_is_a_fault_of_the_harness() {
    for engine in ENGINES {
        let failed = engine.play(world(|host| {
            Box::pin(async move {
                let work = Box::pin(async { panic!("a bug") });
                host.runtime.spawn(work).detach();
                host.runtime.sleep(Duration::from_secs(1)).await;
            })
        }));
        assert_eq!(failed.unwrap_err().0, "a host panicked: a bug", "{engine}");
    }
}

#[test]
fn a_loop_that_never_waits_is_a_fault_of_the_harness() {
    let failed = Engine::Lapse.play(world(|host| {
        Box::pin(async move {
            host.runtime.sleep(Duration::from_secs(1)).await;
            loop {
                host.runtime.sleep(Duration::ZERO).await;
            }
        })
    }));
    let says = failed.unwrap_err().0;
    assert!(says.starts_with("time stands still at 1s"), "{says}");
}

#[test]
fn real_time_begins_when_the_world_begins_and_only_the_live_engine_has_a_date() {
    for engine in ENGINES {
        let notes = play(engine, |host, control, notes| async move {
            host.runtime.sleep(Duration::from_millis(30)).await;
            let date = control.begin();
            note(&notes, &host, format!("{}", date.is_some()));
        });
        assert_eq!(notes[0].1, engine.is_real().to_string(), "{engine}");
        if engine.is_real() {
            assert!(notes[0].0 < 30, "{notes:?}");
        }
    }
}
