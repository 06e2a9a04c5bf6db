//! The environment of processes outside: what leads into the world, and nothing that leads past it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::command::Program;

/// Variables by which credentials, caches, proxies or certificates of this machine would get into
/// a run, beside those that the simulated commands name. A `*` at the end stands for any rest.
const LEFT_OUT: &[&str] = &[
    // GitHub gives tokens for federated credentials with these.
    "ACTIONS_ID_TOKEN_*",
    "ALL_PROXY",
    "ARM_*",
    // Also `AzureWebJobsStorage`, a connection string.
    "AZURE*",
    "CONTAINER_APP_*",
    "CREDSIM_*",
    "CURL_CA_BUNDLE",
    "DBUS_SESSION_BUS_ADDRESS",
    "FTP_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IDENTITY_*",
    "IMDS_ENDPOINT",
    "MSI_*",
    "NODE_EXTRA_CA_CERTS",
    // It can load any code and any certificates.
    "NODE_OPTIONS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "NODE_USE_ENV_PROXY",
    "NO_PROXY",
    "PYTHONHTTPSVERIFY",
    "REDIS*",
    "REQUESTS_CA_BUNDLE",
    // Some HTTP clients take it for a sign of CGI and then ignore HTTP_PROXY.
    "REQUEST_METHOD",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
    "WEBSITE_*",
    "XDG_*",
];

/// Variables that a pattern of [`LEFT_OUT`] names, and that lead nowhere.
const PASSED: &[&str] = &[
    // How much the SDKs log.
    "AZURE_LOG_LEVEL",
];

/// Whether a variable of this machine is kept from processes outside.
fn is_left_out(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if PASSED.contains(&name.as_str()) {
        return false;
    }
    let of_commands = Program::ALL.iter().flat_map(|program| program.kept_out());
    LEFT_OUT
        .iter()
        .chain(of_commands)
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *pattern,
        })
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is outside the world has the environment of this machine"
)]
fn here() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// Returns `PATH` with the simulated commands first, also where the user sets it: the real commands
/// have real tokens.
fn path_with(commands: &Path, rest: Option<&OsString>) -> OsString {
    let mut path = OsString::from(commands);
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        path.push(":");
        path.push(rest);
    }
    path
}

/// The environment of processes outside.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// What is set, by name.
    pub set: BTreeMap<String, OsString>,
    /// What is not set, and leads to services past the proxy: for clients that ignore it.
    pub alternatives: BTreeMap<String, String>,
    /// What this machine has and they must not have, in order.
    pub unset: Vec<String>,
    inherited: Vec<(OsString, OsString)>,
}

/// What leads into the world.
pub(crate) struct Ways<'a> {
    /// The proxy's URL.
    pub proxy: String,
    /// The variables that lead to services past the proxy.
    pub bypass: &'a [(&'static str, String)],
    /// Those that lead to services to which the proxy leads, too.
    pub alternatives: &'a [(&'static str, String)],
    /// The certificate of the run's authority.
    pub certificate: &'a Path,
    /// The folder of the simulated commands.
    pub commands: &'a Path,
    /// The socket behind them.
    pub socket: &'a Path,
    /// An empty home.
    pub home: &'a Path,
    /// The time zone, by IANA name.
    pub time_zone: Option<&'a str>,
    /// What the scenario sets.
    pub scenario: &'a BTreeMap<String, String>,
    /// What the user sets; it wins.
    pub user: &'a [(String, String)],
    /// The run's seed.
    pub seed: u64,
}

impl Environment {
    /// The environment of this process without what would lead out of a world, and without ways
    /// into one: for a process that only says what it is.
    pub fn clean() -> Vec<(OsString, OsString)> {
        here()
            .filter(|(name, _)| !name.to_str().is_some_and(is_left_out))
            .collect()
    }

    /// The environment of this process, cleaned, with the ways into the world.
    pub(crate) fn new(ways: &Ways<'_>) -> Self {
        Self::from(here(), ways)
    }

