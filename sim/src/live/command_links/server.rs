//! The world's side: answers the simulated commands.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
};

use super::{Called, Does};
use crate::{
    backend::Backend,
    engine::{self, Host},
    trace::OUTSIDE,
};

/// No caller's arguments come near this.
const LONGEST_CALL: u64 = 1 << 20;

/// Where the commands run.
pub struct Place {
    /// The world's services.
    pub backend: Backend,
    /// The host on which they run.
    pub host: Host,
    /// Its time zone.
    pub zone: TimeZone,
}

/// Answers every command, for as long as the world lasts.
pub async fn serve(place: Arc<Place>, listener: UnixListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptor for it, perhaps: others may end.
            engine::live::breathe().await;
            continue;
        };
        let serving = place.clone();
        let work = async move {
            // A client that hangs up early needs no answer.
            let _ = answer(&serving, stream).await;
        };
        place.host.runtime.spawn(Box::pin(work)).detach();
    }
}

async fn answer(place: &Place, stream: UnixStream) -> std::io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from.take(LONGEST_CALL));
    let mut line = String::new();
    from.read_line(&mut line).await?;
    let Ok(called) = serde_json::from_str::<Called>(&line) else {
        return Ok(());
    };
    let running = place.backend.run_command(
        &place.host,
        OUTSIDE,
        &called.program,
        &called.args,
        &called.env,
        place.zone.clone(),
    );
    // Nothing more is said: what ends the silence is the end of the command's process.
    let mut nothing = String::new();
    let killed = from.read_line(&mut nothing);
    let done = tokio::select! { biased;
        done = running => done,
        _ = killed => return Ok(()),
    };
    let does = match done {
        Ok(exit) => Does {
            code: exit.code,
            stdout: exit.stdout,
            stderr: exit.stderr,
        },
        // As a shell says it, and with its code.
        Err(_) => Does {
            code: 127,
            stdout: String::new(),
            stderr: format!("/bin/sh: 1: {}: not found\n", called.program),
        },
    };
    let mut answer = serde_json::to_vec(&does).unwrap_or_default();
    answer.push(b'\n');
    to.write_all(&answer).await
}
