//! Naming a service across runs.

use std::sync::Arc;

use crate::model::Service;

/// A service as history knows it: by the user's name and the product, as numbers differ from run to run.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ServiceKey {
    /// The user's name for it.
    pub name: Arc<str>,
    /// The product's short name.
    pub kind: Arc<str>,
}

impl ServiceKey {
    /// A service by its name and its product.
    pub fn new(name: impl Into<Arc<str>>, kind: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
        }
    }
}

impl From<&Service> for ServiceKey {
    fn from(service: &Service) -> Self {
        Self {
            name: Arc::clone(&service.name),
            kind: service.kind.name().into(),
        }
    }
}
