//! The sockets of this process and what they share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use outbox::{Db, Stream, sabotage};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::feed::{Feed, Follower};
use super::session::Session;
use super::standing::{Standing, Standings};
use crate::auth::Member;
use crate::config::Config;
use crate::ids::TenantId;

/// How much a client may ask for, and how long it may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Sockets of one person or key.
    pub sockets_per_user: usize,
    /// Sockets of one tenant.
    pub sockets_per_tenant: usize,
    /// Messages a minute that are obeyed.
    pub requests_per_minute: u32,
    /// Messages a minute after which the socket is closed.
    pub requests_before_close: u32,
    /// Time between two looks for events when no wake-up comes.
    pub poll: Duration,
    /// Time between two looks at the session, so that a socket ends within 2 s of it.
    pub recheck: Duration,
    /// Time between two pings.
    pub ping: Duration,
    /// Time without a pong after which the client is dead.
    pub dead: Duration,
    /// Time after which a client that does not take what it is sent counts as slow.
    pub slow: Duration,
    /// Time after which it is given up.
    pub stalled: Duration,
    /// Time in which a client that was told to look again may not overflow a second time.
    pub patience: Duration,
}

impl Limits {
    /// What the settings say, and the defaults.
    pub fn of(config: &Config) -> Self {
        let usual = Self::default();
        let mut limits = Self {
            sockets_per_user: config.sockets_per_user,
            sockets_per_tenant: config.sockets_per_tenant,
            ping: sabotage::hurried(usual.ping),
            dead: sabotage::hurried(usual.dead),
            stalled: sabotage::hurried(usual.stalled),
            ..usual
        };
        if sabotage::broken("never-gives-up") {
            let ever = Duration::from_secs(86_400);
            (limits.dead, limits.stalled, limits.requests_before_close) = (ever, ever, u32::MAX);
        }
        limits
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sockets_per_user: 20,
            sockets_per_tenant: 500,
            requests_per_minute: 100,
            requests_before_close: 1_000,
            poll: Duration::from_secs(2),
            recheck: Duration::from_millis(1_500),
            ping: Duration::from_secs(25),
            dead: Duration::from_secs(60),
            slow: Duration::from_secs(1),
            stalled: Duration::from_secs(30),
            patience: Duration::from_secs(60),
        }
    }
}

/// The sockets of this process.
#[derive(Clone)]
pub struct Hub(Arc<Parts>);

struct Parts {
    db: Db,
    limits: Limits,
    tasks: TaskTracker,
    stop: CancellationToken,
    feeds: Mutex<HashMap<Stream, Weak<Feed>>>,
    seats: Mutex<HashMap<(TenantId, String), usize>>,
    standings: Standings,
}

impl Hub {
    /// A hub without sockets; `stop` closes them all, and `tasks` knows their tasks.
    pub fn new(db: Db, limits: Limits, tasks: TaskTracker, stop: CancellationToken) -> Self {
        let (feeds, seats, standings) = Default::default();
        metrics::gauge!("sre_copilot_sockets").set(0.0);
        Self(Arc::new(Parts { db, limits, tasks, stop, feeds, seats, standings }))
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// Follows `stream`, through the feed that others follow already or through a new one.
    pub(super) fn follow(&self, stream: Stream) -> Follower {
        let mut feeds = lock(&self.0.feeds);
        if sabotage::broken("feeds-unfiltered")
            && let Some(feed) = feeds.values().find_map(Weak::upgrade)
        {
            return feed.follow();
        }
        if let Some(feed) = feeds.get(&stream).and_then(Weak::upgrade) {
            return feed.follow();
        }
        let feed = Arc::new(Feed::new(stream));
        feeds.insert(stream, Arc::downgrade(&feed));
        let follower = feed.follow();
        self.0.tasks.spawn(feed.run(self.clone()));
        follower
    }

    /// Forgets `feed` if nobody follows it, and says whether it did.
    pub(super) fn retire(&self, feed: &Feed) -> bool {
        // Under the lock that `follow` takes, so that nobody can begin to follow in between.
        let mut feeds = lock(&self.0.feeds);
        let idle = feed.followers() == 0;
        if idle {
            feeds.remove(&feed.stream());
        }
        idle
    }

    /// The standing of a socket's caller, shared with the other sockets of the same credential.
    pub(super) fn standing(&self, session: &Arc<Session>) -> Arc<Standing> {
        let parts = &self.0;
        parts.standings.of(session, parts.limits.recheck, &parts.tasks, &parts.stop)
    }

    /// A seat for one more socket of `member`, unless they or their tenant have too many.
    pub(super) fn sit(&self, member: &Member) -> Option<Seat> {
        let user = (member.tenant, member.actor.principal());
        let tenant = (member.tenant, String::new());
        let mut seats = lock(&self.0.seats);
        let taken = |key| seats.get(key).copied().unwrap_or(0);
        if taken(&user) >= self.0.limits.sockets_per_user
            || taken(&tenant) >= self.0.limits.sockets_per_tenant
        {
            return None;
        }
        *seats.entry(user.clone()).or_default() += 1;
        *seats.entry(tenant.clone()).or_default() += 1;
        metrics::gauge!("sre_copilot_sockets").increment(1.0);
        Some(Seat { hub: self.clone(), keys: [user, tenant] })
    }

    #[cfg(test)]
    pub(super) fn feeds(&self) -> usize {
        lock(&self.0.feeds).len()
    }
}

/// One socket's place in the counts; given back when dropped.
pub(super) struct Seat {
    hub: Hub,
    keys: [(TenantId, String); 2],
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = lock(&self.hub.0.seats);
        for key in &self.keys {
            if let Some(taken) = seats.get_mut(key) {
                *taken -= 1;
                if *taken == 0 {
                    seats.remove(key);
                }
            }
        }
        metrics::gauge!("sre_copilot_sockets").decrement(1.0);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The maps are valid at every step, so a panic elsewhere while locked leaves nothing to repair.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
