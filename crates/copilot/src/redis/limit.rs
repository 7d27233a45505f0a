//! One count of requests for all processes: the generic cell rate algorithm (GCRA, ITU-T I.371, annex A) in Redis.

use std::sync::LazyLock;
use std::time::Duration;

use ::redis::Script;

use super::{Away, Redis};

/// Counts one request against every key, or against none when one of them is exhausted.
///
/// A key holds the theoretical arrival time in microseconds of Redis's own clock. One that could not have been written
/// here (another type, not a number, too far ahead) counts as absent, so that a forged entry shuts nobody out for
/// longer than a full cell takes to empty.
const SCRIPT: &str = "
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local answer, next, refused, wait = {}, {}, 0, 0
for i, key in ipairs(KEYS) do
  local step, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local found = redis.pcall('GET', key)
  local tat = type(found) == 'string' and tonumber(found) or now
  if not (tat >= now and tat <= now + step * burst) then tat = now end
  next[i] = tat + step
  local over = next[i] - now - step * burst
  if over > wait then refused, wait = i, over end
  answer[2 * i + 1] = math.floor((now + step * burst - next[i]) / step)
  answer[2 * i + 2] = next[i] - now
end
if refused == 0 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', next[i]), 'PX', math.ceil((next[i] - now) / 1000))
  end
end
answer[1], answer[2] = refused, wait
return answer";

static COUNT: LazyLock<Script> = LazyLock::new(|| Script::new(SCRIPT));

/// Whose requests are counted, and how many there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The key in Redis.
    pub key: String,
    /// Requests a minute, and at once after a minute without any; at least 1.
    pub per_minute: u32,
}

/// What is left of a cell after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Requests a minute.
    pub per_minute: u32,
    /// Requests that may still be made at once.
    pub remaining: u32,
    /// Time until the cell is full again.
    pub full_in: Duration,
}

/// Whether a request is within its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It was counted; what is left of each cell, in their order.
    Within(Vec<Left>),
    /// It was not counted: the cell of that place is exhausted for so long.
    Over(usize, Duration),
}

impl Redis {
    /// Counts one request in all of `cells`, for every process that shares this Redis.
    ///
    /// # Errors
    /// When Redis does not answer, refuses to write, or answers nonsense.
    pub async fn count(&self, cells: &[Cell]) -> Result<Counted, Away> {
        let keys: Vec<String> = cells.iter().map(|cell| cell.key.clone()).collect();
        let arguments: Vec<String> = cells
            .iter()
            .flat_map(|cell| {
                let step = 60_000_000 / u64::from(cell.per_minute.max(1));
                [step.to_string(), cell.per_minute.to_string()]
            })
            .collect();
        let answer: Vec<i64> = self.script(&COUNT, &keys, &arguments).await?;
        read(cells, &answer).ok_or(Away)
    }
}

fn read(cells: &[Cell], answer: &[i64]) -> Option<Counted> {
    let (head, rest) = answer.split_at_checked(2)?;
    let &[refused, wait] = head else { return None };
    if refused > 0 {
        return Some(Counted::Over(usize::try_from(refused).ok()?.checked_sub(1)?, micros(wait)));
    }
    let left = cells.iter().zip(rest.chunks_exact(2)).map(|(cell, pair)| match pair {
        &[remaining, full_in] => Some(Left {
            per_minute: cell.per_minute,
            remaining: u32::try_from(remaining).unwrap_or(0),
            full_in: micros(full_in),
        }),
        _ => None,
    });
    left.collect::<Option<Vec<Left>>>().filter(|left| left.len() == cells.len()).map(Counted::Within)
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
