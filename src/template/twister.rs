//! Python's `random`: the Mersenne Twister, seeded and read as CPython does it.

use sha2::{Digest, Sha512};

use crate::system::random;

const N: usize = 624;
const M: usize = 397;

/// A source of random numbers.
#[derive(Debug)]
pub enum Random {
    /// Follows from a seed.
    Seeded(Box<Twister>),
    /// The system's own.
    System,
}

/// Letters and digits that nobody can guess.
pub fn unguessable(length: usize) -> Result<String, String> {
    const CHARS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = Random::system()?;
    Ok((0..length).map(|_| char::from(CHARS[random.below(CHARS.len() as u64) as usize])).collect())
}

impl Random {
    /// The system's source.
    pub fn system() -> Result<Self, String> {
        // It answers once and then always.
        random::fill(&mut [0]).map_err(|error| format!("the kernel has no random numbers: {error}"))?;
        Ok(Random::System)
    }

    /// `Random("text")`
    pub fn from_text(text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.extend(Sha512::digest(text.as_bytes()));
        // One large number, least part first.
        bytes.reverse();
        let word = |part: &[u8]| part.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        Random::Seeded(Box::new(Twister::new(bytes.chunks(4).map(word).collect())))
    }

    /// `Random(12)`
    pub fn from_number(number: u128) -> Self {
        let words = (0..4).map(|index| (number >> (32 * index)) as u32).collect();
        Random::Seeded(Box::new(Twister::new(words)))
    }

    fn word(&mut self) -> u32 {
        match self {
            Random::Seeded(twister) => twister.next(),
            Random::System => {
                let mut bytes = [0; 4];
                random::fill(&mut bytes).expect("it has answered before");
                u32::from_le_bytes(bytes)
            }
        }
    }

    /// `getrandbits`, for up to 64 bits.
    fn bits(&mut self, count: u32) -> u64 {
        match count {
            0 => 0,
            1..=32 => u64::from(self.word() >> (32 - count)),
            _ => u64::from(self.word()) | u64::from(self.word() >> (64 - count)) << 32,
        }
    }

    /// A number below `end`, which is above 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let bits = u64::BITS - end.leading_zeros();
        loop {
            let number = self.bits(bits);
            if number < end {
                return number;
            }
        }
    }

    /// Puts the items into another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// The generator's state.
#[derive(Debug)]
pub struct Twister {
    state: [u32; N],
    used: usize,
}

impl Twister {
    /// Seeded with the words of a number, the least first.
    fn new(mut key: Vec<u32>) -> Self {
        while key.len() > 1 && key.last() == Some(&0) {
            key.pop();
        }
        let mut state = [0; N];
        state[0] = 19_650_218;
        for at in 1..N {
            let last: u32 = state[at - 1];
            state[at] = (last ^ last >> 30).wrapping_mul(1_812_433_253).wrapping_add(at as u32);
        }
        let mut at = 1;
        for round in 0..N.max(key.len()) {
            let place = round % key.len();
            let last = state[at - 1];
            state[at] = (state[at] ^ (last ^ last >> 30).wrapping_mul(1_664_525))
                .wrapping_add(key[place])
                .wrapping_add(place as u32);
            step(&mut state, &mut at);
        }
        for _ in 1..N {
            let last = state[at - 1];
            state[at] = (state[at] ^ (last ^ last >> 30).wrapping_mul(1_566_083_941)).wrapping_sub(at as u32);
            step(&mut state, &mut at);
        }
        state[0] = 0x8000_0000;
        Twister { state, used: N }
    }

    fn next(&mut self) -> u32 {
        if self.used == N {
            self.twist();
        }
        let mut word = self.state[self.used];
        self.used += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    fn twist(&mut self) {
        for at in 0..N {
            let mixed = self.state[at] & 0x8000_0000 | self.state[(at + 1) % N] & 0x7fff_ffff;
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[at] = self.state[(at + M) % N] ^ mixed >> 1 ^ odd;
        }
        self.used = 0;
    }
}

fn step(state: &mut [u32; N], at: &mut usize) {
    *at += 1;
    if *at == N {
        state[0] = state[N - 1];
        *at = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    /// The expected values are CPython's.
    #[test]
    fn seeded_as_python() {
        assert_eq!(Random::from_text("be1.local").below(59), 48);
    }
}
