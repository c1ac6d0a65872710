//! One page of a list that may be long.

/// What part of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<C> {
    /// The last row of the page before.
    pub(crate) after: Option<C>,
    pub(crate) limit: usize,
}

/// A page, and how it goes on.
#[derive(Debug)]
pub(crate) struct Listed<T, C> {
    pub(crate) rows: Vec<T>,
    /// What to ask the next page after; none at the end.
    pub(crate) next: Option<C>,
    /// How many there are in all; none if nobody counted so far.
    pub(crate) count: Option<u64>,
}

impl<C> Page<C> {
    /// Cuts the page out of the rows that come after the one before.
    pub(crate) fn cut<T>(
        &self,
        rows: impl Iterator<Item = T>,
        place: impl Fn(&T) -> C,
        count: Option<u64>,
    ) -> Listed<T, C> {
        let mut rows: Vec<T> = rows.take(self.limit.saturating_add(1)).collect();
        let goes_on = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| goes_on).map(place);
        Listed { rows, next, count }
    }
}
