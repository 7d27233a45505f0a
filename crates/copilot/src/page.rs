//! Pages of a list: a limit, and an opaque cursor that says where the next page begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outbox::Ts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Rows a page holds when nothing else is asked for.
const DEFAULT_LIMIT: i64 = 50;

/// Rows a page holds at most.
const MAX_LIMIT: i64 = 200;

/// Refuses a stretch of time that ends before it begins.
///
/// # Errors
/// 422 with the field.
pub fn in_order(from: Option<Ts>, to: Option<Ts>) -> Result<()> {
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Error::field("from", "must not be later than `to`"));
    }
    Ok(())
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Asks for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// Which page is asked for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows on the page, 50 by default, at most 200.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl PageQuery {
    /// How many rows to read: one more than the page shows, to know whether there is another page.
    ///
    /// # Errors
    /// When the limit is not between 1 and 200.
    pub fn limit(&self) -> Result<usize> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit as usize),
            _ => Err(Error::field("limit", format!("must be between 1 and {MAX_LIMIT}"))),
        }
    }

    /// Where the page begins, or `None` for the first.
    ///
    /// # Errors
    /// When the cursor is not one of ours.
    pub fn position<P: DeserializeOwned>(&self) -> Result<Option<P>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let position =
            URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        position
            .map(Some)
            .ok_or_else(|| Error::Refused("invalid-cursor", "this cursor is not one of ours".to_owned()))
    }
}

impl<T> Page<T> {
    /// A page of at most `limit` of `rows`, of which one more than that was read if there are more.
    pub fn new<R, P: Serialize>(
        mut rows: Vec<R>,
        limit: usize,
        position: impl Fn(&R) -> P,
        show: impl FnMut(R) -> T,
    ) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .and_then(|row| serde_json::to_vec(&position(row)).ok())
            .map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        Self { items: rows.into_iter().map(show).collect(), next_cursor }
    }

    /// The page that is asked for of a list that is never long and was read whole. `id` names a row.
    ///
    /// # Errors
    /// As for [`PageQuery::limit`] and [`PageQuery::position`].
    pub fn part(query: &PageQuery, items: Vec<T>, id: impl Fn(&T) -> Uuid) -> Result<Self> {
        let limit = query.limit()?;
        // The row that was the last may be gone by now; then the next one stands in its place.
        let begin =
            |(at, last): (usize, Uuid)| items.iter().position(|one| id(one) == last).map_or(at, |at| at + 1);
        let begin = query.position()?.map_or(0, begin);
        let rest: Vec<(usize, T)> = items.into_iter().enumerate().skip(begin).collect();
        Ok(Self::new(rest, limit, |(at, one)| (*at, id(one)), |(_, one)| one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_read_whole_has_pages_as_well() {
        let ids: Vec<Uuid> = (1..=5).map(Uuid::from_u128).collect();
        let part = |limit, cursor: Option<String>, ids: &[Uuid]| {
            Page::part(&PageQuery { limit, cursor }, ids.to_vec(), |id| *id)
        };
        let whole = part(None, None, &ids).unwrap();
        assert_eq!((whole.items, whole.next_cursor), (ids.clone(), None));
        let mut seen = Vec::new();
        let mut cursor = None;
        while seen.len() < 5 {
            let page = part(Some(2), cursor, &ids).unwrap();
            seen.extend(page.items);
            cursor = page.next_cursor;
            assert_eq!(cursor.is_some(), seen.len() < 5);
        }
        assert_eq!(seen, ids);
        let second = part(Some(2), None, &ids).unwrap().next_cursor;
        let without: Vec<Uuid> = ids.iter().copied().filter(|id| *id != Uuid::from_u128(2)).collect();
        assert_eq!(
            part(Some(2), second, &without).unwrap().items,
            ids[2..4],
            "the last one shown was removed"
        );
        for (limit, cursor) in [(Some(0), None), (Some(201), None), (None, Some("!!")), (Some(2), Some("eA"))]
        {
            assert!(part(limit, cursor.map(str::to_owned), &ids).is_err(), "{limit:?} {cursor:?}");
        }
    }
}
