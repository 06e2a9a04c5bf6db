//! The commands of a measurement, and how they are sent.

use redis::{Cmd, Pipeline, RedisResult, Value, aio::ConnectionLike, cmd, pipe};
use tokio::task::JoinSet;

/// How commands are sent.
#[derive(Clone, Copy)]
pub enum Work {
    /// One after the other.
    Sequential,
    /// By 64 callers on one connection.
    Callers,
    /// In plain pipelines of 100.
    Pipelines,
}

const CALLERS: usize = 64;
const PIPELINE: usize = 100;

/// Half of all commands write, half read; values have 32 bytes.
const VALUE: &str = "0123456789abcdef0123456789abcdef";

impl Work {
    pub const ALL: [Self; 3] = [Self::Sequential, Self::Callers, Self::Pipelines];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sequential => "one caller",
            Self::Callers => "64 callers",
            Self::Pipelines => "pipelines of 100",
        }
    }

    /// Sends `commands` commands, rounded up to whole batches.
    pub async fn run<C>(self, connection: &C, commands: usize) -> RedisResult<()>
    where
        C: ConnectionLike + Clone + Send + 'static,
    {
        match self {
            Self::Sequential => one_by_one(connection.clone(), commands).await,
            Self::Callers => {
                let mut callers = JoinSet::new();
                for _ in 0..CALLERS {
                    let share = commands.div_ceil(CALLERS);
                    callers.spawn(one_by_one(connection.clone(), share));
                }
                callers.join_all().await.into_iter().collect()
            }
            Self::Pipelines => pipelines(connection.clone(), commands.div_ceil(PIPELINE)).await,
        }
    }
}

fn set_and_get() -> (Cmd, Cmd) {
    let (mut set, mut get) = (cmd("SET"), cmd("GET"));
    set.arg("bench").arg(VALUE);
    get.arg("bench");
    (set, get)
}

async fn one_by_one(mut connection: impl ConnectionLike, commands: usize) -> RedisResult<()> {
    let (set, get) = set_and_get();
    for _ in 0..commands.div_ceil(2) {
        set.exec_async(&mut connection).await?;
        let value: Value = get.query_async(&mut connection).await?;
        check(&value)?;
    }
    Ok(())
}

async fn pipelines(mut connection: impl ConnectionLike, count: usize) -> RedisResult<()> {
    let mut pipeline: Pipeline = pipe();
    for _ in 0..PIPELINE / 2 {
        let (set, get) = set_and_get();
        pipeline.add_command(set).ignore().add_command(get);
    }
    for _ in 0..count {
        let values: Vec<Value> = pipeline.query_async(&mut connection).await?;
        values.iter().try_for_each(check)?;
    }
    Ok(())
}

/// Returns an error for a wrong answer, which would make the measurement worthless.
fn check(value: &Value) -> RedisResult<()> {
    match value {
        Value::BulkString(bytes) if bytes == VALUE.as_bytes() => Ok(()),
        _ => Err((redis::ErrorKind::UnexpectedReturnType, "another value").into()),
    }
}
