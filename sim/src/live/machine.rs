//! What of this machine itself would get into a world, whatever the environment of a process says.

use std::{
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

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

/// Where IMDS answers on a machine that has one: at a link-local address, port 80 (MI-10).
pub const IMDS: &str = "169.254.169.254:80";

/// How long it may take to accept a connection. It is on the same host or one hop away.
const NEAR: Duration = Duration::from_millis(300);

/// Whether this machine has a metadata service of its own at `address`: a client that ignores the
/// proxy gets tokens of a real identity there. Blocks for up to 300 ms.
pub fn has_own_imds(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, NEAR).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a port of this machine")]
    fn a_metadata_service_of_the_machine_is_noticed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        assert!(has_own_imds(address));
        drop(listener);
        assert!(!has_own_imds(address));
        assert!(IMDS.parse::<SocketAddr>().is_ok());
    }

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
