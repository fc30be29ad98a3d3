//! [`Setting`]: the state of one option in a draft: unset, set, or read from a variable at start.

/// The state of one option in a draft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// Not set: the default applies.
    #[default]
    Unset,
    /// Read from an optional variable at start, which may be unset.
    Optional,
    /// Set, but the value is only read from a variable at start.
    Deferred,
    /// Set to this value.
    Set(T),
}

impl<T> Setting<T> {
    /// The value, if it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset | Self::Optional | Self::Deferred => None,
        }
    }

    /// Whether the value is read from a variable at start.
    pub fn is_read_at_start(&self) -> bool {
        matches!(self, Self::Optional | Self::Deferred)
    }

    /// A setting whose value is read at start.
    pub(crate) fn read_at_start(optional: bool) -> Self {
        if optional { Self::Optional } else { Self::Deferred }
    }
}

impl<T: Clone> Setting<T> {
    /// The value, or the default if the option is not set or its variable is not read yet.
    pub(crate) fn or(&self, default: impl FnOnce() -> T) -> T {
        self.value().cloned().unwrap_or_else(default)
    }

    /// The same setting with the default in place of [`Unset`](Self::Unset).
    pub(crate) fn with_default(&self, default: T) -> Self {
        if matches!(self, Self::Unset) { Self::Set(default) } else { self.clone() }
    }
}
