//! Ids that look random and yet can be turned back into a number, so that a million records need no lookup table.
//!
//! An [`Ids`] scrambles a number (with a small tag for what it counts) into a well-formed version 4 UUID. Turning it
//! back checks every bit, so an id that was not made here is never taken for one that was.

use uuid::Uuid;

/// 60 bits: 4 of tag, 56 of number.
const MASK: u64 = (1 << 60) - 1;
const SPREAD: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9];
const VERSION: u64 = 4 << 12;
const VARIANT: u64 = 1 << 63;

/// Makes ids, and reads them back.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    key: u64,
}

impl Ids {
    /// Ids of their own look for each `key` (take it from the world's generator).
    #[must_use]
    pub fn new(key: u64) -> Self {
        Self { key }
    }

    /// The UUID of thing `number` (below 2^56) of sort `tag` (below 16).
    #[must_use]
    pub fn uuid(&self, tag: u8, number: u64) -> String {
        let high = self.scramble(u64::from(tag) << 56 | number & (MASK >> 4));
        Uuid::from_u64_pair(high, self.low(high)).to_string()
    }

    /// The number behind a UUID of that sort; `None` for any other text.
    #[must_use]
    pub fn number(&self, tag: u8, text: &str) -> Option<u64> {
        let (high, low) = Uuid::try_parse(text).ok()?.as_u64_pair();
        let plain = self.unscramble(high);
        let same = self.scramble(plain) == high && self.low(high) == low;
        (same && plain >> 56 == u64::from(tag)).then_some(plain & (MASK >> 4))
    }

    /// The same as a number of 60 bits, for services whose ids are shorter texts.
    #[must_use]
    pub fn short(&self, tag: u8, number: u64) -> u64 {
        let high = self.scramble(u64::from(tag) << 56 | number & (MASK >> 4));
        (high >> 16) << 12 | high & 0xFFF
    }

    /// The number behind such a short id of that sort. One that was not made here reads as a number too, mostly far
    /// too large a one: look whether there is such a thing.
    #[must_use]
    pub fn from_short(&self, tag: u8, short: u64) -> Option<u64> {
        if short > MASK {
            return None;
        }
        let plain = self.unscramble((short >> 12) << 16 | short & 0xFFF);
        (plain >> 56 == u64::from(tag)).then_some(plain & (MASK >> 4))
    }

    fn scramble(&self, plain: u64) -> u64 {
        let mut x = (plain ^ self.key) & MASK;
        for factor in SPREAD {
            x = x.wrapping_mul(factor) & MASK;
            x ^= x >> 31;
        }
        (x >> 12) << 16 | VERSION | x & 0xFFF
    }

    fn unscramble(&self, high: u64) -> u64 {
        let mut x = (high >> 16) << 12 | high & 0xFFF;
        for factor in SPREAD.into_iter().rev() {
            x ^= x >> 31;
            x = x.wrapping_mul(inverse(factor)) & MASK;
        }
        (x ^ self.key) & MASK
    }

    fn low(&self, high: u64) -> u64 {
        (mix(high ^ self.key) >> 2) | VARIANT
    }
}

/// A number that depends on all bits of `x` (splitmix64): chance that needs no state.
#[must_use]
pub fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The inverse of an odd number modulo 2^64, by Newton's method.
fn inverse(odd: u64) -> u64 {
    let mut x = odd;
    for _ in 0..6 {
        x = x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x)));
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_made_and_nothing_else() {
        let ids = Ids::new(0xDEAD_BEEF_0BAD_CAFE);
        for number in (0..3000).chain([1 << 40, (1 << 56) - 1]) {
            let id = ids.uuid(3, number);
            let uuid = Uuid::try_parse(&id).expect("a UUID");
            assert_eq!(uuid.get_version_num(), 4);
            assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(ids.number(3, &id), Some(number));
            assert_eq!(ids.number(2, &id), None);
        }
        for number in [0, 1, 77, (1 << 56) - 1] {
            let short = ids.short(5, number);
            assert!(short <= MASK);
            assert_eq!(ids.from_short(5, short), Some(number));
            assert_eq!(ids.from_short(4, short), None);
        }
        assert_eq!(ids.from_short(5, u64::MAX), None);
        assert_eq!(ids.number(3, "nonsense"), None);
        assert_eq!(Ids::new(1).number(3, &ids.uuid(3, 5)), None);
        let other = Uuid::new_v4().to_string();
        assert_eq!(ids.number(3, &other), None);
    }
}
