//! Reports that are written to files.

use std::{
    env, fs,
    io::{self, Write as _},
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
        let is_same = |other: &&ReportFile| is_one_file(&other.path, path);
        if let Some(other) = reports[..index].iter().find(is_same) {
            let also = if other.path == *path {
                String::new()
            } else {
                format!(", which is `{}`", other.path.display())
            };
            return Err((
                format!("two reports would be written to `{shown}`{also}"),
                "give each its own file".to_owned(),
            ));
        }
    }
    Ok(())
}

/// The report that would be written to the file at `path`, in whatever spelling, as it is shown.
pub fn written_to(reports: &[ReportFile], path: &Path) -> Option<String> {
    let mut paths = reports.iter().map(|report| &report.path);
    let found = paths.find(|report| is_one_file(report, path))?;
    Some(found.display().to_string())
}

/// Whether two paths lead to one file, in whatever spelling, through links too. The file itself
/// need not be there; its folder is.
fn is_one_file(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((resolved(one), resolved(other)), (Some(one), Some(other)) if one == other)
        || is_one_inode(one, other)
}

/// Where a path leads: through links if there is such a file, else its folder's place and its name.
#[expect(clippy::disallowed_methods, reason = "files of this machine")]
fn resolved(path: &Path) -> Option<PathBuf> {
    let target = target(path);
    if let Ok(whole) = target.canonicalize() {
        return Some(whole);
    }
    let folder = folder_of(&target).canonicalize().ok()?;
    Some(folder.join(target.file_name()?))
}

/// Whether two names are links to one file.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "files of this machine")]
fn is_one_inode(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let one = id(one);
    one.is_some() && one == id(other)
}

#[cfg(not(unix))]
fn is_one_inode(_: &Path, _: &Path) -> bool {
    false
}

/// The folder that a path stands in.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// How many links are followed, one to the next, as the system does.
const MOST_LINKS: usize = 40;

/// The file that is written: what links lead to, so that a link stays one.
fn target(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else {
            break;
        };
        target = folder_of(&target).join(next);
    }
    target
}

/// Writes a file beside its place and renames it, so that a full disk leaves the old one. What is
/// no regular file, such as `/dev/stdout`, is written where it is.
///
/// # Errors
/// It can't be written; what was there before is still there.
#[expect(clippy::disallowed_methods, reason = "files of this machine")]
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = &target(path);
    let old = fs::metadata(path);
    if old.as_ref().is_ok_and(|old| !old.is_file()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(text.as_bytes());
    }
    if old.as_ref().is_ok_and(|old| old.permissions().readonly()) {
        // Renaming would get around it.
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut beside = tempfile::Builder::new()
        .prefix(".credsim-report-")
        .permissions_of_a_new_file()
        .tempfile_in(folder_of(path))?;
    beside.write_all(text.as_bytes())?;
    beside.flush()?;
    if let Ok(old) = old {
        fs::set_permissions(beside.path(), old.permissions())?;
    }
    beside.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

/// A report is for others to read as the user's mask allows, not for this user alone.
trait NewFile {
    fn permissions_of_a_new_file(&mut self) -> &mut Self;
}

impl NewFile for tempfile::Builder<'_, '_> {
    #[cfg(unix)]
    fn permissions_of_a_new_file(&mut self) -> &mut Self {
        use std::os::unix::fs::PermissionsExt as _;
        self.permissions(fs::Permissions::from_mode(0o666))
    }

    #[cfg(not(unix))]
    fn permissions_of_a_new_file(&mut self) -> &mut Self {
        self
    }
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
    pub fn write(&self, whole: &Whole<'_>) -> Result<(), String> {
        let text = self.kind.document(whole)?;
        replace(&self.path, &text).map_err(|error| failed(&self.path, &error))
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
    #[cfg(unix)]
    #[allow(clippy::disallowed_methods, reason = "files of this machine")]
    fn one_file_is_known_in_every_spelling() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("there"), "old").expect("a file");
        fs::create_dir(path("inner")).expect("a folder");
        for (target, link) in [
            ("there", "link"),
            ("absent", "dangling"),
            ("link", "link-to-link"),
            ("inner", "folder"),
        ] {
            std::os::unix::fs::symlink(target, path(link)).expect("a link");
        }
        fs::hard_link(path("there"), path("second-name")).expect("a link");
        for (one, other) in [
            ("there", "./there"),
            ("there", "inner/../there"),
            ("there", "link"),
            ("there", "link-to-link"),
            ("there", "second-name"),
            ("absent", "./absent"),
            ("absent", "dangling"),
            ("inner/absent", "folder/absent"),
        ] {
            assert!(is_one_file(&path(one), &path(other)), "{one} {other}");
            let report = |name: &str| ReportFile {
                kind: ReportKind::Json,
                path: path(name),
            };
            assert!(check(&[report(one), report(other)]).is_err());
        }
        for (one, other) in [("there", "absent"), ("absent", "inner/absent")] {
            assert!(!is_one_file(&path(one), &path(other)), "{one} {other}");
        }
    }

    #[test]
    #[cfg(unix)]
    #[allow(clippy::disallowed_methods, reason = "files of this machine")]
    fn a_file_is_replaced_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("there"), "old").expect("a file");
        fs::set_permissions(path("there"), fs::Permissions::from_mode(0o640)).expect("a mode");
        std::os::unix::fs::symlink("there", path("link")).expect("a link");
        replace(&path("link"), "new").expect("it is written");
        assert_eq!(fs::read_to_string(path("there")).expect("a file"), "new");
        assert!(path("link").is_symlink());
        let mode = fs::metadata(path("there"))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o640);
        replace(Path::new("/dev/null"), "new").expect("it is written");
        assert!(replace(Path::new("/dev/full"), "new").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }

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