    fn from(here: impl Iterator<Item = (OsString, OsString)>, ways: &Ways<'_>) -> Self {
        let (left_out, mut inherited): (Vec<_>, Vec<_>) =
            here.partition(|(name, _)| name.to_str().is_some_and(is_left_out));
        let mut set: BTreeMap<String, OsString> = BTreeMap::new();
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            set.insert(name.to_owned(), ways.proxy.clone().into());
            // JavaScript and Rust prefer upper case, Python lower.
            set.insert(name.to_ascii_lowercase(), ways.proxy.clone().into());
        }
        for name in ["NO_PROXY", "no_proxy"] {
            set.insert(name.to_owned(), "localhost,127.0.0.1".into());
        }
        // Node.js 22 and newer heed proxies in what is its own, `fetch` included, if it is told to.
        set.insert("NODE_USE_ENV_PROXY".to_owned(), "1".into());
        for name in [
            "NODE_EXTRA_CA_CERTS",
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
        ] {
            set.insert(name.to_owned(), ways.certificate.into());
        }
        set.insert("HOME".to_owned(), ways.home.into());
        set.insert(
            "AZURE_CONFIG_DIR".to_owned(),
            ways.home.join(".azure").into(),
        );
        set.insert(super::command_links::SOCKET.to_owned(), ways.socket.into());
        set.insert("CREDSIM_SEED".to_owned(), ways.seed.to_string().into());
        for (name, value) in ways.bypass {
            set.insert((*name).to_owned(), value.into());
        }
        if let Some(zone) = ways.time_zone {
            set.insert("TZ".to_owned(), zone.into());
        }
        let path = inherited.iter().find(|(name, _)| name == "PATH");
        if let Some((_, path)) = path {
            set.insert("PATH".to_owned(), path.clone());
        }
        for (name, value) in ways.scenario {
            set.insert(name.clone(), value.into());
        }
        for (name, value) in ways.user {
            set.insert(name.clone(), value.into());
        }
        let path = path_with(ways.commands, set.get("PATH"));
        set.insert("PATH".to_owned(), path);
        inherited.retain(|(name, _)| !name.to_str().is_some_and(|name| set.contains_key(name)));
        let unset = left_out
            .iter()
            .filter_map(|(name, _)| name.to_str())
            .filter(|name| !set.contains_key(*name))
            .map(str::to_owned);
        let mut unset: Vec<String> = unset.collect();
        unset.sort();
        let alternatives = ways.alternatives.iter();
        let alternatives = alternatives.map(|(name, value)| ((*name).to_owned(), value.clone()));
        Self {
            alternatives: alternatives
                .filter(|(name, _)| !set.contains_key(name))
                .collect(),
            set,
            unset,
            inherited,
        }
    }

    /// The executable of this machine by this name that the environment's PATH leads to, past the
    /// folder of the simulated commands.
    pub(crate) fn beyond(&self, commands: &Path, name: &str) -> Option<PathBuf> {
        let path = self.set.get("PATH")?;
        let mut folders = std::env::split_paths(path).filter(|folder| folder != commands);
        folders.find_map(|folder| {
            let file = folder.join(name);
            let is_executable = file
                .metadata()
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
            is_executable.then_some(file)
        })
    }

    /// All of it, for a process that gets nothing else.
    pub fn whole(&self) -> Vec<(OsString, OsString)> {
        let set = self.set.iter();
        let set = set.map(|(name, value)| (OsString::from(name), value.clone()));
        self.inherited.iter().cloned().chain(set).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(here: &[(&str, &str)], user: &[(String, String)]) -> Environment {
        let here = here.iter().map(|(name, value)| (name.into(), value.into()));
        let scenario = BTreeMap::from([("AZURE_CLIENT_ID".to_owned(), "the app".to_owned())]);
        Environment::from(
            here,
            &Ways {
                proxy: "http://127.0.0.1:1".to_owned(),
                bypass: &[("REDIS_URL", "redis://127.0.0.1:2".to_owned())],
                alternatives: &[],
                certificate: Path::new("/run/ca.pem"),
                commands: Path::new("/run/bin"),
                socket: Path::new("/run/sock"),
                home: Path::new("/run/home"),
                time_zone: Some("Europe/Berlin"),
                scenario: &scenario,
                user,
                seed: 7,
            },
        )
    }

    fn value<'a>(whole: &'a [(OsString, OsString)], name: &str) -> Vec<&'a str> {
        let found = whole.iter().filter(|(known, _)| known == name);
        found.filter_map(|(_, value)| value.to_str()).collect()
    }

    #[test]
    fn nothing_of_this_machine_leads_past_the_world() {
        let here = [
            ("AZURE_CLIENT_ID", "real"),
            ("AZURE_CLIENT_SECRET", "real"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "real"),
            ("AzureWebJobsStorage", "real"),
            ("CONTAINER_APP_NAME", "real"),
            ("NODE_OPTIONS", "real"),
            ("PYTHONHTTPSVERIFY", "real"),
            ("WEBSITE_AUTH_ENCRYPTION_KEY", "real"),
            ("IDENTITY_ENDPOINT", "real"),
            ("REDIS_URL", "real"),
            ("REDISCLI_AUTH", "real"),
            ("MSI_SECRET", "real"),
            ("http_proxy", "real"),
            ("No_Proxy", "*"),
            ("SSL_CERT_DIR", "/etc/ssl"),
            ("XDG_CACHE_HOME", "/real"),
            ("HOME", "/real"),
            ("PATH", "/usr/bin"),
            ("LANG", "C"),
            ("AZURE_LOG_LEVEL", "verbose"),
        ];
        let environment = environment(&here, &[]);
        let whole = environment.whole();
        assert!(
            whole
                .iter()
                .all(|(_, value)| value != "real" && value != "/real")
        );
        assert_eq!(value(&whole, "LANG"), ["C"]);
        assert_eq!(value(&whole, "AZURE_LOG_LEVEL"), ["verbose"]);
        assert_eq!(value(&whole, "NODE_USE_ENV_PROXY"), ["1"]);
        assert_eq!(value(&whole, "PATH"), ["/run/bin:/usr/bin"]);
        assert_eq!(value(&whole, "HOME"), ["/run/home"]);
        assert_eq!(value(&whole, "http_proxy"), ["http://127.0.0.1:1"]);
        assert_eq!(value(&whole, "AZURE_CLIENT_ID"), ["the app"]);
        assert_eq!(value(&whole, "TZ"), ["Europe/Berlin"]);
        assert_eq!(value(&whole, "CREDSIM_SEED"), ["7"]);
        assert_eq!(value(&whole, "REDIS_URL"), ["redis://127.0.0.1:2"]);
        assert_eq!(
            environment.unset,
            [
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                "AZURE_CLIENT_SECRET",
                "AzureWebJobsStorage",
                "CONTAINER_APP_NAME",
                "IDENTITY_ENDPOINT",
                "MSI_SECRET",
                "NODE_OPTIONS",
                "No_Proxy",
                "PYTHONHTTPSVERIFY",
                "REDISCLI_AUTH",
                "SSL_CERT_DIR",
                "WEBSITE_AUTH_ENCRYPTION_KEY",
                "XDG_CACHE_HOME"
            ]
        );
    }

    #[test]
    fn what_the_user_sets_wins() {
        let user =
            ["HOME", "NODE_OPTIONS", "PATH"].map(|name| (name.to_owned(), "/mine".to_owned()));
        let whole = environment(&[("HOME", "/real"), ("NODE_OPTIONS", "real")], &user).whole();
        assert_eq!(value(&whole, "HOME"), ["/mine"]);
        assert_eq!(value(&whole, "NODE_OPTIONS"), ["/mine"]);
        // But the simulated commands stay in front of it.
        assert_eq!(value(&whole, "PATH"), ["/run/bin:/mine"]);
    }
}
