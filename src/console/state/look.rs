//! How things look: theme, signs, zone.

use super::super::glyphs::{ASCII, Glyphs, UNICODE};
use super::super::text::Zone;
use super::super::theme::Theme;

/// How things look.
#[derive(Clone, Debug)]
pub struct Look {
    /// Styles.
    pub theme: Theme,
    /// Signs.
    pub glyphs: &'static Glyphs,
    /// The zone of times.
    pub zone: Zone,
    /// More than one service is configured, so that rows have to say whose they are.
    pub several_services: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            glyphs: &UNICODE,
            zone: Zone::Local,
            several_services: true,
        }
    }
}

impl Look {
    /// What the environment asks for: no colours with `NO_COLOR`, ASCII signs on terminals and in locales
    /// that have no others. A theme named by the operator wins, but for `NO_COLOR`.
    #[must_use]
    pub fn from_env(theme: Option<Theme>, var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).filter(|v| !v.is_empty());
        let term = set("TERM").unwrap_or_default();
        let plain = set("NO_COLOR").is_some() || term == "dumb";
        let theme = if plain { Theme::named("mono") } else { theme };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| set(n));
        let unicode = locale.is_none_or(|l| {
            let l = l.to_lowercase();
            l.contains("utf-8") || l.contains("utf8")
        }) && !matches!(term.as_str(), "linux" | "dumb" | "vt100" | "vt220");
        Self {
            theme: theme.unwrap_or_default(),
            glyphs: if unicode { &UNICODE } else { &ASCII },
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(vars: &[(&str, &str)]) -> Look {
        Look::from_env(Theme::named("night"), |name| {
            vars.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn the_environment_decides_on_colours_and_signs() {
        let modern = look(&[("TERM", "xterm-256color"), ("LANG", "en_GB.UTF-8")]);
        assert_eq!(
            (modern.theme.name.as_str(), modern.glyphs.ascii),
            ("night", false)
        );
        let quiet = look(&[("NO_COLOR", "1"), ("LANG", "C.UTF-8")]);
        assert_eq!(
            (quiet.theme.name.as_str(), quiet.glyphs.ascii),
            ("mono", false)
        );
        assert!(look(&[("TERM", "linux")]).glyphs.ascii);
        assert!(look(&[("LC_ALL", "C")]).glyphs.ascii);
        assert_eq!(look(&[("NO_COLOR", "")]).theme.name, "night");
    }
}
