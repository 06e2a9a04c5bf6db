//! Replies in short.

use redis::Value;

/// A reply as text: `OK`, `1`, `nil`, `[OK, 2]`.
pub fn text(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Okay => "OK".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.clone(),
        Value::BulkString(bytes) | Value::BigNumber(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Value::Array(values) | Value::Set(values) => list(values),
        Value::Push { data, .. } => list(data),
        Value::Map(pairs) => {
            let pairs = pairs.iter();
            let pairs: Vec<String> = pairs
                .map(|(key, value)| format!("{}: {}", text(key), text(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Attribute { data, .. } => text(data),
        Value::ServerError(error) => error.to_string(),
        other => format!("{other:?}"),
    }
}

fn list(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(text).collect();
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_read_as_the_scenarios_write_them() {
        let bulk = |text: &str| Value::BulkString(text.into());
        let all = Value::Array(vec![
            Value::Okay,
            Value::Int(2),
            Value::Nil,
            bulk("v"),
            Value::Array(Vec::new()),
            Value::Map(vec![(bulk("proto"), Value::Int(3))]),
            Value::SimpleString("QUEUED".to_owned()),
        ]);
        assert_eq!(text(&all), "[OK, 2, nil, v, [], {proto: 3}, QUEUED]");
    }
}
