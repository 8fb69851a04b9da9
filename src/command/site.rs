//! The catalog with the site's own remedies over it, as commands use it.

use std::path::Path;

use crate::catalog::Catalog;
use crate::config::paths;

use super::output;

/// Reads the catalog and tells what is wrong in the site's files; those never stop a command.
pub fn catalog(config: Option<&Path>) -> Catalog {
    let Some(dir) = paths::catalog_dir(config) else {
        return Catalog::built_in();
    };
    let (catalog, mistakes) = Catalog::with_site(&dir);
    for mistake in mistakes {
        output::complain(&mistake.to_string());
    }
    catalog
}

/// Whether a kind has a table; complains with the known ones when not.
pub fn check_kind(catalog: &Catalog, kind: Option<&str>) -> bool {
    let Some(kind) = kind else {
        return true;
    };
    let known: Vec<&str> = catalog.kinds().collect();
    if known.contains(&kind) {
        return true;
    }
    output::complain(&format!(
        "--kind {kind}: no such kind. {}",
        crate::tomlread::one_of(kind, &known)
    ));
    false
}
