//! A fault must be something that its target can do.

use super::{
    super::{Body, Fault, FaultThen, Preset, Reply},
    Check, Place,
};

impl Check<'_> {
    pub(crate) fn fault(&mut self, fault: &Fault, place: &Place) {
        self.text(
            &fault.name,
            &place.key("name"),
            "a name for `lift` and the trace",
        );
        self.visible_text(&fault.name, &place.key("name"));
        self.requests_of(&fault.on, &place.key("on"));
        if fault.first == Some(0) {
            self.at_value(&place.key("first"), "this fault never strikes")
                .label("none of the matches")
                .expected("1 or more")
                .help("leave `first` out to strike at every match");
        }
        if let Some(probability) = fault.probability {
            let place = place.key("probability");
            if self.share(probability, &place) && probability == 0.0 {
                self.at_value(&place, "this fault never strikes")
                    .label("with probability 0");
            }
        }
        if let Some(lasts) = fault.lasts {
            let help = "leave it out for a fault that stays until it is lifted";
            self.longer_than_zero(lasts, &place.key("lasts"), help);
        }
        self.action(fault, &place.key("then"));
    }

    fn action(&mut self, fault: &Fault, place: &Place) {
        let endpoint = fault.on.key();
        let is_command = matches!(endpoint, "az" | "azd" | "pwsh");
        let is_redis = endpoint == "redis";
        let is_http = !is_command && !is_redis;
        let (name, fits) = match &fault.then {
            FaultThen::Reply(_) => ("reply", is_http),
            FaultThen::Truncate(_) => ("truncate", is_http),
            FaultThen::Drip(_) => ("drip", is_http),
            FaultThen::Reset(_) => ("reset", !is_command),
            FaultThen::Error(_) => ("error", is_redis),
            FaultThen::HalfClose(_) => ("half-close", is_redis),
            FaultThen::Exit(_) => ("exit", is_command),
            FaultThen::Delay(_) => ("delay", true),
            FaultThen::Hang(_) => ("hang", true),
        };
        let place = place.key(name);
        if !fits {
            let (what, can) = if is_command {
                ("a command", "`exit`, `delay` or `hang`")
            } else if is_redis {
                (
                    "no HTTP service",
                    "`error`, `delay`, `reset`, `half-close` or `hang`",
                )
            } else {
                (
                    "a service",
                    "`reply`, `delay`, `truncate`, `drip`, `reset` or `hang`",
                )
            };
            self.at_key(&place, format!("`{endpoint}` can't do `{name}`"))
                .label(format!("`{endpoint}` is {what}"))
                .expected(can);
            return;
        }
        match &fault.then {
            FaultThen::Reply(reply) => self.reply(reply, endpoint, &place),
            FaultThen::Exit(exit) => {
                if !(0..=255).contains(&exit.code) {
                    self.at_value(&place.key("code"), "no command ends with this code")
                        .label("outside 0 to 255")
                        .expected("0 for success, 1 for an ordinary failure");
                }
            }
            FaultThen::Delay(delay) => {
                self.range(Some(delay.by), &place.key("by"));
                let help = "a delay of nothing changes nothing";
                self.longer_than_zero(delay.by.at_most, &place.key("by").key("at-most"), help);
            }
            FaultThen::Drip(drip) => {
                let help = "a body that takes no time does not drip";
                self.longer_than_zero(drip.over, &place.key("over"), help);
            }
            FaultThen::Error(error) => error.check(&place.key("text"), self),
            FaultThen::Truncate(_)
            | FaultThen::Reset(_)
            | FaultThen::Hang(_)
            | FaultThen::HalfClose(_) => {}
        }
    }

    fn reply(&mut self, reply: &Reply, endpoint: &str, place: &Place) {
        if !(200..=599).contains(&reply.status) {
            self.at_value(
                &place.key("status"),
                format!("{} is not the status of an answer", reply.status),
            )
            .label("outside 200 to 599")
            .expected("such as 400, 404, 410, 429, 500 or 503");
        }
        self.headers(reply, place);
        let place = place.key("body");
        match &reply.body {
            Some(Body::Preset(preset)) => self.preset(*preset, endpoint, &place.key("preset")),
            Some(Body::Json(text)) => {
                if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
                    self.at_value(&place.key("json"), "this body is not JSON")
                        .label(format!(
                            "line {}, column {} of the text",
                            error.line(),
                            error.column()
                        ))
                        .expected("such as '{\"error\": \"invalid_request\"}'")
                        .help("a body that is broken on purpose is written `body.text`");
                }
            }
            Some(Body::Padded(bytes)) if *bytes > MOST_BYTES => {
                self.at_value(&place.key("padded"), "this answer would fill the memory")
                    .label("too large")
                    .expected(format!("at most {MOST_BYTES} bytes"));
            }
            _ => {}
        }
    }

    fn headers(&mut self, reply: &Reply, place: &Place) {
        if let Some(value) = &reply.retry_after {
            self.header_value(value, &place.key("retry-after"));
        }
        if reply.retry_after.is_some() && reply.retry_after_date.is_some() {
            self.at_key(
                &place.key("retry-after-date"),
                "two answers to one question: when to retry",
            )
            .label("`retry-after` says it already")
            .help("keep one of them");
        }
        for (name, value) in &reply.headers {
            let place = place.key("headers").key(name);
            self.header_value(value, &place);
            let lower = name.to_lowercase();
            let says_it = reply.retry_after.is_some() || reply.retry_after_date.is_some();
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                self.at_key(&place, format!("no header is called `{name}`"))
                    .label("impossible")
                    .expected("letters, digits and dashes, such as `x-ms-retry-after-ms`");
            } else if ["content-length", "transfer-encoding", "connection"]
                .contains(&lower.as_str())
            {
                self.at_key(&place, format!("the server writes `{name}` itself"))
                    .label("can't be chosen")
                    .help("`then.truncate` and `then.reset` break an answer");
            } else if lower == "retry-after" && says_it {
                self.at_key(&place, "two answers to one question: when to retry")
                    .label("`retry-after` says it already")
                    .help("keep one of them");
            }
        }
    }

    fn preset(&mut self, preset: Preset, endpoint: &str, place: &Place) {
        let speaker = match preset {
            Preset::IdentityNotFound
            | Preset::HeaderMissing
            | Preset::InvalidResource
            | Preset::Unauthorized
            | Preset::NotFound
            | Preset::Gone
            | Preset::Throttled
            | Preset::Unknown
            | Preset::DockerUnreachable => "imds",
            Preset::InvalidClientSecret
            | Preset::UnknownApplication
            | Preset::MultifactorRequired
            | Preset::Transient => "entra",
        };
        if speaker != endpoint {
            self.at_value(place, format!("`{endpoint}` never says this"))
                .label(format!("only `{speaker}` does"))
                .expected(format!("a body that `{endpoint}` really sends"))
                .help("write a body of your own with `body.json` or `body.text`");
        }
    }
}

/// The largest body that a fault may pad to.
const MOST_BYTES: u64 = 64 << 20;
