//! Every token that is handed out was issued in this world: by a service or a command, or by a
//! fault that says so (`issues`).

use std::collections::BTreeSet;

use super::{Aspect, Evidence, Invariant, Plan, Ruling, View, unseen};
use crate::{
    trace::{CallOutcome, Fingerprint, Kind, fingerprint},
    wording::counted,
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "issued-here",
    says: "every token that is handed out was issued by a service or command of this world",
    is_held_by_silence: false,
    judge,
};

fn judge(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    if let Some(unseen) = unseen(view, &[Aspect::Calls]) {
        return Some(unseen);
    }
    let mut issued: BTreeSet<Fingerprint> = plan.issued_by_faults().map(fingerprint).collect();
    let mut looked_at = 0;
    for entry in view.all() {
        match &entry.event.kind {
            // An API that is shown a token says which, but issues none.
            Kind::RequestAnswered {
                token: Some(token),
                what,
                ..
            } if *what != "use" => {
                issued.insert(*token);
            }
            Kind::CommandEnded {
                token: Some(token), ..
            } => {
                issued.insert(*token);
            }
            Kind::CallEnded { outcome, .. } => {
                let CallOutcome::Token { token, .. } = &**outcome else {
                    continue;
                };
                looked_at += 1;
                if !issued.contains(token) {
                    let found = format!("token {token} is handed out, which nothing here has issued");
                    return Some(Ruling::fails(found, Evidence::of([entry])));
                }
            }
            _ => {}
        }
    }
    (looked_at > 0).then(|| Ruling::holds(counted(looked_at, "token")))
}

#[cfg(test)]
mod tests {
    use crate::simulation::Simulation;

    /// What an old script prints: the name of a class where the token should be.
    const A_CLASS_NAME: &str = r#"
title = "What an old script prints when the token is a SecureString"
story = "The class name stands where the token should be; a client must not send it to a service."
[world]
start = "2025-06-10T00:00:00Z"
lasts = "1m"
[world.accounts]
"alice@contoso.example" = { object-id = "a11ce000-0000-0000-0000-000000000001" }
[world.pwsh]
account = "alice@contoso.example"
[subject]
credential.azure-powershell = {}
[[at]]
time = "0s"
do.fault = { name = "SecureString", on.pwsh = {}, then.exit = { code = 0, stdout = '{"Token":"System.Security.SecureString","ExpiresOn":1749517200}' } }
[[call]]
do.get-token = { scopes = ["https://vault.azure.net/.default"] }
[[expect]]
that.error = { kind = "failed", credential = "AzurePowerShellCredential" }
"#;

    #[test]
    fn a_token_that_nothing_has_issued_is_found() {
        let simulation = Simulation::text("class-name", A_CLASS_NAME).expect("valid");
        let played = simulation.play().expect("a run");
        let failures = played.verdict.failures();
        let names: Vec<&str> = failures.map(|finding| finding.name.as_str()).collect();
        assert_eq!(names, ["expect[1] error", "issued-here"]);
        let stated = A_CLASS_NAME.replace("then.exit", "issues = [\"System.Security.SecureString\"], then.exit");
        let simulation = Simulation::text("class-name", &stated).expect("valid");
        let played = simulation.play().expect("a run");
        let mut failures = played.verdict.failures();
        assert!(failures.all(|finding| finding.name != "issued-here"));
    }
}
