//! Rules behind a layer.
