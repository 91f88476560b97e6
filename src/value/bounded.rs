//! Decoding what somebody else sends, without trusting its depth or its counts: a few bytes must not become much memory,
//! nor a deep stack.

use std::cell::Cell;
use std::hash::Hash;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Values are nested at most so deep.
pub const DEEPEST: u32 = 128;
/// One message holds at most so many entries of lists and mappings.
pub const MOST: u64 = 2 << 20;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Decodes one message, which may hold as many entries as [`MOST`].
pub fn message<T>(decode: impl FnOnce() -> T) -> T {
    LEFT.set(MOST);
    let decoded = decode();
    LEFT.set(u64::MAX);
    decoded
}

/// A list, for `deserialize_with`.
pub fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let _level = Level::enter()?;
    from.deserialize_seq(List(PhantomData))
}

/// A mapping, for `deserialize_with`.
pub fn map<'de, K, V, D>(from: D) -> Result<IndexMap<K, V>, D::Error>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let _level = Level::enter()?;
    from.deserialize_map(Mapping(PhantomData))
}

/// One level of nesting.
struct Level;

impl Level {
    fn enter<E: Error>() -> Result<Level, E> {
        let depth = DEPTH.get();
        if depth >= DEEPEST {
            return Err(E::custom(format!("it is nested more than {DEEPEST} levels deep")));
        }
        DEPTH.set(depth + 1);
        Ok(Level)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// One entry more.
fn count<E: Error>() -> Result<(), E> {
    let left = LEFT.get().checked_sub(1).ok_or_else(|| E::custom(format!("it holds more than {MOST} entries")))?;
    LEFT.set(left);
    Ok(())
}

struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = from.next_element()? {
            count()?;
            list.push(item);
        }
        Ok(list)
    }
}

struct Mapping<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Hash + Eq, V: Deserialize<'de>> Visitor<'de> for Mapping<K, V> {
    type Value = IndexMap<K, V>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<IndexMap<K, V>, A::Error> {
        let mut map = IndexMap::new();
        while let Some((key, value)) = from.next_entry()? {
            count()?;
            map.insert(key, value);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use crate::value::Value;

    fn decode(bytes: &[u8]) -> postcard::Result<Value> {
        super::message(|| postcard::from_bytes(bytes))
    }

    /// Lists in lists, as bytes: each is its kind, and that it holds one.
    fn nested(levels: usize) -> Vec<u8> {
        let mut bytes = [5, 1].repeat(levels);
        bytes.push(0);
        bytes
    }

    #[test]
    fn depth_and_counts_are_bounded() {
        let value = decode(&nested(100)).unwrap();
        assert!(matches!(value, Value::List(_)));
        assert_eq!(postcard::to_allocvec(&value).unwrap(), nested(100));
        assert!(decode(&nested(20_000_000)).is_err());
        let mut many = vec![5, 0x80, 0x80, 0x80, 0x10];
        many.resize(32 << 20, 0);
        let began = std::time::Instant::now();
        assert!(decode(&many).is_err() && began.elapsed().as_secs() < 20);
        assert!(decode(&nested(100)).is_ok(), "the next one is not hurt");
    }
}
