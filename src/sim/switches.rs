//! Switches: choices that no vendor documented, each with a default, to be set with `--switch NAME=VALUE` or at run
//! time through `/_sim/switches`.
//!
//! Names are `KIND.NAME` (`keystone.token_ttl`). Every dialect declares its own in [`SwitchSpec`]s; an undeclared
//! name or a value that is not offered is refused, so that a typing mistake can't hide.

use std::collections::BTreeMap;

/// One declared switch.
#[derive(Debug, Clone, Copy)]
pub struct SwitchSpec {
    /// `KIND.NAME`.
    pub name: &'static str,
    /// The first is the default. `["#"…]`-style free numbers are written as [`NUMBER`] in second place.
    pub values: &'static [&'static str],
    /// What it decides, in a sentence.
    pub about: &'static str,
}

/// As second of [`SwitchSpec::values`]: any number is accepted besides the default.
pub const NUMBER: &str = "<number>";
/// As second of [`SwitchSpec::values`]: any text is accepted besides the default.
pub const TEXT: &str = "<text>";
/// The two values of an on/off switch that is off by default.
pub const OFF_ON: &[&str] = &["off", "on"];
/// The two values of an on/off switch that is on by default.
pub const ON_OFF: &[&str] = &["on", "off"];

/// The switches of the core itself.
pub const CORE: &[SwitchSpec] = &[SwitchSpec {
    name: "gateway.rate_limit",
    values: &["0", NUMBER],
    about: "requests a service takes in a virtual second before it answers 429; 0 is no limit",
}];

/// All declared switches with their present values.
#[derive(Debug, Default, Clone)]
pub struct Switches {
    specs: Vec<SwitchSpec>,
    set: BTreeMap<&'static str, String>,
}

impl Switches {
    /// Declares a dialect's switches; a name declared twice (two services of one kind) counts once.
    pub fn declare(&mut self, specs: &'static [SwitchSpec]) {
        for spec in specs {
            if !self.specs.iter().any(|known| known.name == spec.name) {
                self.specs.push(*spec);
            }
        }
    }

    /// Sets one.
    ///
    /// # Errors
    /// A sentence that names the known switches, or the values that this one takes.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Some(spec) = self.specs.iter().find(|spec| spec.name == name) else {
            let known: Vec<&str> = self.specs.iter().map(|spec| spec.name).collect();
            return Err(format!(
                "there is no switch {name:?}; known are: {}",
                known.join(", ")
            ));
        };
        let ok = match spec.values.get(1) {
            Some(&TEXT) => true,
            Some(&NUMBER) => value.parse::<f64>().is_ok_and(f64::is_finite),
            _ => spec.values.contains(&value),
        };
        if !ok {
            return Err(format!(
                "switch {name} takes {}, not {value:?}",
                spec.values.join(" or ")
            ));
        }
        self.set.insert(spec.name, value.to_owned());
        Ok(())
    }

    /// The present value; empty for a name that nobody declared.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        if let Some(value) = self.set.get(name) {
            return value;
        }
        self.specs
            .iter()
            .find(|spec| spec.name == name)
            .and_then(|spec| spec.values.first().copied())
            .unwrap_or("")
    }

    /// Whether it is set to `on`.
    #[must_use]
    pub fn on(&self, name: &str) -> bool {
        self.get(name) == "on"
    }

    /// The present value as a number; 0 when it is none.
    #[must_use]
    pub fn number(&self, name: &str) -> f64 {
        self.get(name).parse().unwrap_or(0.0)
    }

    /// All with their present values.
    pub fn list(&self) -> impl Iterator<Item = (&SwitchSpec, &str)> {
        self.specs.iter().map(|spec| (spec, self.get(spec.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[SwitchSpec] = &[
        SwitchSpec {
            name: "x.flag",
            values: OFF_ON,
            about: "a flag",
        },
        SwitchSpec {
            name: "x.size",
            values: &["10", NUMBER],
            about: "a number",
        },
    ];

    #[test]
    fn defaults_and_refusals() {
        let mut switches = Switches::default();
        switches.declare(SPECS);
        assert!(!switches.on("x.flag"));
        assert_eq!(switches.number("x.size"), 10.0);
        assert_eq!(switches.set("x.flag", "on"), Ok(()));
        assert!(switches.on("x.flag"));
        assert!(switches.set("x.flag", "yes").is_err());
        assert!(switches.set("x.size", "many").is_err());
        let message = switches.set("x.flaag", "on").expect_err("unknown");
        assert!(message.contains("x.flag"), "{message}");
        assert_eq!(switches.get("nobody"), "");
    }
}
