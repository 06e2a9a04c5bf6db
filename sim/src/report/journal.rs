//! One event at a time, for a person who watches.

use anstyle::{AnsiColor, Style};

use crate::trace::{self, Event, Kind};

const FAINT: Style = Style::new().dimmed();
const CHANGE: Style = AnsiColor::Cyan.on_default();
const TROUBLE: Style = AnsiColor::Yellow.on_default().bold();

/// An event as a line without its end: its time faint, changes of the world and what somebody
/// should look into marked.
pub fn event(event: &Event) -> String {
    let line = trace::line(event);
    let style = match &event.kind {
        Kind::World { .. } | Kind::FaultInstalled { .. } | Kind::FaultLifted { .. } => CHANGE,
        Kind::HostRefused { .. }
        | Kind::RequestRefused { .. }
        | Kind::HandshakeFailed { .. }
        | Kind::RealSecret { .. }
        | Kind::SecretLeaked { .. } => TROUBLE,
        _ => Style::new(),
    };
    match line.split_once(' ') {
        Some((time, rest)) => format!("{FAINT}{time}{FAINT:#} {style}{rest}{style:#}"),
        None => line,
    }
}
