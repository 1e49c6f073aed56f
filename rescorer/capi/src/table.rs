//! Numbers that stand for values.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// The first number. Smaller ones lie in the first page of an address space, where some runtimes allow no pointer.
const FIRST: u64 = 0x1_0000;

/// Values by number. Every number is given out once, so that a freed one stays a freed one: after the largest number of a `Word`
/// nothing more is kept. That is as many values as a word can tell apart without using a number twice: four billion in 32 bits.
pub struct Table<Word> {
    live: HashMap<Word, Arc<dyn Any + Send + Sync>>,
    /// Wider than a word, so that it never wraps to a number that was given out.
    next: u64,
}

impl<Word> Default for Table<Word> {
    fn default() -> Self {
        Self { live: HashMap::new(), next: FIRST }
    }
}

impl<Word: TryFrom<u64> + Copy + Eq + Hash> Table<Word> {
    /// Keeps a value and gives its number; `None` when all numbers were given out.
    pub fn keep(&mut self, value: Arc<dyn Any + Send + Sync>) -> Option<Word> {
        let number = Word::try_from(self.next).ok()?;
        self.next = self.next.checked_add(1)?;
        self.live.insert(number, value);
        Some(number)
    }

    /// The value of a number, if it is of this type.
    pub fn find<T: Any + Send + Sync>(&self, number: Word) -> Option<Arc<T>> {
        self.live.get(&number).cloned().and_then(|value| value.downcast().ok())
    }

    /// Takes out the value of a number, if it is of this type.
    pub fn free<T: Any + Send + Sync>(&mut self, number: Word) -> Option<Arc<T>> {
        let value = self.find(number)?;
        self.live.remove(&number);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before_the_end<Word>(numbers: u64, largest: u64) -> Table<Word> {
        Table { next: largest - numbers + 1, ..Table::default() }
    }

    /// Keeps and frees until the numbers end: none comes twice, and the end is the end.
    fn exhaust<Word: TryFrom<u64> + Copy + Eq + Hash>(mut table: Table<Word>, numbers: usize) {
        let mut given = Vec::new();
        for value in 0..numbers {
            let number = table.keep(Arc::new(value)).unwrap();
            assert!(table.find::<usize>(number).is_some_and(|found| *found == value));
            assert!(table.free::<usize>(number).is_some());
            given.push(number);
        }
        for _ in 0..3 {
            assert!(table.keep(Arc::new(7_usize)).is_none());
        }
        assert_eq!(given.iter().collect::<std::collections::HashSet<_>>().len(), numbers);
        assert!(given.iter().all(|number| table.find::<usize>(*number).is_none()));
    }

    #[test]
    fn a_pointer_of_32_bits_is_never_used_twice() {
        exhaust(before_the_end::<u32>(1000, u32::MAX.into()), 1000);
        // From the first number to the last.
        exhaust(Table::<u8> { next: 1, ..Table::default() }, usize::from(u8::MAX));
        assert!(Table::<u16>::default().keep(Arc::new(0_usize)).is_none());
        assert_eq!(Table::<u32>::default().keep(Arc::new(0_usize)), Some(0x1_0000));
    }

    #[test]
    fn a_pointer_of_64_bits_is_never_used_twice() {
        exhaust(before_the_end::<u64>(1000, u64::MAX - 1), 1000);
    }

    #[test]
    fn what_stays_in_use_outlives_the_end() {
        let mut table = before_the_end::<u32>(2, u32::MAX.into());
        let kept = table.keep(Arc::new("kept")).unwrap();
        let freed = table.keep(Arc::new("freed")).unwrap();
        table.free::<&str>(freed).unwrap();
        assert!(table.keep(Arc::new("none")).is_none());
        assert_eq!(*table.find::<&str>(kept).unwrap(), "kept");
        assert_eq!(kept, u32::MAX - 1);
    }

    #[test]
    fn a_value_of_another_type_is_not_found_and_not_freed() {
        let mut table = Table::<u32>::default();
        let number = table.keep(Arc::new(1_u8)).unwrap();
        assert!(table.find::<u16>(number).is_none() && table.free::<u16>(number).is_none());
        assert!(table.free::<u8>(number).is_some() && table.free::<u8>(number).is_none());
    }
}
