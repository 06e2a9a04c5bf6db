//! The environment of this process, which these clients read whatever the simulated host's says.

/// The first of `names` that is set here.
#[expect(
    clippy::disallowed_methods,
    reason = "the crates read the environment of this process, whatever the host's says"
)]
pub fn first_set<'a>(names: &[&'a str]) -> Option<&'a str> {
    let is_set = |name: &&&str| std::env::var_os(**name).is_some();
    names.iter().find(is_set).copied()
}
