//! One try a password.
//!
//! DPOD locks a user out after a few wrong passwords (LockOutRealm, on by default, three failures in the
//! published example), and answers 401 both to a wrong password and to a missing role. So credentials that
//! were refused are not shown again until a good while has passed *and* somebody asks.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::connect::http::Reply;
use crate::model::{Fault, FaultKind};

/// How long refused credentials are kept back: twice the published lock-out time.
const KEPT_BACK: Duration = Duration::from_secs(600);

/// Whether credentials may be shown.
#[derive(Debug, Default)]
pub struct Gate {
    refused: Mutex<Option<(Instant, Fault)>>,
    accepted: AtomicBool,
}

impl Gate {
    /// Lets a request pass, or gives the refusal that still holds.
    ///
    /// # Errors
    /// The earlier refusal.
    pub fn pass(&self) -> Result<(), Fault> {
        let held = self.refused.lock().ok().and_then(|held| held.clone());
        match held {
            Some((at, fault)) if at.elapsed() < KEPT_BACK => Err(fault),
            _ => Ok(()),
        }
    }

    /// True when these credentials were accepted before: then a 401 means a missing role.
    pub fn was_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Notes what an answer says about the credentials.
    pub fn note(&self, reply: &Reply) {
        if reply.is_success() {
            self.accepted.store(true, Ordering::Relaxed);
            if let Ok(mut held) = self.refused.lock() {
                *held = None;
            }
        }
    }

    /// The fault for a 401 to a list, remembered.
    pub fn refuse(&self, reply: &Reply) -> Fault {
        let mut fault = Fault::new(
            FaultKind::Auth,
            "DPOD does not accept the user or password, or the user has neither the admin nor the operator role",
            reply.place.clone(),
            "It was tried once and is not tried again by itself: DPOD locks the user after a few wrong passwords. \
             Mend user, password or role, then start keepwatch again, or refresh after ten minutes.",
        );
        fault.code = Some(reply.code());
        if let Ok(mut held) = self.refused.lock() {
            *held = Some((Instant::now(), fault.clone()));
        }
        fault
    }
}
