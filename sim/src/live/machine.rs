//! What of this machine itself would get into a world, whatever the environment of a process says.

use std::path::Path;

/// The Azure Arc agent, by whose file clients recognise a machine that has it (MI-30).
pub const ARC_AGENT: &str = "/opt/azcmagent/bin/himds";

/// Where it answers, on loopback: a proxy is not asked on the way there (MI-30).
pub const ARC_PORT: u16 = 40342;

/// Fails if the Azure Arc agent is on this machine, whose file is `agent`.
///
/// # Errors
/// It is: what that means and what to do, in words.
pub fn without_arc(agent: &Path) -> Result<(), String> {
    // What cannot be looked at cannot be read by a client of this user either.
    if !agent.exists() {
        return Ok(());
    }
    Err(format!(
        "this machine has a real Azure Arc agent ({}), and tokens of its real identity would get \
         into the run: clients ask it without a proxy. Use another machine, or a container",
        agent.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "files of this machine")]
    fn an_agent_is_told_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let agent = folder.path().join("himds");
        assert_eq!(without_arc(&agent), Ok(()));
        std::fs::write(&agent, "").expect("a file");
        let told = without_arc(&agent).expect_err("it is there");
        assert!(
            told.contains("real Azure Arc agent") && told.contains("container"),
            "{told}"
        );
    }
}
