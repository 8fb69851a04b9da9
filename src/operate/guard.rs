//! What may be sent at all.

use std::fmt;

use crate::model::{ActionSpec, Danger, Prepared, ServiceId, Verb};

/// What one service may be sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rule {
    /// Nothing but reads.
    pub read_only: bool,
    /// Only these verbs, where given; an allow-list, so that a verb nobody thought of is refused.
    pub allow: Option<Vec<Verb>>,
}

/// The rules of all services, and one for everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Guard {
    /// Holds for every service.
    pub all: Rule,
    /// One a service, in the order of the configuration.
    pub services: Vec<Rule>,
}

/// Why an action is not sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GuardError {
    /// The whole console is read-only.
    ReadOnly,
    /// This service is read-only.
    ServiceReadOnly,
    /// The allow-list does not name the verb.
    NotAllowed(Verb),
    /// The name typed is not the target's.
    NameDiffers {
        /// What has to be typed.
        expected: String,
    },
}

impl fmt::Display for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly => {
                f.write_str("keepwatch runs read-only; start it without --read-only to act")
            }
            Self::ServiceReadOnly => f.write_str(
                "this service is read-only; remove read_only from its configuration to act",
            ),
            Self::NotAllowed(verb) => {
                write!(
                    f,
                    "\"{}\" is not in the allow list of the configuration",
                    verb.word()
                )
            }
            Self::NameDiffers { expected } => write!(f, "type the name {expected} to go on"),
        }
    }
}

impl std::error::Error for GuardError {}

impl Guard {
    /// Whether the action may be sent to the service.
    ///
    /// # Errors
    /// Which rule forbids it.
    pub fn allows(&self, service: ServiceId, spec: &ActionSpec) -> Result<(), GuardError> {
        check(&self.all, spec.verb, GuardError::ReadOnly)?;
        match self.services.get(service.index()) {
            Some(rule) => check(rule, spec.verb, GuardError::ServiceReadOnly),
            None => Ok(()),
        }
    }

    /// Whether what the person typed is enough for the danger of what was prepared.
    ///
    /// # Errors
    /// [`GuardError::NameDiffers`] when the target's name has to be typed and was not.
    pub fn accepts(prepared: &Prepared, typed: Option<&str>) -> Result<(), GuardError> {
        if prepared.danger < Danger::TypeName {
            return Ok(());
        }
        let expected = name_to_type(prepared);
        if typed.is_some_and(|t| t.trim() == expected) {
            Ok(())
        } else {
            Err(GuardError::NameDiffers {
                expected: expected.to_owned(),
            })
        }
    }
}

/// What a person types to confirm: the name of what is really run, else the target's, or its id where it has none.
pub fn name_to_type(prepared: &Prepared) -> &str {
    if let Some(whole) = prepared.acts_on.as_deref().filter(|n| !n.is_empty()) {
        return whole;
    }
    let target = &prepared.intent.target;
    if target.name.is_empty() {
        &target.id
    } else {
        &target.name
    }
}

fn check(rule: &Rule, verb: Verb, read_only: GuardError) -> Result<(), GuardError> {
    if rule.read_only {
        return Err(read_only);
    }
    match &rule.allow {
        Some(allowed) if !allowed.contains(&verb) => Err(GuardError::NotAllowed(verb)),
        _ => Ok(()),
    }
}
