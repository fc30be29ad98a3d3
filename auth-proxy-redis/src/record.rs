//! The record of a session in Redis. `src/scripts` reads the same bytes.
//!
//! ```text
//! version 1 | kind 1 | generation 16 | stamp 8 | keep in ms 8 | number of linked keys 1 | linked keys 32 each | value
//! ```

use std::time::Duration;

use crate::key::Key;

pub(crate) type Generation = [u8; 16];

pub(crate) const VERSION: u8 = 1;
/// A linked key is ended with its session. A family of tokens is small.
pub(crate) const MAX_LINKED: usize = 8;
const TICKET: u8 = 0;
const VALUE: u8 = 1;
const BLOCK: u8 = 2;
const HEAD: usize = 35;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Ticket { generation: Generation },
    Value { generation: Generation, stamp: u64, keep: Duration, value: Vec<u8> },
    Block,
}

impl Record {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (&[version, kind], head) = head.split_first_chunk::<2>()?;
        let (&generation, head) = head.split_first_chunk::<16>()?;
        let (&stamp, head) = head.split_first_chunk::<8>()?;
        let (&keep, head) = head.split_first_chunk::<8>()?;
        let linked = usize::from(*head.first()?);
        if version != VERSION || linked > MAX_LINKED {
            return None;
        }
        let (_, value) = rest.split_at_checked(linked * 32)?;
        match kind {
            TICKET => Some(Self::Ticket { generation }),
            VALUE => Some(Self::Value {
                generation,
                stamp: u64::from_be_bytes(stamp),
                keep: Duration::from_millis(u64::from_be_bytes(keep)),
                value: value.to_vec(),
            }),
            BLOCK => Some(Self::Block),
            _ => None,
        }
    }
}

pub(crate) fn ticket(generation: &Generation) -> Vec<u8> {
    bytes(TICKET, generation, 0, 0, &[], &[])
}

pub(crate) fn block() -> Vec<u8> {
    bytes(BLOCK, &[0; 16], 0, 0, &[], &[])
}

pub(crate) fn value(
    generation: &Generation,
    stamp: u64,
    keep: Duration,
    linked: &[Key],
    value: &[u8],
) -> Vec<u8> {
    bytes(VALUE, generation, stamp, millis(keep), linked, value)
}

fn bytes(kind: u8, generation: &Generation, stamp: u64, keep: u64, linked: &[Key], value: &[u8]) -> Vec<u8> {
    let linked = linked.get(..MAX_LINKED).unwrap_or(linked);
    let mut bytes = Vec::with_capacity(HEAD + linked.len() * 32 + value.len());
    bytes.extend_from_slice(&[VERSION, kind]);
    bytes.extend_from_slice(generation);
    bytes.extend_from_slice(&stamp.to_be_bytes());
    bytes.extend_from_slice(&keep.to_be_bytes());
    bytes.push(u8::try_from(linked.len()).unwrap_or_default());
    for key in linked {
        bytes.extend_from_slice(key);
    }
    bytes.extend_from_slice(value);
    bytes
}

/// Milliseconds for Redis, which refuses times to live near the end of its range.
pub(crate) fn millis(time: Duration) -> u64 {
    const YEAR: u64 = 365 * 24 * 3600 * 1000;
    u64::try_from(time.as_millis()).unwrap_or(YEAR).min(YEAR)
}

/// The keys in a text of keys, one after another.
pub(crate) fn keys(bytes: &[u8]) -> Vec<Key> {
    let (keys, _) = bytes.as_chunks::<32>();
    keys.to_vec()
}
