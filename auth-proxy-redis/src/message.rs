//! Messages between instances.

use crate::key::Key;
use crate::names::Instance;
use crate::record;

const VERSION: u8 = 1;
const ENDED: u8 = b'E';
const NOTED: u8 = b'N';
const ACK: u8 = b'A';
const BEAT: u8 = b'B';
const HEAD: usize = 26;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// These keys were ended by an instance, which waits for an acknowledgement.
    Ended { from: Instance, number: u64, keys: Vec<Key> },
    /// An instance added these notes, and waits for an acknowledgement.
    Noted { from: Instance, number: u64, notes: Vec<Vec<u8>> },
    /// An instance has dealt with a message of this instance.
    Ack { from: Instance, number: u64 },
    /// A beat of this instance.
    Beat { number: u64 },
}

impl Message {
    /// `None` for a message that this version does not understand.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (&[version, kind], head) = head.split_first_chunk::<2>()?;
        let (&from, head) = head.split_first_chunk::<16>()?;
        let number = u64::from_be_bytes(*head.first_chunk::<8>()?);
        match (version, kind) {
            (VERSION, ENDED) if rest.len() % 32 == 0 => {
                Some(Self::Ended { from, number, keys: record::keys(rest) })
            }
            (VERSION, NOTED) => Some(Self::Noted { from, number, notes: notes(rest)? }),
            (VERSION, ACK) => Some(Self::Ack { from, number }),
            (VERSION, BEAT) => Some(Self::Beat { number }),
            _ => None,
        }
    }
}

pub(crate) fn ended(from: &Instance, number: u64, keys: &[Key]) -> Vec<u8> {
    let mut bytes = head(ENDED, from, number);
    bytes.extend(keys.iter().flatten());
    bytes
}

/// The start of a message, to which `scripts/note.lua` adds the notes: for each its length in one byte, and its bytes.
pub(crate) fn noted(from: &Instance, number: u64) -> Vec<u8> {
    head(NOTED, from, number)
}

pub(crate) fn ack(from: &Instance, number: u64) -> Vec<u8> {
    head(ACK, from, number)
}

pub(crate) fn beat(from: &Instance, number: u64) -> Vec<u8> {
    head(BEAT, from, number)
}

/// A message that tells all instances to forget all sessions. It has no meaning of its own: instances forget everything
/// after each message that they do not understand.
pub(crate) fn forget_all() -> Vec<u8> {
    vec![0]
}

fn notes(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut notes = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (note, rest) = rest.split_at_checked(usize::from(*length))?;
        notes.push(note.to_vec());
        bytes = rest;
    }
    Some(notes)
}

fn head(kind: u8, from: &Instance, number: u64) -> Vec<u8> {
    let mut bytes = vec![VERSION, kind];
    bytes.extend_from_slice(from);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes
}
