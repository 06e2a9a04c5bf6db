//! Who asks the credential under test, in words.

use crate::scenario::{Call, CallDo, Instance, Scenario};

/// One line for each `[[call]]`.
pub fn lines(scenario: &Scenario) -> Vec<String> {
    let mut lines: Vec<String> = scenario.call.iter().map(line).collect();
    if let Some(seeds) = &scenario.seeds {
        lines.push(format!(
            "all of it {} times, each with another seed",
            seeds.count
        ));
    }
    lines
}

fn line(call: &Call) -> String {
    let mut text = format!("after {}", call.at);
    if let Some(every) = call.every {
        text += &format!(" and every {every}");
        if let Some(until) = call.until {
            text += &format!(" until {until}");
        }
    }
    text += &match (call.callers, call.ramp_up) {
        (1, _) => ": a caller ".to_owned(),
        (many, None) => format!(": {many} callers at once "),
        (many, Some(over)) => format!(": {many} callers, evenly over {over}, "),
    };
    let plural = if call.callers == 1 { "s" } else { "" };
    text += &match &call.action {
        CallDo::GetToken(get) => {
            let kept = if get.keeps_token {
                " and keeps it until it must be renewed"
            } else {
                ""
            };
            format!("get{plural} a token for {}{kept}", get.scopes.join(" and "))
        }
        CallDo::UseResource(with) => {
            format!(
                "use{plural} the resource {} to {}",
                with.resource, with.right
            )
        }
        CallDo::Redis(work) => super::redis::work(work, plural),
        CallDo::RedisSubscribe(to) => format!("listen{plural} to {}", to.channels.join(" and ")),
    };
    text += match call.credential {
        Instance::Shared => "",
        Instance::New => ", with a new credential each time",
        Instance::Clone => ", with a clone of the credential each time",
        Instance::EachItsOwn => ", each with a credential of its own",
    };
    if let Some(patience) = call.gives_up_after {
        text += &format!(", giving up after {patience}");
    }
    text
}
