//! Many rows in one statement, in one text for both databases.
//!
//! Measured on both engines, a row of a statement with hundreds of them costs a third to a tenth of one in a
//! statement of its own.

/// The most rows of one statement; with thirty columns it stays well below SQLite's 32,766 parameters.
pub const LARGEST: usize = 256;

/// Splits rows into pieces whose lengths are powers of two, so that few different statements are prepared.
pub fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = LARGEST.min(1 << rows.len().checked_ilog2()?);
        let (piece, rest) = rows.split_at_checked(length)?;
        rows = rest;
        Some(piece)
    })
}

/// Keys to read, the last one repeated up to the next power of two, so that few different statements are prepared.
pub fn padded<T>(keys: &[T]) -> impl Iterator<Item = &T> {
    let missing = keys.len().next_power_of_two() - keys.len();
    keys.iter().chain(keys.last().into_iter().cycle().take(missing))
}

/// Writes many rows with one statement for up to 256 of them: the text before the values, what each row binds,
/// and the text after the values.
///
/// `write_all!(tx, &rows, "insert into t (a, b) ", (bind, row) => { bind.push_bind(row.a).push_bind(&row.b); }, "")`
#[macro_export]
macro_rules! write_all {
    ($tx:expr, $rows:expr, $before:expr, ($bind:ident, $row:ident) => $body:expr, $after:expr) => {{
        let mut written: sqlx::Result<()> = Ok(());
        for piece in $crate::bulk::pieces($rows) {
            written = $crate::on_tx!($tx, c => {
                let mut query = sqlx::QueryBuilder::new($before);
                query.push_values(piece, |mut $bind, $row| { $body; });
                query.push($after);
                query.build().execute(c).await.map(drop)
            });
            if written.is_err() {
                break;
            }
        }
        written
    }};
}

/// Reads the rows of many keys with one statement for up to 256 of them: `before (key, …) after`, where `before`
/// ends with `in` and the tenant is bound first as `$1`, the project second as `$2`.
#[macro_export]
macro_rules! read_all {
    ($tx:expr, $tenant:expr, $scope:expr, $keys:expr, $before:expr, $after:expr) => {{
        let mut found = Vec::new();
        let mut failed = None;
        for piece in $keys.chunks($crate::bulk::LARGEST) {
            let read = $crate::on_tx!($tx, c => {
                let mut query = sqlx::QueryBuilder::new($before.0);
                query.push_bind($tenant).push($before.1).push_bind($scope).push($before.2).push(" (");
                let mut keys = query.separated(", ");
                for key in $crate::bulk::padded(piece) {
                    keys.push_bind(key);
                }
                query.push(") ").push($after);
                query.build_query_as().fetch_all(c).await
            });
            match read {
                Ok(rows) => found.extend(rows),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        failed.map_or(Ok(found), Err)
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_row_once_in_order() {
        for count in [0, 1, 2, 3, 255, 256, 257, 1000] {
            let rows: Vec<usize> = (0..count).collect();
            let split: Vec<&[usize]> = pieces(&rows).collect();
            assert_eq!(split.concat(), rows);
            assert!(split.iter().all(|piece| piece.len().is_power_of_two() && piece.len() <= LARGEST));
        }
    }

    #[test]
    fn padding_adds_no_key_that_was_not_asked_for() {
        for count in [1, 2, 3, 255, 256] {
            let keys: Vec<usize> = (0..count).collect();
            let read: Vec<usize> = padded(&keys).copied().collect();
            assert_eq!(read.len(), count.next_power_of_two());
            assert_eq!(read[..count], keys);
            assert!(read[count..].iter().all(|key| *key == count - 1));
        }
    }
}
