//! Says that somebody is at work on something. It keeps nobody from anything: the database's lease does that.

use std::sync::LazyLock;
use std::time::Duration;

use ::redis::{Script, cmd};
use uuid::Uuid;

use super::Redis;

static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
    )
});

/// A sign that was put up; taking it down leaves somebody else's alone.
#[derive(Debug)]
pub struct Lock {
    redis: Redis,
    key: String,
    token: String,
}

impl Redis {
    /// Puts up a sign under `key` that falls by itself after `lasts`; `None` when one is there or Redis is away.
    pub async fn lock(&self, key: String, lasts: Duration) -> Option<Lock> {
        let token = Uuid::new_v4().to_string();
        let lasts_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        let mut set = cmd("SET");
        set.arg(&key).arg(&token).arg("NX").arg("PX").arg(lasts_ms);
        let taken: Option<String> = self.command(&set).await.ok()?;
        taken.map(|_| Lock { redis: self.clone(), key, token })
    }

    /// Whether a sign is up under `key`, as far as is known.
    pub async fn is_locked(&self, key: &str) -> bool {
        self.command::<bool>(cmd("EXISTS").arg(key)).await.unwrap_or(false)
    }
}

impl Lock {
    /// Takes the sign down, if it is still this one.
    pub async fn release(self) {
        // One that can't be taken down falls by itself.
        let _ = self.redis.script::<i64>(&RELEASE, &[self.key], &[self.token]).await;
    }
}
