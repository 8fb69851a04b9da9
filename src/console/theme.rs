//! Themes: each role on screen has one style, each colour one meaning. Themes are data.
//!
//! A style is written `"red bold"`, `"#d08770 on #20242c"`, `"default"`, `"dim underline"`. Colours are the
//! sixteen names of terminals, a number from 0 to 255, or `#rrggbb`.

use ratatui::style::{Color, Modifier, Style};

/// The built-in themes: name and text. The first is the default.
pub const BUILT_IN: [(&str, &str); 6] = [
    ("default", include_str!("../../assets/themes/default.toml")),
    ("night", include_str!("../../assets/themes/night.toml")),
    ("paper", include_str!("../../assets/themes/paper.toml")),
    ("sixteen", include_str!("../../assets/themes/sixteen.toml")),
    (
        "colour-blind",
        include_str!("../../assets/themes/colour-blind.toml"),
    ),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

macro_rules! roles {
    ($($name:ident $word:literal $says:literal;)*) => {
        /// What a style is for.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Role {
            $(#[doc = $says] $name,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in a theme file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

roles! {
    Text "text" "Everything that means nothing special.";
    Dim "dim" "What stands back: labels, ages, old data.";
    Strong "strong" "What stands out without meaning alarm: names in titles, numbers in the header.";
    Border "border" "The border of a pane.";
    BorderFocus "border-focus" "The border of the pane in focus.";
    Heading "heading" "Column headings.";
    Cursor "cursor" "The row under the cursor in the pane in focus.";
    CursorAway "cursor-away" "The row under the cursor in another pane.";
    Mark "mark" "The sign of a marked row.";
    Accent "accent" "Keys, the focus, what is being typed.";
    Failed "failed" "Failed; needs a person.";
    Uncertain "uncertain" "May still be going on.";
    Warning "warning" "Worth a look.";
    Running "running" "Going on.";
    Waiting "waiting" "Queued or held up.";
    Good "good" "Ended well.";
    Off "off" "Skipped, cancelled, disabled, unknown.";
    Flash "flash" "Laid over a cell that has just changed.";
    Match "match" "The letters that a filter found.";
    BarDone "bar-done" "The part of a bar that is done.";
    BarLeft "bar-left" "The part of a bar that is left.";
    Notice "notice" "The notice about embedded services.";
}

impl Role {
    /// It is laid over what is already written and leaves its colours where it has none of its own.
    const fn lies_over(self) -> bool {
        matches!(
            self,
            Self::Cursor | Self::CursorAway | Self::Flash | Self::Match
        )
    }
}

/// Styles of all roles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Theme {
    /// Its name.
    pub name: String,
    styles: Vec<Style>,
}

impl Theme {
    /// The built-in theme of this name; the default when there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (name, text) = BUILT_IN.iter().find(|(n, _)| *n == name)?;
        Some(Self::read(name, text).0)
    }

    /// Reads a theme file. Roles that it doesn't name are those of the theme that it inherits from
    /// (`inherits = "night"`), or of the default; mistakes are said and cost only themselves.
    #[must_use]
    pub fn read(name: &str, text: &str) -> (Self, Vec<String>) {
        Self::read_at(name, text, 0)
    }

    fn read_at(name: &str, text: &str, depth: u8) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut theme = Self {
            name: name.into(),
            styles: vec![Style::new(); Role::ALL.len()],
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                problems.push(format!("theme {name}: {}", error.message()));
                toml::Table::new()
            }
        };
        let base = table.get("inherits").and_then(toml::Value::as_str);
        let base = base.or((name != "default" && depth == 0).then_some("default"));
        if let Some(base) = base {
            match BUILT_IN.iter().find(|(n, _)| *n == base) {
                Some((base, text)) if depth < 3 => {
                    theme.styles = Self::read_at(base, text, depth + 1).0.styles;
                }
                _ => problems.push(format!("theme {name}: no theme {base:?} to inherit from")),
            }
        }
        let styles = table.get("styles").and_then(toml::Value::as_table);
        for (role, value) in styles.into_iter().flatten() {
            let Some(known) = Role::ALL.iter().find(|r| r.name() == role) else {
                problems.push(format!("theme {name}: there is no role {role:?}"));
                continue;
            };
            match value.as_str().ok_or_else(|| "expected a text".to_owned()) {
                Ok(text) => match style(text) {
                    Ok(style) => {
                        if let Some(slot) = theme.styles.get_mut(*known as usize) {
                            *slot = style;
                        }
                    }
                    Err(why) => problems.push(format!("theme {name}, {role}: {why}")),
                },
                Err(why) => problems.push(format!("theme {name}, {role}: {why}")),
            }
        }
        (theme, problems)
    }

    /// The style of a role. It is whole: what was written beneath doesn't shine through, but for the
    /// ground, and but for the roles that are laid over what is written.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        let style = self.styles.get(role as usize).copied().unwrap_or_default();
        if role.lies_over() {
            return style;
        }
        let text = self.styles.get(Role::Text as usize).and_then(|s| s.fg);
        let fg = style.fg.or(text).unwrap_or(Color::Reset);
        style
            .fg(fg)
            .remove_modifier(Modifier::all() - style.add_modifier)
    }

    /// The built-in theme after the one of this name.
    #[must_use]
    pub fn after(name: &str) -> &'static str {
        let at = BUILT_IN.iter().position(|(n, _)| *n == name);
        let next = at.map_or(0, |i| (i + 1) % BUILT_IN.len());
        BUILT_IN.get(next).map_or("default", |(n, _)| n)
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::named("default").unwrap_or(Self {
            name: "default".into(),
            styles: Vec::new(),
        })
    }
}

