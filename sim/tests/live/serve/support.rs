//! A world to serve, and the command that serves it.

use std::{
    fs,
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use crate::process::{CREDSIM, Ended, Folder, Running, command, finish, this};

/// The URL of a token request to IMDS.
pub const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";
/// The URL of Entra's token endpoint.
pub const ENTRA: &str =
    "https://login.microsoftonline.com/72f988bf-0000-0000-0000-00000000cafe/oauth2/v2.0/token";
/// A form that this endpoint answers with a token.
pub const FORM: &str = "grant_type=client_credentials&client_id=c11e07a0-0000-0000-0000-000000000001&client_secret=not-a-real-secret&scope=https%3A%2F%2Fvault.azure.net%2F.default";
/// An expectation that always holds.
pub const ALWAYS: &str = "that.requests = { to.imds = {}, at-most = 99 }";

const HEAD: &str = r#"
title = "A world to be served"
story = "An application is started in it."
promises = ["PR-01"]
[world]
start = "2026-01-01T00:00:00Z"
lasts = "1h"
[world.accounts]
"alice@contoso.example" = { object-id = "a11ce000-0000-0000-0000-000000000001" }
[subject]
credential.default = {}
[[call]]
do.get-token = { scopes = ["https://vault.azure.net/.default"] }
"#;

/// The services of most worlds here.
pub const SERVICES: &str = r#"
[world.imds]
system-identity = { object-id = "5e29463d-0000-0000-0000-000000000001" }
[world.entra]
apps = [{ client-id = "c11e07a0-0000-0000-0000-000000000001", object-id = "0b1ec700-0000-0000-0000-000000000001", secret = "not-a-real-secret" }]
"#;

/// A scenario in a folder of its own, which also holds the temporary folders of its runs.
pub struct World {
    folder: Folder,
    args: Vec<String>,
    variables: Vec<(String, String)>,
}

impl World {
    /// A world with the usual services, and an expectation that always holds.
    pub fn usual() -> Self {
        Self::with(SERVICES, ALWAYS)
    }

    /// A world that has these services, with this expectation.
    pub fn with(has: &str, expected: &str) -> Self {
        let folder = Folder::new();
        folder.file(
            "world.toml",
            &format!("{HEAD}{has}\n[[expect]]\n{expected}\n"),
        );
        fs::create_dir(folder.path().join("runs")).unwrap();
        Self {
            folder,
            args: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Adds an argument of `serve`.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Sets a variable of the environment around `serve`.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of a file in the folder; empty if there is no such file yet.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// What the runs have left behind.
    pub fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("runs")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn serve(&self) -> Command {
        let mut serve = command(CREDSIM);
        serve
            .current_dir(self.folder.path())
            .env("TMPDIR", self.path("runs"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(["serve", "world.toml"])
            .args(&self.args);
        serve
    }

    /// Plays it with this driver.
    pub fn driven(&self, driver: &str) -> Running {
        // The live engine plays no longer scenarios.
        let short = self.text("world.toml").replace("\"1h\"", "\"80s\"");
        self.folder.file("world.toml", &short);
        let mut run = command(CREDSIM);
        run.current_dir(self.folder.path())
            .env("TMPDIR", self.path("runs"))
            .args(["run", "--engine", "live", "world.toml", "--driver", driver]);
        Running::start(&mut run)
    }

    /// Runs this program's client in it to its end, and returns what each call to the system wrote
    /// to standard error: a datagram socket keeps them apart.
    pub fn writes(&self, words: &[&str]) -> Vec<String> {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let mut serve = self.serve();
        serve.args(["--until-exit", "--"]).arg(this());
        let serve = serve.arg("client").args(words);
        let stderr = OwnedFd::from(theirs);
        serve.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = serve.stderr(stderr).spawn().unwrap();
        ours.set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let mut writes = Vec::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            // Asked first: what it wrote before its end is still there.
            let is_over = child.try_wait().unwrap().is_some();
            match ours.recv(&mut piece) {
                Ok(length @ 1..) => {
                    writes.push(String::from_utf8_lossy(&piece[..length]).into_owned());
                }
                Ok(_) | Err(_) if is_over => return writes,
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Serves it without a command, until a signal ends it.
    pub fn open(&self) -> Running {
        Running::start(&mut self.serve())
    }

    /// Serves it without a command, in a process for which a shell does `first`.
    pub fn open_with(&self, first: &str) -> Running {
        let serve = self.serve();
        let mut shell = command("/bin/sh");
        shell
            .current_dir(self.folder.path())
            .args(["-c", &format!("{first}; exec \"$@\""), "sh"])
            .arg(serve.get_program())
            .args(serve.get_args());
        for (name, value) in serve.get_envs() {
            if let Some(value) = value {
                shell.env(name, value);
            }
        }
        Running::start(&mut shell)
    }

    /// Starts a command in it.
    pub fn start(&self, words: &[&str]) -> Running {
        Running::start(self.serve().args(["--until-exit", "--"]).args(words))
    }

    /// Runs a command in it to its end, after which nothing may be left.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Ended {
        let ended = self.start(words).end();
        assert_eq!(self.left(), Vec::<PathBuf>::new());
        ended
    }

    /// Runs a command in it to its end, with standard output in a file that is there.
    #[track_caller]
    pub fn run_into(&self, file: &str, words: &[&str]) -> Ended {
        let mut shell = command("/bin/sh");
        let serve = self.serve();
        shell
            .current_dir(self.folder.path())
            .args(["-c", &format!("exec \"$@\" > {file}"), "sh"])
            .arg(serve.get_program())
            .args(serve.get_args())
            .args(["--until-exit", "--"])
            .args(words);
        for (name, value) in serve.get_envs() {
            if let Some(value) = value {
                shell.env(name, value);
            }
        }
        finish(&mut shell)
    }

    /// Runs a shell script in it.
    #[track_caller]
    pub fn shell(&self, script: &str) -> Ended {
        self.run(&["sh", "-c", script])
    }

    /// Runs this program's client in it.
    #[track_caller]
    pub fn client(&self, words: &[&str]) -> Ended {
        let this = this();
        let mut all = vec![this.to_str().unwrap(), "client"];
        all.extend(words);
        self.run(&all)
    }
}

/// Runs the client with exactly these variables.
pub fn client_with(variables: &[(String, String)], words: &[&str]) -> Ended {
    let mut client = command(this());
    client.env_clear().arg("client").args(words);
    for (name, value) in variables {
        client.env(name, value);
    }
    finish(&mut client)
}

/// What the client printed.
pub fn lines(ended: &Ended) -> Vec<&str> {
    ended.out.lines().collect()
}

/// Asserts that the client received this number of tokens.
#[track_caller]
pub fn tokens(ended: &Ended, count: usize) {
    let lines = lines(ended);
    assert_eq!(lines.len(), count, "{}\n{}", ended.out, ended.err);
    for line in lines {
        assert!(
            line.starts_with("200 ") && line.contains("\"access_token\""),
            "{line}"
        );
    }
}
