//! A scenario's commands through the interfaces of the `redis` crate, and its replies in short.

use redis::{Cmd, Pipeline, RedisError, Value, aio::ConnectionLike};

use super::RedisHow;

/// Sends commands over `connection`, and gives their replies as [`RedisConnection::send`] wants
/// them.
///
/// [`RedisConnection::send`]: super::RedisConnection::send
pub async fn send(
    connection: &mut impl ConnectionLike,
    commands: &[Vec<String>],
    how: RedisHow,
) -> Vec<Result<String, String>> {
    if how == RedisHow::OneByOne {
        let mut replies = Vec::new();
        for command in commands {
            let reply = connection.req_packed_command(&cmd(command)).await;
            let reply = reply.and_then(Value::extract_error);
            replies.push(
                reply
                    .map(|value| short(&value))
                    .map_err(|error| said(&error)),
            );
        }
        return replies;
    }
    let mut pipeline = Pipeline::new();
    if how == RedisHow::Transaction {
        pipeline.atomic();
    }
    for command in commands {
        pipeline.add_command(cmd(command));
    }
    let reply: Result<Value, RedisError> = pipeline.query_async(connection).await;
    vec![
        reply
            .map(|value| short(&value))
            .map_err(|error| said(&error)),
    ]
}

fn cmd(words: &[String]) -> Cmd {
    let mut cmd = Cmd::new();
    for word in words {
        cmd.arg(word);
    }
    cmd
}

/// An error with what the server said, if it said something.
pub fn said(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        // The crate takes the code off the server's words.
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    }
}

/// A reply in short: `OK`, `1`, `nil`, `[OK, 2]`.
pub fn short(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Okay => "OK".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Array(values) | Value::Set(values) => list(values),
        Value::Map(pairs) => {
            let pairs = pairs.iter();
            let pairs: Vec<_> = pairs
                .map(|(key, value)| format!("{}: {}", short(key), short(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Double(number) => number.to_string(),
        Value::Boolean(yes) => yes.to_string(),
        Value::VerbatimString { text, .. } => text.clone(),
        Value::Push { data, .. } => list(data),
        Value::ServerError(error) => {
            let details = error.details().unwrap_or_default();
            format!("error {} {details}", error.code())
        }
        other => format!("{other:?}"),
    }
}

fn list(values: &[Value]) -> String {
    let values: Vec<_> = values.iter().map(short).collect();
    format!("[{}]", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_short() {
        let nested = Value::Array(vec![
            Value::Okay,
            Value::Int(2),
            Value::Nil,
            Value::Array(vec![Value::BulkString(b"a b".to_vec())]),
        ]);
        assert_eq!(short(&nested), "[OK, 2, nil, [a b]]");
        let map = Value::Map(vec![(
            Value::SimpleString("proto".to_owned()),
            Value::Int(3),
        )]);
        assert_eq!(short(&map), "{proto: 3}");
    }
}
