//! Lists: both of their ends.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Database, Value};

/// One of a list's ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The first element.
    Left,
    /// The last one.
    Right,
}

impl End {
    /// Takes an element out.
    pub fn pop(self, list: &mut VecDeque<Bytes>) -> Option<Bytes> {
        match self {
            Self::Left => list.pop_front(),
            Self::Right => list.pop_back(),
        }
    }

    /// Adds to a list.
    pub fn push(self, list: &mut Value, element: Bytes) {
        if let Value::List(list) = list {
            match self {
                Self::Left => list.push_front(element),
                Self::Right => list.push_back(element),
            }
        }
    }
}

/// Takes an element out of a list, and the list with its last one.
pub fn take(database: &mut Database, key: &Bytes, end: End) -> Option<Bytes> {
    let Some(Value::List(list)) = database.get_mut(key) else {
        return None;
    };
    let element = end.pop(list);
    database.tidy(key);
    element
}
