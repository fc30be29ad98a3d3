//! The age and the class of the sign-in.
