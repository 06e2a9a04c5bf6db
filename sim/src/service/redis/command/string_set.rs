//! SET and its kin, with all their options.

use bytes::Bytes;

use super::super::{
    resp::{Reply, number},
    server::Call,
    store::Value,
};
use super::{Answer, ONE_KEY, Spec, WRITES, spec, syntax_error};

pub const COMMANDS: &[Spec] = &[
    spec("getex", -2, ONE_KEY, WRITES, get_ex),
    spec("psetex", 4, ONE_KEY, WRITES, |call| {
        set_ex(call, Unit::MILLISECONDS)
    }),
    spec("set", -3, ONE_KEY, WRITES, set),
    spec("setex", 4, ONE_KEY, WRITES, |call| {
        set_ex(call, Unit::SECONDS)
    }),
    spec("setnx", 3, ONE_KEY, WRITES, set_nx),
];

/// How a time is written.
#[derive(Clone, Copy)]
pub struct Unit {
    /// In seconds; otherwise in milliseconds.
    pub seconds: bool,
    /// As a date; otherwise from now on.
    pub is_date: bool,
}

impl Unit {
    /// Seconds from now on.
    pub const SECONDS: Self = Self {
        seconds: true,
        is_date: false,
    };
    /// Milliseconds from now on.
    pub const MILLISECONDS: Self = Self {
        seconds: false,
        is_date: false,
    };

    fn of(word: &[u8]) -> Option<Self> {
        let (seconds, is_date) = match word.to_ascii_lowercase().as_slice() {
            b"ex" => (true, false),
            b"px" => (false, false),
            b"exat" => (true, true),
            b"pxat" => (false, true),
            _ => return None,
        };
        Some(Self { seconds, is_date })
    }

    /// The date that a positive number means.
    fn date(self, call: &Call<'_>, text: &[u8]) -> Result<i64, Reply> {
        let error = || {
            Reply::error(format!(
                "ERR invalid expire time in '{}' command",
                call.spec.name
            ))
        };
        let time = number(text).ok_or_else(super::not_an_integer)?;
        if time <= 0 {
            return Err(error());
        }
        let time = time
            .checked_mul(if self.seconds { 1000 } else { 1 })
            .ok_or_else(error)?;
        let base = if self.is_date { 0 } else { call.millis() };
        time.checked_add(base).ok_or_else(error)
    }
}

#[derive(Default)]
struct Options {
    only_new: bool,
    only_old: bool,
    get: bool,
    keep: bool,
    persist: bool,
    ends: Option<(Unit, Bytes)>,
}

impl Options {
    fn read(words: &[Bytes], is_set: bool) -> Result<Self, Reply> {
        let mut options = Self::default();
        let mut rest = words;
        while let [word, tail @ ..] = rest {
            rest = tail;
            let has_end = options.ends.is_some();
            match word.to_ascii_lowercase().as_slice() {
                b"nx" if is_set && !options.only_old => options.only_new = true,
                b"xx" if is_set && !options.only_new => options.only_old = true,
                b"get" if is_set => options.get = true,
                b"keepttl" if is_set && !has_end => options.keep = true,
                b"persist" if !is_set && !has_end => options.persist = true,
                other => {
                    let unit = Unit::of(other).ok_or_else(syntax_error)?;
                    let [time, tail @ ..] = rest else {
                        return Err(syntax_error());
                    };
                    if has_end || options.keep || options.persist {
                        return Err(syntax_error());
                    }
                    options.ends = Some((unit, time.clone()));
                    rest = tail;
                }
            }
        }
        Ok(options)
    }

    fn date(&self, call: &Call<'_>) -> Result<Option<i64>, Reply> {
        let ends = self.ends.as_ref();
        ends.map(|(unit, time)| unit.date(call, time)).transpose()
    }
}

fn set(call: &mut Call<'_>) -> Answer {
    let (key, text) = (call.arg(1).clone(), call.arg(2).clone());
    let options = Options::read(call.rest(3), true)?;
    let mut expires = options.date(call)?;
    let old = if options.get { call.text(1)? } else { None };
    let exists = call.database().has(&key);
    if (options.only_new && exists) || (options.only_old && !exists) {
        return Ok(Reply::maybe(old));
    }
    if options.keep {
        expires = call.database().expires(&key);
    }
    call.database().set(&key, Value::Text(text), expires);
    call.changed(&key);
    Ok(if options.get {
        Reply::maybe(old)
    } else {
        Reply::OK
    })
}

fn set_ex(call: &mut Call<'_>, unit: Unit) -> Answer {
    let (key, text) = (call.arg(1).clone(), call.arg(3).clone());
    let expires = unit.date(call, call.arg(2))?;
    call.database().set(&key, Value::Text(text), Some(expires));
    call.changed(&key);
    Ok(Reply::OK)
}

fn set_nx(call: &mut Call<'_>) -> Answer {
    let (key, text) = (call.arg(1).clone(), call.arg(2).clone());
    let is_new = !call.database().has(&key);
    if is_new {
        call.set_text(&key, text);
    }
    Ok(Reply::flag(is_new))
}

fn get_ex(call: &mut Call<'_>) -> Answer {
    let options = Options::read(call.rest(2), false)?;
    let key = call.arg(1).clone();
    let Some(text) = call.text(1)? else {
        return Ok(Reply::Null);
    };
    match options.date(call)? {
        Some(date) if date <= call.millis() => {
            call.database().remove(&key);
            call.changed(&key);
        }
        Some(date) => {
            call.database().expire(&key, Some(date));
            call.changed(&key);
        }
        None if options.persist && call.database().expires(&key).is_some() => {
            call.database().expire(&key, None);
            call.changed(&key);
        }
        None => {}
    }
    Ok(Reply::Bulk(text))
}
