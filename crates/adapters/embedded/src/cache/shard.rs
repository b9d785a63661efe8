//! One part of the cache: values and leases in order of use, and the holds. All times are
//! microseconds since the Unix epoch.

use std::collections::HashMap;

use bytes::Bytes;
use outrigger_ports::cache::{Lease, Lookup};

use super::lru::Lru;

/// What a key costs beside its own bytes and those of its value: map, list and the value's header.
const OVERHEAD_BYTES: usize = 160;
/// No sweep of dead holds before there are this many.
const HOLDS_SWEEP_MIN: usize = 64;

/// A part of the cache behind one lock.
#[derive(Debug)]
pub(super) struct Shard {
    capacity_bytes: usize,
    slots: Lru<Slot>,
    /// A held key has no slot: its value and its lease have gone, and no new ones come.
    holds: HashMap<Box<str>, Vec<Held>>,
    holds_sweep_at: usize,
}

#[derive(Debug)]
enum Slot {
    Value { value: Bytes, until: i64 },
    Leased { id: u128, until: i64 },
}

#[derive(Clone, Copy, Debug)]
struct Held {
    id: u128,
    until: i64,
}

impl Shard {
    /// An empty part of this size.
    pub(super) fn new(capacity_bytes: usize) -> Self {
        Self {
            capacity_bytes,
            slots: Lru::new(),
            holds: HashMap::new(),
            holds_sweep_at: HOLDS_SWEEP_MIN,
        }
    }

    /// How many values and leases there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.slots.weight()
    }

    /// The value, or a lease until `lease_until`.
    pub(super) fn lookup(
        &mut self,
        key: &str,
        now: i64,
        lease_until: i64,
        new_id: impl FnOnce() -> u128,
    ) -> Lookup {
        match self.slots.get(key) {
            Some(Slot::Value { value, until }) if *until > now => {
                return Lookup::Hit(value.clone());
            }
            Some(Slot::Leased { until, .. }) if *until > now => return Lookup::Loading,
            _ => {}
        }
        if self.is_held(key, now) {
            return Lookup::Held;
        }
        let id = new_id();
        self.slots.insert(key, Slot::Leased { id, until: lease_until }, key.len() + OVERHEAD_BYTES);
        self.make_room();
        Lookup::Miss(Lease(id))
    }

    /// The value, if it is there.
    pub(super) fn peek(&self, key: &str, now: i64) -> Option<Bytes> {
        match self.slots.peek(key) {
            Some(Slot::Value { value, until }) if *until > now => Some(value.clone()),
            _ => None,
        }
    }

    /// Puts the value if the lease stands.
    pub(super) fn fill(
        &mut self,
        key: &str,
        lease: u128,
        value: Bytes,
        now: i64,
        until: i64,
    ) -> bool {
        let stands = matches!(
            self.slots.peek(key),
            Some(Slot::Leased { id, until }) if *id == lease && *until > now
        );
        if !stands {
            return false;
        }
        let weight = key.len() + value.len() + OVERHEAD_BYTES;
        if weight > self.capacity_bytes {
            self.slots.remove(key);
            return false;
        }
        // A slice of a large buffer would keep all of it alive, so only a whole one is taken over.
        let value = if value.is_unique() { value } else { Bytes::copy_from_slice(&value) };
        self.slots.insert(key, Slot::Value { value, until }, weight);
        self.make_room();
        true
    }

    /// Ends the lease.
    pub(super) fn abandon(&mut self, key: &str, lease: u128) {
        if matches!(self.slots.peek(key), Some(Slot::Leased { id, .. }) if *id == lease) {
            self.slots.remove(key);
        }
    }

    /// Removes value and lease, and keeps new ones out until `until`.
    pub(super) fn hold(&mut self, key: &str, id: u128, now: i64, until: i64) {
        self.slots.remove(key);
        if self.holds.len() >= self.holds_sweep_at {
            self.holds.retain(|_, holds| holds.iter().any(|held| held.until > now));
            self.holds_sweep_at = (self.holds.len() * 2).max(HOLDS_SWEEP_MIN);
        }
        let holds = self.holds.entry(key.into()).or_default();
        holds.retain(|held| held.until > now);
        holds.push(Held { id, until });
    }

    /// Removes value and lease again (the hold may have run out meanwhile) and ends the hold.
    pub(super) fn release(&mut self, key: &str, id: u128) {
        self.slots.remove(key);
        if let Some(holds) = self.holds.get_mut(key) {
            holds.retain(|held| held.id != id);
            if holds.is_empty() {
                self.holds.remove(key);
            }
        }
    }

    fn is_held(&mut self, key: &str, now: i64) -> bool {
        match self.holds.get(key) {
            None => false,
            Some(holds) if holds.iter().any(|held| held.until > now) => true,
            Some(_) => {
                self.holds.remove(key);
                false
            }
        }
    }

    fn make_room(&mut self) {
        while self.slots.weight() > self.capacity_bytes && self.slots.evict() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: i64 = 1_000_000;

    fn put(shard: &mut Shard, key: &str, value: &'static [u8]) {
        let Lookup::Miss(lease) = shard.lookup(key, 0, FAR, || 7) else {
            panic!("no lease for {key}")
        };
        assert!(shard.fill(key, lease.0, Bytes::from_static(value), 0, FAR));
    }

    #[test]
    fn the_least_recently_used_value_makes_room() {
        let mut shard = Shard::new(3 * (OVERHEAD_BYTES + 11));
        for key in ["a", "b", "c"] {
            put(&mut shard, key, &[0; 10]);
        }
        assert!(matches!(shard.lookup("a", 1, FAR, || 8), Lookup::Hit(_)));
        put(&mut shard, "d", &[0; 10]);
        assert_eq!(shard.peek("b", 1), None);
        for key in ["a", "c", "d"] {
            assert!(shard.peek(key, 1).is_some(), "{key}");
        }
        assert!(shard.bytes() <= shard.capacity_bytes);
    }

    #[test]
    fn leases_of_many_missing_keys_are_bounded() {
        let mut shard = Shard::new(10_000);
        for n in 0..100_000 {
            shard.lookup(&n.to_string(), 0, FAR, || 1);
            assert!(shard.bytes() <= 10_000);
        }
    }

    #[test]
    fn a_value_over_the_capacity_is_refused_and_evicts_nothing() {
        let mut shard = Shard::new(2_000);
        put(&mut shard, "small", b"x");
        let Lookup::Miss(lease) = shard.lookup("large", 0, FAR, || 9) else { panic!("no lease") };
        assert!(!shard.fill("large", lease.0, Bytes::from(vec![0; 2_000]), 0, FAR));
        assert!(shard.peek("small", 1).is_some());
        assert!(matches!(shard.lookup("large", 0, FAR, || 10), Lookup::Miss(_)));
    }

    #[test]
    fn holds_of_dead_writers_are_forgotten() {
        let mut shard = Shard::new(10_000);
        for n in 0..10_000 {
            shard.hold(&n.to_string(), 1, n, n + 10);
        }
        assert!(shard.holds.len() <= HOLDS_SWEEP_MIN * 2, "{} holds are kept", shard.holds.len());
    }
}
