//! A map that knows in which order its keys were used, and what they weigh.

use std::collections::HashMap;
use std::sync::Arc;

/// No node.
const NONE: u32 = u32::MAX;

/// A map whose nodes stand in a doubly linked list from the last used to the least recently used.
/// The links are places in a vector, so the list needs neither allocation nor unsafe code.
#[derive(Debug)]
pub(super) struct Lru<V> {
    places: HashMap<Arc<str>, u32>,
    nodes: Vec<Node<V>>,
    free: Vec<u32>,
    first: u32,
    last: u32,
    weight: usize,
}

#[derive(Debug)]
struct Node<V> {
    key: Arc<str>,
    /// `None` in a free place.
    value: Option<V>,
    weight: usize,
    before: u32,
    after: u32,
}

impl<V> Lru<V> {
    /// An empty map.
    pub(super) fn new() -> Self {
        Self {
            places: HashMap::new(),
            nodes: Vec::new(),
            free: Vec::new(),
            first: NONE,
            last: NONE,
            weight: 0,
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// What all of them weigh.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// The value; the order stays.
    pub(super) fn peek(&self, key: &str) -> Option<&V> {
        self.places.get(key).and_then(|&place| self.nodes[index(place)].value.as_ref())
    }

    /// The value, which is now the last used.
    pub(super) fn get(&mut self, key: &str) -> Option<&mut V> {
        let place = *self.places.get(key)?;
        if self.first != place {
            self.unlink(place);
            self.link_first(place);
        }
        self.nodes[index(place)].value.as_mut()
    }

    /// Puts a value, which is now the last used.
    pub(super) fn insert(&mut self, key: &str, value: V, weight: usize) {
        self.weight += weight;
        if let Some(&place) = self.places.get(key) {
            let node = &mut self.nodes[index(place)];
            self.weight -= node.weight;
            node.weight = weight;
            node.value = Some(value);
            self.unlink(place);
            self.link_first(place);
            return;
        }
        let key: Arc<str> = key.into();
        let node = Node { key: key.clone(), value: Some(value), weight, before: NONE, after: NONE };
        let place = if let Some(place) = self.free.pop() {
            self.nodes[index(place)] = node;
            place
        } else {
            self.nodes.push(node);
            u32::try_from(self.nodes.len() - 1).expect("memory ends before 2^32 nodes")
        };
        self.places.insert(key, place);
        self.link_first(place);
    }

    /// Removes the key.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.clear(place);
        }
    }

    /// Removes the least recently used key; says whether there was one.
    pub(super) fn evict(&mut self) -> bool {
        let place = self.last;
        if place == NONE {
            return false;
        }
        let key = self.nodes[index(place)].key.clone();
        self.places.remove(&key);
        self.clear(place);
        true
    }

    fn clear(&mut self, place: u32) {
        self.unlink(place);
        let node = &mut self.nodes[index(place)];
        node.value = None;
        self.weight -= node.weight;
        self.free.push(place);
    }

    fn unlink(&mut self, place: u32) {
        let (before, after) = {
            let node = &self.nodes[index(place)];
            (node.before, node.after)
        };
        if before == NONE {
            self.first = after;
        } else {
            self.nodes[index(before)].after = after;
        }
        if after == NONE {
            self.last = before;
        } else {
            self.nodes[index(after)].before = before;
        }
    }

    fn link_first(&mut self, place: u32) {
        let first = self.first;
        let node = &mut self.nodes[index(place)];
        node.before = NONE;
        node.after = first;
        if first == NONE {
            self.last = place;
        } else {
            self.nodes[index(first)].before = place;
        }
        self.first = place;
    }
}

fn index(place: u32) -> usize {
    place as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut lru = Lru::new();
        for key in ["a", "b", "c"] {
            lru.insert(key, key, 10);
        }
        assert_eq!(lru.get("a"), Some(&mut "a"));
        assert_eq!(lru.peek("b"), Some(&"b"));
        lru.insert("c", "C", 5);
        assert_eq!((lru.len(), lru.weight()), (3, 25));
        assert!(lru.evict());
        assert_eq!(lru.peek("b"), None);
        assert!(lru.evict());
        assert_eq!(lru.peek("a"), None);
        assert_eq!(lru.peek("c"), Some(&"C"));
        assert!(lru.evict() && !lru.evict());
        assert_eq!((lru.len(), lru.weight()), (0, 0));
    }

    #[test]
    fn places_are_used_again() {
        let mut lru = Lru::new();
        for round in 0..1_000 {
            lru.insert(&round.to_string(), round, 1);
            if round >= 3 {
                lru.remove(&(round - 3).to_string());
            }
        }
        assert_eq!((lru.len(), lru.weight()), (3, 3));
        assert!(lru.nodes.len() <= 4, "{} places for 3 keys", lru.nodes.len());
    }
}
