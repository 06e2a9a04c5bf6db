//! Reports that are written to files.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::report::{ReportKind, Whole, github};

/// A report that is asked for: `junit=target/credsim.xml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    kind: ReportKind,
    path: PathBuf,
}

impl std::str::FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = "the kinds are junit and json";
        let Some((kind, path)) = text.split_once('=') else {
            return Err(format!(
                "expected KIND=PATH, such as junit=report.xml; {kinds}"
            ));
        };
        let kind = ReportKind::named(kind)
            .ok_or_else(|| format!("there is no report of the kind `{kind}`; {kinds}"))?;
        if path.is_empty() {
            return Err(format!("`{text}` names no file"));
        }
        Ok(Self {
            kind,
            path: PathBuf::from(path),
        })
    }
}

/// Finds out before anything runs whether the reports can be written, as far as one can know.
///
/// # Errors
/// What is wrong and what to do about it.
pub fn check(reports: &[ReportFile]) -> Result<(), (String, String)> {
    for (index, ReportFile { path, .. }) in reports.iter().enumerate() {
        let shown = path.display();
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if path.is_dir() {
            return Err((
                format!("`{shown}` is a folder"),
                "name a file in it".to_owned(),
            ));
        }
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let folder = folder.display();
            return Err((
                format!("the report `{shown}` has no folder to stand in: there is no `{folder}`"),
                format!("create it first: mkdir -p {folder}"),
            ));
        }
        if reports[..index].iter().any(|other| other.path == *path) {
            return Err((
                format!("two reports would be written to `{shown}`"),
                "give each its own file".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Whether one of `reports` shows traces, so that they must be kept until it is written.
pub fn need_traces(reports: &[ReportFile]) -> bool {
    reports.iter().any(|report| report.kind.needs_traces())
}

impl ReportFile {
    /// Writes it.
    ///
    /// # Errors
    /// It can't be written.
    #[expect(clippy::disallowed_methods, reason = "files of this machine")]
    pub fn write(&self, whole: &Whole<'_>) -> Result<(), String> {
        let text = self.kind.document(whole)?;
        fs::write(&self.path, text).map_err(|error| failed(&self.path, &error))
    }
}

/// Adds the table to the summary of the GitHub job, if this is one.
///
/// # Errors
/// It can't be written.
#[expect(
    clippy::disallowed_methods,
    reason = "the command's own environment and files, not a host's"
)]
pub fn add_to_job_summary(whole: &Whole<'_>) -> Result<(), String> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(github::summary(whole.outcomes, whole.tally).as_bytes())
        })
        .map_err(|error| failed(&path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("the report `{}` can't be written: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_report_names_the_right_ones() {
        for wrong in ["html=x.html", "junit", "Junit=x.xml"] {
            let said = wrong.parse::<ReportFile>().unwrap_err();
            assert!(said.contains("the kinds are junit and json"), "{said}");
        }
        assert!("junit=".parse::<ReportFile>().is_err());
        let report: ReportFile = "json=a=b.json".parse().unwrap();
        assert_eq!(
            report,
            ReportFile {
                kind: ReportKind::Json,
                path: "a=b.json".into()
            }
        );
    }
}
