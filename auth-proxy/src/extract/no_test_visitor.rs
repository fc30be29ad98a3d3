//! Stands in for `test_visitor.rs` without the feature `testing`: there are no visitors but the real ones.

use std::sync::Arc;

use http::{Extensions, HeaderMap};

use crate::cookie::NameIndexes;
use crate::error::AuthError;
use crate::provider::Shared;
use crate::session::CachedSession;
use crate::token::Verified;

/// No visitors.
#[derive(Clone, Default)]
pub(crate) struct TestVisitors;

impl TestVisitors {
    pub(crate) fn of(_: &Extensions) -> Self {
        Self
    }

    pub(super) fn insert_into(&self, _: &mut Extensions) {}

    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    pub(super) fn find(&self, _: &Arc<Shared>, _: NameIndexes, _: &HeaderMap) -> Option<Answered> {
        None
    }
}

/// Has no value.
pub(super) enum Answered {}

impl Answered {
    pub(super) fn session(&self) -> Result<Option<CachedSession>, AuthError> {
        match *self {}
    }

    pub(super) fn verified(&self) -> Option<Result<Option<Arc<Verified>>, AuthError>> {
        match *self {}
    }
}
