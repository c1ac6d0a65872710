//! Sets of users: a bit for each, in blocks of as many as a block of the roster has.

use crate::domain::UserId;

/// Users of a block: those whose numbers are the same but for the last ten bits.
pub(super) const SLOTS: usize = 1024;

/// In which block a user is.
pub(super) fn block_of(id: UserId) -> u64 {
    id.0 / SLOTS as u64
}

/// Where in it. Below [`SLOTS`].
#[expect(clippy::cast_possible_truncation, reason = "a remainder of 1024")]
pub(super) fn slot_of(id: UserId) -> usize {
    (id.0 % SLOTS as u64) as usize
}

/// Who is in this slot of this block.
pub(super) fn id_at(block: u64, slot: usize) -> UserId {
    UserId(block.saturating_mul(SLOTS as u64).saturating_add(slot as u64))
}

/// Some slots of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slots([u64; SLOTS / 64]);

#[expect(clippy::indexing_slicing, reason = "a slot is below SLOTS")]
impl Slots {
    pub(super) const NONE: Self = Self([0; SLOTS / 64]);

    pub(super) fn insert(&mut self, slot: usize) {
        self.0[slot / 64] |= 1 << (slot % 64);
    }

    pub(super) fn has(&self, slot: usize) -> bool {
        self.0[slot / 64] >> (slot % 64) & 1 == 1
    }

    pub(super) fn and(mut self, others: &Self) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(own, other)| *own &= other);
        self
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// From the lowest on.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..SLOTS).filter(|slot| self.has(*slot))
    }
}

/// Those whom a filter lets through.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Matches {
    /// By number of the block, in order; a block with none is not there.
    blocks: Vec<(u64, Slots)>,
    count: u64,
}

impl Matches {
    /// Of blocks in order.
    pub(super) fn of(blocks: impl Iterator<Item = (u64, Slots)>) -> Self {
        let blocks: Vec<_> = blocks.filter(|(_, slots)| *slots != Slots::NONE).collect();
        let count = blocks.iter().map(|(_, slots)| slots.count()).sum();
        Self { blocks, count }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn has(&self, id: UserId) -> bool {
        let at = self.blocks.binary_search_by_key(&block_of(id), |(number, _)| *number);
        at.ok().and_then(|at| self.blocks.get(at)).is_some_and(|(_, slots)| slots.has(slot_of(id)))
    }

    pub(super) fn blocks(&self) -> &[(u64, Slots)] {
        &self.blocks
    }
}