const NAMES: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

fn colour(word: &str) -> Option<Color> {
    if let Some((_, c)) = NAMES.iter().find(|(n, _)| *n == word) {
        return Some(*c);
    }
    if let Some(hex) = word.strip_prefix('#') {
        let n = (hex.len() == 6)
            .then(|| u32::from_str_radix(hex, 16).ok())
            .flatten()?;
        let [_, r, g, b] = n.to_be_bytes();
        return Some(Color::Rgb(r, g, b));
    }
    word.parse().ok().map(Color::Indexed)
}

fn modifier(word: &str) -> Option<Modifier> {
    Some(match word {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underline" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        _ => return None,
    })
}

fn style(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut on = false;
    for word in text.split_whitespace() {
        if word == "on" {
            on = true;
        } else if let Some(m) = modifier(word) {
            style = style.add_modifier(m);
        } else if let Some(c) = colour(word) {
            if std::mem::take(&mut on) {
                style = style.bg(c);
            } else {
                style = style.fg(c);
            }
        } else {
            return Err(format!(
                "{word:?} is neither a colour (red, bright-blue, 0 to 255, #rrggbb) nor bold, dim, italic, underline, reverse"
            ));
        }
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_themes_are_clean_and_name_every_role_of_the_default() {
        for (name, text) in BUILT_IN {
            assert_eq!(Theme::read(name, text).1, Vec::<String>::new());
        }
        let table: toml::Table = BUILT_IN[0].1.parse().unwrap();
        for role in Role::ALL {
            assert!(
                table["styles"].get(role.name()).is_some(),
                "{}",
                role.name()
            );
        }
    }

    #[test]
    fn mono_has_no_colour_at_all() {
        let mono = Theme::named("mono").unwrap();
        for role in Role::ALL {
            let s = mono.style(*role);
            assert!(matches!(s.fg, None | Some(Color::Reset)), "{}", role.name());
            assert!(matches!(s.bg, None | Some(Color::Reset)), "{}", role.name());
        }
    }

    #[test]
    fn sixteen_and_default_keep_to_the_terminals_own_palette() {
        for name in ["default", "sixteen"] {
            let theme = Theme::named(name).unwrap();
            for role in Role::ALL {
                let s = theme.style(*role);
                for c in [s.fg, s.bg].into_iter().flatten() {
                    assert!(
                        !matches!(c, Color::Rgb(..) | Color::Indexed(_)),
                        "{name} {}",
                        role.name()
                    );
                }
            }
        }
    }

    #[test]
    fn states_differ_from_each_other_in_every_theme_with_colours() {
        use Role::{Failed, Good, Running, Uncertain, Waiting, Warning};
        for (name, _) in BUILT_IN.iter().filter(|(n, _)| *n != "mono") {
            let theme = Theme::named(name).unwrap();
            let states = [Failed, Uncertain, Warning, Running, Waiting, Good];
            for (i, a) in states.iter().enumerate() {
                for b in states.iter().skip(i + 1) {
                    assert_ne!(theme.style(*a), theme.style(*b), "{name} {a:?} {b:?}");
                }
            }
        }
    }

    /// Relative luminance and contrast as WCAG 2 defines them.
    fn contrast(a: Color, b: Color) -> Option<f64> {
        let light = |c| {
            let Color::Rgb(r, g, b) = c else { return None };
            let [r, g, b] = [r, g, b].map(|v| {
                let v = f64::from(v) / 255.0;
                if v <= 0.039_28 {
                    v / 12.92
                } else {
                    ((v + 0.055) / 1.055).powf(2.4)
                }
            });
            Some(0.2126 * r + 0.7152 * g + 0.0722 * b)
        };
        let (a, b) = (light(a)?, light(b)?);
        Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
    }

    #[test]
    fn true_colours_can_be_read_on_their_background() {
        for name in ["night", "paper", "colour-blind"] {
            let theme = Theme::named(name).unwrap();
            let ground = if name == "paper" {
                Color::Rgb(0xfa, 0xfa, 0xf7)
            } else {
                Color::Rgb(0x1a, 0x1d, 0x23)
            };
            for role in Role::ALL {
                let s = theme.style(*role);
                let least = match role {
                    Role::Border | Role::BarLeft => 1.3,
                    Role::Dim | Role::Off | Role::Heading => 3.0,
                    _ => 4.5,
                };
                let (Some(fg), bg) = (s.fg, s.bg.unwrap_or(ground)) else {
                    continue;
                };
                if let Some(c) = contrast(fg, bg) {
                    assert!(c >= least, "{name} {}: {c:.1}", role.name());
                }
            }
        }
    }

    #[test]
    fn mistakes_are_said_and_cost_only_themselves() {
        let (theme, problems) = Theme::read(
            "mine",
            "inherits = \"night\"\n[styles]\nfailed = \"rde\"\nlost = \"red\"\ngood = \"#00ff00 bold\"\n",
        );
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(theme.style(Role::Good).fg, Some(Color::Rgb(0, 255, 0)));
        assert_eq!(
            theme.style(Role::Failed),
            Theme::named("night").unwrap().style(Role::Failed)
        );
        assert!(Theme::read("broken", "[styles").1.len() == 1);
        assert_eq!(Theme::after("mono"), "default");
    }
}
