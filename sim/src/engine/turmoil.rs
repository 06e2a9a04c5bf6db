//! The independent second opinion: turmoil, with a runtime per host and a tick per millisecond.
//!
//! It models segments, so partitions that lose them leave connections hung for good; the timeline's
//! holds therefore map to turmoil's hold and release.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use super::{
    BoxFuture, Control, EngineError, Host, Listener, Network, Runtime, Stream, Work, World,
    socket::{Socket, SocketStream},
    task,
    watchdog::on_its_thread,
};

const TICK: Duration = Duration::from_millis(1);

/// How many connections may wait at a listener, and how many segments at a connection. turmoil
/// panics at the next one; its default is 64.
const TCP_CAPACITY: usize = 1 << 16;

/// The ports of outgoing connections: all but those that a service may listen on. turmoil panics
/// when none is free.
const EPHEMERAL_PORTS: RangeInclusive<u16> = 20_000..=u16::MAX;

/// How many connections a host can have at once.
pub const MOST_CONNECTIONS: u32 = 40_000;

/// Plays `world` on a thread of its own.
///
/// # Errors
/// See [`Engine::play`](super::Engine::play).
pub fn play(world: World) -> Result<(), EngineError> {
    let (seed, stall_limit) = (world.seed, world.stall_limit);
    let budget = world.budget.clone();
    on_its_thread("turmoil", seed, stall_limit, &budget, move || {
        on_this_thread(world)
    })
}

fn on_this_thread(world: World) -> Result<(), EngineError> {
    let World {
        seed,
        horizon,
        servers,
        driver: (driver_name, drive),
        budget,
        ..
    } = world;
    let mut sim = ::turmoil::Builder::new()
        .simulation_duration(horizon)
        .tick_duration(TICK)
        .min_message_latency(TICK)
        .max_message_latency(TICK)
        .tcp_capacity(TCP_CAPACITY)
        .ephemeral_ports(EPHEMERAL_PORTS)
        .rng_seed(seed)
        .epoch(std::time::SystemTime::UNIX_EPOCH)
        .build();
    let panics = Panics::default();
    for (name, main) in servers {
        let host = host(&name, &panics);
        sim.host(name.as_str(), move || {
            let (main, host) = (main.clone(), host.clone());
            async move {
                main(host).await;
                Ok(())
            }
        });
    }
    let orders = Orders::default();
    let control = Arc::new(orders.clone());
    sim.client(driver_name.as_str(), {
        let host = host(&driver_name, &panics);
        async move {
            drive(host, control).await;
            Ok(())
        }
    });
    loop {
        let stepped = sim.step();
        budget.moved(u64::try_from(sim.elapsed().as_nanos()).unwrap_or(u64::MAX));
        if budget.is_over() {
            // The watchdog knows which limit it is.
            return Ok(());
        }
        match stepped {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(e) => return Err(EngineError(format!("turmoil: {e}"))),
        }
        if let Some(why) = panics.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(EngineError(why));
        }
        for order in orders.take() {
            match order {
                Order::Hold(one, other) => sim.hold(one, other),
                Order::Release(one, other) => sim.release(one, other),
                Order::Crash(host) => sim.crash(host),
                Order::Restart(host) => sim.bounce(host),
            }
        }
    }
}

fn host(name: &str, panics: &Panics) -> Host {
    let place = Arc::new(Place(panics.clone()));
    Host {
        name: name.into(),
        network: place.clone(),
        runtime: place,
    }
}

/// The first panic in the code of a host.
type Panics = Arc<Mutex<Option<String>>>;

/// Any host: turmoil knows by itself which one is running.
struct Place(Panics);

impl Network for Place {
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Stream>> {
        let host = host.to_owned();
        Box::pin(async move {
            let stream = ::turmoil::net::TcpStream::connect((host, port)).await?;
            Ok(Box::new(SocketStream(TurmoilSocket(stream))) as Stream)
        })
    }

    fn bind(&self, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let any = IpAddr::from(Ipv4Addr::UNSPECIFIED);
            let listener = ::turmoil::net::TcpListener::bind((any, port)).await?;
            Ok(Box::new(TurmoilListener(listener)) as Box<dyn Listener>)
        })
    }
}

impl Runtime for Place {
    fn elapsed(&self) -> Duration {
        ::turmoil::sim_elapsed().unwrap_or_default()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        task::sleep(duration)
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) -> Work {
        let panics = self.0.clone();
        Work::new(task::spawn(work, move |why| {
            let mut first = panics.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(why);
        }))
    }
}

struct TurmoilListener(::turmoil::net::TcpListener);

impl Listener for TurmoilListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Stream, String)>> {
        Box::pin(async move {
            let (stream, peer) = self.0.accept().await?;
            let name =
                ::turmoil::reverse_lookup(peer.ip()).unwrap_or_else(|| peer.ip().to_string());
            let stream = SocketStream(TurmoilSocket(stream));
            Ok((Box::new(stream) as Stream, name))
        })
    }
}

struct TurmoilSocket(::turmoil::net::TcpStream);

impl Socket for TurmoilSocket {
    type Tcp = ::turmoil::net::TcpStream;

    fn tcp(&self) -> &Self::Tcp {
        &self.0
    }

    fn tcp_mut(&mut self) -> &mut Self::Tcp {
        &mut self.0
    }

    fn poll_pass(&self, _: &Context<'_>) -> Poll<()> {
        // turmoil holds links by itself.
        Poll::Ready(())
    }

    fn prepare_reset(&self) {
        // turmoil offers no reset; its peer reads the end of the stream instead.
    }
}

enum Order {
    Hold(String, String),
    Release(String, String),
    Crash(String),
    Restart(String),
}

/// What the timeline wants; carried out between two ticks, where the simulation can be changed.
#[derive(Clone, Default)]
struct Orders(Arc<Mutex<Vec<Order>>>);

impl Orders {
    fn push(&self, order: Order) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(order);
    }

    fn take(&self) -> Vec<Order> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Control for Orders {
    fn hold(&self, one: &str, other: &str) {
        self.push(Order::Hold(one.to_owned(), other.to_owned()));
    }

    fn release(&self, one: &str, other: &str) {
        self.push(Order::Release(one.to_owned(), other.to_owned()));
    }

    fn crash(&self, host: &str) {
        self.push(Order::Crash(host.to_owned()));
    }

    fn restart(&self, host: &str) {
        self.push(Order::Restart(host.to_owned()));
    }
}
