//! How many instructions each phase of a forwarded request takes, of a whole server under callgrind.

mod names;
mod profile;

pub(crate) use self::profile::Profile;
