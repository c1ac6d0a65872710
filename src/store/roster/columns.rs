//! Who there is, in columns: what lists filter, search and sort by, and nothing else.
//!
//! About 80 bytes a user. A search is one pass over text that lies together; a filter compares a number for each user.

use std::collections::{BTreeMap, HashMap};

use memchr::memchr;
use memchr::memmem::Finder;

use crate::domain::{
    Search, SearchPlace, SearchTexts, Timestamp, Traits, User, UserFilter, UserId, UserOrder, UserOrdering,
};
use crate::store::codec::Flag;
use crate::store::places::{SortKey, write_place};
use crate::store::roster::slots::{Matches, SLOTS, Slots, block_of, id_at, slot_of};

/// Stands before each text of a user. No byte of UTF-8 is this one, so nothing is found across two texts.
const MARK: u8 = 0xff;

/// All users.
#[derive(Default)]
pub(crate) struct Roster {
    blocks: BTreeMap<u64, Block>,
    /// All traits that somebody has: users have the number of theirs, from 1. Few are different.
    traits: HashMap<Traits, u32>,
}

impl Roster {
    /// Enters a user as they are now.
    pub(super) fn enter(&mut self, user: &User) {
        let next = u32::try_from(self.traits.len()).unwrap_or(u32::MAX).saturating_add(1);
        let traits = *self.traits.entry(Traits::from(user)).or_insert(next);
        let block = self.blocks.entry(block_of(user.id)).or_insert_with(Block::new);
        block.enter(slot_of(user.id), user, traits);
    }

    /// Strikes off a user who is gone.
    pub(super) fn strike(&mut self, id: UserId) {
        if let Some(block) = self.blocks.get_mut(&block_of(id)) {
            block.strike(slot_of(id));
        }
    }

    /// Gives back what memory it does not need.
    pub(super) fn shrink(&mut self) {
        self.blocks.values_mut().for_each(|block| block.text.shrink_to_fit());
    }

    /// What it takes of the memory, about.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = self.blocks.values().map(|block| block.text.capacity()).sum();
        texts + self.blocks.len() * Block::FIXED_BYTES + self.traits.capacity() * size_of::<Traits>()
    }

    /// All whom the filter lets through.
    pub(crate) fn matches(&self, filter: &UserFilter) -> Matches {
        let mut lets = vec![false; self.traits.len() + 1];
        for (traits, number) in &self.traits {
            if let Some(lets) = lets.get_mut(*number as usize) {
                *lets = filter.lets_traits(traits);
            }
        }
        let needle = filter.search.as_ref().filter(|search| !search.is_empty()).map(needle_of);
        let finder = needle.as_ref().map(Finder::new);
        let matches = self.blocks.iter().map(|(number, block)| {
            let found = finder.as_ref().map(|finder| block.search(finder));
            (*number, block.filter(&lets, found.as_ref()))
        });
        Matches::of(matches)
    }

    /// How many joined at this moment or later.
    pub(crate) fn count_joined_since(&self, since: Timestamp) -> u64 {
        let recent = self.blocks.values().map(|block| block.count_joined_since(since));
        recent.sum()
    }

    /// The first of these in an ordering who come after a place, in order, at most `limit`.
    pub(crate) fn first_of(
        &self,
        matches: &Matches,
        ordering: UserOrdering,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Vec<UserId> {
        let mut first = First { ordering, limit, kept: Vec::new(), bound: None };
        let mut place = Vec::new();
        let mut offer = |number: u64, slot: usize, block: &Block| {
            let id = id_at(number, slot);
            write_place(id, block.sort_key(slot, ordering.by), &mut place);
            if after.is_none_or(|after| ordering.is_before(after, &place)) {
                first.offer(&place, id);
            }
        };
        // Users come in the order of their numbers, and in many lists they stand in it too: begun at the right end,
        // most of those that follow are refused at once.
        if ordering.is_descending {
            for (number, slots) in matches.blocks().iter().rev() {
                let Some(block) = self.blocks.get(number) else { continue };
                slots.iter().rev().for_each(|slot| offer(*number, slot, block));
            }
        } else {
            for (number, slots) in matches.blocks() {
                let Some(block) = self.blocks.get(number) else { continue };
                slots.iter().for_each(|slot| offer(*number, slot, block));
            }
        }
        first.in_order()
    }
}

/// What a search looks for in the text of a block.
fn needle_of(search: &Search) -> Vec<u8> {
    let text = search.text().as_bytes();
    match search.place() {
        SearchPlace::Anywhere => text.to_vec(),
        SearchPlace::Beginning => [&[MARK], text].concat(),
    }
}

/// Users whose numbers are close together, by slot.
struct Block {
    /// 0: nobody.
    traits: Vec<u32>,
    joined: Vec<Timestamp>,
    last_login: Vec<Timestamp>,
    /// Where the text of each slot begins, and where the last one ends.
    starts: Vec<u32>,
    text: Vec<u8>,
}

#[expect(clippy::indexing_slicing, reason = "a slot is below SLOTS, and starts are within the text")]
impl Block {
    const FIXED_BYTES: usize = SLOTS * (2 * size_of::<u32>() + 2 * size_of::<Timestamp>());

