//! Where the configuration and what belongs beside it lie.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The file name of the configuration in its directory.
pub const FILE_NAME: &str = "config.toml";

/// The user's directory for keepwatch's configuration, as the platform has it; `None` without a home.
#[must_use]
pub fn config_dir() -> Option<PathBuf> {
    ProjectDirs::from("", "", "keepwatch").map(|dirs| dirs.config_dir().to_owned())
}

/// The user's directory for what keepwatch keeps for good (history); `None` without a home.
#[must_use]
pub fn data_dir() -> Option<PathBuf> {
    ProjectDirs::from("", "", "keepwatch").map(|dirs| dirs.data_local_dir().to_owned())
}

/// The user's directory for how the console was left; `None` without a home.
#[must_use]
pub fn state_dir() -> Option<PathBuf> {
    ProjectDirs::from("", "", "keepwatch").map(|dirs| {
        dirs.state_dir()
            .unwrap_or_else(|| dirs.data_local_dir())
            .to_owned()
    })
}

/// Where the console keeps what the operator arranged: panes, filters, saved views.
#[must_use]
pub fn ui_file() -> Option<PathBuf> {
    state_dir().map(|dir| dir.join("console.toml"))
}

/// The configuration file: the one that was named, or the one in the user's directory.
#[must_use]
pub fn config_file(named: Option<&Path>) -> Option<PathBuf> {
    named
        .map(Path::to_owned)
        .or_else(|| Some(config_dir()?.join(FILE_NAME)))
}

/// The directory of the site's own remedies: `catalog.d` beside the configuration file.
#[must_use]
pub fn catalog_dir(named: Option<&Path>) -> Option<PathBuf> {
    Some(beside(&config_file(named)?).join("catalog.d"))
}

/// The directory that a file lies in; the working directory for a bare name.
#[must_use]
pub fn beside(file: &Path) -> PathBuf {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A path as a person writes it in a file: `~/` is the home, a relative one starts at `base`.
#[must_use]
pub fn resolve(written: &str, base: &Path) -> PathBuf {
    if let Some(rest) = written.strip_prefix("~/")
        && let Some(dirs) = directories::BaseDirs::new()
    {
        return dirs.home_dir().join(rest);
    }
    base.join(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_named_file_lies_beside_it() {
        assert_eq!(
            catalog_dir(Some(Path::new("/etc/kw/site.toml"))),
            Some(PathBuf::from("/etc/kw/catalog.d"))
        );
        assert_eq!(
            catalog_dir(Some(Path::new("site.toml"))),
            Some(PathBuf::from("./catalog.d"))
        );
    }

    #[test]
    fn relative_paths_start_beside_the_file() {
        let base = Path::new("/etc/kw");
        assert_eq!(resolve("a/b", base), PathBuf::from("/etc/kw/a/b"));
        assert_eq!(resolve("/a/b", base), PathBuf::from("/a/b"));
    }
}
