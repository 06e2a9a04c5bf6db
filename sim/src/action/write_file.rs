//! `write-file` and `remove-file`: a file of the subject's host changes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ActionContext, Consequences, Names, OnHost, Outside, Repair, TimelineAction, TimelineState,
};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
    world::files::{Content, check_path},
};

/// A file that is written, with its folders, or replaced.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WriteFile {
    /// Its absolute path.
    pub path: String,
    /// What it holds.
    pub holds: Content,
    /// Whether the subject may read it. Default: true.
    #[serde(default = "yes")]
    pub readable: bool,
}

/// A file that is removed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RemoveFile {
    /// Its absolute path.
    pub path: String,
}

fn yes() -> bool {
    true
}

impl TimelineAction for WriteFile {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check_path(&self.path, &place.key("path"), false, check);
        self.holds.check(&place.key("holds"), check);
        state.files.insert(&self.path);
    }

    fn describe(&self) -> String {
        let readable = match self.readable {
            true => "",
            false => ", and the app may not read it",
        };
        let (path, holds) = (&self.path, self.holds.describe());
        format!("{path} is written with {holds}{readable}")
    }

    fn apply(&self, context: &ActionContext<'_>) {
        let host = context.host;
        let content = self.holds.bytes(context.backend, context.at);
        match host.write_file(&self.path, &content, self.readable) {
            Ok(()) => context.record_change(self.describe()),
            Err(error) => context.record_change(format!("{} is not written: {error}", self.path)),
        }
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            repair: match self.readable && self.holds.is_usable_token() {
                true => Repair::Now,
                false => Repair::No,
            },
            outside: match self.readable {
                true => Outside::Possible,
                false => Outside::Impossible(
                    "a file becomes unreadable, and an administrator can read it all the same",
                ),
            },
            takes_away: true,
            ..on_host()
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

impl TimelineAction for RemoveFile {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        let place = place.key("path");
        check_path(&self.path, &place, false, check);
        if !state.files.remove(self.path.as_str()) {
            check
                .at_value(&place, format!("there is no file `{}`", self.path))
                .label("neither in `world.files` nor written before")
                .expected("a file that is there at this time");
        }
    }

    fn describe(&self) -> String {
        format!("{} is removed", self.path)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        match context.host.remove_file(&self.path) {
            Ok(()) => context.record_change(self.describe()),
            Err(error) => context.record_change(format!("{} stays: {error}", self.path)),
        }
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            repair: Repair::No,
            takes_away: true,
            ..on_host()
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

/// What follows from any change of a file.
fn on_host() -> Consequences<'static> {
    Consequences {
        repair: Repair::No,
        takes_away: false,
        cuts_off: None,
        brings: None,
        on_host: OnHost::Nothing,
        outside: Outside::Possible,
        lasting: None,
        secrets: Vec::new(),
        issues: Vec::new(),
        names: Names::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{action::testing::Played, host::Lender};

    #[test]
    fn a_credential_reads_what_was_written_last() {
        let played = Played::new("");
        let (platform, _, _) = Lender::lend(&played.host, 1);
        let files = platform.files;
        let path = Path::new("/run/token");
        let act = |action: &str| played.act(action, 1);
        assert_eq!(
            act("write-file = { path = \"/run/token\", holds.text = \"one\" }"),
            ["1s /run/token is written with a text"]
        );
        assert_eq!(files.read(path).expect("readable"), b"one");
        assert_eq!(
            act(
                "write-file = { path = \"/run/token\", holds.federated-token = { issuer = \"i\", subject = \"s\" }, readable = false }"
            ),
            ["1s /run/token is written with a federated token of s, and the app may not read it"]
        );
        let error = files.read(path).expect_err("not readable");
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        act(
            "write-file = { path = \"/run/token\", holds.federated-token = { issuer = \"i\", subject = \"s\" } }",
        );
        let token = files.read(path).expect("readable");
        let token = String::from_utf8(token).expect("text");
        assert_eq!(token.split('.').count(), 3);
        assert_eq!(played.backend.secret_in(&token), Some("token"));
        assert_eq!(
            act("remove-file = { path = \"/run/token\" }"),
            ["1s /run/token is removed"]
        );
        assert!(!files.exists(path));
    }
}
