//! Faults and the requests that they strike, in words.

use crate::fault::Matcher as _;
use crate::scenario::{Body, Fault, FaultThen, Preset, Reply, ResetWhen};

/// Which requests, what happens to them, and how often.
pub fn sentence(fault: &Fault) -> String {
    let mut text = format!("{} {}", fault.on.describe(), effect(&fault.then));
    if fault.skip > 0 {
        text += &format!(", leaving the first {} alone", fault.skip);
    }
    if let Some(first) = fault.first {
        text += &format!(", {first} times in all");
    }
    if let Some(probability) = fault.probability {
        text += &format!(", with probability {probability}");
    }
    if let Some(lasts) = fault.lasts {
        text += &format!(", for {lasts}");
    }
    text
}

fn effect(then: &FaultThen) -> String {
    match then {
        FaultThen::Reply(answer) => format!("are answered {}", reply(answer)),
        FaultThen::Exit(exit) => {
            let mut text = format!("end with exit code {}", exit.code);
            if !exit.stderr.is_empty() {
                text += &format!(" and say: {}", exit.stderr.trim());
            }
            text
        }
        FaultThen::Delay(delay) => format!("are answered {} later", delay.by.describe()),
        FaultThen::Truncate(cut) => format!("break after {} bytes of the body", cut.after),
        FaultThen::Drip(drip) => format!("get a body that drips for {}", drip.over),
        FaultThen::Reset(reset) => match reset.when {
            ResetWhen::Before => "are reset before anything was done".to_owned(),
            ResetWhen::After => "are reset after the token was issued".to_owned(),
        },
        FaultThen::Hang(_) => "hang for ever".to_owned(),
        FaultThen::Error(error) => format!("are answered `{}`", error.text),
        FaultThen::HalfClose(_) => "find the server's side of the connection closed".to_owned(),
    }
}

fn reply(reply: &Reply) -> String {
    let mut text = reply.status.to_string();
    text += &match &reply.body {
        None => String::new(),
        Some(Body::Preset(preset)) => format!(" ({})", self::preset(*preset)),
        Some(Body::Json(_)) => " with a body of its own in JSON".to_owned(),
        Some(Body::Text(text)) => format!(" with the text `{}`", text.trim()),
        Some(Body::Html(_)) => " with an HTML page".to_owned(),
        Some(Body::Empty(_)) => " with an empty body".to_owned(),
        Some(Body::Padded(bytes)) => format!(" with a token answer of {bytes} bytes"),
    };
    if let Some(after) = &reply.retry_after {
        text += &format!(" with Retry-After: {after}");
    }
    if let Some(after) = reply.retry_after_date {
        text += &format!(" with a date {after} away in Retry-After");
    }
    text
}

fn preset(preset: Preset) -> &'static str {
    match preset {
        Preset::IdentityNotFound => "Identity not found",
        Preset::HeaderMissing => "the Metadata header is missing",
        Preset::InvalidResource => "AADSTS50001, no such resource",
        Preset::Unauthorized => "refused",
        Preset::NotFound => "being updated",
        Preset::Gone => "being updated, back within 70 s",
        Preset::Throttled => "throttled",
        Preset::Unknown => "failed to retrieve a token",
        Preset::DockerUnreachable => "Docker Desktop: unreachable",
        Preset::InvalidClientSecret => "AADSTS7000215, wrong secret",
        Preset::UnknownApplication => "AADSTS700016, unknown application",
        Preset::MultifactorRequired => "AADSTS50076, a second factor is needed",
        Preset::Transient => "AADSTS90033, transient",
    }
}
