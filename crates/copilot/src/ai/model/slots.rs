//! How many analyses ask the model at once: a slow one must hold up no other tenant, and nothing but itself.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::ids::TenantId;

/// Calls of one process at once.
const MOST: usize = 8;

/// Calls of one tenant among them.
const MOST_OF_TENANT: usize = 4;

/// Analyses that wait for their turn, evidence in hand.
const MOST_WAITING: usize = 64;

/// The turns of one process.
#[derive(Debug, Default)]
pub struct Slots {
    taken: Mutex<BTreeMap<TenantId, usize>>,
    freed: Notify,
    waiting: AtomicUsize,
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
pub struct Slot<'a> {
    slots: &'a Slots,
    tenant: TenantId,
}

/// One that waits; no longer when this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Slots {
    /// A turn of `tenant`, once there is one; `None` when too many wait already.
    pub async fn take(&self, tenant: TenantId) -> Option<Slot<'_>> {
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            return None;
        }
        loop {
            let mut freed = pin!(self.freed.notified());
            // Listening begins before looking, so that no turn that is given back in between goes unseen.
            freed.as_mut().enable();
            if let Some(slot) = self.try_take(tenant) {
                drop(waiting);
                return Some(slot);
            }
            freed.await;
        }
    }

    fn try_take(&self, tenant: TenantId) -> Option<Slot<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.entry(tenant).or_default();
        if all >= MOST || *own >= MOST_OF_TENANT {
            return None;
        }
        *own += 1;
        Some(Slot { slots: self, tenant })
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.tenant) {
            *own = own.saturating_sub(1);
        }
        taken.retain(|_, own| *own > 0);
        drop(taken);
        self.slots.freed.notify_waiters();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_tenant_leaves_turns_to_others_and_gets_back_what_it_gives() {
        let (slots, one, other) = (Slots::default(), TenantId::new(), TenantId::new());
        let mut held = Vec::new();
        for _ in 0..MOST_OF_TENANT {
            held.push(slots.take(one).now_or_never().flatten().unwrap());
        }
        assert!(slots.take(one).now_or_never().is_none(), "the others are for others");
        let theirs = slots.take(other).now_or_never().flatten().unwrap();
        let mut next = pin!(slots.take(one));
        assert!(next.as_mut().now_or_never().is_none());
        drop(theirs);
        assert!(next.as_mut().now_or_never().is_none(), "that was another's");
        held.pop();
        assert!(next.now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn beyond_a_bound_nobody_waits() {
        let (slots, tenant) = (Slots::default(), TenantId::new());
        let held: Vec<_> =
            (0..MOST_OF_TENANT).filter_map(|_| slots.take(tenant).now_or_never().flatten()).collect();
        let mut waiting: Vec<_> = (0..MOST_WAITING).map(|_| Box::pin(slots.take(tenant))).collect();
        for one in &mut waiting {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert!(slots.take(tenant).now_or_never().is_some_and(|slot| slot.is_none()));
        waiting.pop();
        assert!(slots.take(tenant).now_or_never().is_none(), "there is room to wait again");
        drop(held);
    }
}
