//! Tokens that Keystone gave out and that every service checks.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

/// What a token stands for.
#[derive(Debug, Clone)]
pub struct Token {
    /// When it was given out.
    pub issued: DateTime<Utc>,
    /// From this instant on it is worth nothing.
    pub expires: DateTime<Utc>,
    /// The project it is scoped to; `None` for an unscoped one.
    pub project_id: Option<String>,
    /// Login methods, the last one first: `token`, `password` for a token that was exchanged.
    pub methods: Vec<String>,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// None was sent.
    Missing,
    /// Nobody knows it (it may have been revoked).
    Unknown,
    /// Its time is over.
    Expired,
}

/// All tokens that are out.
#[derive(Debug, Default)]
pub struct Tokens(HashMap<String, Token>);

impl Tokens {
    /// Puts a token in use, and forgets those that expired before.
    pub fn insert(&mut self, text: String, token: Token) {
        let now = token.issued;
        self.0.retain(|_, old| old.expires > now);
        self.0.insert(text, token);
    }

    /// Checks the token text of a request.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub fn check(&self, text: Option<&str>, now: DateTime<Utc>) -> Result<&Token, TokenError> {
        let token = self
            .0
            .get(text.ok_or(TokenError::Missing)?)
            .ok_or(TokenError::Unknown)?;
        if token.expires > now {
            Ok(token)
        } else {
            Err(TokenError::Expired)
        }
    }

    /// Revokes one; false when it is not known.
    pub fn revoke(&mut self, text: &str) -> bool {
        self.0.remove(text).is_some()
    }

    /// Revokes all; says how many.
    pub fn revoke_all(&mut self) -> usize {
        let count = self.0.len();
        self.0.clear();
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_unknown_expired() {
        let at = |s| DateTime::from_timestamp(s, 0).expect("valid");
        let mut tokens = Tokens::default();
        tokens.insert(
            "t".into(),
            Token {
                issued: at(0),
                expires: at(10),
                project_id: None,
                methods: vec![],
            },
        );
        let why = |text, now| tokens.check(text, now).err();
        assert_eq!(why(None, at(1)), Some(TokenError::Missing));
        assert_eq!(why(Some("x"), at(1)), Some(TokenError::Unknown));
        assert_eq!(why(Some("t"), at(9)), None);
        assert_eq!(why(Some("t"), at(10)), Some(TokenError::Expired));
    }
}
