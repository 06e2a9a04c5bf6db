//! The threads that carry the conversation with a driver. Each ends when its pipe does.

use std::{
    io::{self, BufRead, BufReader, Read as _, Write as _},
    process::ChildStdin,
    sync::{Arc, mpsc},
    thread,
};

use serde_json::Value;

use super::{conversation::Shared, process::Pipes};

/// The longest line that a driver may write, in bytes. No token comes near this size.
const LONGEST: u64 = 1024 * 1024;

/// Starts all three.
pub fn start(
    shared: &Arc<Shared>,
    pipes: Pipes,
    questions: mpsc::Receiver<Value>,
) -> io::Result<()> {
    let Pipes {
        input,
        output,
        errors,
    } = pipes;
    let writer = shared.clone();
    spawn("driver-in", move || write(&writer, input, &questions))?;
    let reader = shared.clone();
    spawn("driver-out", move || read(&reader, BufReader::new(output)))?;
    let listener = shared.clone();
    spawn("driver-err", move || {
        listen(&listener, BufReader::new(errors))
    })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(())
}

fn write(shared: &Shared, mut input: ChildStdin, questions: &mpsc::Receiver<Value>) {
    for question in questions {
        if input.write_all(format!("{question}\n").as_bytes()).is_err() {
            return shared.deaf();
        }
    }
}

fn read(shared: &Shared, mut output: impl BufRead) {
    loop {
        match line(&mut output) {
            Ok(None) => return shared.ended(),
            Ok(Some(line)) if line.trim().is_empty() => shared.lock().lines += 1,
            Ok(Some(line)) => {
                if let Err(what) = shared.take(&line) {
                    return give_up(shared, &what);
                }
            }
            Err(error) => return give_up(shared, &format!("wrote what can't be read: {error}")),
        }
    }
}

/// There is no use in listening to the rest.
fn give_up(shared: &Shared, what: &str) {
    shared.fault(what);
    shared.change(|state| state.output_ended = true);
}

fn listen(shared: &Shared, mut errors: impl BufRead) {
    // A line that is no text, or far too long, is not worth keeping; what follows may be.
    let mut wrong = 0;
    while wrong < 100 {
        match line(&mut errors) {
            Ok(None) => break,
            Ok(Some(line)) => shared.said.line(line.trim_end()),
            Err(_) => wrong += 1,
        }
    }
    shared.change(|state| state.errors_ended = true);
}

/// The next line; none at the end.
fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    from.take(LONGEST).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() as u64 == LONGEST && !bytes.ends_with(b"\n") {
        let why = format!("a line is longer than {LONGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        let why = "a line is not UTF-8";
        io::Error::new(io::ErrorKind::InvalidData, why)
    })?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_and_have_an_end() {
        let mut from = &b"one\ntwo"[..];
        assert_eq!(line(&mut from).unwrap().as_deref(), Some("one\n"));
        assert_eq!(line(&mut from).unwrap().as_deref(), Some("two"));
        assert_eq!(line(&mut from).unwrap(), None);
        assert!(line(&mut &b"\xff\n"[..]).is_err());
        assert!(line(&mut vec![b'x'; 2_000_000].as_slice()).is_err());
    }
}
