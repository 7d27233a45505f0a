//! How much memory the bodies of webhooks take at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::inbox::OVERLOADED;
use crate::error::Result;

const MIB: usize = 1024 * 1024;

/// Bytes that may be held at once; beyond it a request is told to come back.
const MOST: usize = 256 * MIB;

/// Bytes that no large requests may hold, and from how many on a request is one: small ones pass them by.
const FOR_SMALL: usize = 64 * MIB;
const LARGE: usize = MIB;

/// The most that one request is counted as, so that two of the largest are worked on at once.
const MOST_OF_ONE: usize = (MOST - FOR_SMALL) / 2;

/// Bytes that reading and storing a request takes, by its body: four times its length, and 48 for each quotation mark, of
/// which a string has two. Measured: a body of 12 MiB with a million short labels took 276 MiB, one of 15 MiB with ten
/// thousand alerts of 1.5 KB 217 MiB while it was stored, one of 16 MiB that is a single text 35 MiB.
pub fn weight(body: &[u8]) -> usize {
    let quotes = body.iter().filter(|byte| **byte == b'"').count();
    (4 * body.len() + 48 * quotes).min(MOST_OF_ONE)
}

/// The bytes that all requests hold.
#[derive(Debug, Default)]
pub struct Rooms(Arc<AtomicUsize>);

impl Rooms {
    /// The place of one request, which holds nothing yet.
    pub fn enter(&self) -> Arc<Room> {
        Arc::new(Room { all: self.0.clone(), held: AtomicUsize::new(0) })
    }

    /// The bytes that are held now.
    pub fn held(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The bytes that one request holds, until nobody works on it any more.
#[derive(Debug)]
pub struct Room {
    all: Arc<AtomicUsize>,
    held: AtomicUsize,
}

impl Room {
    /// Makes room for `length` bytes in all. It never waits: requests that each hold a part would wait for each other.
    ///
    /// # Errors
    /// 503 when too many bytes are held.
    pub fn hold(&self, length: usize) -> Result<()> {
        let missing = length.saturating_sub(self.held.load(Ordering::Relaxed));
        let most = if length > LARGE { MOST - FOR_SMALL } else { MOST };
        let more = |all: usize| Some(all + missing).filter(|all| missing == 0 || *all <= most);
        self.all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map_err(|_| OVERLOADED)?;
        self.held.fetch_add(missing, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.all.fetch_sub(*self.held.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_finds_no_room_leaves_what_it_held_to_others() {
        let rooms = Rooms::default();
        let (one, other) = (rooms.enter(), rooms.enter());
        assert!([&one, &other].iter().all(|room| room.hold(MOST_OF_ONE - LARGE).is_ok()));
        assert!(one.hold(MOST_OF_ONE).is_ok() && one.hold(1).is_ok());
        assert!(rooms.enter().hold(2 * LARGE).is_err());
        drop(one);
        assert!(other.hold(MOST_OF_ONE).is_ok() && rooms.enter().hold(MOST_OF_ONE).is_ok());
        drop(other);
        assert_eq!(rooms.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn large_requests_leave_room_to_small_ones() {
        let rooms = Rooms::default();
        let large: Vec<_> = std::iter::repeat_with(|| rooms.enter()).take(2).collect();
        assert!(large.iter().all(|room| room.hold(weight(&vec![b'"'; 16 * MIB])).is_ok()));
        assert!(rooms.enter().hold(LARGE + 1).is_err());
        let small: Vec<_> = std::iter::repeat_with(|| rooms.enter()).take(FOR_SMALL / LARGE).collect();
        assert!(small.iter().all(|room| room.hold(LARGE).is_ok()));
        assert!(rooms.enter().hold(1).is_err());
    }
}