    fn new() -> Self {
        let never = Timestamp::from_millis(0);
        Self {
            traits: vec![0; SLOTS],
            joined: vec![never; SLOTS],
            last_login: vec![never; SLOTS],
            starts: vec![0; SLOTS + 1],
            text: Vec::new(),
        }
    }

    fn enter(&mut self, slot: usize, user: &User, traits: u32) {
        self.traits[slot] = traits;
        self.joined[slot] = user.date_joined;
        self.last_login[slot] = user.last_login.unwrap_or(Timestamp::from_millis(0));
        self.set_text(slot, &text_of(&SearchTexts::from(user)));
    }

    fn strike(&mut self, slot: usize) {
        self.traits[slot] = 0;
        self.set_text(slot, &[]);
    }

    fn set_text(&mut self, slot: usize, text: &[u8]) {
        let (start, end) = (self.starts[slot], self.starts[slot + 1]);
        if self.text[start as usize..end as usize] == *text {
            return;
        }
        self.text.splice(start as usize..end as usize, text.iter().copied());
        let new_end = start.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
        for later in &mut self.starts[slot + 1..] {
            *later = *later - end + new_end;
        }
    }

    fn count_joined_since(&self, since: Timestamp) -> u64 {
        let there = self.joined.iter().zip(&self.traits).filter(|(_, traits)| **traits != 0);
        there.filter(|(joined, _)| **joined >= since).count() as u64
    }

    /// The slots whose text has this in it.
    fn search(&self, finder: &Finder<'_>) -> Slots {
        let mut found = Slots::NONE;
        let (mut slot, mut from) = (0, 0);
        while let Some(ahead) = finder.find(&self.text[from..]) {
            slot += self.slots_to(slot, from + ahead);
            found.insert(slot);
            slot += 1;
            from = self.starts[slot] as usize;
        }
        found
    }

    /// How many slots after this one the text has its byte `at`. Often it is the next ones, if many are found.
    fn slots_to(&self, slot: usize, at: usize) -> usize {
        let begins_later = |start: &u32| *start as usize > at;
        let ends = &self.starts[slot + 1..];
        let near = ends.iter().take(4).position(begins_later);
        near.unwrap_or_else(|| ends.partition_point(|start| !begins_later(start)))
    }

    /// Those of the found ones, or of all, whose traits the filter lets through.
    fn filter(&self, lets: &[bool], found: Option<&Slots>) -> Slots {
        let mut let_through = Slots::NONE;
        if found.is_some_and(|found| *found == Slots::NONE) {
            return let_through;
        }
        for (slot, traits) in self.traits.iter().enumerate() {
            if lets[*traits as usize] {
                let_through.insert(slot);
            }
        }
        found.map_or(let_through, |found| let_through.and(found))
    }

    fn sort_key(&self, slot: usize, by: UserOrder) -> SortKey<'_> {
        let text = |number: usize, without: Flag| match self.text(slot, number) {
            [] => SortKey::Without(without),
            text => SortKey::Text(text),
        };
        match by {
            UserOrder::Id => SortKey::Id,
            UserOrder::Email => text(0, Flag::NoEmail),
            UserOrder::Username => text(1, Flag::NoUsername),
            UserOrder::DateJoined => SortKey::Time(self.joined[slot]),
            UserOrder::LastLogin => SortKey::Time(self.last_login[slot]),
        }
    }

    /// The n-th text of a user; empty if there is none.
    fn text(&self, slot: usize, n: usize) -> &[u8] {
        let mut rest = &self.text[self.starts[slot] as usize..self.starts[slot + 1] as usize];
        for _ in 0..=n {
            let Some(mark) = memchr(MARK, rest) else { return &[] };
            rest = &rest[mark + 1..];
        }
        &rest[..memchr(MARK, rest).unwrap_or(rest.len())]
    }
}

/// The texts of a user, a mark before each.
fn text_of(texts: &SearchTexts) -> Vec<u8> {
    let texts = texts.all();
    let end = texts.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
    let marked = texts.iter().take(end).flat_map(|text| std::iter::once(MARK).chain(text.bytes()));
    marked.collect()
}

/// Keeps the first of what it is offered.
struct First {
    ordering: UserOrdering,
    limit: usize,
    kept: Vec<(Vec<u8>, UserId)>,
    /// Nothing that does not come before this is among them.
    bound: Option<Vec<u8>>,
}

impl First {
    fn offer(&mut self, place: &[u8], id: UserId) {
        if self.bound.as_ref().is_some_and(|bound| !self.ordering.is_before(place, bound)) {
            return;
        }
        self.kept.push((place.to_vec(), id));
        if self.kept.len() >= 2 * self.limit {
            self.kept.select_nth_unstable_by(self.limit - 1, |(a, _), (b, _)| self.ordering.compare(a, b));
            self.kept.truncate(self.limit);
            self.bound = self.kept.last().map(|(place, _)| place.clone());
        }
    }

    fn in_order(mut self) -> Vec<UserId> {
        self.kept.sort_unstable_by(|(a, _), (b, _)| self.ordering.compare(a, b));
        self.kept.into_iter().take(self.limit).map(|(_, id)| id).collect()
    }
}
